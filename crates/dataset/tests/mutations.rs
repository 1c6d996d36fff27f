//! Broken files of every form: each costs an error, and nothing else. `CARROT_MUTATIONS=10000` tries more of them.

use std::{collections::BTreeMap, fs, path::Path};

use dataset::{
    DatasetInfo, Embeddings, EmbeddingsMeta, EstimatedPropensities, KeptColumns, MadeFrom,
    ModelScores, PartHashes, PartTable, PerModel, Precision, Predictions, Prices, RateCurve,
    RateInterval, RatePoint, RateProblem, RateStudy, RunManifest, SmallWins, Source, Stage,
    TablePropensities, Timings, Truncate,
};
use ndarray::{Array1, Array2};
use test_support::{dataset_info, try_mutations};

/// The bytes that `write` puts into a file.
fn written(write: impl FnOnce(&Path)) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file.parquet");
    write(&path);
    fs::read(&path).expect("read")
}

/// Reads broken versions of some files.
fn check<T>(files: &[Vec<u8>], read: impl Fn(&Path) -> dataset::Result<T>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file.parquet");
    for bytes in files {
        fs::write(&path, bytes).expect("written");
        assert!(read(&path).is_ok(), "the file is read before it is broken");
    }
    try_mutations(files, |bytes| {
        fs::write(&path, bytes).expect("written");
        if let Err(error) = read(&path) {
            let message = error.to_string();
            assert!(message.contains("file"), "the file is named: {message}");
        }
    });
}

fn ids(n: usize) -> Vec<String> {
    (0..n).map(|row| format!("id-{row}")).collect()
}

fn part() -> PartTable {
    let n = 40;
    let mut kept = KeptColumns::default();
    let times = (0..n).map(|row| row.to_string()).collect();
    kept.insert("time", times).expect("a new name");
    PartTable {
        ids: ids(n),
        tasks: (0..n).map(|row| format!("task {}", row % 3)).collect(),
        prompts: (0..n).map(|row| "word ".repeat(row)).collect(),
        models: vec!["a/b".to_owned(), "c".to_owned()],
        scores: Array2::from_shape_fn((n, 2), |(i, m)| ((i + m) % 5) as f32 / 4.0),
        input_tokens: Some(Array2::from_shape_fn((n, 2), |(i, _)| i as f64)),
        output_tokens: Some(Array2::from_elem((n, 2), f64::NAN)),
        cost_usd: Array2::from_shape_fn((n, 2), |(i, m)| (i * m) as f64 / 1e3),
        propensities: Some(TablePropensities::recorded(Array2::from_elem((n, 2), 0.5))),
        kept,
    }
}

#[test]
fn mutations_of_parts() {
    let file = [written(|path| part().write(path).expect("written"))];
    check(&file, PartTable::read);
    check(&file, ModelScores::read);
}

#[test]
fn mutations_of_predictions() {
    let made_from = MadeFrom {
        router: Some("r".to_owned()),
        ..MadeFrom::split("ab")
    };
    let part = part();
    let per_model = Predictions::PerModel(PerModel {
        ids: part.ids.clone(),
        models: part.models,
        scores: part.scores,
        output_tokens: None,
        cost_usd: part.cost_usd,
    });
    let wins = Predictions::SmallWins(SmallWins {
        probability: Array1::from_elem(part.ids.len(), 0.25),
        ids: part.ids,
    });
    let files = [per_model, wins]
        .map(|predictions| written(|path| predictions.write(path, &made_from).expect("written")));
    check(&files, Predictions::read);
    check(&files, Predictions::read_made_from);
}

#[test]
fn mutations_of_embeddings() {
    let meta = EmbeddingsMeta {
        embedder: "e".to_owned(),
        embedder_sha256: None,
        server: None,
        split_sha256: Some("ab".to_owned()),
        truncate: Some(Truncate::Middle),
        precision: Precision::Bf16,
        n_truncated: Some(3),
    };
    let embeddings = Embeddings {
        ids: ids(50),
        values: Array2::from_shape_fn((50, 4), |(i, j)| (i * j) as f32),
        meta,
    };
    let file = [written(|path| embeddings.write(path).expect("written"))];
    check(&file, Embeddings::read);
    check(&file, Embeddings::read_meta);
}

#[test]
fn mutations_of_estimated_propensities() {
    let estimated = EstimatedPropensities {
        ids: ids(50),
        models: vec!["a/b".to_owned(), "c".to_owned()],
        values: Array2::from_shape_fn((50, 2), |(i, m)| (1 + i + m) as f64 / 52.0),
        folds: (0..50).map(|row| Some(row % 5)).collect(),
        fit: serde_json::json!({"settings": {"seed": 42}}),
    };
    let made_from = MadeFrom::split("abc");
    let file = [written(|path| {
        estimated.write(path, &made_from).expect("written");
    })];
    check(&file, EstimatedPropensities::read);
    check(&file, EstimatedPropensities::read_made_from);
}

#[test]
fn mutations_of_descriptions_and_manifests() {
    let source = Source {
        path: "source.csv".into(),
        sha256: "00".to_owned(),
        n_bytes: 3,
    };
    let info = DatasetInfo {
        sources: vec![source.clone()],
        part_sha256: Some(PartHashes {
            train: "aa".to_owned(),
            test: "bb".to_owned(),
        }),
        notes: vec!["a note".to_owned()],
        ..dataset_info("tiny", &["a", "b"], [30, 6])
    };
    check(
        &[written(|path| info.write(path).expect("written"))],
        DatasetInfo::read,
    );
    let manifest = RunManifest {
        dataset: "tiny".to_owned(),
        router: "r".to_owned(),
        embedder: Some("e".to_owned()),
        seed: Some(42),
        made_by: "a test".to_owned(),
        config: serde_json::json!({"k": [1, 2, {"l": null}]}),
        inputs: vec![source.clone()],
        results: serde_json::json!({"best": 0.5}),
        predictions_sha256: Some("ab".to_owned()),
        environment: BTreeMap::from([("device".to_owned(), "Cpu".to_owned())]),
        timings: Timings {
            stages: vec![Stage {
                name: "fit".to_owned(),
                seconds: 0.25,
            }],
            peak_memory_bytes: Some(1 << 30),
            n_threads: Some(2),
            other: BTreeMap::from([("fit seconds".to_owned(), 0.25)]),
        },
    };
    check(
        &[written(|path| manifest.write(path).expect("written"))],
        RunManifest::read,
    );
    let interval = RateInterval {
        estimate: 0.5,
        low: 0.25,
        high: 0.75,
    };
    let study = RateStudy {
        made_by: "a test".to_owned(),
        settings: source,
        seed: 1,
        mu: 0.5,
        level: 0.95,
        n_test: 7,
        fit_from_n: 256,
        problems: vec![RateProblem {
            name: "root".to_owned(),
            dim: 2,
            smoothness: 0.5,
            margin_exponent: 1.0,
            bound_exponent: 0.25,
            neighbors: 4.0,
            n_repetitions: 2,
            curves: vec![RateCurve {
                router: "1-nn".to_owned(),
                exponent: Some(interval),
                predicted_exponent: None,
                points: vec![RatePoint {
                    n: 256,
                    n_neighbors: Some(1),
                    excess_risk: interval,
                    predicted_excess_risk: None,
                }],
            }],
        }],
    };
    check(
        &[written(|path| study.write(path).expect("written"))],
        RateStudy::read,
    );
}

#[test]
fn mutations_of_prices() {
    let text = "# Prices.\n[models.\"gpt-4o\"]\ninput_usd_per_mtok = 2.5\noutput_usd_per_mtok = 10\nsource = \"a page\"\n\n[models.a]\n\
                input_usd_per_mtok = 1e-1\noutput_usd_per_mtok = 0x10\n";
    check(&[text.as_bytes().to_vec()], Prices::read);
    let settings = "a = [1, 2, { b = 1979-05-27T07:32:00Z }]\n[t.u]\nv = '''\nx'''\n[[w]]\n";
    check(&[settings.as_bytes().to_vec()], |path| {
        dataset::toml::read::<BTreeMap<String, serde_json::Value>>(path)
    });
}

#[test]
fn nesting_without_end_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("file");
    let n = 200_000;
    for (start, open) in [("a = ", "["), ("a = ", "{b="), ("", "[a."), ("", "a.")] {
        fs::write(&path, start.to_owned() + &open.repeat(n)).expect("written");
        assert!(Prices::read(&path).is_err(), "{open}");
        let read = dataset::toml::read::<BTreeMap<String, serde_json::Value>>;
        assert!(read(&path).is_err(), "{open}");
    }
    // Whole, so that only its depth can be refused.
    fs::write(&path, "a".to_owned() + &".a".repeat(n) + " = 1").expect("written");
    assert!(Prices::read(&path).is_err(), "keys");
    for open in ["[", "{\"a\":"] {
        fs::write(&path, open.repeat(n)).expect("written");
        assert!(DatasetInfo::read(&path).is_err(), "{open}");
        assert!(RunManifest::read(&path).is_err(), "{open}");
        assert!(
            dataset::json::read::<serde_json::Value>(&path).is_err(),
            "{open}"
        );
    }
}
