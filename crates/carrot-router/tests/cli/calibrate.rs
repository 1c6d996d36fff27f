//! `calibrate` on a tiny router, and `route` at what it stored.

use std::{collections::BTreeMap, fs, process::Output};

use dataset::{
    CostKind, DatasetInfo, EstimatedPropensities, KeptColumns, MadeFrom, Part, PartHashes,
    PartTable, PerModel, Predictions, RunManifest, SmallWins, Source, TablePropensities, Timings,
    sha256_file,
};
use ndarray::{Array1, Array2};
use serde_json::{Value, json};
use test_support::dataset_info;

use crate::bench::{MODELS, Tiny, assert_refused, llm_pair, stderr};

const N_PROMPTS: usize = 80;
const KNN: [&str; 4] = ["--dataset", "tiny", "--router", "carrot-knn"];
const PAIR: [&str; 4] = ["--dataset", "tiny", "--router", "roberta-binary"];

/// A router of all LLMs and one of two, with their predictions for a test part.
fn bench() -> Tiny {
    bench_with(|_| ())
}

/// The same with its test part changed.
fn bench_with(edit: impl FnOnce(&mut PartTable)) -> Tiny {
    let mut models = Vec::new();
    let bench = Tiny::with(CostKind::Usd, |record| models.clone_from(&record.models));
    let dir = bench.dataset("tiny");
    let ids: Vec<String> = (0..N_PROMPTS).map(|i| format!("p{i}")).collect();
    let shape = (N_PROMPTS, MODELS.len());
    // Hard prompts, the later ones, are for the dear LLM; every fifth one surprises.
    let hardness = |i: usize| i as f32 / N_PROMPTS as f32;
    let score = |i: usize, m: usize| f32::from(m == 0 || hardness(i) < 0.5 || i.is_multiple_of(5));
    let cost = |i: usize, m: usize| [0.01, 0.001, 0.002][m] * (1.0 + (i % 7) as f64 / 7.0);
    let mut split = PartTable {
        ids: ids.clone(),
        tasks: vec!["made-up".to_owned(); N_PROMPTS],
        prompts: ids.clone(),
        models: MODELS.map(str::to_owned).to_vec(),
        scores: Array2::from_shape_fn(shape, |(i, m)| score(i, m)),
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::from_shape_fn(shape, |(i, m)| cost(i, m)),
        propensities: None,
        kept: KeptColumns::default(),
    };
    edit(&mut split);
    split.write(&dir.split(Part::Test)).expect("written");
    let info = DatasetInfo {
        models,
        pair: Some(llm_pair()),
        ..dataset_info("tiny", &MODELS, [3, N_PROMPTS])
    };
    info.write(&dir.info()).expect("written");

    let per_model = Predictions::PerModel(PerModel {
        ids: ids.clone(),
        models: split.models,
        scores: Array2::from_shape_fn(shape, |(i, m)| if m == 0 { 0.9 } else { 1.0 - hardness(i) }),
        output_tokens: None,
        cost_usd: Array2::from_shape_fn(shape, |(i, m)| cost(i, m)),
    });
    let probability = Array1::from_shape_fn(N_PROMPTS, |i| 1.0 - hardness(i));
    let of_pair = Predictions::SmallWins(SmallWins { ids, probability });
    let test_sha256 = sha256_file(&dir.split(Part::Test)).expect("hashed");
    for (router, predictions) in [("carrot-knn", per_model), ("roberta-binary", of_pair)] {
        let made_from = MadeFrom {
            // The hash of the train part in the records of these tests.
            train_sha256: Some("abc".to_owned()),
            ..MadeFrom::split(test_sha256.clone())
        };
        predictions
            .write(&dir.predictions(router), &made_from)
            .expect("written");
        let source = |sha256: String| Source {
            path: "a file".into(),
            sha256,
            n_bytes: 1,
        };
        let manifest = RunManifest {
            dataset: "tiny".to_owned(),
            router: router.to_owned(),
            embedder: None,
            seed: None,
            made_by: "a test".to_owned(),
            config: json!({}),
            inputs: vec![source("abc".to_owned()), source(test_sha256.clone())],
            results: json!({}),
            predictions_sha256: None,
            environment: BTreeMap::new(),
            timings: Timings::default(),
        };
        manifest.write(&dir.manifest(router)).expect("written");
    }
    bench.write_roberta_binary();
    bench
}

fn calibrate(bench: &Tiny, args: &[&str]) -> Output {
    bench.run(&[&["calibrate"], args].concat())
}

/// What a run that must succeed printed.
fn calibrated(bench: &Tiny, router: &[&str], args: &[&str]) -> Value {
    let output = calibrate(bench, &[router, args, &["--json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn each_target_is_met_on_the_prompts_that_chose() {
    let bench = bench();
    for (router, is_pair) in [(&KNN, false), (&PAIR, true)] {
        for args in [
            ["--usd-per-1k", "8"],
            ["--relative-cost", "60%:owner/dear"],
            ["--accuracy", "0.8"],
            ["--share", "owner/dear:40%"],
        ] {
            let report = calibrated(&bench, router, &args);
            let calibration = &report["calibration"];
            let kind = if is_pair { "threshold" } else { "weight" };
            assert_eq!(calibration["setting"]["kind"], kind);
            assert_eq!(calibration["drawn"]["n-chosen-on"], N_PROMPTS / 2);
            assert_eq!(calibration["realized"]["n-prompts"], N_PROMPTS / 2);
            let expected = &calibration["expected"];
            for range in [&expected["usd-per-1k"], &expected["accuracy"]] {
                let at = |key: &str| range[key].as_f64().expect("a number");
                assert!(
                    at("low") <= at("estimate") && at("estimate") <= at("high"),
                    "{range}"
                );
                assert!(at("low") < at("high"), "{range}");
            }
            // All of it is on disk, and the same seed gives the same bytes.
            let path = bench.path().join(report["path"].as_str().expect("a path"));
            let text = fs::read(&path).expect("written");
            let stored: Value = serde_json::from_slice(&text).expect("JSON");
            assert_eq!(&stored, calibration);
            calibrated(&bench, router, &args);
            assert_eq!(fs::read(&path).expect("written"), text);
        }
    }
}

#[test]
fn route_takes_the_weight_of_a_calibration() {
    let bench = bench();
    let report = calibrated(&bench, &KNN, &["--usd-per-1k", "8", "--name", "eight"]);
    let mu = report["calibration"]["setting"]["mu"].to_string();
    let mut found = bench.decisions(&["so so", "--calibration", "eight"], "");
    // Each line says what may be expected of it.
    let calibrated_at = found[0]["calibrated"].take();
    assert_eq!(calibrated_at["calibration"], "eight");
    let keeps =
        "at most $8 per 1,000 prompts in the mean; new prompts miss that about as often as not";
    assert_eq!(calibrated_at["keeps"], keeps);
    assert_eq!(calibrated_at["n_new_prompts"], N_PROMPTS / 2);
    assert!(calibrated_at.get("confidence").is_none(), "{calibrated_at}");
    let line = found[0].as_object_mut().expect("an object");
    line.remove("calibrated");
    assert_eq!(found, bench.decisions(&["so so", "--mu", &mu], ""));

    assert_refused(
        &bench.route(&["so so", "--calibration", "nine"], ""),
        1,
        "there are `eight`",
    );
    assert_refused(&bench.route(&["so so"], ""), 2, "--mu");
    assert_refused(
        &bench.route(&["so so", "--mu", "0", "--calibration", "eight"], ""),
        2,
        "cannot be used with",
    );
    calibrated(&bench, &PAIR, &["--usd-per-1k", "8", "--name", "eight"]);
    let pair = [
        "so so",
        "--calibration",
        "eight",
        "--model",
        "models/tiny/roberta-binary",
    ];
    assert_refused(&bench.route(&pair, ""), 1, "decides between two LLMs");

    // Another test part than the one that it was chosen on.
    let dir = bench.dataset("tiny");
    let mut split = PartTable::read(&dir.split(Part::Test)).expect("read");
    split.scores[[0, 0]] = 0.5;
    split.write(&dir.split(Part::Test)).expect("written");
    let stale = bench.route(&["so so", "--calibration", "eight"], "");
    assert_refused(&stale, 1, "has changed since");
    let output = calibrate(&bench, &[&KNN[..], &["--usd-per-1k", "8"]].concat());
    assert_refused(&output, 1, "was made from a different version of");
    let command = "hint: refit the router with `cargo run -p train-and-infer -- --dataset tiny --routers carrot-knn`";
    assert_refused(&output, 1, command);
}

#[test]
fn prompts_of_other_lengths_are_refused_at_a_calibration() {
    // What was billed, with a system prompt of 1,500 tokens.
    let bench = bench_with(|split| {
        let tokens = |(i, m): (usize, usize)| (1500 + i % 40 + 10 * m) as f64;
        split.input_tokens = Some(Array2::from_shape_fn(split.scores.dim(), tokens));
    });
    let report = calibrated(&bench, &KNN, &["--usd-per-1k", "8", "--name", "eight"]);
    let tokens = &report["calibration"]["input-tokens"];
    assert_eq!(
        (
            &tokens["n-prompts"],
            &tokens["mean"],
            &tokens["least"],
            &tokens["most"]
        ),
        (
            &json!(N_PROMPTS),
            &json!(1529.5),
            &json!(1510.0),
            &json!(1549.0)
        )
    );
    let at = ["--calibration", "eight"];
    let output = bench.route(&[&["so so"], &at[..]].concat(), "");
    assert_refused(
        &output,
        1,
        "calibration `eight` was made on prompts of 1,530 input tokens on average (1,510 to 1,549), but this prompt has 2: its costs do not hold",
    );
    assert_refused(&output, 1, "`input_tokens` in its line of JSON");
    let given = [&["so so", "--input-tokens", "1520"], &at[..]].concat();
    assert_eq!(bench.decisions(&given, "").len(), 1);
    assert_eq!(bench.decisions(&["so so", "--mu", "0.5"], "").len(), 1);

    // The prompts before them are answered, and no more.
    let line = |tokens: usize| json!({"prompt": "so so", "input_tokens": tokens}).to_string();
    let text: Vec<String> = (0..600)
        .map(|i| line(if i < 256 { 1520 } else { 9000 }))
        .collect();
    bench.write("prompts.jsonl", text.join("\n"));
    let args = [&at[..], &["--input", "prompts.jsonl", "--json"]].concat();
    let output = bench.route(&args, "");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 256);
    let message = stderr(&output);
    assert!(
        message.contains("the 512 prompts so far have 5,260 on average"),
        "{message}"
    );
    assert!(!message.contains("`input_tokens` in its line"), "{message}");
}

#[test]
fn goals_out_of_reach_are_refused_with_the_nearest() {
    let bench = bench();
    for (args, code, part) in [
        (
            &["--usd-per-1k", "0.1"][..],
            1,
            "its cheapest setting costs $",
        ),
        (
            &["--relative-cost", "1%:owner/dear"],
            1,
            "its cheapest setting costs",
        ),
        (
            &["--share", "twin:90%"],
            1,
            "the nearest share at any setting is 0%",
        ),
        (&["--share", "nobody:50%"], 2, "no LLM is named `nobody`"),
        (&["--share", "cheap:50"], 2, "such as"),
        (&["--accuracy", "70"], 2, "from 0 to 1"),
        (
            &["--accuracy", "0.5", "--usd-per-1k", "1"],
            2,
            "cannot be used with",
        ),
        (
            &["--accuracy", "0.5", "--holdout-share", "1"],
            2,
            "between 0 and 1",
        ),
        (&["--accuracy", "0.5", "--name", "a/b"], 2, "a/b"),
        (&["--accuracy", "0.5", "--check", "0"], 2, "at least 1"),
        (&[], 2, "required"),
    ] {
        let output = calibrate(&bench, &[&KNN[..], args].concat());
        assert_refused(&output, code, part);
    }
    let nowhere = ["--dataset", "tiny", "--router", "rorf", "--accuracy", "0.5"];
    assert_refused(&calibrate(&bench, &nowhere), 1, "rorf");
    assert!(
        !bench.router().join("calibrations").exists(),
        "something was stored"
    );

    // A calibration for another goal does not overwrite the first by accident.
    calibrated(&bench, &KNN, &["--usd-per-1k", "8", "--name", "mine"]);
    let other = [&KNN[..], &["--usd-per-1k", "6", "--name", "mine"]].concat();
    assert_refused(
        &calibrate(&bench, &other),
        1,
        "is for a different goal\nhint: give the new one another name with `--name`",
    );
    calibrated(
        &bench,
        &KNN,
        &["--usd-per-1k", "6", "--name", "mine", "--force"],
    );
}

#[test]
fn holes_in_the_test_part_are_told() {
    let args = ["--usd-per-1k", "8"];
    let report = calibrated(&bench(), &KNN, &args);
    assert!(report.get("gaps").is_none(), "{report}");
    // Every fourth prompt lacks one of its three scores: 20 of 240.
    let holes = |split: &mut PartTable| {
        for i in (0..N_PROMPTS).step_by(4) {
            split.scores[[i, i / 4 % 3]] = f32::NAN;
        }
    };
    for (is_recorded, source) in [(false, "at-random"), (true, "recorded")] {
        let bench = bench_with(|split| {
            holes(split);
            split.propensities = is_recorded
                .then(|| TablePropensities::recorded(Array2::from_elem(split.scores.dim(), 0.9)));
        });
        let report = calibrated(&bench, &KNN, &args);
        assert_eq!(report["gaps"]["source"], source);
        // A prompt is routed whether or not its choice is known.
        let realized = &report["calibration"]["realized"];
        assert_eq!(realized["n-prompts"], N_PROMPTS / 2);
        let output = calibrate(&bench, &[&KNN[..], &args].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("91.6% of the scores are known."), "{text}");
    }
}

/// A log: hard prompts, the later ones, were mostly asked of the dear LLM; with the probabilities of the policy.
fn log(split: &mut PartTable) -> Array2<f64> {
    let policy = |i: usize| match i < N_PROMPTS / 2 {
        true => [0.25, 0.5, 0.25],
        false => [0.5, 0.25, 0.25],
    };
    for i in 0..N_PROMPTS {
        // By turns, in these proportions.
        let asked = match (i < N_PROMPTS / 2, i % 4) {
            (true, 0) | (false, 0 | 1) => 0,
            (true, 1 | 2) | (false, 2) => 1,
            _ => 2,
        };
        for m in (0..MODELS.len()).filter(|&m| m != asked) {
            split.scores[[i, m]] = f32::NAN;
            split.cost_usd[[i, m]] = f64::NAN;
        }
    }
    Array2::from_shape_fn(split.scores.dim(), |(i, m)| policy(i)[m])
}

/// Writes what train-and-infer estimates of a log.
fn write_estimates(bench: &Tiny, values: Array2<f64>) {
    let dir = bench.dataset("tiny");
    let test = PartTable::read(&dir.split(Part::Test)).expect("read");
    let mut info = DatasetInfo::read(&dir.info()).expect("read");
    let hashes = PartHashes {
        train: "abc".to_owned(),
        test: sha256_file(&dir.split(Part::Test)).expect("hashed"),
    };
    let made_from = MadeFrom {
        train_sha256: Some(hashes.train.clone()),
        ..MadeFrom::split(hashes.test.clone())
    };
    info.part_sha256 = Some(hashes);
    info.write(&dir.info()).expect("written");
    // Three train prompts come first.
    let train = Array2::from_elem((3, MODELS.len()), 0.5);
    let estimated = EstimatedPropensities {
        ids: ["a", "b", "c"]
            .map(str::to_owned)
            .into_iter()
            .chain(test.ids)
            .collect(),
        models: test.models,
        folds: vec![Some(0); 3 + N_PROMPTS],
        values: ndarray::concatenate![ndarray::Axis(0), train, values],
        fit: json!({}),
    };
    estimated
        .write(&dir.propensities(), &made_from)
        .expect("written");
}

#[test]
fn a_log_is_weighed_by_what_was_estimated_of_it() {
    let args = ["--usd-per-1k", "6", "--name", "six"];
    let mut policy = None;
    let bench = bench_with(|split| policy = Some(log(split)));
    let policy = policy.expect("a log");
    // Nothing says with which probability: that is told, and what makes up for it.
    let unweighed = calibrated(&bench, &KNN, &args);
    assert_eq!(unweighed["gaps"]["source"], "at-random");
    assert_eq!(unweighed["support"]["is-unweighed-log"], true);
    let text = |bench: &Tiny| {
        let output = calibrate(bench, &[&KNN[..], &args].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = text(&bench);
    assert!(
        told.contains("nothing says with which probability"),
        "{told}"
    );

    write_estimates(&bench, policy.clone());
    let estimated = calibrated(&bench, &KNN, &args);
    assert_eq!(estimated["gaps"]["source"], "estimated");
    let support = &estimated["support"];
    assert_eq!(support["is-unweighed-log"], false);
    assert_eq!(support["estimated-in"], "data/tiny/propensities.parquet");
    for half in ["chosen-on", "untouched"] {
        assert_eq!(support[half]["estimator"], "self-normalized");
        let n = support[half]["effective-prompts"]
            .as_f64()
            .expect("a number");
        // Of 40 prompts about a third is known; all weigh 2 or 4.
        assert!((5.0..25.0).contains(&n), "{support}");
        assert_eq!(support[half]["low-share"], 0.0);
    }
    let told = text(&bench);
    for part in [
        "33.3% of the scores are known. Routers choose among all LLMs, and averages are self-normalized",
        "estimated from the prompts' embeddings. That is right only if whoever chose went by nothing",
        "the probabilities were estimated by train-and-infer: `data/tiny/propensities.parquet`",
        "at this setting the known scores of its choices weigh as much as ",
        "0% of its choices are known to have a probability below 0.01",
        "do not rely on it: the known scores of its choices weigh as much as",
    ] {
        assert!(told.contains(part), "no `{part}` in: {told}");
    }

    // The same numbers as of a log that says the same, and other ones than without.
    let recorded = bench_with(|split| {
        let policy = log(split);
        split.propensities = Some(TablePropensities::recorded(policy));
    });
    let recorded = calibrated(&recorded, &KNN, &args);
    assert_eq!(recorded["gaps"]["source"], "recorded");
    for key in ["expected", "realized", "setting"] {
        assert_eq!(
            recorded["calibration"][key], estimated["calibration"][key],
            "{key}"
        );
    }
    assert_ne!(
        unweighed["calibration"]["realized"],
        estimated["calibration"]["realized"]
    );

    // Other estimates put the calibration out of date.
    assert_eq!(
        bench
            .decisions(&["so so", "--calibration", "six"], "")
            .len(),
        1
    );
    write_estimates(&bench, policy.mapv(|p| 0.9 * p));
    let stale = bench.route(&["so so", "--calibration", "six"], "");
    assert_refused(&stale, 1, "propensities.parquet` has changed since");
}

#[test]
fn nothing_is_promised_of_a_log_that_its_prompts_decided() {
    let bench = bench_with(|split| {
        let asked = log(split).mapv(|_| 1e-3);
        let asked = Array2::from_shape_fn(asked.dim(), |at| {
            if split.scores[at].is_nan() {
                asked[at]
            } else {
                0.998
            }
        });
        split.propensities = Some(TablePropensities::recorded(asked));
    });
    let output = calibrate(
        &bench,
        &[&KNN[..], &["--usd-per-1k", "9"], &CONFIDENT].concat(),
    );
    let part = "cannot promise at most $9 per 1,000 prompts: in this log the prompt decided which LLM was asked (100% of the prompts have one LLM with a \
                propensity above 0.99)";
    assert_refused(&output, 1, part);
    assert_refused(
        &output,
        1,
        "send a random part of the prompts to other LLMs",
    );
    // Without a promise it is told.
    let output = calibrate(&bench, &[&KNN[..], &["--usd-per-1k", "9"]].concat());
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("do not rely on it: in this log"), "{told}");
}

#[test]
fn a_part_of_an_unknown_cost_is_refused_with_what_helps() {
    let bench = bench_with(|split| {
        for i in (0..N_PROMPTS).step_by(4) {
            split.cost_usd[[i, 0]] = f64::NAN;
        }
    });
    let relative = ["--relative-cost", "60%:owner/dear"];
    let output = calibrate(&bench, &[&KNN[..], &relative, &CONFIDENT].concat());
    assert_refused(
        &output,
        1,
        "the cost of `owner/dear` is known for 60 of 80 test prompts, and a promise needs it for each of those that choose the setting",
    );
    // 60% of its mean, .01 (1 + mean of i mod 7 over 7), for 1,000 prompts.
    let known = (0..N_PROMPTS).filter(|i| i % 4 != 0);
    let usd: f64 = known
        .map(|i| 10.0 * (1.0 + (i % 7) as f64 / 7.0))
        .sum::<f64>()
        / 60.0;
    let hint = format!(
        "hint: give the same in dollars, `--usd-per-1k {:.3e}`",
        0.6 * usd
    );
    assert_refused(&output, 1, &hint);
    assert_refused(&output, 1, "leave out `--confidence`");
    calibrated(&bench, &KNN, &relative);
}

#[test]
fn lines_that_explain_little_are_told() {
    let bench = bench_with(|split| {
        split.input_tokens = Some(Array2::from_elem(split.scores.dim(), 2.0));
    });
    let path = bench.router().join("router.json");
    let told = |r2: f64| {
        let text = fs::read(&path).expect("read");
        let mut record: Value = serde_json::from_slice(&text).expect("JSON");
        let line = |r2| json!({"intercept": 0.0, "slope": 1.0, "r2": r2, "n-prompts": 20});
        record["token-lines"] = json!({
            "counted": {"n-prompts": 20, "mean": 2.0, "deviation": 1.0, "least": 1.0, "most": 4.0},
            "lines": { (MODELS[0]): line(0.9), (MODELS[1]): line(r2) },
        });
        fs::write(&path, record.to_string()).expect("written");
        let args = [&KNN[..], &["--usd-per-1k", "8"]].concat();
        let report = calibrated(&bench, &KNN, &args[4..]);
        assert_eq!(report["least-token-r2"], r2);
        let output = calibrate(&bench, &args);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let text = told(0.12);
    let part = "a prompt's text tells little of what is billed for it (R2 0.12 at the least)";
    assert!(text.contains(part), "{text}");
    let text = told(0.7);
    assert!(!text.contains("tells little"), "{text}");
}

#[test]
fn a_check_counts_and_stores_nothing() {
    let bench = bench();
    let checked = calibrated(&bench, &KNN, &["--usd-per-1k", "8", "--check", "10"]);
    assert_eq!(checked["n-repetitions"], 10);
    let n = checked["cost"].as_u64().expect("a count");
    assert!((5..=10).contains(&n), "{checked}");
    assert!(!bench.router().join("calibrations").exists());
}

const CONFIDENT: [&str; 4] = ["--confidence", ".9", "--new-prompts", "200"];

#[test]
fn a_goal_is_promised_with_a_confidence_and_the_price_is_shown() {
    let bench = bench();
    for (router, args, limits) in [
        (&KNN, ["--usd-per-1k", "8"], 6.0..=8.0),
        (&KNN, ["--relative-cost", "60%:owner/dear"], 0.4..=0.6),
        (&KNN, ["--accuracy", "0.7"], 0.7..=0.85),
        (&PAIR, ["--share", "owner/dear:40%"], 0.3..=0.4),
    ] {
        let all = [&args[..], &CONFIDENT].concat();
        let calibration = &calibrated(&bench, router, &all)["calibration"];
        let promise = &calibration["promise"];
        assert_eq!(promise["confidence"], 0.9, "{args:?}");
        assert_eq!(calibration["expected"]["n-new-prompts"], 200);
        let limit = promise["limit"].as_f64().expect("a number");
        assert!(limits.contains(&limit), "{args:?}: {promise}");
        let missed = |it: &Value| it["missed"].as_f64().expect("a part");
        let in_the_mean = &promise["in-the-mean"];
        assert!(
            missed(&calibration["expected"]) < missed(in_the_mean),
            "{args:?}: {calibration}"
        );
        assert_ne!(in_the_mean["setting"], calibration["setting"], "{args:?}");
        let name = calibration["name"].as_str().expect("a name");
        assert!(name.ends_with("-confidence-90%"), "{name}");
    }
    let text = |args: &[&str]| {
        let output = calibrate(&bench, &[&KNN[..], &["--usd-per-1k", "8"], args].concat());
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let promised = text(&CONFIDENT);
    for part in [
        "at most $8 per 1,000 prompts with 90% confidence: mu",
        "promised for 200 new prompts or more, with 90% confidence: at most $",
        "the price: accuracy 0.",
        "meets the goal in the mean, which new prompts miss in about",
    ] {
        assert!(promised.contains(part), "{promised}");
    }
    let unpromised = text(&[]);
    let part = "met in the mean: 40 new prompts miss the goal in about";
    assert!(unpromised.contains(part), "{unpromised}");
}

#[test]
fn route_says_what_was_promised_and_opens_older_calibrations() {
    let bench = bench();
    let args = [&["--usd-per-1k", "8", "--name", "eight"], &CONFIDENT[..]].concat();
    let report = calibrated(&bench, &KNN, &args);
    let output = bench.route(&["so so", "--calibration", "eight"], "");
    let part = "at most $8 per 1,000 prompts with 90% confidence, over 200 new prompts or more; the limit is $7.";
    assert!(stderr(&output).contains(part), "{}", stderr(&output));
    let decision = bench
        .decisions(&["so so", "--calibration", "eight"], "")
        .remove(0);
    let calibrated_at = &decision["calibrated"];
    assert_eq!(calibrated_at["confidence"], 0.9);
    assert_eq!(calibrated_at["n_new_prompts"], 200);
    let keeps = calibrated_at["keeps"].as_str().expect("words");
    assert!(keeps.starts_with(part), "{keeps}");

    // As before there were promises.
    let path = bench.path().join(report["path"].as_str().expect("a path"));
    let mut older: Value = serde_json::from_slice(&fs::read(&path).expect("read")).expect("JSON");
    let object = older.as_object_mut().expect("an object");
    object.remove("promise").expect("there");
    let expected = object["expected"].as_object_mut().expect("an object");
    expected.remove("missed").expect("there");
    fs::write(&path, older.to_string()).expect("written");
    let output = bench.route(&["so so", "--calibration", "eight"], "");
    let part =
        "at most $8 per 1,000 prompts in the mean; new prompts miss that about as often as not";
    assert!(stderr(&output).contains(part), "{}", stderr(&output));

    // The same goal with another confidence is another one.
    let other = [&KNN[..], &args[..4], &["--confidence", ".8"]].concat();
    assert_refused(&calibrate(&bench, &other), 1, "is for a different goal");
}

#[test]
fn what_cannot_be_promised_is_refused_with_the_nearest_and_what_helps() {
    let bench = bench();
    // The cheapest setting costs $1.4 and varies by the half.
    let args = [
        "--usd-per-1k",
        "1.5",
        "--confidence",
        ".99",
        "--new-prompts",
        "5",
    ];
    let output = calibrate(&bench, &[&KNN[..], &args].concat());
    assert_refused(&output, 1, "with 99% confidence over 5 new prompts");
    assert_refused(&output, 1, "the nearest that it can promise is at most $1.");
    assert_refused(&output, 1, "would be enough");
    for confidence in ["95", "0.2", "1", "NaN"] {
        let args = ["--usd-per-1k", "8", "--confidence", confidence];
        let output = calibrate(&bench, &[&KNN[..], &args].concat());
        assert_refused(&output, 2, "from 0.5 to below 1");
    }
}

#[test]
fn a_check_counts_how_often_a_goal_is_missed_with_confidence_and_without() {
    let bench = bench();
    let args = ["--usd-per-1k", "8", "--check", "20"];
    let without = calibrated(&bench, &KNN, &args);
    assert_eq!(without["confidence"], Value::Null);
    let with = calibrated(
        &bench,
        &KNN,
        &[&args[..], &["--confidence", ".95"]].concat(),
    );
    // The same prompts choose and check.
    assert_eq!(with["in-the-mean"], without["outcome"]);
    let missed = |it: &Value| it["n-missed"].as_u64().expect("a count");
    assert!(missed(&with["outcome"]) <= 3, "{with}");
    assert!(missed(&without["outcome"]) >= 4, "{without}");
    assert_eq!(with["n-refused"], 0);
}
