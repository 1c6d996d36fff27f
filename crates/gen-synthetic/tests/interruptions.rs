//! The built program while another one writes, when it is killed or interrupted, and on a full disk: what there was stays whole, and nothing is left.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use dataset::{Lock, Part};
use test_support::{Bench, assert_contains, stderr};

/// So many that they are not written before the signal comes.
const MANY: &str = "3000000";
/// By then, a program on a busy machine has begun, or ended.
const PATIENCE: Duration = Duration::from_secs(120);

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_gen-synthetic"))
}

/// Every file and folder below the data folder with a file's bytes; hidden ones too.
fn everything(bench: &Bench) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![bench.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("listed").path();
            let bytes = match path.is_dir() {
                true => Vec::new(),
                false => fs::read(&path).expect("read"),
            };
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.insert(path, bytes);
        }
    }
    found
}

fn start(bench: &Bench, args: &[&str]) -> Child {
    let mut command = bench.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("started")
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the program is writing a part.
fn is_writing(bench: &Bench) -> bool {
    let is_partial = |path: &Path| path.to_string_lossy().matches(".partial-").count() == 2;
    everything(bench).keys().any(|path| is_partial(path))
}

#[test]
fn a_second_writer_is_refused_at_the_start_and_told_who_holds_the_lock() {
    let bench = bench();
    bench.succeed(&["--n", "40"]);
    let before = everything(&bench);
    let lock = Lock::of(bench.dataset("synthetic").root()).expect("free");
    let message = bench.refuse(
        &["--n", "50", "--force"],
        1,
        "`data/synthetic` is being written by ",
    );
    assert_contains(
        &message,
        &format!("(process {}, since ", std::process::id()),
    );
    // Another data set, one that exists, and one that is not written are not concerned.
    bench.succeed(&["--n", "40", "--name", "other"]);
    bench.succeed(&["--n", "40"]);
    bench.succeed(&["--n", "50", "--force", "--dry-run"]);
    drop(lock);
    fs::remove_dir_all(bench.join("data/other")).expect("removed");
    assert!(everything(&bench) == before);
    bench.succeed(&["--n", "50", "--force"]);
    assert_eq!(bench.read("synthetic").0.n_train, 40);
}

#[test]
fn of_two_at_once_one_makes_the_data_set() {
    let args = |seed| ["--n", "200", "--seed", seed, "--force"];
    let whole = ["1", "2"].map(|seed| {
        let bench = bench();
        bench.succeed(&args(seed));
        let files = everything(&bench).into_iter();
        let below = |path: PathBuf| path.strip_prefix(bench.path()).expect("below").to_owned();
        files.map(|(path, bytes)| (below(path), bytes)).collect()
    });
    let whole: [BTreeMap<PathBuf, Vec<u8>>; 2] = whole;
    let bench = bench();
    for _ in 0..5 {
        let both = ["1", "2"].map(|seed| start(&bench, &args(seed)));
        let refused = both.map(|child| {
            let output = child.wait_with_output().expect("it ends");
            if !output.status.success() {
                assert_contains(
                    &stderr(&output),
                    "is being written by gen-synthetic (process ",
                );
            }
            !output.status.success()
        });
        assert_ne!(refused, [true, true]);
        let files = everything(&bench).into_iter();
        let below = |path: PathBuf| path.strip_prefix(bench.path()).expect("below").to_owned();
        let files: BTreeMap<_, _> = files.map(|(path, bytes)| (below(path), bytes)).collect();
        assert!(whole.contains(&files), "{:?}", files.keys());
    }
}

#[test]
fn an_interruption_removes_what_is_unfinished_and_leaves_the_old_data_set() {
    let bench = bench();
    for old in [false, true] {
        if old {
            bench.succeed(&["--n", "40"]);
        }
        let before = everything(&bench);
        for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
            let child = start(&bench, &["--n", MANY, "--force"]);
            wait_until("writing", || is_writing(&bench));
            let id = child.id().to_string();
            let sent = Command::new("kill").args([signal, &id]).status();
            assert!(sent.expect("kill runs").success());
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
            assert!(everything(&bench) == before, "{signal}");
        }
    }
}

#[test]
fn what_a_killed_program_left_is_removed_by_the_next() {
    let bench = bench();
    bench.succeed(&["--n", "40"]);
    let before = everything(&bench);
    for args in [&["--n", "40"][..], &["--n", "40", "--force"]] {
        let mut child = start(&bench, &["--n", MANY, "--force"]);
        wait_until("writing", || is_writing(&bench));
        // One that lives keeps its files.
        bench.succeed(&["--n", "40"]);
        assert!(is_writing(&bench));
        child.kill().expect("killed");
        child.wait().expect("it ends");
        assert!(everything(&bench).len() > before.len(), "something is left");
        assert_eq!(bench.read("synthetic").0.n_train, 32);
        // No lock outlives its holder, whether there is something to be made or not.
        bench.succeed(args);
        assert!(everything(&bench) == before, "{args:?}");
    }
}

#[test]
fn a_program_killed_at_any_time_leaves_the_old_data_set_or_the_new_one() {
    let bench = bench();
    let new = ["--n", "400", "--force"];
    bench.succeed(&new);
    let files = || Part::ALL.map(|part| fs::read(bench.dataset("synthetic").split(part)).ok());
    let whole_new = files();
    bench.succeed(&["--n", "40", "--force"]);
    let whole_old = files();
    for delay in (0..10).map(|i| Duration::from_millis(6 * i)) {
        let mut child = start(&bench, &new);
        thread::sleep(delay);
        child.kill().expect("killed");
        child.wait().expect("it ends");
        let found = files();
        assert!([&whole_old, &whole_new].contains(&&found), "{delay:?}");
        let expected = bench.read("synthetic").0.n_train;
        assert_eq!(expected, if found == whole_old { 32 } else { 320 });
        bench.succeed(&["--n", "40", "--force"]);
    }
}

#[test]
fn a_full_disk_leaves_the_old_data_set() {
    let bench = bench();
    bench.succeed(&["--n", "40"]);
    let before = everything(&bench);
    let mut n_failed = 0;
    for n_blocks in [0, 1, 2, 8, 32, 128, 1 << 20] {
        let program = bench.command(&["--n", "400", "--force"]);
        let mut shell = Command::new("sh");
        let script = format!(r#"ulimit -f {n_blocks}; exec "$@""#);
        shell.args(["-c", &script, "sh"]).arg(program.get_program());
        let output = shell.args(program.get_args()).current_dir(bench.path());
        let output = output.output().expect("started");
        if output.status.success() {
            break;
        }
        n_failed += 1;
        // An error that names the file, and not the end by a signal.
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{n_blocks}: {message}");
        assert_contains(&message, "File too large");
        assert_contains(&message, "data/");
        assert!(everything(&bench) == before, "{n_blocks}");
    }
    assert!((1..7).contains(&n_failed), "{n_failed}");
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let bench = bench();
    let mut command = bench.command(&["--n", "40", "--force", "--name", "_"]);
    let mut child = command
        .env("CARROT_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    // The reader of the log goes before the first line, as in `2>&1 | head`.
    drop(child.stderr.take());
    let mut report = String::new();
    let stdout = child.stdout.as_mut().expect("piped");
    stdout.read_to_string(&mut report).expect("read");
    assert!(child.wait().expect("it ends").success());
    assert_contains(&report, "32 train and 8 test rows");
    // A second run has something to log.
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    if let Ok(full) = full {
        let status = bench
            .command(&["--n", "40", "--name", "_"])
            .stderr(full)
            .stdout(Stdio::null())
            .status();
        assert!(status.expect("started").success());
    }
}
