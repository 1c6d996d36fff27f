//! Networks of companies: their own certificates, proxies, and mirrors below a path.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use hub::{Hub, HubError, HubRepo, Network};
use test_support::{Shown, authority_file};

use crate::{DATASET, LARGE, SMALL, client, dataset, large_bytes, temporary, tree};

fn network(vars: &[(&str, &str)]) -> Network {
    Network::from_vars(|name| {
        let found = vars.iter().find(|(var, _)| *var == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// Certificates of the tests' own authority, and further variables.
fn trusting(vars: &[(&str, &str)]) -> Network {
    let file = authority_file();
    let file = file.to_str().expect("text");
    network(&[&[("SSL_CERT_FILE", file)], vars].concat())
}

fn secret_server(shown: Shown) -> test_support::Hub {
    test_support::Hub::start_with_tls(shown).dataset(DATASET, tree())
}

#[test]
fn a_companys_certificates_are_trusted_where_the_variables_name_them() {
    let server = secret_server(Shown::Here);
    let folder = temporary();
    fs::copy(authority_file(), folder.path().join("company.pem")).expect("copied");
    let folders = format!("/nowhere:{}", folder.path().display());
    for network in [trusting(&[]), network(&[("SSL_CERT_DIR", &folders)])] {
        let cache = temporary();
        let hub = Hub {
            network,
            ..client(&server, cache.path())
        };
        let path = hub.file(&dataset(), LARGE).expect("trusted");
        assert!(fs::read(path).expect("read") == large_bytes());
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_refused_at_once_with_a_cure() {
    for (shown, network, expected) in [
        (
            Shown::Here,
            Network::default(),
            "the certificate of `HUB` is not trusted (nobody here knows who issued it): set SSL_CERT_FILE to a PEM file",
        ),
        (
            Shown::Elsewhere,
            trusting(&[]),
            "the certificate of `HUB` is not trusted (certificate not valid for name",
        ),
        (
            Shown::Here,
            self::network(&[("SSL_CERT_FILE", "/nowhere.pem")]),
            "no certificate can be read from SSL_CERT_FILE `/nowhere.pem`: expected PEM files",
        ),
    ] {
        let (server, cache) = (secret_server(shown), temporary());
        let hub = Hub {
            network,
            // A second attempt would come after the end of the test.
            first_wait: Duration::from_secs(600),
            ..client(&server, cache.path())
        };
        let start = Instant::now();
        let error = hub
            .file(&dataset(), SMALL)
            .expect_err("refused")
            .to_string();
        let error = error.replace(&server.url(), "HUB");
        assert!(error.contains(expected), "{error}");
        assert!(start.elapsed() < Duration::from_secs(60));
        assert!(server.seen().is_empty());
    }
}

/// A proxy that opens tunnels, or refuses them with this status; it notes what it is asked.
struct TunnelProxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TunnelProxy {
    fn start(refusal: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || tunnel(stream, refusal, &noted));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no test panicked").clone()
    }
}

fn tunnel(
    mut client: TcpStream,
    refusal: Option<&str>,
    noted: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    noted.lock().expect("no test panicked").push(head.clone());
    if let Some(refusal) = refusal {
        return write!(client, "HTTP/1.1 {refusal}\r\ncontent-length: 0\r\n\r\n");
    }
    let target = head.split(' ').nth(1).unwrap_or_default();
    let mut server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut to, mut from) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut server, &mut client).map(|_| ())
}

#[test]
fn the_hub_is_asked_through_the_proxy_unless_it_is_exempt() {
    let server = secret_server(Shown::Here).gate("datasets/owner/data", "hf_good");
    let proxy = TunnelProxy::start(None);
    let address = format!("http://me:p%40ss@{}", proxy.address);
    for (exempt, is_asked) in [("", true), ("example.com, 127.0.0.0/8", false)] {
        let (n_before, cache) = (proxy.asked().len(), temporary());
        let hub = Hub {
            token: Some("hf_good".to_owned()),
            network: trusting(&[("HTTPS_PROXY", &address), ("NO_PROXY", exempt)]),
            ..client(&server, cache.path())
        };
        let path = hub.file(&dataset(), LARGE).expect("downloaded");
        assert!(fs::read(path).expect("read") == large_bytes());
        let asked = &proxy.asked()[n_before..];
        assert_eq!(!asked.is_empty(), is_asked, "{asked:?}");
        for head in asked {
            assert!(head.starts_with("CONNECT 127.0.0.1:"), "{head}");
            // `me:p@ss`. The hub's token is within the tunnel, which the proxy cannot read.
            assert!(
                head.contains("Proxy-Authorization: Basic bWU6cEBzcw=="),
                "{head}"
            );
            assert!(!head.contains("hf_good"), "{head}");
        }
    }
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password_and_not_asked_again() {
    let server = secret_server(Shown::Here);
    for (refusal, scheme, expected) in [
        (
            "407 Proxy Authentication Required",
            "http",
            "no complete answer from `HUB`: CONNECT proxy failed: proxy server responded 407",
        ),
        (
            "200 OK",
            "socks5",
            "is not the address of an HTTP proxy: set HTTPS_PROXY to `http://HOST:PORT`, or list the hub's host in NO_PROXY",
        ),
    ] {
        let (proxy, cache) = (TunnelProxy::start(Some(refusal)), temporary());
        let address = format!("{scheme}://me:very-secret@{}", proxy.address);
        let hub = Hub {
            network: trusting(&[("ALL_PROXY", &address)]),
            first_wait: Duration::from_secs(600),
            ..client(&server, cache.path())
        };
        let error = hub
            .file(&dataset(), SMALL)
            .expect_err("refused")
            .to_string();
        let error = error.replace(&server.url(), "HUB");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("very-secret"), "{error}");
        assert!(proxy.asked().len() < 2);
    }
}

fn mirror() -> test_support::Hub {
    test_support::Hub::start()
        .below("/company/hf")
        .with_resolve_cache()
        .dataset(DATASET, tree())
        .gate("datasets/owner/data", "hf_good")
        .renamed("datasets/old/data", "datasets/owner/data")
}

fn member(server: &test_support::Hub, cache: &Path) -> Hub {
    Hub {
        token: Some("hf_good".to_owned()),
        ..client(server, cache)
    }
}

#[test]
fn a_mirror_below_a_path_serves_all_and_alone_sees_the_token() {
    let (server, cache) = (mirror(), temporary());
    let hub = member(&server, cache.path());
    let listing = hub.list(&dataset()).expect("listed");
    let paths: Vec<&str> = listing.paths().collect();
    let files = hub.files(&dataset(), &paths).expect("downloaded");
    assert_eq!(fs::read(&files[0]).expect("read"), b"# data\n");
    assert_eq!(fs::read(&files[1]).expect("read"), large_bytes());
    for seen in server.seen() {
        assert_eq!(seen.has_token, !seen.is_storage, "{seen:?}");
        let is_below = seen.path.starts_with("/company/hf/");
        assert_eq!(is_below, !seen.is_storage, "{seen:?}");
    }
    // A repository that has another name since: the redirect is relative to the mirror's host.
    let old = HubRepo::dataset("old/data");
    let path = hub.file(&old, LARGE).expect("downloaded");
    assert!(fs::read(path).expect("read") == large_bytes());
}

#[test]
fn the_license_is_accepted_at_the_hub_and_not_at_a_mirror() {
    let (server, cache) = (mirror(), temporary());
    let stranger = client(&server, cache.path());
    let error = stranger.file(&dataset(), SMALL).expect_err("gated");
    assert!(
        matches!(&error, HubError::Gated { page, .. } if page == "https://huggingface.co/datasets/owner/data"),
        "{error}"
    );
}

#[test]
fn addresses_that_are_none_are_refused_without_what_may_be_secret() {
    let (server, cache) = (mirror(), temporary());
    for endpoint in [
        "mirror.corp/hf",
        "me:very-secret@mirror.corp",
        "ftp://me:very-secret@mirror.corp",
        "http://me:very-secret@mirror.corp:port",
        "http://me:very/secret@mirror.corp",
        "http://mirror.corp/hf?key=very-secret",
        "http://",
        "very-secret",
    ] {
        let hub = Hub {
            endpoint: endpoint.to_owned(),
            first_wait: Duration::from_secs(600),
            ..member(&server, cache.path())
        };
        let error = hub.file(&dataset(), SMALL).expect_err("no address");
        let text = format!("{error} {error:?} {hub:?}");
        assert!(matches!(error, HubError::BadEndpoint { .. }), "{text}");
        for secret in ["very", "secret", "hf_good"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}
