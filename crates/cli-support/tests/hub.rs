//! Files of a model repository, from a server on this machine that answers as the hub does.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use cli_support::{Hub, WantedFile};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const FILES: [(&str, &str); 2] = [
    ("config.json", "{\"hidden_size\": 4}"),
    ("1_Pooling/config.json", "{}"),
];
const WANTED: [WantedFile<'_>; 3] = [
    WantedFile {
        name: "config.json",
        is_required: true,
    },
    WantedFile {
        name: "1_Pooling/config.json",
        is_required: false,
    },
    WantedFile {
        name: "modules.json",
        is_required: false,
    },
];

/// A hub with one repository, `owner/model`, which opens with the token `open-sesame`.
struct FakeHub {
    endpoint: String,
    n_requests: Arc<AtomicUsize>,
}

impl FakeHub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let n_requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&n_requests);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::Relaxed);
                answer(stream);
            }
        });
        Self {
            endpoint,
            n_requests,
        }
    }

    fn client(&self, cache: &tempfile::TempDir) -> Hub {
        Hub {
            cache_dir: Some(cache.path().to_owned()),
            endpoint: Some(self.endpoint.clone()),
            token: Some("open-sesame".to_owned()),
            is_offline: false,
            shows_progress: false,
        }
    }
}

fn answer(mut stream: TcpStream) {
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle"))
        .lines()
        .map_while(Result::ok);
    let request = lines.next().unwrap_or_default();
    let headers: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.to_lowercase())
        .collect();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body, range) = if !headers
        .iter()
        .any(|line| line == "authorization: bearer open-sesame")
    {
        ("401 Unauthorized", String::new(), String::new())
    } else if path.starts_with("/api/models/owner/model") {
        let siblings: Vec<String> = FILES
            .iter()
            .map(|(name, _)| format!("{{\"rfilename\": \"{name}\"}}"))
            .collect();
        let body = format!(
            "{{\"sha\": \"{COMMIT}\", \"siblings\": [{}]}}",
            siblings.join(", ")
        );
        ("200 OK", body, String::new())
    } else if let Some((_, text)) = FILES
        .iter()
        .find(|(name, _)| path == format!("/owner/model/resolve/main/{name}"))
    {
        let is_probe = headers.iter().any(|line| line == "range: bytes=0-0");
        let body = if is_probe { &text[..1] } else { text };
        let range = format!(
            "content-range: bytes 0-{}/{}\r\n",
            body.len() - 1,
            text.len()
        );
        ("206 Partial Content", body.to_owned(), range)
    } else {
        ("404 Not Found", String::new(), String::new())
    };
    let response = format!(
        "HTTP/1.1 {status}\r\netag: \"{:x}\"\r\nx-repo-commit: {COMMIT}\r\n{range}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        path.bytes().fold(7_u64, |hash, byte| hash
            .wrapping_mul(31)
            .wrapping_add(u64::from(byte))),
        body.len()
    );
    // The client may hang up early, which is its own affair.
    _ = stream.write_all(response.as_bytes());
}

#[test]
fn files_are_downloaded_once_and_then_cached() {
    let (server, cache) = (
        FakeHub::start(),
        tempfile::tempdir().expect("a temporary folder"),
    );
    let hub = server.client(&cache);
    let folder = hub
        .model_folder("owner/model", &WANTED)
        .expect("downloaded");
    for (name, text) in FILES {
        assert_eq!(fs::read_to_string(folder.join(name)).expect("read"), text);
    }
    assert!(
        !folder.join("modules.json").exists(),
        "the repository has none"
    );

    let n_before = server.n_requests.load(Ordering::Relaxed);
    let offline = Hub {
        is_offline: true,
        ..hub.clone()
    };
    assert_eq!(
        offline
            .model_folder("owner/model", &WANTED)
            .expect("cached"),
        folder
    );
    assert_eq!(
        server.n_requests.load(Ordering::Relaxed),
        n_before,
        "nothing was asked"
    );

    let unreachable = Hub {
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        ..hub
    };
    assert_eq!(
        unreachable
            .model_folder("owner/model", &WANTED)
            .expect("the cache will do"),
        folder
    );
}

#[test]
fn what_cannot_be_had_is_an_error_without_secrets() {
    let (server, cache) = (
        FakeHub::start(),
        tempfile::tempdir().expect("a temporary folder"),
    );
    let hub = server.client(&cache);
    let message = |hub: &Hub, repo, wanted: &[WantedFile<'_>]| {
        format!(
            "{:#}",
            hub.model_folder(repo, wanted)
                .expect_err("nothing to be had")
        )
    };
    let weights = [WantedFile {
        name: "model.safetensors",
        is_required: true,
    }];
    assert_eq!(
        message(&hub, "owner/model", &weights),
        "`owner/model` on the hub has no file `model.safetensors`"
    );
    assert!(message(&hub, "owner/other", &WANTED).contains("404"));

    let stranger = Hub {
        token: Some("guess".to_owned()),
        ..hub.clone()
    };
    let refused = message(&stranger, "owner/model", &WANTED);
    assert!(
        refused.contains("HF_TOKEN opens gated repositories") && refused.contains("401"),
        "{refused}"
    );
    assert!(!refused.contains("guess"), "{refused}");

    let offline = Hub {
        is_offline: true,
        ..hub
    };
    assert!(message(&offline, "owner/model", &WANTED).contains("HF_HUB_OFFLINE is set"));
}
