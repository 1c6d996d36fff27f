use std::{
    env, fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use tracing::{debug, warn};
use ureq::{
    Proxy, ProxyProtocol,
    http::Uri,
    tls::{Certificate, RootCerts},
};

/// What stands between this machine and the hub: the proxies to ask through, and the certificates to trust.
///
/// Proxies are chosen by the same rules as for embedding servers, since hyper-util knows them for both: `HTTPS_PROXY` or else `ALL_PROXY` for
/// `https`, `HTTP_PROXY` or else `ALL_PROXY` for `http`, and none for what `NO_PROXY` lists, by host, domain or network. Certificates are those
/// of `SSL_CERT_FILE` and `SSL_CERT_DIR`; without these variables the system's; and those of Mozilla, built in, on a system that has none.
#[derive(Clone)]
pub struct Network {
    proxies: Arc<Matcher>,
    certificates: Certificates,
}

/// Read when a host first wants TLS, and once for all copies of a network.
#[derive(Clone, Default)]
struct Certificates {
    /// `SSL_CERT_FILE`.
    file: Option<PathBuf>,
    /// `SSL_CERT_DIR`, which may name several.
    folders: Vec<PathBuf>,
    read: Arc<OnceLock<Result<RootCerts, String>>>,
}

impl Network {
    /// As the variables of the environment say.
    pub fn from_env() -> Self {
        Self::from_vars(|name| env::var(name).ok())
    }

    /// The same for variables of any other source.
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        // Capitals come first, as for embedding servers.
        let either = |name: &str| {
            let small = name.to_ascii_lowercase();
            var(name).or_else(|| var(&small)).unwrap_or_default()
        };
        // A server sets this variable for a CGI script, and `HTTP_PROXY` from a header of whoever asks it.
        let is_cgi = var("REQUEST_METHOD").is_some();
        let proxies = Matcher::builder()
            .all(either("ALL_PROXY"))
            .http(if is_cgi {
                String::new()
            } else {
                either("HTTP_PROXY")
            })
            .https(either("HTTPS_PROXY"))
            .no(either("NO_PROXY"));
        let set = |name: &str| var(name).filter(|value| !value.trim().is_empty());
        let folders = set("SSL_CERT_DIR").unwrap_or_default();
        Self {
            proxies: Arc::new(proxies.build()),
            certificates: Certificates {
                file: set("SSL_CERT_FILE").map(PathBuf::from),
                folders: env::split_paths(&folders)
                    .filter(|folder| !folder.as_os_str().is_empty())
                    .collect(),
                read: Arc::default(),
            },
        }
    }

    /// The certificates to trust; or why there are none.
    pub(crate) fn roots(&self) -> Result<RootCerts, String> {
        let Certificates { read, .. } = &self.certificates;
        read.get_or_init(|| self.certificates.load()).clone()
    }

    /// The proxy for an address, if it has one; or why that one cannot be used.
    pub(crate) fn proxy(&self, uri: &Uri) -> Result<Option<Proxy>, String> {
        let Some(intercept) = self.proxies.intercept(uri) else {
            return Ok(None);
        };
        // A password is no part of this.
        let shown = intercept.uri().to_string();
        let shown = shown.trim_end_matches('/');
        proxy(&intercept)
            .map(Some)
            .ok_or_else(|| format!("`{shown}` is not the address of an HTTP proxy"))
    }
}

impl Default for Network {
    /// No proxy, and the system's certificates.
    fn default() -> Self {
        Self::from_vars(|_| None)
    }
}

impl fmt::Debug for Network {
    /// Nothing of it: a proxy's address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Certificates {
    fn load(&self) -> Result<RootCerts, String> {
        let is_asked_for = self.file.is_some() || !self.folders.is_empty();
        let CertificateResult { certs, errors, .. } = if is_asked_for {
            self.load_from_paths()
        } else {
            load_native_certs()
        };
        for error in &errors {
            // A system's folder often holds a file or two that are none.
            if is_asked_for {
                warn!("certificates: {error}");
            } else {
                debug!("certificates: {error}");
            }
        }
        let certs: Vec<Certificate<'static>> = certs
            .iter()
            .map(|cert| Certificate::from_der(cert).to_owned())
            .collect();
        match certs.is_empty() {
            false => Ok(RootCerts::from(certs)),
            true if is_asked_for => Err(self.places()),
            true => Ok(RootCerts::WebPki),
        }
    }

    fn load_from_paths(&self) -> CertificateResult {
        let mut all = load_certs_from_paths(self.file.as_deref(), None);
        for folder in &self.folders {
            let more = load_certs_from_paths(None, Some(folder));
            all.certs.extend(more.certs);
            all.errors.extend(more.errors);
        }
        all
    }

    fn places(&self) -> String {
        let file = self.file.iter().map(|path| ("SSL_CERT_FILE", path));
        let folders = self.folders.iter().map(|path| ("SSL_CERT_DIR", path));
        let places: Vec<String> = file
            .chain(folders)
            .map(|(variable, path)| format!("{variable} `{}`", path.display()))
            .collect();
        places.join(" and ")
    }
}

/// The same proxy in ureq's words. It knows SOCKS only with a feature that nothing here turns on.
fn proxy(intercept: &Intercept) -> Option<Proxy> {
    let uri = intercept.uri();
    let protocol = match uri.scheme_str()? {
        "http" => ProxyProtocol::Http,
        "https" => ProxyProtocol::Https,
        _ => return None,
    };
    let mut builder = Proxy::builder(protocol).host(uri.host()?);
    if let Some(port) = uri.port_u16() {
        builder = builder.port(port);
    }
    if let Some(header) = intercept.basic_auth() {
        let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (user, password) = decoded.split_once(':')?;
        builder = builder.username(user).password(password);
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn network(vars: &[(&str, &str)]) -> Network {
        Network::from_vars(|name| {
            let found = vars.iter().find(|(var, _)| *var == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    /// Host and port of the proxy for an address.
    fn chosen(vars: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
        let uri: Uri = url.parse().expect("an address");
        let proxy = network(vars).proxy(&uri)?;
        Ok(proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port())))
    }

    #[test]
    fn the_proxy_is_that_of_the_scheme_unless_the_host_is_exempt() {
        let (https, http) = ("https://huggingface.co/x", "http://mirror.corp:8080/hf");
        let both = [
            ("HTTPS_PROXY", "http://secure:1"),
            ("http_proxy", "plain:2"),
        ];
        for (vars, url, expected) in [
            (&[][..], https, None),
            (&both[..], https, Some("secure:1")),
            (&both[..], http, Some("plain:2")),
            (&both[..1], http, None),
            (&[("ALL_PROXY", "http://all:3/")], https, Some("all:3")),
            (&[("all_proxy", "all")], http, Some("all:80")),
            (&[("HTTPS_PROXY", "")], https, None),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(chosen(vars, url), Ok(expected), "{vars:?} {url}");
        }
        for (exempt, url, is_exempt) in [
            ("huggingface.co", https, true),
            ("x.y, huggingface.co", https, true),
            (".huggingface.co", "https://cdn.huggingface.co", true),
            ("huggingface.co", "https://cdn.huggingface.co", true),
            ("gface.co", https, false),
            ("*", https, true),
            ("10.0.0.0/8", "https://10.1.2.3/hf", true),
            ("10.0.0.0/8", "https://11.1.2.3/hf", false),
            ("corp", "https://mirror.corp:8443", true),
        ] {
            let vars = [("ALL_PROXY", "http://all:3"), ("NO_PROXY", exempt)];
            let proxy = chosen(&vars, url).expect("a proxy");
            assert_eq!(proxy.is_none(), is_exempt, "{exempt} {url}");
        }
    }

    #[test]
    fn a_proxys_password_is_used_and_not_shown() {
        let uri: Uri = "https://huggingface.co".parse().expect("an address");
        let vars = [("HTTPS_PROXY", "http://me:p%40ss@proxy:3128")];
        let proxy = network(&vars).proxy(&uri).expect("usable").expect("one");
        assert_eq!(proxy.username(), Some("me"));
        assert_eq!(proxy.password(), Some("p@ss"));
        assert_eq!((proxy.host(), proxy.port()), ("proxy", 3128));
        let vars = [("HTTPS_PROXY", "socks5://me:secret@proxy:1080")];
        let error = network(&vars).proxy(&uri).expect_err("no HTTP proxy");
        assert_eq!(
            error,
            "`socks5://proxy:1080` is not the address of an HTTP proxy"
        );
        assert_eq!(format!("{:?}", network(&vars)), "Network");
    }

    #[test]
    fn certificates_that_were_asked_for_must_be_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let empty = folder.path().join("empty.pem");
        fs::write(&empty, "no certificate").expect("written");
        let empty = empty.to_str().expect("text");
        for (vars, expected) in [
            (
                vec![("SSL_CERT_FILE", "/nowhere.pem")],
                "SSL_CERT_FILE `/nowhere.pem`".to_owned(),
            ),
            (
                vec![("SSL_CERT_FILE", empty), ("SSL_CERT_DIR", "/none:/nor")],
                format!("SSL_CERT_FILE `{empty}` and SSL_CERT_DIR `/none` and SSL_CERT_DIR `/nor`"),
            ),
        ] {
            assert_eq!(network(&vars).roots().expect_err("none"), expected);
        }
        assert!(network(&[("SSL_CERT_FILE", " ")]).roots().is_ok());
    }
}
