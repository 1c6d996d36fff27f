//! A process that is killed at any moment and run again pays for nothing twice but what was under way.
use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::{DIM, MODEL, limits, open, store};
use embeddings::{Client, Endpoint, Limits, Model};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use test_support::OpenAi;

/// Set in the process that is killed: where its store is.
const STORE: &str = "EMBEDDINGS_TEST_STORE";
const URL: &str = "EMBEDDINGS_TEST_URL";
const THIS_TEST: &str = "kill::killed_at_any_moment_nothing_is_paid_twice_but_what_was_under_way";
const N_TEXTS: usize = 600;
const N_INPUTS: usize = 5;
const N_IN_FLIGHT: usize = 4;
/// Enough that some fall into the start, some into a commit, some between.
const MIN_KILLS: usize = 15;

fn small_limits() -> Limits {
    Limits {
        max_inputs_per_request: N_INPUTS,
        max_in_flight: N_IN_FLIGHT,
        ..limits()
    }
}

/// Some come twice.
fn texts() -> Vec<String> {
    (0..N_TEXTS)
        .map(|n| format!("prompt {}", n % 550))
        .collect()
}

fn client(url: &str) -> Client {
    let endpoint = Endpoint::at(url);
    Client::new(endpoint, Model::named(MODEL), small_limits()).unwrap()
}

/// What the process does that is killed.
fn embed_all(path: &Path, url: &str) {
    let ticks = path.with_extension("ticks");
    let embedded = client(url).embed(&open(path), &texts(), &|progress| {
        fs::write(&ticks, progress.n_done.to_string()).unwrap();
    });
    let values = embedded.unwrap().values;
    fs::write(path.with_extension("partial"), bytes(&values)).unwrap();
    fs::rename(
        path.with_extension("partial"),
        path.with_extension("values"),
    )
    .unwrap();
}

fn bytes(values: &ndarray::Array2<f32>) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn start_child(path: &Path, url: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([THIS_TEST, "--exact", "--test-threads=1"])
        .env(STORE, path)
        .env(URL, url)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// The test starts itself again and again: with the variables set it is the process that is killed.
#[test]
fn killed_at_any_moment_nothing_is_paid_twice_but_what_was_under_way() {
    match (env::var_os(STORE).map(PathBuf::from), env::var(URL)) {
        (Some(path), Ok(url)) => embed_all(&path, &url),
        _ => kill_and_restart(),
    }
}

fn kill_and_restart() {
    let server = OpenAi::start()
        .model(MODEL, DIM)
        .latency(Duration::from_millis(4));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("embeddings.redb");
    let mut rng = StdRng::seed_from_u64(7);
    let mut paid: HashSet<String> = HashSet::new();
    let (mut n_kills, mut n_asked) = (0, 0);
    while !path.with_extension("values").exists() {
        let is_killed = n_kills < MIN_KILLS;
        let n_before = server.asked().len();
        let mut child = start_child(&path, &server.url());
        if is_killed {
            // After some requests have come in and a little more, so that all stages of a request are hit; or in the start.
            let n_wanted = n_before + rng.random_range(0..12);
            let deadline = Instant::now() + Duration::from_secs(20);
            while server.asked().len() < n_wanted && Instant::now() < deadline {
                thread::sleep(Duration::from_micros(200));
            }
            thread::sleep(Duration::from_micros(rng.random_range(0..6_000)));
            child.kill().unwrap();
            n_kills += 1;
        }
        let status = child.wait().unwrap();
        assert_eq!(
            status.success(),
            !is_killed || path.with_extension("values").exists()
        );
        // A request that was written just before the end may still be on its way in.
        thread::sleep(Duration::from_millis(20));

        let asked = server.asked().split_off(n_before);
        let now: Vec<String> = asked.into_iter().flat_map(|asked| asked.texts).collect();
        n_asked += now.len();
        let distinct: HashSet<&String> = now.iter().collect();
        assert_eq!(distinct.len(), now.len(), "asked twice in one run");
        let again: Vec<_> = now.iter().filter(|text| paid.contains(*text)).collect();
        assert!(again.is_empty(), "paid for before: {again:?}");

        // The process is gone, so the store is free; opening it repairs it.
        let store = open(&path);
        let in_store = |text: &String| {
            let plan = client(&server.url()).plan(&store, std::slice::from_ref(text));
            plan.unwrap().n_cached == 1
        };
        let (kept, lost): (Vec<String>, Vec<String>) = now.into_iter().partition(in_store);
        paid.extend(kept);
        assert!(
            lost.len() <= N_INPUTS * 2 * N_IN_FLIGHT,
            "{} lost",
            lost.len()
        );
        assert_eq!(store.n_vectors().unwrap(), paid.len() as u64);

        // Each tick told of texts that are there.
        let ticks = fs::read_to_string(path.with_extension("ticks")).unwrap_or_default();
        let n_ticked: usize = ticks.parse().unwrap_or(0);
        let n_there = texts().iter().filter(|text| paid.contains(*text)).count();
        assert!(n_there >= n_ticked, "{n_there} of {n_ticked}");
    }
    eprintln!(
        "{n_kills} kills, {n_asked} texts asked for, {} different",
        paid.len()
    );
    assert!(n_kills >= MIN_KILLS, "it ended before it was killed often");
    assert_eq!(paid.len(), 550);
    for (text, n_times) in server.n_times_asked() {
        assert!(
            n_times <= 1 + n_kills,
            "{text} was asked for {n_times} times"
        );
    }

    let (_dir, fresh) = store();
    let whole = client(&server.url())
        .embed(&fresh, &texts(), &|_| ())
        .unwrap();
    let killed = fs::read(path.with_extension("values")).unwrap();
    assert!(bytes(&whole.values) == killed, "the results differ");
}
