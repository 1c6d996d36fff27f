//! The built program on tiny tables, and the script that calls it on command lines that make no sense.

use std::{
    collections::BTreeMap,
    fs,
    ops::Deref,
    path::PathBuf,
    process::{Command, Output},
};

use dataset::{
    DatasetDir, DatasetInfo, KeptColumns, MadeFrom, OutOfFold, Pair, Part, PartTable, PerModel,
    Predictions, SmallWins, WholeSet, sha256_file,
};
use ndarray::{Array2, Axis, array};
use serde_json::{Value, json};
use test_support::{Bench, dataset_info, stderr};

const SETTINGS: &str =
    "[settings]\nn-resamples = 50\nseed = 42\nlevel = 0.95\ncost-multiplier = 100\n";
const NO_TABLE: &str = "published = []\n";

/// A folder with the data set `tiny`: four test prompts, `cheap` right on two of them, `dear` on three, one of them right on each.
struct Tiny(Bench);

impl Deref for Tiny {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl Tiny {
    fn new() -> Self {
        let bench = Self(program());
        let split = PartTable {
            ids: (0..4).map(|i| format!("p{i}")).collect(),
            tasks: ["a/x", "a/y", "b/x", "b/y"].map(str::to_owned).to_vec(),
            prompts: vec!["?".to_owned(); 4],
            models: vec!["cheap".to_owned(), "dear".to_owned()],
            scores: array![[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]],
            input_tokens: None,
            output_tokens: None,
            cost_usd: Array2::from_shape_fn((4, 2), |(_, m)| [0.001, 0.01][m]),
            propensities: None,
            kept: KeptColumns::default(),
        };
        split
            .write(&bench.dir().split(Part::Test))
            .expect("written");
        bench.write_info(|_| {});
        bench
    }

    fn dir(&self) -> DatasetDir {
        self.dataset("tiny")
    }

    fn write_info(&self, edit: impl FnOnce(&mut DatasetInfo)) {
        let mut info = DatasetInfo {
            pair: Some(Pair {
                small: "cheap".to_owned(),
                large: "dear".to_owned(),
            }),
            ..dataset_info("tiny", &["cheap", "dear"], [16, 4])
        };
        edit(&mut info);
        info.write(&self.dir().info()).expect("written");
    }

    /// Per-LLM predictions from embeddings of `embedder`, where one is named.
    fn write_predictions(&self, router: &str, scores: Array2<f32>, embedder: Option<&str>) {
        let test = PartTable::read(&self.dir().split(Part::Test)).expect("read");
        let predictions = Predictions::PerModel(PerModel {
            ids: test.ids,
            models: test.models,
            scores,
            output_tokens: None,
            cost_usd: test.cost_usd,
        });
        let made_from = MadeFrom {
            embedder: embedder.map(str::to_owned),
            ..self.made_from()
        };
        predictions
            .write(&self.dir().predictions(router), &made_from)
            .expect("written");
    }

    /// Says that predictions are for the test part.
    fn made_from(&self) -> MadeFrom {
        MadeFrom::split(sha256_file(&self.dir().split(Part::Test)).expect("hashed"))
    }

    fn run_on(&self, claims: &str, table: &str, args: &[&str]) -> Output {
        self.write("claims.toml", claims);
        self.write("published.toml", table);
        let files = ["--claims", "claims.toml", "--published", "published.toml"];
        self.0.run(&[&files[..], args].concat())
    }

    /// Judges one group of claims about `tiny`, each `id = metric, expect`; returns the exit code and each claim's status and reason.
    fn judge(&self, head: &str, claims: &[(&str, &str)]) -> (i32, BTreeMap<String, Value>) {
        let claims = claims
            .iter()
            .map(|(id, rest)| format!("    {{ id = \"{id}\", {rest} }},\n"));
        let claims: String = claims.collect();
        let text = format!(
            "{SETTINGS}\n[[groups]]\ndataset = \"tiny\"\nsource = \"a test\"\n{head}\nclaims = [\n{claims}]\n"
        );
        let output = self.run_on(&text, NO_TABLE, &["--quiet"]);
        let code = output.status.code().expect("an exit code");
        assert!(code < 2, "{}", stderr(&output));
        (code, self.verdicts())
    }

    fn report(&self) -> Value {
        let text = fs::read(self.join("plots/verdict.json")).expect("written");
        serde_json::from_slice(&text).expect("JSON")
    }

    fn verdicts(&self) -> BTreeMap<String, Value> {
        let report = self.report();
        let verdicts = report["verdicts"].as_array().expect("a list");
        verdicts
            .iter()
            .map(|verdict| {
                (
                    verdict["claim"]["id"].as_str().expect("an id").to_owned(),
                    verdict.clone(),
                )
            })
            .collect()
    }
}

fn program() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_verdict"))
}

/// Predictions that choose right at lambda 0 on all prompts.
fn right() -> Array2<f32> {
    array![[0.9, 0.8], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]]
}

const BEST_SINGLE: &str = r#"metric = { kind = "best-single" }"#;

#[test]
fn what_holds_passes_and_what_does_not_fails_the_run() {
    let bench = Tiny::new();
    let equal = |value: f64, tolerance: f64| {
        format!(
            "{BEST_SINGLE}, expect = {{ kind = \"equal\", value = {value}, tolerance = {tolerance} }}"
        )
    };
    let check = |value, tolerance, status: &str, code| {
        let (found, verdicts) = bench.judge("", &[("it", &equal(value, tolerance))]);
        assert_eq!(
            (found, verdicts["it"]["status"].as_str()),
            (code, Some(status)),
            "{value} {tolerance}"
        );
        assert_eq!(verdicts["it"]["ours"], 0.75);
    };
    check(0.75, 0.0, "passed", 0);
    check(0.8, 0.05, "passed", 0);
    check(0.7, 0.05, "passed", 0);
    check(0.8, 0.0499, "failed", 1);
    check(0.7, 0.0499, "failed", 1);
}

#[test]
fn numbers_of_the_data_alone_by_hand() {
    let bench = Tiny::new();
    let metrics = [
        ("n-rows", "", 20.0),
        ("n-train", "", 16.0),
        ("n-test", "", 4.0),
        ("n-models", "", 2.0),
        ("n-validation", "", 0.0),
        ("best-single", "", 0.75),
        ("oracle", "", 1.0),
        ("model-accuracy", ", model = \"cheap\"", 0.5),
        ("model-cost", ", model = \"dear\"", 0.01),
    ];
    let claims =
        metrics.map(|(kind, more, _)| (kind, format!("metric = {{ kind = \"{kind}\"{more} }}")));
    let claims: Vec<(&str, &str)> = claims
        .iter()
        .map(|(id, claim)| (*id, claim.as_str()))
        .collect();
    let (code, verdicts) = bench.judge("", &claims);
    // Reported only: nothing was judged.
    assert_eq!(code, 1);
    for (kind, _, expected) in metrics {
        let found = verdicts[kind]["ours"].as_f64().expect("a number");
        assert!((found - expected).abs() < 1e-12, "{kind}: {found}");
        assert_eq!(verdicts[kind]["status"], "reported", "{kind}");
    }
}

#[test]
fn numbers_of_predictions_by_hand() {
    let bench = Tiny::new();
    bench.write_predictions("knn", right(), Some("minilm"));
    let wins = Predictions::SmallWins(SmallWins {
        ids: (0..4).map(|i| format!("p{i}")).collect(),
        probability: array![0.9, 0.2, 0.1, 0.3],
    });
    wins.write(&bench.dir().predictions("rorf"), &bench.made_from())
        .expect("written");
    let knn = |kind: &str, more: &str| {
        format!("metric = {{ kind = \"{kind}\", router = \"knn\"{more} }}")
    };
    let ratio = r#", reference = "dear", budget-ratio = 1.0, n-steps = 1000, cost-multiplier = 100, benchmarks = ["a/", "b/"]"#;
    let metrics = [
        ("binarized-acc", knn("binarized-acc", ""), 1.0),
        ("routing-acc", knn("routing-acc", ""), 1.0),
        (
            "gain-over-best-single",
            knn("gain-over-best-single", ""),
            0.25,
        ),
        ("cost-mae", knn("cost-mae", ""), 0.0),
        // Two prompts go to the cheap one already at lambda 0: (2 * .001 + 2 * .01) / 4.
        (
            "accuracy-at-cost",
            knn("accuracy-at-cost", ", cost-usd = 0.0055"),
            1.0,
        ),
        // The two prompts that go to the dear one change together, from all right to half of it: .0055 over .01.
        (
            "relative-cost",
            knn("relative-cost-of-best-single", ""),
            0.55,
        ),
        // The forest gets (.01, .75), (.00775, .75), (.0055, 1), (.00325, .75) and (.001, .5); at .00325 the other one has .5.
        ("least-lead", knn("least-lead", ", over = \"rorf\""), -0.25),
        // Of a, both are right on all; of b the router is on two, the dear LLM on one.
        (
            "least-benchmark-ratio",
            knn("least-benchmark-ratio", ratio),
            1.0,
        ),
    ];
    let claims: Vec<(&str, &str)> = metrics
        .iter()
        .map(|(id, claim, _)| (*id, claim.as_str()))
        .collect();
    let (_, verdicts) = bench.judge("", &claims);
    for (id, _, expected) in &metrics {
        let found = verdicts[*id]["ours"].as_f64();
        let found = found.unwrap_or_else(|| panic!("{id}: {}", verdicts[*id]));
        assert!((found - expected).abs() < 1e-9, "{id}: {found}");
    }
}

#[test]
fn what_was_not_run_is_never_passed() {
    let bench = Tiny::new();
    let routing = r#"metric = { kind = "routing-acc", router = "knn" }, expect = { kind = "equal", value = 1, tolerance = 0.1 }"#;
    let oracle =
        r#"metric = { kind = "oracle" }, expect = { kind = "equal", value = 1, tolerance = 0 }"#;
    let expect_not_run = |head: &str, claim: &str, reason: &str| {
        let (code, verdicts) = bench.judge(head, &[("it", claim), ("oracle", oracle)]);
        assert_eq!(code, 0, "the oracle passes");
        assert_eq!(verdicts["it"]["status"], "not-run", "{reason}");
        assert_eq!(verdicts["it"]["ours"], Value::Null);
        let found = verdicts["it"]["reason"].as_str().expect("a reason");
        assert!(found.contains(reason), "{found}");
        let counts = &bench.report()["counts"];
        assert_eq!(
            (&counts["passed"], &counts["not-run"]),
            (&json!(1), &json!(1))
        );
        // Alone it leaves nothing to judge, which is no success.
        let (code, _) = bench.judge(head, &[("it", claim)]);
        assert_eq!(code, 1, "{reason}");
    };
    expect_not_run("", routing, "there are no predictions of `knn`");
    let of_nobody = r#"metric = { kind = "model-accuracy", model = "nobody" }"#;
    expect_not_run("", of_nobody, "no LLM `nobody`");
    let regret = r#"metric = { kind = "regret", router = "knn", by = "estimate" }"#;
    bench.write_predictions("knn", right(), Some("minilm"));
    expect_not_run("", regret, "no true expectations");
    expect_not_run(
        "embedder = \"text-embedding-3-small\"",
        routing,
        "were made from those of `minilm`",
    );
    let change = r#"metric = { kind = "regret-change", router = "knn", by = "high" }"#;
    expect_not_run("", change, "--train-sizes");

    let path = bench.dir().predictions("knn");
    let predictions = Predictions::read(&path).expect("read");
    let older = MadeFrom::split("of an older split");
    predictions.write(&path, &older).expect("written");
    expect_not_run("", routing, "from a different version of");
    expect_not_run("", routing, "--dataset tiny --routers knn");
    bench.write_predictions("knn", right(), None);
    expect_not_run("embedder = \"minilm\"", routing, "do not say what");

    // With the right embeddings it is run.
    bench.write_predictions("knn", right(), Some("minilm"));
    let (code, verdicts) = bench.judge("embedder = \"minilm\"", &[("it", routing)]);
    assert_eq!(
        (code, verdicts["it"]["status"].as_str()),
        (0, Some("passed"))
    );
}

#[test]
fn a_source_without_all_texts_is_judged_by_what_its_generator_found() {
    let bench = Tiny::new();
    bench.write_predictions("knn", right(), Some("minilm"));
    let order = |best: f64, oracle: f64| json!({ "best-single": "dear", "best-single-score": best, "oracle": oracle, "accuracies": [0.25, best] });
    let summary = json!({
        "n-tasks": 1, "n-documents": 100, "n-documents-without-text": 80, "n-test": 20, "models": ["cheap", "dear"],
        "as-published": order(0.6, 0.95), "by-document": order(0.5, 0.7),
    });
    let claims = [
        ("n-test", r#"metric = { kind = "n-test" }"#),
        ("best", BEST_SINGLE),
        ("oracle", r#"metric = { kind = "oracle" }"#),
        (
            "model",
            r#"metric = { kind = "model-accuracy", model = "dear" }"#,
        ),
        (
            "routing",
            r#"metric = { kind = "routing-acc", router = "knn" }"#,
        ),
    ];
    for (is_as_published, expected) in [
        (true, [20.0, 0.6, 0.95, 0.6]),
        (false, [20.0, 0.5, 0.7, 0.5]),
    ] {
        bench.write_info(|info| {
            info.findings.insert("summary".to_owned(), summary.clone());
            if is_as_published {
                info.options
                    .insert("as-published".to_owned(), "true".to_owned());
            }
        });
        let (_, verdicts) = bench.judge("", &claims);
        for ((id, _), expected) in claims.iter().zip(expected) {
            assert_eq!(verdicts[*id]["ours"], expected, "{id}");
        }
        let reason = verdicts["routing"]["reason"].as_str().expect("a reason");
        assert!(reason.contains("of 20 test prompts"), "{reason}");
    }
}

#[test]
fn a_known_truth_makes_demands() {
    let bench = Tiny::new();
    let test = PartTable::read(&bench.dir().split(Part::Test)).expect("read");
    let truth = PerModel {
        ids: test.ids.clone(),
        models: test.models.clone(),
        scores: array![[0.75, 1.0], [0.25, 1.0], [0.25, 0.75], [0.75, 0.25]],
        output_tokens: None,
        cost_usd: test.cost_usd.clone(),
    };
    Predictions::PerModel(truth.clone())
        .write(&bench.dir().truth(Part::Test), &bench.made_from())
        .expect("written");
    bench.write_predictions("bayes", truth.scores.clone(), Some("minilm"));
    bench.write_predictions("blind", Array2::from_elem((4, 2), 0.5), Some("minilm"));
    for (n_train, scores) in [
        (4, Array2::from_elem((4, 2), 0.5)),
        (16, truth.scores.clone()),
    ] {
        let part = PerModel {
            scores,
            ..truth.clone()
        };
        let path = bench.dir().learning_curve_predictions("bayes", n_train);
        Predictions::PerModel(part)
            .write(&path, &bench.made_from())
            .expect("written");
    }
    let at_most = "expect = { kind = \"at-most\", value = 0 }";
    let of = |kind: &str, router: &str, by: &str| {
        format!("metric = {{ kind = \"{kind}\", router = \"{router}\", by = \"{by}\" }}, {at_most}")
    };
    let claims = [
        ("no-better", of("observed-gain-over-bayes", "blind", "low")),
        ("itself", of("regret", "bayes", "high")),
        ("blind", of("regret", "blind", "low")),
        ("shrinks", of("regret-change", "bayes", "high")),
        ("looks", of("regret-over-zero", "bayes", "high")),
        ("best", "metric = { kind = \"expected-best-single\" }, expect = { kind = \"equal\", value = 0.75, tolerance = 0 }".to_owned()),
        ("bayes", "metric = { kind = \"bayes-accuracy\" }, expect = { kind = \"equal\", value = 0.875, tolerance = 0 }".to_owned()),
    ];
    let claims: Vec<(&str, &str)> = claims
        .iter()
        .map(|(id, claim)| (*id, claim.as_str()))
        .collect();
    let (code, verdicts) = bench.judge("", &claims);
    let status = |id: &str| {
        verdicts[id]["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    };
    // Who does not look loses for sure, and only that claim fails.
    assert_eq!((code, status("blind")), (1, "failed".to_owned()));
    for id in ["no-better", "itself", "shrinks", "looks", "best", "bayes"] {
        assert_eq!(status(id), "passed", "{id}: {}", verdicts[id]);
    }
    let interval = verdicts["shrinks"]["interval"]
        .as_array()
        .expect("an interval");
    assert_eq!(interval.len(), 3);
}

#[test]
fn a_known_truth_makes_demands_of_gains() {
    let bench = Tiny::new();
    let mut test = PartTable::read(&bench.dir().split(Part::Test)).expect("read");
    // Equal prompts would be one group, which has no interval.
    test.prompts = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    test.write(&bench.dir().split(Part::Test)).expect("written");
    let scores = array![[0.75, 1.0], [0.25, 1.0], [0.25, 0.75], [0.75, 0.25]];
    let truth = PerModel {
        ids: test.ids.clone(),
        models: test.models.clone(),
        scores: scores.clone(),
        output_tokens: None,
        cost_usd: test.cost_usd.clone(),
    };
    let write_truth = |of: PerModel, part: Part| {
        Predictions::PerModel(of)
            .write(&bench.dir().truth(part), &bench.made_from())
            .expect("written");
    };
    write_truth(truth.clone(), Part::Test);
    bench.write_predictions("bayes", scores.clone(), Some("minilm"));
    bench.write_predictions("blind", Array2::from_elem((4, 2), 0.5), Some("minilm"));
    let claims = |on: [f64; 2]| -> Vec<(&'static str, String)> {
        let of = |kind: &str, router: &str, by: &str| {
            format!("metric = {{ kind = \"{kind}\", router = \"{router}\"{by} }}")
        };
        let equal = |value: f64| {
            format!("expect = {{ kind = \"equal\", value = {value}, tolerance = 1e-9 }}")
        };
        let at_most = "expect = { kind = \"at-most\", value = 0 }";
        let estimate = ", by = \"estimate\"";
        vec![
            (
                "bayes",
                format!("{}, {}", of("mean-gain", "bayes", estimate), equal(on[0])),
            ),
            (
                "itself",
                format!(
                    "{}, {}",
                    of("expected-gain-over-bayes", "bayes", ", by = \"high\""),
                    equal(0.0)
                ),
            ),
            (
                "below",
                format!(
                    "{}, {at_most}",
                    of("expected-gain-over-bayes", "blind", estimate)
                ),
            ),
            (
                "within",
                format!(
                    "{}, {}",
                    of("gain-outside-interval", "bayes", ""),
                    equal(0.0)
                ),
            ),
            (
                "blind",
                format!("{}, {}", of("mean-gain", "blind", estimate), equal(on[1])),
            ),
        ]
    };
    let judge = |claims: &[(&'static str, String)]| {
        let claims: Vec<(&str, &str)> = claims
            .iter()
            .map(|(id, claim)| (*id, claim.as_str()))
            .collect();
        bench.judge("", &claims)
    };
    // Computed by a few lines of Python that do not use this code, from the four prompts and the grid of 25 worths.
    let on_test = [0.23875418409811613, -0.1377514032699244];
    let (code, verdicts) = judge(&claims(on_test));
    assert_eq!(code, 1, "nothing could be judged");
    assert!(
        verdicts.values().all(|it| it["status"] == "not-run"),
        "no train part: {verdicts:?}"
    );

    // Four times the test part, so that means are the same.
    let mut train = test.select(&(0..16).map(|i| i % 4).collect::<Vec<_>>());
    train.ids = (0..16).map(|i| format!("t{i}")).collect();
    train
        .write(&bench.dir().split(Part::Train))
        .expect("written");
    let (code, verdicts) = judge(&claims(on_test));
    assert_eq!(code, 0, "{verdicts:?}");
    assert!(
        verdicts.values().all(|it| it["status"] == "passed"),
        "{verdicts:?}"
    );
    assert!(judge(&claims([0.0; 2])).0 == 1, "another gain");

    // Out of fold: two folds with the same prompts, so that the means are those of the train part.
    let whole = WholeSet::open(&bench.dir()).expect("opened");
    let repeated =
        |of: &Array2<f32>| of.select(Axis(0), &(0..20).map(|i| i % 4).collect::<Vec<_>>());
    for (router, predicted) in [
        ("bayes", &scores),
        ("blind", &Array2::from_elem((4, 2), 0.5)),
    ] {
        let predictions = Predictions::PerModel(PerModel {
            ids: whole.table().ids.clone(),
            models: truth.models.clone(),
            scores: repeated(predicted),
            output_tokens: None,
            cost_usd: whole.table().cost_usd.clone(),
        });
        let folds = (0..20).map(|i| Some(u32::from(i >= 8))).collect();
        let of = OutOfFold { predictions, folds };
        let path = bench.dir().out_of_fold(router, 0);
        of.write(&path, &whole.made_from()).expect("written");
    }
    let (_, verdicts) = judge(&claims(on_test));
    let status = |id: &str| verdicts[id]["status"].as_str().expect("a status");
    assert_eq!(
        [status("bayes"), status("blind")],
        ["passed"; 2],
        "{verdicts:?}"
    );
    assert_eq!(
        status("within"),
        "not-run",
        "no expectations of the train part"
    );
    write_truth(
        PerModel {
            ids: train.ids.clone(),
            scores: scores.select(Axis(0), &(0..16).map(|i| i % 4).collect::<Vec<_>>()),
            cost_usd: train.cost_usd.clone(),
            ..truth.clone()
        },
        Part::Train,
    );
    let (code, verdicts) = judge(&claims(on_test));
    assert_eq!(code, 0, "{verdicts:?}");
    assert!(
        verdicts.values().all(|it| it["status"] == "passed"),
        "{verdicts:?}"
    );
}

#[test]
fn the_published_table_is_judged_too() {
    let bench = Tiny::new();
    let entry = |dataset: &str, metric: &str, order: bool| {
        format!(
            "[[published]]\nid = \"{dataset}/{metric}\"\ndataset = \"{dataset}\"\nrouter = \"carrot-knn\"\nmetric = \"{metric}\"\nvalue = 0.75\n\
             unit = \"share\"\ntolerance = 0.01\nneeds-text-embedding-3-small = false\nneeds-published-order = {order}\nsource = \"a test\"\n"
        )
    };
    let no_claims = format!("groups = []\n{SETTINGS}");
    let table = entry("tiny", "best_single", false) + &entry("tiny", "oracle", true);
    let reason = ["--reason", "tiny-as-published=no matrix"];
    let output = bench.run_on(&no_claims, &table, &reason);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let verdicts = bench.verdicts();
    assert_eq!(verdicts["tiny/best_single"]["status"], "passed");
    assert_eq!(
        verdicts["tiny/oracle"]["claim"]["dataset"],
        "tiny-as-published"
    );
    assert_eq!(verdicts["tiny/oracle"]["reason"], "no matrix");
    let markdown = fs::read_to_string(bench.path().join("plots/verdict.md")).expect("written");
    assert!(
        markdown.contains("1 passed, 0 failed, 1 not run, 0 reported only"),
        "{markdown}"
    );
    assert!(
        markdown.contains("| passed | tiny/best_single | 0.75000 \u{b1} 0.01 | 0.75000 |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("Not run, since no matrix:\n\n- tiny/oracle"),
        "{markdown}"
    );

    let output = bench.run_on(&no_claims, &entry("tiny", "color", false), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("unknown variant `color`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    let bench = Tiny::new();
    let claims = format!(
        "{SETTINGS}\n[[groups]]\ndataset = \"tiny\"\nsource = \"a test\"\nclaims = [{{ id = \"it\", {BEST_SINGLE} }}]\n"
    );
    for args in [
        ["--claim", "nope"],
        ["--dataset", "nope"],
        ["--dataset", "../x"],
        ["--dataset", "/tmp"],
        ["--reason", "tiny"],
        ["--reason", "nope=why"],
        ["--color", "red"],
    ] {
        let output = bench.run_on(&claims, NO_TABLE, &args);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(!bench.path().join("plots").exists());
    }
    for (change, expected) in [
        (
            (BEST_SINGLE, r#"metric = { kind = "beauty" }"#),
            "unknown variant `beauty`",
        ),
        (
            (BEST_SINGLE, r#"metric = { kind = "model-cost" }"#),
            "missing field `model`",
        ),
        (("source =", "sauce ="), "unknown field `sauce`"),
        (("level = 0.95", "level = 95"), "a level below 1"),
        (
            (
                "claims = [",
                "claims = [{ id = \"it\", metric = { kind = \"oracle\" } }, ",
            ),
            "two claims have the id `it`",
        ),
        (
            (
                BEST_SINGLE,
                "metric = { kind = \"oracle\" }, expect = { kind = \"equal\", value = 1, tolerance = -1 }",
            ),
            "a tolerance below 0",
        ),
    ] {
        let output = bench.run_on(&claims.replace(change.0, change.1), NO_TABLE, &[]);
        assert_eq!(output.status.code(), Some(1), "{expected}");
        assert!(
            stderr(&output).contains(expected),
            "{expected}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn the_built_in_claims_are_whole_and_all_not_run_without_data() {
    let output = program().run(&["--json", "--quiet"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let n_claims = report["verdicts"].as_array().expect("a list").len();
    assert_eq!(report["counts"]["not-run"], n_claims);
    assert!(n_claims > 100, "{n_claims}");
}

#[test]
fn the_script_refuses_ambiguous_or_unknown_arguments() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (args, expected) in [
        ("--dataset nope", "`nope` is not one of"),
        ("--dataset", "needs a value"),
        ("--what", "unknown argument"),
        ("extra", "unknown argument"),
        ("--source sprout", "not of the form NAME=PATH"),
        (
            "--dataset synthetic --source sprout=.",
            "not among the data sets",
        ),
        (
            "--source sprout=nowhere",
            "`nowhere`, the source of `sprout`, does not exist",
        ),
        ("--source synthetic=.", "is generated, so it has no source"),
        ("--source-pickle a.pickle", "go together"),
        (
            "--dataset sprout --source-pickle a --questions b",
            "not among the data sets",
        ),
        ("--embedder mine", "is not openai"),
        ("--routers none mf", "`none` excludes other routers"),
    ] {
        let output = Command::new("bash")
            .arg(root.join("scripts/reproduce.sh"))
            .args(args.split(' '))
            .current_dir(folder.path())
            .output()
            .expect("bash starts");
        assert_eq!(output.status.code(), Some(2), "{args}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(expected),
            "{args}: {}",
            stderr(&output)
        );
    }
}
