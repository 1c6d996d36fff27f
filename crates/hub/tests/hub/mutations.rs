//! Broken answers, headers included, in each place where the hub is asked.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use hub::{Hub, HubRepo, Network};
use test_support::{mutated, n_mutations};

use crate::temporary;

/// Of no hash's length, so that broken bytes are not refused for their hash.
const ETAG: &str = "a5bbe1213d8c8e2e4e3d8c9d5e0e6a2f";
const BYTES: &str = "PAR1";

/// A server that speaks no better than it is told: of the answers to the listing, to `HEAD`, and to the two `GET`s of a large file, one is
/// broken, by the number of the mutation.
struct Broken {
    url: String,
    number: Arc<Mutex<u64>>,
}

impl Broken {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let number = Arc::new(Mutex::new(0));
        let (shared, base) = (Arc::clone(&number), url.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let number = *shared.lock().expect("no test panicked");
                answer(&stream, &base, number);
            }
        });
        Self { url, number }
    }
}

fn answer(mut stream: &TcpStream, base: &str, number: u64) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let place = match () {
        () if head.starts_with("HEAD") => 1,
        () if head.contains(" /api/") => 0,
        () if head.contains(" /storage") => 3,
        () => 2,
    };
    let whole = answers(base)[place].clone().into_bytes();
    let sent = match number % 4 == place as u64 {
        true => mutated(&whole, number),
        false => whole,
    };
    stream.write_all(&sent).ok()
}

/// To the listing, `HEAD`, `GET` at the hub, `GET` at the storage host.
fn answers(base: &str) -> [String; 4] {
    let listing = format!(
        r#"{{"sha": "0a1b", "gated": false, "siblings": [{{"rfilename": "a.parquet", "size": 4, "blobId": "12", "lfs": {{"sha256": "{ETAG}", "size": 4}}}}]}}"#
    );
    let redirect = format!(
        "location: {base}/storage/a?x=1\r\nx-linked-etag: \"{ETAG}\"\r\nx-linked-size: 4\r\nx-repo-commit: 0a1b\r\n"
    );
    let end = "connection: close\r\n\r\n";
    [
        format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{end}{listing}",
            listing.len()
        ),
        format!("HTTP/1.1 302 Found\r\n{redirect}content-length: 0\r\n{end}"),
        format!("HTTP/1.1 302 Found\r\n{redirect}content-length: 0\r\n{end}"),
        format!(
            "HTTP/1.1 200 OK\r\netag: \"{ETAG}\"\r\naccept-ranges: bytes\r\ncontent-length: 4\r\n{end}{BYTES}"
        ),
    ]
}

#[test]
fn mutations_of_the_hubs_answers_give_the_file_or_an_error() {
    let server = Broken::start();
    let repo = HubRepo::dataset("owner/data");
    let mut n_downloaded = 0;
    for number in 0..n_mutations() as u64 {
        let cache = temporary();
        *server.number.lock().expect("no test panicked") = number;
        let hub = Hub {
            cache_dir: cache.path().to_owned(),
            endpoint: server.url.clone(),
            token: None,
            is_offline: false,
            progress: None,
            read_timeout: Duration::from_millis(100),
            first_wait: Duration::ZERO,
            network: Network::default(),
        };
        match hub.file(&repo, "a.parquet") {
            Ok(path) => {
                n_downloaded += 1;
                // Other bytes may pass for the file, but no more than were announced: 4, or two digits where one was.
                let length = fs::metadata(path).expect("there").len();
                assert!(length <= 9_999, "{number}: {length} bytes");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        let entries = fs::read_dir(cache.path()).expect("the cache").flatten();
        for entry in entries {
            let name = entry.file_name();
            let is_known = name == ".locks" || name == "datasets--owner--data";
            assert!(is_known, "{number} made {name:?}");
        }
    }
    assert!(n_downloaded > 0, "mutations that change nothing essential");
}
