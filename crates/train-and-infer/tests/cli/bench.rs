//! A tiny data set, and the program run on it.

use std::{fs, ops::Deref, path::PathBuf};

use dataset::{
    CostKind, DatasetDir, DatasetInfo, Embeddings, EmbeddingsMeta, KeptColumns, Pair, Part,
    PartTable, PerModel, Precision, Predictions, RunManifest, SmallWins,
};
use ndarray::Array2;
use test_support::{Bench, dataset_info, priced_models};

pub(crate) use test_support::{file_names as names, stderr};

pub(crate) const N_TRAIN: usize = 30;
pub(crate) const N_TEST: usize = 6;
pub(crate) const MODELS: [&str; 2] = ["cheap", "owner/dear"];

/// A folder with the data set `tiny`: prompts about three things, of which each LLM knows some.
pub(crate) struct Tiny(Bench);

impl Deref for Tiny {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl Tiny {
    pub(crate) fn new(cost_kind: CostKind) -> Self {
        let bench = Self(Bench::new(env!("CARGO_BIN_EXE_train-and-infer")));
        let info = DatasetInfo {
            models: priced_models(cost_kind, &[(MODELS[0], 1.0, 2.0), (MODELS[1], 10.0, 20.0)]),
            pair: Some(Pair {
                small: MODELS[0].to_owned(),
                large: MODELS[1].to_owned(),
            }),
            cost_kind,
            ..dataset_info("tiny", &MODELS, [N_TRAIN, N_TEST])
        };
        for (part, n_rows) in [(Part::Train, N_TRAIN), (Part::Test, N_TEST)] {
            let split = split(n_rows, part);
            split.write(&bench.dir().split(part)).expect("written");
            let values = Array2::from_shape_fn((n_rows, 3), |(row, column)| {
                f32::from(u8::from(topic(row) == column))
            });
            let meta = EmbeddingsMeta {
                embedder: "given".to_owned(),
                embedder_sha256: None,
                server: None,
                split_sha256: None,
                truncate: None,
                precision: Precision::F32,
                n_truncated: None,
            };
            let embeddings = Embeddings {
                ids: split.ids,
                values,
                meta,
            };
            embeddings
                .write(&bench.dir().embeddings("given", part))
                .expect("written");
        }
        info.write(&bench.dir().info()).expect("written");
        bench
    }

    pub(crate) fn dir(&self) -> DatasetDir {
        self.dataset("tiny")
    }

    /// Where a fitted router lies.
    pub(crate) fn model(&self, router: &str) -> PathBuf {
        self.path().join("models/tiny").join(router)
    }

    /// Writes routers.toml with parts replaced.
    pub(crate) fn write_settings(&self, changes: &[(&str, &str)]) {
        let mut settings = include_str!("../../../../configs/routers.toml").to_owned();
        for (from, to) in changes {
            assert!(settings.contains(from), "{from}");
            settings = settings.replace(from, to);
        }
        self.write("routers.toml", &settings);
    }

    /// Changes dataset.json.
    pub(crate) fn edit_info(&self, edit: impl FnOnce(&mut DatasetInfo)) {
        let path = self.dir().info();
        let mut info = DatasetInfo::read(&path).expect("read");
        edit(&mut info);
        info.write(&path).expect("written");
    }

    /// Changes a split.
    pub(crate) fn edit_split(&self, part: Part, edit: impl FnOnce(&mut PartTable)) {
        let path = self.dir().split(part);
        let mut split = PartTable::read(&path).expect("read");
        edit(&mut split);
        split.write(&path).expect("written");
    }

    /// Runs some routers on the embeddings `given`, and expects an exit code; gives what was said.
    pub(crate) fn fit(&self, routers: &str, args: &[&str], code: i32) -> String {
        let common = ["--dataset", "tiny", "--embedding", "given", "--routers"];
        let output = self.run(&[&common[..], &[routers], args].concat());
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{routers}: {message}");
        message
    }

    pub(crate) fn bytes(&self, router: &str) -> Vec<u8> {
        fs::read(self.dir().predictions(router)).expect("read")
    }

    pub(crate) fn per_model(&self, router: &str) -> PerModel {
        match Predictions::read(&self.dir().predictions(router)).expect("read") {
            Predictions::PerModel(per_model) => per_model,
            Predictions::SmallWins(_) => panic!("predictions for each LLM"),
        }
    }

    pub(crate) fn small_wins(&self, router: &str) -> SmallWins {
        match Predictions::read(&self.dir().predictions(router)).expect("read") {
            Predictions::SmallWins(wins) => wins,
            Predictions::PerModel(_) => panic!("predictions for the pair"),
        }
    }

    pub(crate) fn manifest(&self, router: &str) -> RunManifest {
        RunManifest::read(&self.dir().manifest(router)).expect("read")
    }

    /// The names of a manifest's stages.
    pub(crate) fn stages(&self, router: &str) -> Vec<String> {
        let stages = self.manifest(router).timings.stages;
        stages.into_iter().map(|stage| stage.name).collect()
    }
}

pub(crate) fn topic(row: usize) -> usize {
    row % 3
}

/// On topic 0 both LLMs are right, on topic 1 only the dear one, on topic 2 none; answers have 10, 20 and 30 tokens.
pub(crate) fn split(n_rows: usize, part: Part) -> PartTable {
    let shape = (n_rows, 2);
    let scores = Array2::from_shape_fn(shape, |(row, model)| {
        [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]][topic(row)][model]
    });
    let output_tokens = Array2::from_shape_fn(shape, |(row, _)| 10.0 * (topic(row) + 1) as f64);
    let input_tokens = Array2::from_elem(shape, 100.0);
    let cost_usd = Array2::from_shape_fn(shape, |(row, model)| {
        [1e-6, 1e-5][model] * (100.0 + 2.0 * output_tokens[[row, model]])
    });
    let words = [
        "the weather in Lisbon",
        "a proof by induction",
        "the price of tea",
    ];
    // Other texts in each part: equal ones would be warned of.
    let first = match part {
        Part::Train => 0,
        Part::Test => N_TRAIN,
    };
    PartTable {
        ids: (0..n_rows)
            .map(|row| format!("{}-{row}", part.name()))
            .collect(),
        tasks: vec!["all".to_owned(); n_rows],
        prompts: (0..n_rows)
            .map(|row| {
                let number = first + row;
                format!("Tell me about {}, number {number}.", words[topic(row)])
            })
            .collect(),
        models: MODELS.map(str::to_owned).to_vec(),
        scores,
        input_tokens: Some(input_tokens),
        output_tokens: Some(output_tokens),
        cost_usd,
        propensities: None,
        kept: KeptColumns::default(),
    }
}
