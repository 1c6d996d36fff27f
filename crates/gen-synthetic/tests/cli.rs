//! The built program on small sizes.

use std::{collections::HashSet, fs};

use dataset::{CostKind, DatasetDir, DatasetInfo, Part, PartTable, PerModel, Predictions};
use test_support::{Bench, assert_contains, assert_note, stderr, stdout};

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_gen-synthetic"))
}

fn make(bench: &Bench, args: &[&str]) -> DatasetDir {
    bench.succeed(args);
    DatasetDir::existing(&bench.join("data"), "synthetic").expect("a data set")
}

fn truth(dir: &DatasetDir, part: Part) -> PerModel {
    match Predictions::read(&dir.truth(part)).expect("readable") {
        Predictions::PerModel(truth) => truth,
        Predictions::SmallWins(_) => panic!("the truth is per LLM"),
    }
}

#[test]
fn the_default_data_set_is_whole_and_routing_pays_on_it() {
    let bench = bench();
    let output = bench.succeed(&["--json", "--quiet"]);
    assert_eq!(stderr(&output), "");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let dir = DatasetDir::existing(&bench.join("data"), "synthetic").expect("a data set");
    let info = DatasetInfo::read(&dir.info()).expect("readable");
    assert_eq!((info.n_train, info.n_test), (3200, 800));
    assert_eq!(info.cost_kind, CostKind::OutputTokens);
    assert_eq!(report["dataset"]["n-train"], 3200);

    let mut ids = HashSet::new();
    for part in Part::ALL {
        let path = dir.split(part);
        let split = PartTable::read(&path).expect("readable");
        let truth = truth(&dir, part);
        Predictions::PerModel(truth.clone())
            .check_fits(&dir.truth(part), &path, &split)
            .expect("the same rows");
        assert_eq!(split.models, info.model_names());
        assert!(!split.scores.iter().any(|score| score.is_nan()));
        for (m, model) in info.models.iter().enumerate() {
            let price = model.price.as_ref().expect("synthetic LLMs have prices");
            let tokens = |of: &Option<ndarray::Array2<f64>>| of.as_ref().expect("given")[(0, m)];
            let cost = price.cost_usd(tokens(&split.input_tokens), tokens(&split.output_tokens));
            assert_eq!(split.cost_usd[(0, m)], cost);
        }
        ids.extend(split.ids);
    }
    assert_eq!(ids.len(), 4000);

    let number = |key: &str| report["truth"][key].as_f64().expect("a number");
    assert_eq!(report["truth"]["best-single"], "atlas-large");
    // The claims that the data set exists for: the router beats the best single LLM, or is as good for well below its cost.
    assert!(
        number("bayes-score") > number("best-single-score") + 0.04,
        "{report}"
    );
    assert!(
        number("match-score") >= number("best-single-score"),
        "{report}"
    );
    assert!(
        number("match-cost-usd") < 0.4 * number("best-single-cost-usd"),
        "{report}"
    );
}

#[test]
fn the_bayes_router_dominates_every_single_model() {
    let truth = truth(&make(&bench(), &["--n", "1000"]), Part::Train);
    let n = truth.ids.len() as f64;
    for weight in [0.0, 10.0, 100.0, 1000.0] {
        let value =
            |i: usize, m: usize| f64::from(truth.scores[(i, m)]) - weight * truth.cost_usd[(i, m)];
        let rows = 0..truth.ids.len();
        let best = |i: usize| {
            (0..truth.models.len())
                .map(|m| value(i, m))
                .fold(f64::MIN, f64::max)
        };
        let routed = rows.clone().map(best).sum::<f64>() / n;
        for m in 0..truth.models.len() {
            let single = rows.clone().map(|i| value(i, m)).sum::<f64>() / n;
            assert!(
                routed > single + 1e-3,
                "{}, {weight}: {routed} {single}",
                truth.models[m]
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |args: &[&str]| {
        let bench = bench();
        let dir = make(&bench, args);
        let files = Part::ALL
            .map(|part| [dir.split(part), dir.truth(part)])
            .concat();
        let files = files.into_iter().chain([dir.info()]);
        files
            .map(|path| fs::read(path).expect("written"))
            .collect::<Vec<_>>()
    };
    let first = bytes(&["--n", "300"]);
    assert!(bytes(&["--n", "300", "--seed", "42"]) == first);
    let other = bytes(&["--n", "300", "--seed", "43"]);
    assert!(first.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn tiny_sizes_work_or_are_refused() {
    let bench = bench();
    let dir = make(&bench, &["--n", "2", "--test-size", "0.5"]);
    assert_eq!(truth(&dir, Part::Test).ids.len(), 1);
    for (args, expected) in [
        (&["--n", "0"][..], "--n"),
        (&["--n", "1"], "neither may be empty"),
        (&["--test-size", "1.5"], "neither may be empty"),
        (&["--name", "a/b"], "cannot name a data set"),
    ] {
        bench.refuse(args, 2, expected);
    }
}

#[test]
fn another_configuration_can_be_used() {
    let bench = bench();
    let text = include_str!("../../../configs/synthetic.toml");
    let small = text.replace("n-prompts = 4000", "n-prompts = 10");
    bench.write("mine.toml", small);
    let dir = make(&bench, &["--config", "mine.toml"]);
    assert_eq!(DatasetInfo::read(&dir.info()).expect("readable").n_train, 8);

    for (from, to, expected) in [
        (
            "discrimination = 1.7",
            "discrimination = -1",
            "`discrimination` is -1",
        ),
        (
            "n-prompts = 4000",
            "n-prompts = 4000\nbeta = 1",
            "unknown field `beta`",
        ),
        (
            "family = \"units\"",
            "family = \"poems\"",
            "unknown variant `poems`",
        ),
    ] {
        bench.write("mine.toml", text.replace(from, to));
        let message = bench.refuse(&["--config", "mine.toml"], 1, expected);
        assert_contains(&message, "mine.toml");
    }
}

#[test]
fn a_part_of_another_run_is_not_taken_for_ones_own() {
    let bench = bench();
    let other = make(&bench, &["--n", "60", "--seed", "7"]);
    let test = fs::read(other.split(Part::Test)).expect("there");
    let dir = make(&bench, &["--n", "60", "--force"]);
    fs::write(dir.split(Part::Test), test).expect("written");
    let message = bench.refuse(&["--n", "60"], 1, "is not the part that");
    assert_contains(&message, "use --force to make the data set again");
    make(&bench, &["--n", "60", "--force"]);
    make(&bench, &["--n", "60"]);
}

#[test]
fn an_existing_data_set_is_replaced_only_by_force() {
    let bench = bench();
    let dir = make(&bench, &["--n", "60"]);
    let files = Part::ALL.map(|part| [dir.split(part), dir.truth(part)]);
    let files: Vec<_> = files.concat().into_iter().chain([dir.info()]).collect();
    let bytes = || {
        let bytes = files.iter().map(|path| fs::read(path).expect("there"));
        bytes.collect::<Vec<_>>()
    };
    let before = bytes();

    let again = bench.succeed(&["--n", "60", "--json"]);
    assert!(stderr(&again).contains("already exists"));
    assert!(bytes() == before);
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(report["dataset"]["n-train"], 48);
    assert!(report["truth"]["bayes-score"].is_f64(), "{report}");

    let text = include_str!("../../../configs/synthetic.toml");
    bench.write("other.toml", format!("{text}\n# Another file.\n"));
    for (args, expected) in [
        (&["--n", "61"][..], "60 prompts, now 61"),
        (
            &["--n", "60", "--seed", "7"],
            "seed 42, now test size 0.2 and seed 7",
        ),
        (
            &["--n", "60", "--test-size", "0.5"],
            "now test size 0.5 and seed 42",
        ),
        (
            &["--n", "60", "--limit", "50"],
            "limit was not set, now `50`",
        ),
        (
            &["--n", "60", "--config", "other.toml"],
            "made from other files",
        ),
    ] {
        let message = bench.refuse(args, 1, expected);
        assert_contains(&message, "--force");
        assert!(bytes() == before, "{args:?} changed the data set");
    }

    bench.succeed(&["--n", "61", "--force"]);
    assert_eq!(bench.read("synthetic").0.n_train, 48);
    assert_eq!(bench.read("synthetic").0.n_test, 13);
    assert!(bytes() != before);
}

#[test]
fn a_limit_keeps_the_first_prompts() {
    let (limited, small) = (bench(), bench());
    limited.succeed(&["--n", "100", "--limit", "40"]);
    small.succeed(&["--n", "40"]);
    let (info, train, test) = limited.read("synthetic");
    let (_, small_train, small_test) = small.read("synthetic");
    assert_eq!((&train, &test), (&small_train, &small_test));
    assert_eq!(info.options["limit"], "40");
    let note = "kept only the first rows: --limit 40 left out 60";
    assert_note(&info, note);
}

#[test]
fn a_dry_run_writes_nothing() {
    let bench = bench();
    let output = bench.succeed(&["--n", "40", "--dry-run", "--embedder", "openai"]);
    let text = stdout(&output);
    for part in ["train: 32 prompts", "would send", "nothing was written"] {
        assert_contains(&text, part);
    }
    assert!(!bench.join("data").exists());
}

#[test]
fn a_memory_budget_that_is_no_size_is_refused_before_any_work() {
    let mut bench = bench();
    for value in ["-1", "5%", "lots"] {
        bench.set_var("CARROT_MEMORY_BUDGET", value);
        let expected = format!("CARROT_MEMORY_BUDGET is `{value}`, expected a size such as `8GiB`");
        bench.refuse(&["--n", "40"], 2, &expected);
        assert!(!bench.join("data").exists());
    }
    bench.set_var("CARROT_MEMORY_BUDGET", "");
    bench.succeed(&["--n", "40"]);
}

#[test]
fn a_hard_world_is_made_by_name() {
    let bench = bench();
    let gain = |args: &[&str]| -> f64 {
        let output = bench.succeed(&[args, &["--json", "--force"]].concat());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        report["truth"]["bayes-gain"].as_f64().expect("a number")
    };
    let dir = |name: &str| DatasetDir::existing(&bench.join("data"), name).expect("a data set");
    assert!(gain(&["--world", "no-signal", "--n", "60"]).abs() < 1e-6);
    assert_eq!(truth(&dir("synthetic-no-signal"), Part::Test).ids.len(), 12);

    let close = [
        "--world", "close", "--models", "5", "--gain", "0.05", "--n", "900",
    ];
    let found = gain(&close);
    assert!((0.04..0.06).contains(&found), "{found}");
    let dir = dir("synthetic-close");
    let info = DatasetInfo::read(&dir.info()).expect("readable");
    assert_eq!(info.models.len(), 5);
    assert_eq!(
        (
            info.options["models"].as_str(),
            info.options["gain"].as_str()
        ),
        ("5", "0.05")
    );
    assert_contains(
        &info.notes.join("\n"),
        "the Bayes router gains 0.0500 of a score",
    );
    let test = PartTable::read(&dir.split(Part::Test)).expect("readable");
    assert!(test.kept.is_empty());
    bench.refuse(
        &["--world", "close", "--n", "900"],
        1,
        "gain was `0.05`, now not set",
    );

    bench.succeed(&["--world", "shift", "--n", "50", "--name", "later"]);
    let (_, train, test) = bench.read("later");
    let times = [&train, &test].map(|part| part.kept("time").expect("kept").to_vec());
    let mut times: Vec<usize> = times
        .concat()
        .iter()
        .map(|time| time.parse().expect("a number"))
        .collect();
    times.sort_unstable();
    assert_eq!(times, (0..50).collect::<Vec<_>>());
    assert_eq!(train.kept("conversation").map(<[String]>::len), Some(40));

    let text = include_str!("../../../configs/synthetic-dominant.toml");
    bench.write(
        "mine.toml",
        text.replace("n-prompts = 1000", "n-prompts = 20"),
    );
    bench.succeed(&["--world", "mine.toml"]);
    assert_eq!(bench.read("mine").0.n_train, 16);
    for (args, code, expected) in [
        (
            &["--world", "flat"][..],
            2,
            "expected one of close, dominant, no-signal, shift",
        ),
        (
            &["--world", "close", "--config", "mine.toml"],
            2,
            "cannot be used with",
        ),
        (&["--gain", "0.1"], 2, "--world"),
        (&["--world", "close", "--gain", "0.9"], 1, "allow at most"),
        (
            &["--world", "close", "--models", "2000"],
            1,
            "`n-models` is 2000",
        ),
    ] {
        bench.refuse(args, code, expected);
    }
}

#[test]
fn a_log_knows_one_llm_of_each_prompt_and_the_truth_all() {
    let (whole, logged) = (bench(), bench());
    let complete = make(&whole, &["--n", "200"]);
    let args = ["--n", "200", "--log", "skewed", "--missing", "0.3"];
    let dir = make(&logged, &args);
    let (info, train, test) = logged.read("synthetic");
    assert_eq!(
        (
            info.options["log"].as_str(),
            info.options["missing"].as_str()
        ),
        ("skewed", "0.3")
    );
    let note = "a log: one LLM was asked for each prompt, drawn by a policy that depends on the task, with the probability `<model>/propensity`; truth/ \
                is complete";
    assert_note(&info, note);
    assert_note(&info, "scores are missing at random: 30.0% of them");
    for (part, table) in Part::ALL.into_iter().zip([&train, &test]) {
        assert_eq!(truth(&dir, part), truth(&complete, part));
        let propensities = &table.propensities.as_ref().expect("recorded").values;
        let (mut n_asked, mut n_known) = (0, 0);
        for (at, score) in table.scores.indexed_iter() {
            assert!((0.0..=1.0).contains(&propensities[at]));
            n_asked += usize::from(!table.cost_usd[at].is_nan());
            n_known += usize::from(!score.is_nan());
        }
        assert_eq!(n_asked, table.n_prompts());
        assert!(n_known < n_asked && n_known > n_asked / 2, "{n_known}");
    }
    logged.refuse(&args[..4], 1, "missing was `0.3`, now not set");

    for (args, expected) in [
        (&["--log", "all"][..], "uniform, skewed, deterministic"),
        (&["--no-propensities"], "--log"),
        (&["--missing", "1"], "at least 0 and below 1"),
        (&["--missing-not-at-random", "2"], "at least 0 and below 1"),
        (&["--system-prompt-tokens", "2000000"], "from 0 to 100000"),
    ] {
        logged.refuse(args, 2, expected);
    }
}

#[test]
fn a_system_prompt_is_billed_beside_the_text() {
    let (plain, prompted) = (bench(), bench());
    plain.succeed(&["--n", "60"]);
    prompted.succeed(&["--n", "60", "--system-prompt-tokens", "1500"]);
    let ((info, one, _), (_, other, _)) = (plain.read("synthetic"), prompted.read("synthetic"));
    assert_eq!((&one.prompts, &one.scores), (&other.prompts, &other.scores));
    let tokens = |table: &PartTable| table.input_tokens.clone().expect("there");
    assert_eq!(tokens(&one) + 1500.0, tokens(&other));
    for (m, model) in info.models.iter().enumerate() {
        let more = model.price.as_ref().expect("priced").input_cost_usd(1500.0);
        let found = other.cost_usd[(5, m)] - one.cost_usd[(5, m)];
        assert!((found - more).abs() < 1e-12, "{found} {more}");
    }
    prompted.refuse(
        &["--n", "60"],
        1,
        "system-prompt-tokens was `1500`, now not set",
    );
}
