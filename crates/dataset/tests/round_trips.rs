//! What is written is read back the same, and what no reader should take is refused with its place.

use std::{collections::BTreeMap, fs, path::Path};

use dataset::{
    CostKind, CostRule, DatasetDir, DatasetInfo, Embeddings, EmbeddingsMeta, Error, KeptColumns,
    MadeFrom, ModelInfo, PartTable, PartWriter, PerModel, Precision, Predictions, Price, SmallWins,
    Source, SplitOrigin, TablePropensities, Truncate,
};
use ndarray::{Array2, array};
use proptest::prelude::*;

/// Values with some of them unknown.
fn matrix<T: Clone + std::fmt::Debug + 'static>(
    shape: (usize, usize),
    value: impl Strategy<Value = T> + Clone + 'static,
    unknown: T,
) -> impl Strategy<Value = Array2<T>> {
    let cell = prop_oneof![9 => value, 1 => Just(unknown)];
    prop::collection::vec(cell, shape.0 * shape.1).prop_map(move |values| {
        Array2::from_shape_vec(shape, values).expect("as many values as cells")
    })
}

fn split() -> impl Strategy<Value = PartTable> {
    (1_usize..40, 0_usize..5, any::<bool>(), any::<bool>()).prop_flat_map(
        |(n_prompts, n_models, has_input, has_output)| {
            let shape = (n_prompts, n_models);
            let tokens = |is_there| {
                let counts = matrix(shape, (0..=u32::MAX).prop_map(f64::from), f64::NAN);
                counts.prop_map(move |tokens| (is_there && n_models > 0).then_some(tokens))
            };
            let texts = || prop::collection::vec("\\PC{0,30}", n_prompts);
            let scores = matrix(shape, 0.0_f32..=1.0, f32::NAN);
            let costs = matrix(shape, 0.0_f64..1e3, f64::NAN);
            (
                texts(),
                texts(),
                prop::option::of(texts()),
                scores,
                tokens(has_input),
                tokens(has_output),
                costs,
                prop::option::of(matrix(shape, 1e-9_f64..1.0, 1.0)),
            )
                .prop_map(
                    move |(
                        tasks,
                        prompts,
                        times,
                        scores,
                        input_tokens,
                        output_tokens,
                        cost_usd,
                        propensities,
                    )| {
                        let mut kept = KeptColumns::default();
                        if let Some(times) = times {
                            kept.insert("time", times.clone()).expect("a new name");
                            // A dot, which Parquet takes for a path, and a name that sorts before.
                            kept.insert("a.b", times).expect("a new name");
                        }
                        // Known wherever the score is, and sometimes where it is not.
                        let propensities = propensities.filter(|_| n_models > 0);
                        let propensities = propensities.map(|mut values: Array2<f64>| {
                            for (at, value) in values.indexed_iter_mut() {
                                let is_unknown = scores[at].is_nan() && at.0 % 2 == 0;
                                *value = if is_unknown { f64::NAN } else { *value };
                            }
                            values
                        });
                        PartTable {
                            ids: (0..n_prompts).map(|row| format!("row/{row}")).collect(),
                            tasks,
                            prompts,
                            // Names with the separator and with a dot, which Parquet takes for a path.
                            models: (0..n_models)
                                .map(|m| format!("owner.{m}/model-{m}.5"))
                                .collect(),
                            scores,
                            input_tokens,
                            output_tokens,
                            cost_usd,
                            propensities: propensities.and_then(recorded),
                            kept,
                        }
                    },
                )
        },
    )
}

fn recorded(values: Array2<f64>) -> Option<TablePropensities> {
    Some(TablePropensities::recorded(values))
}

fn values(split: &PartTable) -> Option<Array2<f64>> {
    split.propensities.as_ref().map(|it| it.values.clone())
}

/// NaN, which stands for null, is equal to NaN here.
fn assert_same_bits<T: Copy + Into<f64>>(left: &Array2<T>, right: &Array2<T>) {
    let bits = |matrix: &Array2<T>| {
        matrix
            .iter()
            .map(|&value| value.into().to_bits())
            .collect::<Vec<_>>()
    };
    assert_eq!((left.dim(), bits(left)), (right.dim(), bits(right)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn splits(split in split()) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("train.parquet");
        split.write(&path).expect("written");
        let read = PartTable::read(&path).expect("read");
        prop_assert_eq!((&read.ids, &read.tasks, &read.prompts), (&split.ids, &split.tasks, &split.prompts));
        prop_assert_eq!((&read.models, &read.kept), (&split.models, &split.kept));
        assert_same_bits(&read.scores, &split.scores);
        assert_same_bits(&read.cost_usd, &split.cost_usd);
        for (read, written) in [
            (&read.input_tokens, &split.input_tokens),
            (&read.output_tokens, &split.output_tokens),
            (&values(&read), &values(&split)),
        ] {
            prop_assert_eq!(read.is_some(), written.is_some());
            if let (Some(read), Some(written)) = (read, written) {
                assert_same_bits(read, written);
            }
        }

        let again = folder.path().join("again.parquet");
        split.write(&again).expect("written");
        prop_assert_eq!(fs::read(&path).expect("read"), fs::read(&again).expect("read"), "the same rows give the same bytes");
    }

    #[test]
    fn embeddings(values in (1_usize..30, 1_usize..20).prop_flat_map(|shape| matrix(shape, -1e6_f32..1e6, 0.0))) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("some-model/test.parquet");
        let meta = EmbeddingsMeta { embedder: "some model".to_owned(), embedder_sha256: None, server: Some("http://h 00000000".to_owned()), split_sha256: Some("ab".to_owned()), truncate: Some(Truncate::Middle), precision: Precision::Bf16, n_truncated: Some(3) };
        let embeddings = Embeddings { ids: (0..values.nrows()).map(|row| row.to_string()).collect(), values, meta };
        embeddings.write(&path).expect("written");
        prop_assert_eq!(Embeddings::read_meta(&path).expect("read"), embeddings.meta.clone());
        prop_assert_eq!(Embeddings::read(&path).expect("read"), embeddings);
    }

    #[test]
    fn predictions(scores in matrix((7, 3), 0.0_f32..1.0, f32::NAN), tokens in prop::option::of(matrix((7, 3), 0.0_f32..1e4, f32::NAN))) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("router.parquet");
        let ids: Vec<String> = (0..7).map(|row| row.to_string()).collect();
        let cost_usd = scores.mapv(|score| f64::from(score) / 7.0);
        let models = ["a/b", "c", "d"].map(str::to_owned).to_vec();
        let written = PerModel { ids: ids.clone(), models, scores, output_tokens: tokens, cost_usd };
        let made_from = MadeFrom { router: Some("r".to_owned()), other_sha256: vec!["cd".to_owned(), "ef".to_owned()], ..MadeFrom::split("ab") };
        Predictions::PerModel(written.clone()).write(&path, &made_from).expect("written");
        prop_assert_eq!(Predictions::read_made_from(&path).expect("read"), Some(made_from));
        let Predictions::PerModel(read) = Predictions::read(&path).expect("read") else { panic!("predictions for each LLM") };
        prop_assert_eq!((&read.ids, &read.models), (&written.ids, &written.models));
        assert_same_bits(&read.scores, &written.scores);
        assert_same_bits(&read.cost_usd, &written.cost_usd);
        prop_assert_eq!(read.output_tokens.is_some(), written.output_tokens.is_some());

        let wins = Predictions::SmallWins(SmallWins { ids, probability: written.scores.column(0).mapv(|score| if score.is_nan() { 0.5 } else { score }) });
        let made_from = MadeFrom { made_by: Some("x 1".to_owned()), embedder: Some("e".to_owned()), train_sha256: Some("cd".to_owned()), ..MadeFrom::split("ab") };
        wins.write(&path, &made_from).expect("written");
        prop_assert_eq!(Predictions::read_made_from(&path).expect("read"), Some(made_from));
        prop_assert_eq!(Predictions::read(&path).expect("read"), wins);
    }
}

fn small_split() -> PartTable {
    PartTable {
        ids: vec!["a".to_owned(), "b".to_owned()],
        tasks: vec!["t".to_owned(); 2],
        prompts: vec!["p".to_owned(); 2],
        models: vec!["m".to_owned()],
        scores: array![[0.0], [1.0]],
        input_tokens: None,
        output_tokens: None,
        cost_usd: array![[0.0], [0.5]],
        propensities: None,
        kept: KeptColumns::default(),
    }
}

#[test]
fn kept_columns_are_found_by_name_and_follow_their_rows() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("train.parquet");
    let without = small_split();
    without.write(&path).expect("written");
    let plain = fs::read(&path).expect("read");
    let read = PartTable::read(&path).expect("read");
    assert!(read.kept.is_empty() && read.kept("time").is_none());
    assert_eq!(read.kept("task"), Some(&without.tasks[..]));

    let mut with = small_split();
    let times = ["2", ""].map(str::to_owned).to_vec();
    with.kept.insert("time", times.clone()).expect("a new name");
    with.write(&path).expect("written");
    assert_ne!(fs::read(&path).expect("read"), plain);
    let read = PartTable::read(&path).expect("read");
    assert_eq!(read.kept("time"), Some(&times[..]));
    let swapped = read.select(&[1, 0, 1]);
    assert_eq!(
        swapped.kept("time"),
        Some(&["", "2", ""].map(str::to_owned)[..])
    );

    // Pieces with other kept columns than the first do not belong to one file.
    let mut writer = PartWriter::create(&path, &with).expect("created");
    let error = writer.write(&without).expect_err("without the column");
    assert!(error.to_string().contains("`kept columns`"), "{error}");
    let mut short = small_split();
    short
        .kept
        .insert("time", times[..1].to_vec())
        .expect("a new name");
    let error = writer.write(&short).expect_err("one value for two rows");
    assert!(error.to_string().contains("shape (1, 1)"), "{error}");
}

fn message(path: &Path, split: &PartTable) -> String {
    match split
        .write(path)
        .and_then(|()| PartTable::read(path).map(|_| ()))
    {
        Ok(()) => panic!("a split that should have been refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn bad_splits_are_refused_with_their_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("test.parquet");
    type Spoil = fn(&mut PartTable);
    let cases: [(Spoil, &str); 9] = [
        (|split| split.scores[[1, 0]] = 1.5, "column `m/score` of"),
        (
            |split| split.scores[[1, 0]] = -0.1,
            "in row 2, expected a number in [0, 1]",
        ),
        (
            |split| split.cost_usd[[0, 0]] = f64::INFINITY,
            "column `m/cost_usd` of",
        ),
        (
            |split| split.propensities = recorded(array![[0.5], [0.0]]),
            "column `m/propensity` of",
        ),
        (
            |split| split.propensities = recorded(array![[0.5], [f64::NAN]]),
            "is null in row 2, whose score is known",
        ),
        (
            |split| split.propensities = recorded(Array2::ones((2, 2))),
            "`propensities` has shape (2, 2), expected (2, 1)",
        ),
        (
            |split| split.ids[1] = "a".to_owned(),
            "duplicate id `a` in rows 1 and 2 of",
        ),
        (
            |split| split.scores = Array2::zeros((2, 2)),
            "`scores` has shape (2, 2), expected (2, 1)",
        ),
        (
            |split| split.prompts.truncate(1),
            "`prompts` has shape (1, 1), expected (2, 1)",
        ),
    ];
    for (spoil, expected) in cases {
        let mut split = small_split();
        spoil(&mut split);
        let message = message(&path, &split);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn files_of_another_form_are_refused_by_column() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("train.parquet");
    small_split().write(&path).expect("written");
    assert!(
        matches!(Embeddings::read(&path), Err(Error::MissingColumn { column, .. }) if column == "embedding")
    );
    assert!(matches!(
        PartTable::read(&folder.path().join("none.parquet")),
        Err(Error::Io { .. })
    ));
    fs::write(&path, "id,task,prompt\n").expect("written");
    assert!(matches!(
        PartTable::read(&path),
        Err(Error::Table(error)) if matches!(*error, tables::Error::NotParquet { .. })
    ));
    let empty = PartWriter::create(&path, &small_split()).expect("created");
    assert_eq!(empty.finish().expect("written"), 0);
    assert!(matches!(PartTable::read(&path), Err(Error::Empty { .. })));
}

#[test]
fn predictions_for_another_split_do_not_fit() {
    let split = small_split();
    let fits = |ids: &[&str], models: &[&str]| {
        let shape = (ids.len(), models.len());
        let predictions = Predictions::PerModel(PerModel {
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            scores: Array2::zeros(shape),
            output_tokens: None,
            cost_usd: Array2::zeros(shape),
        });
        predictions
            .check_fits(Path::new("preds"), Path::new("test"), &split)
            .map_err(|error| error.to_string())
    };
    assert_eq!(fits(&["a", "b"], &["m"]), Ok(()));
    assert_eq!(
        fits(&["a"], &["m"]),
        Err("`preds` does not fit `test`: 1 rows instead of 2".to_owned())
    );
    assert_eq!(
        fits(&["b", "a"], &["m"]),
        Err("`preds` does not fit `test`: row 1 has id `b` instead of `a`".to_owned())
    );
    assert!(fits(&["a", "b"], &["n"]).is_err());
}

#[test]
fn a_data_set_is_described_in_one_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = DatasetDir::new(folder.path(), "logs");
    assert!(matches!(
        DatasetDir::existing(folder.path(), "logs"),
        Err(Error::NoDataset { .. })
    ));
    let source = folder.path().join("source.csv");
    fs::write(&source, "abc").expect("written");
    let info = DatasetInfo {
        name: "logs".to_owned(),
        models: vec![ModelInfo {
            name: "owner/m".to_owned(),
            price: Some(Price {
                input_usd_per_mtok: 0.1,
                output_usd_per_mtok: 0.2,
                source: None,
            }),
            cost_rule: CostRule::InputAndOutputTokens,
        }],
        pair: None,
        cost_kind: CostKind::OutputTokens,
        n_train: 8,
        n_test: 2,
        n_validation: None,
        part_sha256: None,
        split: SplitOrigin::Random {
            test_size: 0.2,
            seed: 42,
        },
        sources: vec![Source::of(&source).expect("hashed")],
        made_by: "a test".to_owned(),
        options: BTreeMap::new(),
        findings: BTreeMap::new(),
        notes: Vec::new(),
    };
    info.write(&dir.info()).expect("written");
    assert_eq!(DatasetInfo::read(&dir.info()).expect("read"), info);
    // SHA-256 of `abc`, from FIPS 180-4's example.
    assert_eq!(
        info.sources[0].sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert!(DatasetDir::existing(folder.path(), "logs").is_ok());
    assert!(dir.routers().expect("listed").is_empty());
    fs::write(dir.info(), "{}").expect("written");
    assert!(matches!(
        DatasetInfo::read(&dir.info()),
        Err(Error::Json { .. })
    ));
}
