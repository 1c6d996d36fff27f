//! `worth` on made-up tables: answers, exit codes and refusals.

use std::{collections::BTreeMap, fs};

use dataset::{
    Embeddings, EqualPrompts, OutOfFold, Part, PerModel, Predictions, RunManifest, Source, Timings,
    WholeSet, WorthRecord, WorthVerdict, sha256_file,
};
use fitting::{Folds, Learner, Settings};
use serde_json::{Value, json};
use test_support::{copy_tiny_bert, stderr, stdout};

use crate::{
    bench::{Tiny, assert_refused},
    worth_world::{N_PROMPTS, QUICK, answer, number, specialists, world, write, write_rows},
};

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
fn what_train_and_infer_predicted_with_the_same_folds_is_taken() {
    let bench = world(|_, _| 0.5);
    let dir = bench.dataset("mine");
    let whole = WholeSet::open(&dir).expect("read");
    let table = whole.table();
    let groups = EqualPrompts::groups(&table.prompts);
    let folds = Folds::shuffled(N_PROMPTS, 5, 42, Some(&groups)).expect("folds");
    // Predictions that no fit would make: they know every score.
    let out_of_fold = OutOfFold {
        predictions: Predictions::PerModel(PerModel {
            ids: table.ids.clone(),
            models: table.models.clone(),
            scores: table.scores.clone(),
            output_tokens: None,
            cost_usd: table.cost_usd.clone(),
        }),
        folds: folds.of_row().to_vec(),
    };
    let path = dir.out_of_fold("carrot-knn", 0);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    out_of_fold
        .write(&path, &whole.made_from())
        .expect("written");
    let settings: Settings = toml::from_str(fitting::BUILT_IN).expect("settings");
    let recipe = settings.learners().expect("checked").recipe(Learner::Knn);
    let mut manifest = RunManifest {
        dataset: "mine".to_owned(),
        router: "carrot-knn".to_owned(),
        embedder: Some("given".to_owned()),
        seed: recipe.seed,
        made_by: "a test".to_owned(),
        config: recipe.config,
        inputs: Part::ALL
            .map(|part| Source::of(&dir.embeddings("given", part)).expect("hashed"))
            .to_vec(),
        results: json!({ "folds": [] }),
        predictions_sha256: Some(sha256_file(&path).expect("hashed")),
        environment: BTreeMap::new(),
        timings: Timings::default(),
    };
    let place = dir.out_of_fold_manifest("carrot-knn", 0);
    manifest.write(&place).expect("written");
    let knn = ["--router", "carrot-knn"];
    let (value, code) = answer(&bench, &knn);
    assert_eq!(code, 0, "{value}");
    // Three coins against one: at least one is right on 7 of 8 prompts.
    assert!(number(&value, &["gain", "estimate"]) > 0.25, "{value}");

    // With other folds, or of other settings, they are not.
    let (value, code) = answer(&bench, &[&knn[..], &["--seed", "7"]].concat());
    assert!([3, 4].contains(&code), "{value}");
    manifest.config["knn"]["n-folds"] = json!(3);
    manifest.write(&place).expect("written");
    let (value, code) = answer(&bench, &knn);
    assert!([3, 4].contains(&code), "{value}");
}

#[test]
fn missing_embeddings_are_computed_by_a_local_model_and_kept() {
    let bench = world(|_, _| 0.5);
    copy_tiny_bert(&bench.join("models/tiny-bert"));
    let args = [
        "worth",
        "--dataset",
        "mine",
        "--router",
        "carrot-knn",
        "--embedding",
        "models/tiny-bert",
    ];
    let output = bench.run(&args);
    assert!(stderr(&output).contains("embedding the 192 train prompts"));
    let dir = bench.dataset("mine");
    let meta = Embeddings::read_meta(&dir.embeddings("tiny-bert", Part::Test)).expect("read");
    assert!(meta.split_sha256.is_some() && meta.embedder_sha256.is_some());
    let again = bench.run(&args);
    assert!(
        !stderr(&again).contains("embedding the"),
        "{}",
        stderr(&again)
    );
    assert_eq!(again.stdout, output.stdout);
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
fn copies_of_a_prompt_are_one_group_in_intervals_and_halves() {
    let of_copies = |n_copies, args: &[&str]| {
        let bench = Tiny::empty();
        write_rows(&bench, N_PROMPTS, n_copies, specialists, |_, usd| usd);
        answer(&bench, &[&["--router", "carrot-knn"], args].concat()).0
    };
    // Three rows in a row are one conversation, and here one prompt.
    let copies = of_copies(3, &[]);
    let grouped = of_copies(3, &["--group", "conversation"]);
    for key in ["gain", "curve", "tasks", "equal-quality", "equal-cost"] {
        assert_eq!(copies[key], grouped[key], "{key}");
    }
    // About as of the 80 prompts by themselves; copies that counted would make it smaller by the root of 3.
    let error = |value: &Value| number(value, &["gain", "standard-error"]);
    let bench = Tiny::empty();
    write_rows(&bench, N_PROMPTS / 3, 1, specialists, |_, usd| usd);
    let originals = answer(&bench, &["--router", "carrot-knn"]).0;
    let ratio = error(&copies) / error(&originals);
    assert!((0.75..1.33).contains(&ratio), "{ratio}");
}

#[test]
fn too_few_rows_to_judge_by_cannot_tell() {
    for (n_rows, router, expected) in [
        (9, "carrot-blend", 4),
        (9, "carrot-knn", 4),
        (45, "carrot-blend", 4),
        (60, "carrot-blend", 3),
    ] {
        let bench = Tiny::empty();
        // The same LLM is the best and the cheapest, so that no one departs from it.
        let right = |_, m| if m == 0 { 1.0 } else { 0.0 };
        write_rows(&bench, n_rows, 1, right, |_, usd| usd);
        let (value, code) = answer(&bench, &["--router", router]);
        assert_eq!(code, expected, "{n_rows} {router}: {}", value["sentence"]);
        assert_eq!(number(&value, &["gain", "estimate"]), 0.0);
        let sentence = value["sentence"].as_str().expect("a sentence");
        let are_too_few = sentence.contains(&format!("{n_rows} prompts are too few"));
        assert_eq!(are_too_few, expected == 4, "{sentence}");
        assert!(sentence.contains("use `cheap`"), "{sentence}");
        // By hand: fits to 7 of 9 rows have fewer than twice the blend's 4 folds, those to 36 and more have enough.
        let judged = value["fits"].as_array().expect("fits").iter();
        let n_judged = judged.filter(|fit| fit["judged"] == true).count();
        assert!(if n_rows == 9 {
            n_judged <= 1
        } else {
            n_judged == 5
        });
    }
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
    // Off the gains of permuted prompts, too, by as much as off the mean gain; p stays.
    let with_null = ["--router", "carrot-knn", "--null", "2"];
    let free = gain(&with_null);
    let paid = gain(&[&with_null[..], &["--embed-usd-per-1k", "0.5"]].concat());
    let less = number(&free, &["gain", "estimate"]) - number(&paid, &["gain", "estimate"]);
    assert!(less > 0.0, "{less}");
    for of in ["over-all", "within-tasks"] {
        let [free, paid] = [&free, &paid].map(|it| &it["null"][of]);
        assert_eq!(free["p"], paid["p"]);
        for i in 0..2 {
            let [free, paid] = [free, paid].map(|it| it["gains"][i].as_f64().expect("a gain"));
            assert!((free - paid - less).abs() < 1e-9, "{free} {paid} {less}");
        }
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
            ["--resamples", "100000000000"],
            "`resamples` is 100000000000, expected at most 10000000",
        ),
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
    let folds = [&QUICK[..4], &["--folds", "100000"]].concat();
    let text = refused(&folds, 1, "cannot be dealt to 100000 folds");
    assert!(text.contains("folds at most with `--folds`"), "{text}");
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
