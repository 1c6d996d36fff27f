//! `worth` on made-up tables: answers, exit codes and refusals.

use std::fs;

use dataset::{
    DatasetInfo, Embeddings, EmbeddingsMeta, KeptColumns, Part, PartHashes, PartTable, WorthRecord,
    WorthVerdict, sha256_file,
};
use ndarray::Array2;
use serde_json::Value;
use test_support::{dataset_info, stderr, stdout};

use crate::bench::{Tiny, assert_refused};

const LLMS: [&str; 3] = ["cheap", "middle", "owner/dear"];
/// US dollars of an answer.
const USD: [f64; 3] = [0.001, 0.002, 0.003];
const N_PROMPTS: usize = 240;
/// Few resamples, as tests look at the answer and not at its last digit.
const QUICK: [&str; 6] = [
    "--dataset",
    "mine",
    "--embedding",
    "given",
    "--resamples",
    "999",
];

/// One prompt of a world.
#[derive(Clone, Copy)]
struct Prompt {
    /// Its embedding, a direction in the plane.
    angle: f64,
    /// For each LLM a number in [0, 1), by which its answer is drawn.
    luck: [f64; 3],
    /// When it was asked, from 0 to 1.
    time: f64,
}

/// Digits of a product with an irrational number: evenly spread, and the same on every machine.
fn spread(i: usize, salt: usize) -> f64 {
    // The splitmix64 generator's step, on the pair.
    let mut z = (i as u64 * 64 + salt as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A data set `mine` with embeddings `given`; `right` is the probability of a right answer of an LLM.
fn world(right: impl Fn(Prompt, usize) -> f64) -> Tiny {
    let bench = Tiny::empty();
    write(&bench, right, |_, cost| cost);
    bench
}

fn write(bench: &Tiny, right: impl Fn(Prompt, usize) -> f64, cost: impl Fn(usize, f64) -> f64) {
    let dir = bench.dataset("mine");
    fs::create_dir_all(dir.root()).expect("made");
    let n_train = N_PROMPTS * 4 / 5;
    for (part, rows) in Part::ALL.into_iter().zip([0..n_train, n_train..N_PROMPTS]) {
        let rows: Vec<usize> = rows.collect();
        let prompts: Vec<Prompt> = rows
            .iter()
            .map(|&i| Prompt {
                angle: std::f64::consts::TAU * spread(i, 0),
                luck: [1, 2, 3].map(|salt| spread(i, salt)),
                time: i as f64 / N_PROMPTS as f64,
            })
            .collect();
        let shape = (rows.len(), LLMS.len());
        let ids: Vec<String> = rows.iter().map(|i| format!("p{i}")).collect();
        let table = PartTable {
            tasks: rows.iter().map(|i| format!("task-{}", i % 2)).collect(),
            prompts: ids.iter().map(|id| format!("the prompt {id}")).collect(),
            models: LLMS.map(str::to_owned).to_vec(),
            scores: Array2::from_shape_fn(shape, |(i, m)| {
                f32::from(u8::from(prompts[i].luck[m] < right(prompts[i], m)))
            }),
            input_tokens: None,
            output_tokens: None,
            cost_usd: Array2::from_shape_fn(shape, |(_, m)| cost(m, USD[m])),
            ids: ids.clone(),
            kept: kept(&rows),
        };
        table.write(&dir.split(part)).expect("written");
        let embeddings = Embeddings {
            ids,
            values: Array2::from_shape_fn((rows.len(), 2), |(i, axis)| {
                [prompts[i].angle.cos(), prompts[i].angle.sin()][axis] as f32
            }),
            meta: EmbeddingsMeta {
                embedder: "given".to_owned(),
                embedder_sha256: None,
                server: None,
                split_sha256: Some(sha256_file(&dir.split(part)).expect("hashed")),
                truncate: None,
                n_truncated: None,
            },
        };
        let path = dir.embeddings("given", part);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        embeddings.write(&path).expect("written");
    }
    let info = DatasetInfo {
        part_sha256: Some(PartHashes::of(&dir).expect("hashed")),
        ..dataset_info("mine", &LLMS, [n_train, N_PROMPTS - n_train])
    };
    info.write(&dir.info()).expect("written");
}

/// When a prompt was asked, and in which conversation of three.
fn kept(rows: &[usize]) -> KeptColumns {
    let mut kept = KeptColumns::default();
    let day = |i: &usize| format!("2026-{:02}-{:02}", 1 + i / 28, 1 + i % 28);
    for (name, values) in [
        ("day", rows.iter().map(day).collect()),
        (
            "conversation",
            rows.iter().map(|i| (i / 3).to_string()).collect(),
        ),
    ] {
        kept.insert(name, values).expect("a new name");
    }
    kept
}

/// Each LLM is good at a third of the circle.
fn specialists(prompt: Prompt, model_idx: usize) -> f64 {
    let third = (3.0 * prompt.angle / std::f64::consts::TAU) as usize;
    if third == model_idx { 0.95 } else { 0.15 }
}

/// What `worth` says with `--json`, with its exit code.
fn answer(bench: &Tiny, args: &[&str]) -> (Value, i32) {
    let output = bench.run(&[&["worth"], &QUICK[..], args, &["--json"]].concat());
    let code = output.status.code().expect("an exit code");
    assert!([0, 3, 4].contains(&code), "{code}: {}", stderr(&output));
    let value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    (value, code)
}

fn number(value: &Value, keys: &[&str]) -> f64 {
    let found = keys.iter().fold(value, |value, key| &value[*key]);
    found
        .as_f64()
        .unwrap_or_else(|| panic!("no number {keys:?} in {value}"))
}

#[test]
fn strong_signal_is_worth_it_and_the_record_says_so() {
    let bench = world(specialists);
    let (value, code) = answer(&bench, &["--output", "copy.json", "--at-least", "0.05"]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["verdict"], "worth-it");
    // The best single LLM is right on .417 of the prompts, the best router on .95.
    assert!(
        (0.3..0.6).contains(&number(&value, &["gain", "estimate"])),
        "{value}"
    );
    assert!(number(&value, &["gain", "low"]) > 0.2, "{value}");
    assert!(number(&value, &["p-gain"]) < 0.01);
    assert_eq!(value["curve"].as_array().map(Vec::len), Some(25));
    assert_eq!(value["tasks"].as_array().map(Vec::len), Some(2));
    assert_eq!(number(&value, &["counts", "n-judged"]), N_PROMPTS as f64);
    assert!(number(&value, &["prompts-needed", "n-prompts"]) > 1.0);
    // The most accurate single LLM is far below what routing reaches at its cost.
    assert!(
        number(&value, &["equal-cost", "score-gain", "low"]) > 0.2,
        "{value}"
    );
    assert!(
        number(&value, &["equal-quality", "saving", "estimate"]) > 0.0,
        "{value}"
    );

    let dir = bench.dataset("mine");
    let record = WorthRecord::read(&dir.worth()).expect("read");
    assert_eq!(record.verdict, WorthVerdict::WorthIt);
    assert!(record.is_of(&dir).expect("hashed"));
    assert_eq!(record.router, "carrot-blend");
    let stored: Value =
        serde_json::from_slice(&fs::read(dir.worth()).expect("read")).expect("JSON");
    assert_eq!(stored, value);
    let copy: Value =
        serde_json::from_slice(&fs::read(bench.join("copy.json")).expect("read")).expect("JSON");
    assert_eq!(copy, value);
    // The same again, to the byte, on one thread.
    let before = fs::read(dir.worth()).expect("read");
    let mut command = bench.command(&[&["worth"], &QUICK[..], &["--at-least", "0.05"]].concat());
    let output = command.env("RAYON_NUM_THREADS", "1").output().expect("run");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        fs::read(dir.worth()).expect("read") == before,
        "the record differs"
    );
    let text = stdout(&output);
    for part in [
        "carrot-blend on mine: worth it",
        "Route: ",
        "points of accuracy",
        "task-0",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
}

#[test]
fn a_coin_is_never_worth_it() {
    for router in ["carrot-blend", "carrot-knn"] {
        let bench = world(|_, _| 0.5);
        let (value, code) = answer(&bench, &["--router", router, "--no-record"]);
        assert!([3, 4].contains(&code), "{router}: {value}");
        assert!(!bench.dataset("mine").worth().exists(), "a record");
        // Nobody pays more for the same.
        assert_eq!(value["curve"][0]["best-single"], "cheap");
    }
}

#[test]
fn a_dominant_llm_is_named() {
    let bench = world(|_, m| if m == 0 { 0.97 } else { 0.3 });
    let (value, code) = answer(&bench, &[]);
    assert_eq!(code, 3, "{value}");
    assert_eq!(value["verdict"], "not-worth-it");
    assert_eq!(value["best-single"], "cheap");
    let sentence = value["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.starts_with("Do not route: use `cheap`."),
        "{sentence}"
    );
    // It never departs from that LLM, so there is nothing to average.
    for key in ["estimate", "low", "high"] {
        assert_eq!(number(&value, &["gain", key]), 0.0, "{value}");
    }
    let fits = value["fits"].as_array().expect("fits");
    assert_eq!(fits.len(), 5);
    assert!(fits.iter().all(|fit| fit["g"] == 0.0), "{fits:?}");
}

#[test]
fn later_prompts_judge_what_earlier_ones_taught() {
    // In the last two fifths of the time everyone is good at what another was good at before.
    let bench = world(|prompt, m| {
        let shift = if prompt.time < 0.6 { 0 } else { 1 };
        specialists(prompt, (m + shift) % 3)
    });
    let (later, _) = answer(&bench, &["--time", "day"]);
    assert_eq!(later["settings"]["time"], "day");
    // The first fifth of the rows only trains.
    let n_judged = number(&later, &["counts", "n-judged"]);
    assert_eq!(n_judged, 0.8 * N_PROMPTS as f64);

    // Without a shift, later prompts are routed well.
    let (steady, code) = answer(&world(specialists), &["--time", "day"]);
    assert_eq!(code, 0, "{steady}");
    let gain = |value: &Value| number(value, &["gain", "estimate"]);
    assert!(gain(&later) < gain(&steady) - 0.1, "{later}");
    let twice = [&QUICK[..], &["--time", "day", "--repeats", "2"]].concat();
    assert_refused(
        &bench.run(&[&["worth"], &twice[..]].concat()),
        2,
        "cannot be used with",
    );
}

#[test]
fn groups_stay_together() {
    let bench = world(specialists);
    let (value, code) = answer(&bench, &["--group", "conversation", "--repeats", "2"]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["settings"]["group"], "conversation");
    assert_eq!(value["settings"]["n-repeats"], 2);
    assert_eq!(value["fits"].as_array().map(Vec::len), Some(10));
    // Two tasks are two groups, of which there cannot be five folds.
    let by_task = [&["worth"], &QUICK[..], &["--group", "task"]].concat();
    assert_refused(
        &bench.run(&by_task),
        1,
        "2 prompts or groups of prompts cannot be dealt to 5 folds",
    );
}

#[test]
fn permuted_prompts_gain_nothing() {
    let bench = world(specialists);
    let (value, code) = answer(&bench, &["--router", "carrot-knn", "--null", "9"]);
    assert_eq!(code, 0, "{value}");
    for of in ["over-all", "within-tasks"] {
        let null = &value["null"][of];
        assert_eq!(null["gains"].as_array().map(Vec::len), Some(9));
        // By hand: none of nine permutations gains as much, so p is 1 / 10.
        assert_eq!(number(null, &["p"]), 0.1, "{null}");
    }
}

#[test]
fn the_routers_own_cost_is_taken_off() {
    let bench = world(specialists);
    let gain = |args: &[&str]| answer(&bench, args).0;
    let (free, paid) = (gain(&[]), gain(&["--embed-usd-per-1k", "0.5"]));
    // By hand: $0.0005 per prompt at a worth v is 0.0005 / v of a score.
    for (free, paid) in free["curve"]
        .as_array()
        .expect("a curve")
        .iter()
        .zip(paid["curve"].as_array().expect("a curve"))
    {
        let worth = number(free, &["worth-usd"]);
        let difference = number(free, &["gain", "estimate"]) - number(paid, &["gain", "estimate"]);
        assert!(
            (difference - 0.0005 / worth).abs() < 1e-9,
            "{difference} at {worth}"
        );
    }
    // More than any answer is worth.
    let (value, code) = answer(&bench, &["--embed-usd-per-1k", "50"]);
    assert_eq!(code, 3, "{value}");
}

#[test]
fn an_llm_without_any_cost_is_never_chosen() {
    let bench = Tiny::empty();
    write(
        &bench,
        specialists,
        |m, usd| if m == 2 { f64::NAN } else { usd },
    );
    let (value, code) = answer(&bench, &[]);
    assert_eq!(code, 0, "{value}");
    let notes = value["notes"].to_string();
    assert!(notes.contains("`owner/dear` has no known cost"), "{notes}");

    // Without any cost there is nothing to weigh, and only scores count.
    let bench = Tiny::empty();
    write(&bench, specialists, |_, _| f64::NAN);
    let (value, code) = answer(&bench, &[]);
    assert_eq!(code, 0, "{value}");
    assert_eq!(value["curve"].as_array().map(Vec::len), Some(1));
    assert!(value["curve"][0]["worth-usd"].is_null());
    assert!(value["equal-quality"].is_null());
}

#[test]
fn bad_command_lines_and_missing_inputs() {
    let bench = world(|_, _| 0.5);
    let refused = |args: &[&str], code, part: &str| {
        let output = bench.run(&[&["worth"], args].concat());
        assert_refused(&output, code, part);
        stderr(&output)
    };
    refused(&[], 2, "--dataset");
    refused(&["--dataset", "none"], 1, "there is no data set `none`");
    for (args, part) in [
        (["--at-least", "2"], "such as 0.01 for one point"),
        (["--embed-usd-per-1k", "inf"], "at least 0"),
        (["--folds", "1"], "`folds` is 1, expected"),
        (["--repeats", "0"], "`repeats` is 0, expected"),
        (["--resamples", "0"], "`resamples` is 0, expected"),
        (
            ["--router", "carrot-roberta"],
            "`carrot-roberta` is not a router that",
        ),
        (["--device", "abacus"], "`abacus`"),
    ] {
        refused(&[&QUICK[..4], &args].concat(), 2, part);
    }
    let text = refused(&["--dataset", "mine"], 1, "no embeddings `minilm`");
    assert!(
        text.contains("hint: compute them with `cargo run -p train-and-infer -- --dataset mine --routers carrot-blend --embedding minilm`"),
        "{text}"
    );
    let column = [&QUICK[..], &["--group", "customer"]].concat();
    let text = refused(
        &column,
        1,
        "has no column `customer`; it has `task`, `conversation`, `day`",
    );
    assert!(
        text.contains("`cargo run -p gen-custom -- ... --keep customer`"),
        "{text}"
    );
    let time = [&QUICK[..], &["--time", "task"]].concat();
    refused(
        &time,
        1,
        "column `task` is `task-0` in row 1, expected a number or",
    );
    assert!(!bench.dataset("mine").worth().exists(), "a record");
}
