//! The built program with an embeddings endpoint on this machine.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use dataset::{DatasetDir, Embeddings, Part, PartTable};
use test_support::{Bench, EmbeddingFault, OpenAi, assert_contains, expect_success, stderr};

const MODEL: &str = "text-embedding-3-small";
const DIM: usize = 1_536;
const KEY: &str = "sk-not-to-be-seen";

/// A folder with a table, and the server that the program talks to.
struct Served {
    bench: Bench,
    server: OpenAi,
}

impl Served {
    /// A table of `n` rows, of which two have the same prompt.
    fn new(n: usize, server: OpenAi) -> Self {
        let mut table = "id,prompt,m/score,m/cost_usd\n".to_owned();
        for i in 0..n {
            let prompt = if i == 1 { 0 } else { i };
            table.push_str(&format!("{i},question number {prompt}?,{},0.5\n", i % 2));
        }
        let bench = Bench::new(env!("CARGO_BIN_EXE_gen-custom"))
            .var("OPENAI_BASE_URL", server.url())
            .var("OPENAI_API_KEY", KEY);
        bench.write("t.csv", table);
        Self { bench, server }
    }

    fn command(&self, data_dir: &str, extra: &[&str]) -> Command {
        let table = ["--input", "t.csv", "--name", "mine", "--embedder", "openai"];
        let args = [&table[..], &["--data-dir", data_dir], extra].concat();
        self.bench.command(&args)
    }

    fn run(&self, data_dir: &str, extra: &[&str]) -> Output {
        self.command(data_dir, extra)
            .output()
            .expect("the program starts")
    }

    fn dir(&self, data_dir: &str) -> DatasetDir {
        DatasetDir::new(&self.bench.join(data_dir), "mine")
    }
}

fn server() -> OpenAi {
    OpenAi::start().model(MODEL, DIM).key(KEY)
}

fn files(dir: &DatasetDir, embedder: &str) -> Vec<Vec<u8>> {
    let read = |path: &Path| fs::read(path).expect("written");
    Part::ALL
        .iter()
        .flat_map(|&part| {
            [
                read(&dir.split(part)),
                read(&dir.embeddings(embedder, part)),
            ]
        })
        .collect()
}

#[test]
fn every_prompt_has_its_vector_and_none_is_asked_for_twice() {
    let served = Served::new(40, server());
    let output = served.run("data", &["--max-request-inputs", "10"]);
    let stdout = expect_success(&output);
    assert_contains(&stdout, "train: 32 prompts");
    assert_contains(&stdout, &format!("--embedding {MODEL}"));
    for part in Part::ALL {
        let split = PartTable::read(&served.dir("data").split(part)).expect("readable");
        let path = served.dir("data").embeddings(MODEL, part);
        let vectors = Embeddings::read(&path).expect("readable");
        assert_eq!(vectors.ids, split.ids);
        for (prompt, row) in split.prompts.iter().zip(vectors.values.rows()) {
            assert_eq!(row.to_vec(), OpenAi::vector(prompt, DIM), "{prompt}");
        }
    }
    let n_times = served.server.n_times_asked();
    assert_eq!(n_times.len(), 39);
    assert!(n_times.values().all(|&n| n == 1), "{n_times:?}");

    // Nothing is missing, so nothing is asked for; nor is it for the same prompts in another data set.
    let n_requests = served.server.n_requests();
    let before = files(&served.dir("data"), MODEL);
    let again = served.run("data", &[]);
    expect_success(&again);
    assert_contains(&stderr(&again), "already exist");
    expect_success(&served.run("data", &["--force", "--limit", "20"]));
    assert_eq!(served.server.n_requests(), n_requests);
    assert_ne!(files(&served.dir("data"), MODEL), before);
}

#[test]
fn a_dry_run_tells_the_price_and_neither_asks_nor_writes() {
    let served = Served::new(40, server());
    let stdout = expect_success(&served.run("data", &["--dry-run"]));
    for part in [
        "train: 32 prompts, 31 different",
        "test: 8 prompts",
        "$0.0000",
        "dry run",
    ] {
        assert_contains(&stdout, part);
    }
    assert_eq!(served.server.n_requests(), 0);
    assert!(!served.bench.join("data").exists());

    let output = served.run(
        "data",
        &[
            "--dry-run",
            "--json",
            "--quiet",
            "--embedding-usd-per-mtok",
            "1000000",
        ],
    );
    expect_success(&output);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let plan = &report["embedding"]["parts"][0]["plan"];
    // `question`, ` number`, ` `, `7` and `?`; two digits are one token as well.
    assert_eq!(plan["n_tokens"], 31 * 5, "{plan}");
    assert_eq!(plan["usd"], 155.0);
    assert_eq!(report["is-dry-run"], true);
}

#[test]
fn shorter_vectors_and_other_models_have_folders_of_their_own() {
    let served = Served::new(20, server().model("org/own-model", 8));
    for (extra, folder, dim) in [
        (&["--dimensions", "16"][..], "text-embedding-3-small-16", 16),
        (&["--embedding-model", "org/own-model"], "org--own-model", 8),
        (
            &["--embedding-model", "org/own-model", "--max-tokens", "2"],
            "org--own-model-of-2-tokens",
            8,
        ),
    ] {
        expect_success(&served.run("data", extra));
        let path = served.dir("data").embeddings(folder, Part::Test);
        assert_eq!(
            Embeddings::read(&path).expect("readable").values.dim(),
            (4, dim)
        );
    }
}

#[test]
fn a_refusal_is_told_without_the_key_and_leaves_no_vectors() {
    let refusal = EmbeddingFault::refusal(403, &format!("no such thing, {KEY}"));
    let served = Served::new(20, server().faults([refusal]));
    let output = served.run("data", &[]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains("no such thing") && message.contains("status 403"),
        "{message}"
    );
    assert!(!message.contains(KEY), "{message}");
    assert!(!served.dir("data").embeddings(MODEL, Part::Train).exists());
    assert!(served.dir("data").info().is_file(), "the splits are whole");
    expect_success(&served.run("data", &[]));

    let wrong_key = served
        .command("other", &["--embedding-model", "unknown"])
        .env("OPENAI_API_KEY", "sk-wrong-and-secret")
        .output()
        .expect("the program starts");
    assert_eq!(wrong_key.status.code(), Some(1));
    assert!(
        !stderr(&wrong_key).contains("sk-wrong"),
        "{}",
        stderr(&wrong_key)
    );
}

#[test]
fn settings_come_from_an_env_file_too() {
    let served = Served::new(20, server());
    let lines = format!(
        "OPENAI_BASE_URL={}\nOPENAI_API_KEY={KEY}\n",
        served.server.url()
    );
    served.bench.write(".env", lines);
    let output = served
        .command("data", &[])
        .env_remove("OPENAI_BASE_URL")
        .env_remove("OPENAI_API_KEY")
        .output()
        .expect("the program starts");
    expect_success(&output);
    assert!(served.dir("data").embeddings(MODEL, Part::Test).is_file());
}

/// A program that is killed with no warning, again and again, ends with the bytes of one that was not, and pays twice for nothing but what
/// was under way.
#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    const IN_FLIGHT: usize = 2;
    const PER_REQUEST: usize = 5;
    let extra = [
        "--max-request-inputs",
        "5",
        "--requests-in-flight",
        "2",
        "--quiet",
    ];
    let served = Served::new(300, server().latency(Duration::from_millis(15)));
    expect_success(&served.run("whole", &extra));
    let n_before = served.server.n_times_asked();

    let mut n_kills = 0;
    // Moments from before the first request on, in an order without a pattern, later and later so that a slow machine gets done too.
    for i in 0_u64.. {
        let mut child = served
            .command("killed", &extra)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        thread::sleep(Duration::from_millis(20 + i * 97 % 160 + i * 20));
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success());
            break;
        }
        child.kill().expect("a child that runs");
        child.wait().expect("a child");
        n_kills += 1;
        assert!(i < 100, "it never got done");
    }
    assert!(n_kills >= 3, "killed {n_kills} times only");
    assert!(files(&served.dir("whole"), MODEL) == files(&served.dir("killed"), MODEL));

    let n_after = served.server.n_times_asked();
    let again: usize = n_after.iter().map(|(text, n)| n - n_before[text] - 1).sum();
    assert!(
        again <= n_kills * IN_FLIGHT * PER_REQUEST,
        "{again} texts were asked for again after {n_kills} kills"
    );
}

#[test]
fn a_model_without_a_folder_is_refused_before_anything_is_sent() {
    let served = Served::new(20, server());
    let long = "x".repeat(300);
    for bad in ["..", ".", "", "  ", "../..", "a\u{1b}[2J", "a\nb", &long] {
        let output = served.run("data", &["--embedding-model", bad]);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{bad:?}: {message}");
        assert!(!message.contains('\u{1b}'), "{message:?}");
    }
    assert_eq!(served.server.n_requests(), 0);
    assert!(!served.bench.join("data").exists(), "nothing was written");
}

#[test]
fn models_that_differ_have_different_folders() {
    let models = [
        "owner/model",
        "owner--model",
        "owner:model",
        "model",
        "model-8",
        "NUL",
    ];
    let mut server = OpenAi::start().key(KEY);
    for model in models {
        server = server.model(model, 16);
    }
    let served = Served::new(20, server);
    for model in models {
        expect_success(&served.run("data", &["--embedding-model", model]));
    }
    expect_success(&served.run("data", &["--embedding-model", "model", "--dimensions", "8"]));
    let folders = test_support::file_names(&served.bench.join("data/mine/embeddings"));
    let expected = [
        "%4EUL",
        "model",
        "model-8",
        "model-8_",
        "owner%2D%2Dmodel",
        "owner%3Amodel",
        "owner--model",
    ];
    assert_eq!(folders, expected);
    for part in Part::ALL {
        PartTable::read(&served.dir("data").split(part)).expect("still a split");
    }
}

#[test]
fn embeddings_that_are_damaged_are_made_anew_from_the_store() {
    let served = Served::new(20, server());
    expect_success(&served.run("data", &[]));
    let n_requests = served.server.n_requests();
    let path = served.dir("data").embeddings(MODEL, Part::Test);
    let whole = fs::read(&path).expect("read");
    for bytes in [&whole[..300], &whole[..whole.len() - 1], b""] {
        fs::write(&path, bytes).expect("written");
        let output = served.run("data", &[]);
        expect_success(&output);
        assert_contains(&stderr(&output), "cannot be used and is replaced");
        assert_eq!(fs::read(&path).expect("read"), whole);
    }
    assert_eq!(served.server.n_requests(), n_requests, "paid for once");
}
