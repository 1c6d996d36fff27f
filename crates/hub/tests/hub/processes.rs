//! Downloads of other processes: killed ones, and ones at the same time. The other process is this test binary once more.

use std::{
    env, fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use test_support::{Fault, Stage, Wrong};

use crate::{LARGE, blobs, client, dataset, large_bytes, server, temporary};

const ENDPOINT: &str = "HF_ENDPOINT";
const IS_CHILD: &str = "HUB_TEST_IS_CHILD";

fn start(server: &test_support::Hub, cache: &std::path::Path) -> Child {
    Command::new(env::current_exe().expect("this program"))
        .args(["processes::another_process", "--exact"])
        .env(IS_CHILD, "1")
        .env(ENDPOINT, server.url())
        .env("HF_HUB_CACHE", cache)
        .env_remove("HF_HUB_OFFLINE")
        .env_remove("TRANSFORMERS_OFFLINE")
        .stdout(Stdio::null())
        .spawn()
        .expect("started")
}

/// What [`start`] runs; nothing in the tests' own process.
#[test]
fn another_process() {
    if env::var_os(IS_CHILD).is_some() {
        let hub = hub::Hub::from_env();
        let path = hub.file(&dataset(), LARGE).expect("downloaded");
        assert!(fs::read(path).expect("read") == large_bytes());
    }
}

#[test]
fn what_a_killed_process_left_is_resumed() {
    let slow = Wrong::Slow(Duration::from_millis(200));
    let server = server().fault(Fault::new(Stage::Content, slow));
    let cache = temporary();
    let mut child = start(&server, cache.path());
    let n_left = loop {
        match blobs(cache.path()).first() {
            Some((name, size)) if *size >= 32_768 => {
                assert!(name.ends_with(".incomplete"), "{name}");
                child.kill().expect("killed");
                child.wait().expect("ended");
                break blobs(cache.path())[0].1;
            }
            _ => thread::sleep(Duration::from_millis(5)),
        }
        let ended = child.try_wait().expect("a child");
        assert!(ended.is_none(), "it was killed too late: {ended:?}");
    };
    assert!(n_left < large_bytes().len() as u64);
    server.forget();
    let hub = client(&server, cache.path());
    assert_eq!(
        hub.cached_file(&dataset(), LARGE),
        None,
        "a part is no file"
    );
    let path = hub.file(&dataset(), LARGE).expect("downloaded");
    assert!(fs::read(path).expect("read") == large_bytes());
    let range = server.seen().into_iter().find_map(|seen| seen.range);
    assert_eq!(range, Some(format!("bytes={n_left}-")));
}

#[test]
fn processes_and_threads_at_once_download_once() {
    let slow = Wrong::Slow(Duration::from_millis(20));
    let server = server().fault(Fault::new(Stage::Content, slow).always());
    let cache = temporary();
    let mut children: Vec<Child> = (0..2).map(|_| start(&server, cache.path())).collect();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let hub = client(&server, cache.path());
                let path = hub.file(&dataset(), LARGE).expect("downloaded");
                assert!(fs::read(path).expect("read") == large_bytes());
            });
        }
    });
    for child in &mut children {
        assert!(child.wait().expect("ended").success());
    }
    let contents = server
        .seen()
        .into_iter()
        .filter(|seen| seen.stage == Some(Stage::Content));
    assert_eq!(contents.count(), 1);
    assert_eq!(blobs(cache.path()).len(), 1);
}
