//! The tables.

use dataset::{EstimatedPropensities, TablePropensities, Timings};

use super::*;

#[test]
fn the_tables_of_metrics_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        &folder.path().join("data"),
        "made-up",
        &MODELS[..6],
        &["carrot-knn", "mf"],
    );
    check_ok(&plots(
        folder.path(),
        &["--figure", "table", "metrics_table"],
    ));
    let made = folder.path().join("plots/made-up");
    assert!(!made.join("accuracy_cost.csv").exists() && !made.join("vs_rb_zero.csv").exists());

    let metrics = cells(&made.join("metrics_table.csv"));
    let find = |router: &str, metric: &str| -> [f64; 3] {
        let row = metrics
            .iter()
            .find(|row| row[1] == router && row[2] == metric)
            .expect("there is such a row");
        [3, 4, 5].map(|i| row[i].parse().expect("a number"))
    };
    // The same numbers by another way: `table.csv` evaluates each curve by itself.
    let table = cells(&made.join("table.csv"));
    for (router, name) in [
        ("carrot-knn", "CARROT (KNN)"),
        ("mf", "RouteLLM (MF)"),
        ("routerbench-rule/carrot-knn", "RouterBench (KNN)"),
        ("zero-router", "Zero router"),
    ] {
        let row = table
            .iter()
            .find(|row| row[0] == name)
            .expect("the router has a row");
        for (column, metric) in [(2, "peak_accuracy"), (4, "aiq"), (5, "audc")] {
            let expected: f64 = row[column].parse().expect("a number");
            let [estimate, low, high] = find(router, metric);
            assert!(
                (estimate - expected).abs() < 1e-12,
                "{router} {metric}: {estimate} and {expected}"
            );
            assert!(low < high && high - low < 0.3, "{router} {metric}");
        }
    }
    // A difference has the difference of the estimates, and a paired interval is not that of two strangers.
    let differences = cells(&made.join("metrics_differences.csv"));
    let row = differences
        .iter()
        .find(|row| {
            row[1..4] == ["carrot-knn", "routerbench-rule/carrot-knn", "aiq"].map(str::to_owned)
        })
        .expect("there is such a row");
    let [difference, low, high] = [4, 5, 6].map(|i| row[i].parse::<f64>().expect("a number"));
    let [carrot, rule] = ["carrot-knn", "routerbench-rule/carrot-knn"].map(|key| find(key, "aiq"));
    assert!((difference - (carrot[0] - rule[0])).abs() < 1e-12);
    assert!(high - low < (carrot[2] - carrot[1]) + (rule[2] - rule[1]));
    assert_eq!(find("zero-router", "gain_over_zero_router"), [0.0; 3]);

    // Another seed gives other intervals of the same estimates.
    let settings = include_str!("../../../../configs/plots.toml").replace("seed = 42", "seed = 43");
    fs::write(folder.path().join("other.toml"), settings).expect("written");
    let args = ["--figure", "metrics_table", "--config", "other.toml"];
    check_ok(&plots(folder.path(), &args));
    let other = cells(&made.join("metrics_table.csv"));
    // Which half a prompt is in is drawn by the seed, and so are cross-fitted estimates.
    let column = |rows: &[Vec<String>], i: usize| -> Vec<String> {
        let rows = rows.iter().filter(|row| !row[2].ends_with("cross_fitted"));
        rows.map(|row| row[i].clone()).collect()
    };
    assert_eq!(column(&metrics, 3), column(&other, 3));
    assert_ne!(column(&metrics, 4), column(&other, 4));
}

#[test]
fn the_accuracy_table_spans_all_data_sets() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    write(&data, "second", &MODELS[..3], &["carrot-knn"]);
    check_ok(&plots(
        folder.path(),
        &["--dataset", "second", "--format", "svg"],
    ));
    let table =
        fs::read_to_string(folder.path().join("plots/knn_accuracy_table.csv")).expect("written");
    let names: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next())
        .collect();
    assert_eq!(names, ["first", "second"]);
    assert!(
        !folder.path().join("plots/first").exists(),
        "only `second` was to be drawn"
    );
}

/// Writes predictions that know nothing: at random, one number per prompt and LLM.
fn write_coin(dir: &DatasetDir, router: &str, seed: usize, is_of_pair: bool) {
    let test = PartTable::read(&dir.split(Part::Test)).expect("read");
    let predictions = if is_of_pair {
        Predictions::SmallWins(SmallWins {
            ids: test.ids,
            probability: Array1::from_shape_fn(N_PROMPTS, |i| noise(i, seed) as f32),
        })
    } else {
        Predictions::PerModel(PerModel {
            scores: Array2::from_shape_fn(test.scores.dim(), |(i, m)| noise(i, seed + m) as f32),
            ids: test.ids,
            models: test.models,
            output_tokens: None,
            cost_usd: test.cost_usd,
        })
    };
    let path = dir.predictions(router);
    predictions.write(&path, &made_from(dir)).expect("written");
}

#[test]
fn coins_are_not_called_better() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    // Routers of two LLMs: of more, a coin between two of them is far below the zero router.
    let dir = write(&data, "coins", &MODELS[3..5], &["carrot-knn"]);
    let coins: Vec<String> = (0..8).map(|i| format!("coin-{i}")).collect();
    for (i, coin) in coins.iter().enumerate() {
        write_coin(&dir, coin, 7_000 + 50 * i, i < 5);
    }
    write(&data, "known", &MODELS[4..9], &["carrot-knn", "mf"]);
    check_ok(&plots(folder.path(), &["--figure", "metrics_table"]));
    let read = |name: &str, file: &str| cells(&folder.path().join("plots").join(name).join(file));
    let p_holm = |row: &[String]| row[11].parse::<f64>().ok();
    let is_coin = |name: &String| coins.contains(name);
    let rows = read("coins", "metrics_table.csv");
    let of_coins: Vec<_> = rows.iter().filter(|row| is_coin(&row[1])).collect();
    let tested: Vec<f64> = of_coins.iter().filter_map(|row| p_holm(row)).collect();
    assert_eq!(
        tested.len(),
        8 + 3,
        "areas of all, and gains of those that predict scores"
    );
    assert!(tested.iter().all(|&p| p > 0.025), "{tested:?}");
    // What was said of them by the hull of their own test curve.
    let is_above = |row: &[String]| row[4].parse::<f64>().is_ok_and(|low| low > 0.0);
    let mut before = of_coins
        .iter()
        .filter(|row| row[2] == "gain_over_zero_router");
    assert!(before.any(|row| is_above(row) && row[9] == "yes"));
    let differences = read("coins", "metrics_differences.csv");
    let better = |rows: &[Vec<String>]| -> Vec<String> {
        rows[1..].iter().map(|row| row[11].clone()).collect()
    };
    assert!(!better(&differences).iter().any(is_coin), "{differences:?}");
    for row in differences[1..].iter().filter(|row| row[8] == "yes") {
        assert!(row[10].is_empty() && row[11].is_empty(), "{row:?}");
    }

    // Whoever knows something is called better.
    let rows = read("known", "metrics_table.csv");
    let knows = rows
        .iter()
        .find(|row| row[1] == "carrot-knn" && row[2] == "mean_gain");
    let knows = knows.expect("measured");
    assert!(p_holm(knows).is_some_and(|p| p < 0.025), "{knows:?}");
    let differences = read("known", "metrics_differences.csv");
    assert!(better(&differences).contains(&"carrot-knn".to_owned()));
}

/// Writes out-of-fold predictions of carrot-knn for both parts, two folds that alternate, with a manifest that tells of permutations.
fn write_cross_fit(dir: &DatasetDir) {
    let whole = WholeSet::open(dir).expect("opened");
    let table = whole.table();
    let n_train = whole.n_train();
    let models = MODELS[..table.models.len()].to_vec();
    let out_of_fold = OutOfFold {
        predictions: Predictions::PerModel(PerModel {
            ids: table.ids.clone(),
            models: table.models.clone(),
            scores: Array2::from_shape_fn(table.scores.dim(), |(i, m)| {
                chance(&models, i % n_train, m) as f32
            }),
            output_tokens: None,
            cost_usd: table.cost_usd.clone(),
        }),
        folds: (0..table.n_prompts())
            .map(|i| Some((i % 2) as u32))
            .collect(),
    };
    let path = dir.out_of_fold("carrot-knn", 0);
    out_of_fold
        .write(&path, &whole.made_from())
        .expect("written");
    let manifest = RunManifest {
        dataset: dir.name().to_owned(),
        router: "carrot-knn".to_owned(),
        embedder: None,
        seed: None,
        made_by: "a test".to_owned(),
        config: serde_json::json!({ "cross-fit": { "group": null } }),
        inputs: Vec::new(),
        results: serde_json::json!({ "null": {
            "observed": 0.05,
            "over-all": { "gains": [-0.01, 0.0, 0.004], "p": 0.25 },
            "within-tasks": { "gains": [0.02, 0.0, 0.01], "p": 0.5 },
        } }),
        predictions_sha256: None,
        environment: BTreeMap::new(),
        timings: Timings::default(),
    };
    let path = dir.out_of_fold_manifest("carrot-knn", 0);
    manifest.write(&path).expect("written");
}

#[test]
fn out_of_fold_predictions_go_before_those_for_the_test_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let routers = ["carrot-knn", "carrot-roberta", "mf"];
    let dir = write(
        &folder.path().join("data"),
        "made-up",
        &MODELS[..4],
        &routers,
    );
    write_cross_fit(&dir);
    let args = ["--figure", "worth", "metrics_table", "--format", "svg"];
    check_ok(&plots(folder.path(), &args));
    let made = folder.path().join("plots/made-up");
    let table = fs::read_to_string(made.join("metrics_table.md")).expect("written");
    for expected in [
        "| CARROT (KNN) | all prompts, out of fold | 400 |",
        "| CARROT (KNN), permuted prompts | 3 permutations | 400 | -0.20 [-1.00, +0.40] | 0.2500 |  |  |",
        "| CARROT (KNN), permuted within tasks | 3 permutations | 400 | +1.00 [+0.00, +2.00] | 0.5000 |  |  |",
        "| CARROT (RoBERTa) | test part | 200 |",
    ] {
        assert!(table.contains(expected), "no {expected} in {table}");
    }
    let svg = fs::read_to_string(made.join("worth.svg")).expect("written");
    for expected in [
        "CARROT (RoBERTa), test part",
        "Not routing",
        "all prompts (200\u{2013}400)",
    ] {
        assert!(svg.contains(expected), "no {expected}");
    }
    let rows = cells(&made.join("worth.csv"));
    let of = |router: &str, on: &str| {
        rows.iter()
            .filter(|row| row[1] == router && row[2] == on)
            .count()
    };
    assert_eq!(of("carrot-knn", "out-of-fold"), 1 + 25 + 1);
    assert_eq!(of("carrot-roberta", "test-part"), 1 + 25 + 1);
    assert_eq!(of("carrot-knn", "test-part") + of("mf", "test-part"), 0);
    // Routers that were measured on different prompts are not compared.
    let differences = cells(&made.join("metrics_differences.csv"));
    assert!(differences.iter().all(|row| row[3] != "mean_gain"));

    // Of another version of the train part.
    let train = dir.split(Part::Train);
    let mut split = PartTable::read(&train).expect("read");
    split.cost_usd.mapv_inplace(|cost| 2.0 * cost);
    split.write(&train).expect("written");
    let output = plots(folder.path(), &args);
    check_ok(&output);
    let message = stderr(&output);
    assert!(
        message.contains("cross-fit/carrot-knn/0.parquet"),
        "{message}"
    );
    let table = fs::read_to_string(made.join("metrics_table.md")).expect("written");
    assert!(
        table.contains("| CARROT (KNN) | test part | 200 |"),
        "{table}"
    );
}

#[test]
fn a_router_with_out_of_fold_predictions_alone_has_a_figure() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = write(&folder.path().join("data"), "made-up", &MODELS[..4], &[]);
    write_cross_fit(&dir);
    check_ok(&plots(
        folder.path(),
        &["--figure", "worth", "--format", "png"],
    ));
    assert!(folder.path().join("plots/made-up/worth.png").is_file());
}

/// Makes a log of both parts: one LLM is known on each prompt, the dear ones on every other of the later prompts. Gives the probabilities of the
/// policy.
fn make_log(dir: &DatasetDir, n_models: usize, is_recorded: bool) -> Array2<f64> {
    let policy = |i: usize, m: usize| {
        let is_dear = m >= n_models / 2;
        let of_half = (n_models / 2) as f64;
        match (i < N_PROMPTS / 2, is_dear) {
            (true, true) | (false, false) => 0.2 / of_half,
            (true, false) | (false, true) => 0.8 / of_half,
        }
    };
    let values = Array2::from_shape_fn((N_PROMPTS, n_models), |(i, m)| policy(i, m));
    for part in Part::ALL {
        let edit = |split: &mut PartTable| {
            for i in 0..N_PROMPTS {
                let mut drawn = noise(i, 6_000 + part.name().len());
                let asked = (0..n_models).find(|&m| {
                    drawn -= values[[i, m]];
                    drawn < 0.0
                });
                for m in (0..n_models).filter(|&m| Some(m) != asked) {
                    split.scores[[i, m]] = f32::NAN;
                    split.cost_usd[[i, m]] = f64::NAN;
                }
            }
            if is_recorded {
                split.propensities = Some(TablePropensities::recorded(values.clone()));
            }
        };
        match part {
            Part::Test => edit_test(dir, edit),
            Part::Train => {
                let path = dir.split(part);
                let mut split = PartTable::read(&path).expect("read");
                edit(&mut split);
                split.write(&path).expect("written");
            }
        }
    }
    values
}

#[test]
fn a_log_is_weighed_by_what_was_estimated_of_it() {
    const N_MODELS: usize = 6;
    let tables = |folder: &Path| {
        check_ok(&plots(
            folder,
            &["--figure", "table", "metrics_table", "accuracy_cost"],
        ));
        let made = folder.join("plots/made-up");
        [
            "metrics_table.csv",
            "table.csv",
            "metrics_table.md",
            "table.md",
        ]
        .map(|file| fs::read_to_string(made.join(file)).expect("written"))
    };
    let log = |is_recorded| {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let dir = write(&data, "made-up", &MODELS[..N_MODELS], &["carrot-knn"]);
        let policy = make_log(&dir, N_MODELS, is_recorded);
        (folder, dir, policy)
    };
    let (folder, dir, policy) = log(false);
    let [unweighed, ..] = tables(folder.path());
    let page = fs::read_to_string(folder.path().join("plots/made-up/metrics_table.md"));
    let page = page.expect("written");
    assert!(
        page.contains("nothing says with which probability"),
        "{page}"
    );

    let hash = |part| sha256_file(&dir.split(part)).expect("hashed");
    let ids = Part::ALL.map(|part| PartTable::read(&dir.split(part)).expect("read").ids);
    let estimated = EstimatedPropensities {
        ids: ids.concat(),
        models: MODELS[..N_MODELS]
            .iter()
            .map(|model| model.0.to_owned())
            .collect(),
        values: ndarray::concatenate![ndarray::Axis(0), policy, policy],
        folds: vec![Some(0); 2 * N_PROMPTS],
        fit: serde_json::json!({}),
    };
    let made_from = MadeFrom {
        train_sha256: Some(hash(Part::Train)),
        ..MadeFrom::split(hash(Part::Test))
    };
    (estimated.write(&dir.propensities(), &made_from)).expect("written");
    let [metrics, table, metrics_md, table_md] = tables(folder.path());
    assert_ne!(metrics, unweighed);
    for text in [&metrics_md, &table_md] {
        for part in [
            "16.6% of the scores are known.",
            "averages are self-normalized",
            "estimated from the prompts' embeddings. That is right only if",
            "of CARROT (KNN) at least as much as",
            "below a probability of .01",
        ] {
            assert!(text.contains(part), "no `{part}` in: {text}");
        }
    }
    for part in [
        "Gains are doubly robust",
        "by a propensity that was estimated from the prompts' embeddings",
        "choices known as if by",
    ] {
        assert!(metrics_md.contains(part), "no `{part}` in: {metrics_md}");
    }
    let figure = fs::read_to_string(folder.path().join("plots/made-up/accuracy_cost.svg"));
    let figure = figure.expect("drawn");
    assert!(
        figure.contains("weighted by estimated propensities"),
        "the title says so"
    );

    // The same numbers as of a log that says the same.
    let (folder, ..) = log(true);
    let [recorded_metrics, recorded_table, ..] = tables(folder.path());
    assert_eq!(metrics, recorded_metrics);
    assert_eq!(table, recorded_table);
}
