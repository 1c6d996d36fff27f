//! A tiny router in a temporary folder, and the program run on it.

use std::{
    fs,
    ops::Deref,
    path::PathBuf,
    process::{Command, Output},
};

use dataset::{CostKind, Pair, Precision, Quantity, Standardizer};
use encoder::{ModelFiles, PromptEmbedder, SentenceEmbedder};
use ndarray::{Array2, array};
use routers::{Backend, Target, UnitRows};
use saved_routers::{
    Contents, Embedder, EmbeddingFormat, FORMAT_VERSION, KnnParts, KnnTarget, NewFolder, Record,
};
use serde_json::{Value, json};
use test_support::{Bench, copy_tiny_bert, priced_models};

pub(crate) use test_support::{run_with_input as run, stderr};

/// `twin` is `cheap` under another name, so that they tie whatever mu is.
pub(crate) const MODELS: [&str; 3] = ["owner/dear", "cheap", "twin"];
/// The train prompts. One neighbor decides, so that what is predicted for them is what they were given.
pub(crate) const PROMPTS: [&str; 3] = ["so so", "very long", "b 1 c 2"];
/// US dollars per million input and output tokens.
pub(crate) const PRICES: [(f64, f64); 3] = [(10.0, 20.0), (1.0, 2.0), (1.0, 2.0)];

pub(crate) fn scores() -> Array2<f32> {
    array![[0.9, 0.5, 0.5], [0.25, 0.75, 0.75], [1.0, 0.0, 0.0]]
}

pub(crate) fn output_tokens() -> Array2<f32> {
    array![[1000.0, 10.0, 10.0], [40.0, 20.0, 20.0], [30.0, 30.0, 30.0]]
}

pub(crate) fn cost_usd() -> Array2<f64> {
    array![
        [0.02, 0.001, 0.001],
        [0.03, 0.002, 0.002],
        [0.01, 0.003, 0.003]
    ]
}

/// What makes the embeddings of a router's train prompts.
pub(crate) struct TrainEmbeddings {
    pub(crate) values: Array2<f32>,
    pub(crate) embedder: Embedder,
}

/// A folder with a tiny router, or with none yet, and the program.
pub(crate) struct Tiny(Bench);

impl Deref for Tiny {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl Tiny {
    /// A router of the given kind in `models/tiny/carrot-knn`, its embedder in `models/tiny-bert`.
    pub(crate) fn new(cost_kind: CostKind) -> Self {
        Self::with(cost_kind, |_| ())
    }

    /// The same with its record changed.
    pub(crate) fn with(cost_kind: CostKind, edit: impl FnOnce(&mut Record)) -> Self {
        let bench = Self::empty();
        let embeddings = bench.embed();
        bench.write_knn(cost_kind, embeddings, edit);
        bench
    }

    /// Puts the embedder in its place, and embeds the train prompts.
    pub(crate) fn embed(&self) -> TrainEmbeddings {
        let folder = self.path().join("models/tiny-bert");
        copy_tiny_bert(&folder);
        let files = ModelFiles::in_folder(&folder).expect("a model");
        let model = SentenceEmbedder::load(&files).expect("loaded");
        let embeddings = model.embed(&PROMPTS.map(str::to_owned), &|_| ());
        TrainEmbeddings {
            values: embeddings.expect("embedded").values,
            embedder: Embedder {
                name: "tiny-bert".to_owned(),
                model: Some("models/tiny-bert".to_owned()),
                sha256: Some(files.sha256().expect("hashed")),
                server: None,
                dim: model.dim(),
                truncate: None,
                precision: Precision::F32,
                license: None,
            },
        }
    }

    /// A working folder without a router.
    pub(crate) fn empty() -> Self {
        Self(Bench::new(env!("CARGO_BIN_EXE_carrot-router")))
    }

    /// Writes a router of the given kind on embeddings of the train prompts.
    pub(crate) fn write_knn(
        &self,
        cost_kind: CostKind,
        embeddings: TrainEmbeddings,
        edit: impl FnOnce(&mut Record),
    ) {
        let mut targets = vec![(Quantity::Score, scores())];
        let folder = NewFolder::create(&self.router()).expect("created");
        match cost_kind {
            CostKind::OutputTokens => targets.push((Quantity::OutputTokens, output_tokens())),
            CostKind::Usd => {
                let standardizer = Standardizer::fit(&cost_usd());
                let z_scores = standardizer.standardize(&cost_usd());
                targets.push((Quantity::StandardizedUsd, z_scores));
                folder.write_scale(&standardizer).expect("written");
            }
            CostKind::Known => {}
        }
        let (quantities, targets): (Vec<Quantity>, Vec<Target>) = targets
            .into_iter()
            .map(|(quantity, values)| {
                let name = format!("{quantity:?}");
                (quantity, Target { name, values })
            })
            .unzip();
        let rows = UnitRows::new(embeddings.values).expect("embeddings").into();
        let parts = KnnParts {
            embeddings: &rows,
            targets: &targets,
            format: EmbeddingFormat::F32,
        };
        folder.write_knn(&parts).expect("written");
        let targets = quantities.iter().map(|&quantity| KnnTarget {
            quantity,
            n_neighbors: 1,
            prior_values: None,
        });
        let contents = Contents::Knn {
            embeddings: EmbeddingFormat::F32,
            backend: Backend::Gemm,
            targets: targets.collect(),
        };
        let mut record = record("carrot-knn", cost_kind, contents);
        record.embedder = Some(embeddings.embedder);
        edit(&mut record);
        folder.commit(&record).expect("committed");
    }

    /// Writes a router of [`pair`] into `models/tiny/roberta-binary`, with an empty folder for its network: no test gets as far as that.
    pub(crate) fn write_roberta_binary(&self) {
        let folder = NewFolder::create(&self.join("models/tiny/roberta-binary")).expect("created");
        fs::create_dir(folder.path().join("network")).expect("made");
        let contents = Contents::RobertaBinary {
            folder: "network".to_owned(),
        };
        let mut record = record("roberta-binary", CostKind::Usd, contents);
        record.pair = Some(llm_pair());
        folder.commit(&record).expect("committed");
    }

    pub(crate) fn router(&self) -> PathBuf {
        self.join("models/tiny/carrot-knn")
    }

    /// `route` with these arguments in the working folder.
    pub(crate) fn route_command(&self, args: &[&str]) -> Command {
        self.command(&[&["route"], args].concat())
    }

    /// `route` on the router of this bench, unless another is named, with a text on standard input.
    pub(crate) fn route(&self, args: &[&str], stdin: &str) -> Output {
        run(&mut self.route_command(&self.with_router(args)), stdin)
    }

    /// The lines of `--json`, for a run that must succeed.
    pub(crate) fn decisions(&self, args: &[&str], stdin: &str) -> Vec<Value> {
        let args = self.with_router(args);
        let args = [&args[..], &["--json"]].concat();
        decisions(&run(&mut self.route_command(&args), stdin))
    }

    pub(crate) fn with_router<'a>(&self, args: &[&'a str]) -> Vec<&'a str> {
        let names_one = args
            .iter()
            .any(|arg| ["--model", "--performance"].contains(arg));
        let model: &[&str] = match names_one {
            true => &[],
            false => &["--model", "models/tiny/carrot-knn"],
        };
        [args, model].concat()
    }
}

/// What was printed as JSON, by a run that must have succeeded.
pub(crate) fn decisions(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", stderr(output));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = lines.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

/// A number in a decision.
pub(crate) fn number(value: &Value, key: &str) -> f64 {
    value[key]
        .as_f64()
        .unwrap_or_else(|| panic!("`{key}` of {value}"))
}

/// Checks an exit code, a part of the message, and that nothing was printed.
pub(crate) fn assert_refused(output: &Output, code: i32, part: &str) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(message.contains(part), "no `{part}` in: {message}");
    assert!(output.stdout.is_empty());
}

/// The pair of the routers that decide between two LLMs.
pub(crate) fn llm_pair() -> Pair {
    Pair {
        small: "cheap".to_owned(),
        large: "owner/dear".to_owned(),
    }
}

pub(crate) fn record(router: &str, cost_kind: CostKind, contents: Contents) -> Record {
    let priced = |idx: usize| (MODELS[idx], PRICES[idx].0, PRICES[idx].1);
    Record {
        format_version: FORMAT_VERSION,
        router: router.to_owned(),
        dataset: "tiny".to_owned(),
        train_sha256: "abc".to_owned(),
        models: priced_models(cost_kind, &[0, 1, 2].map(priced)),
        cost_kind,
        pair: None,
        embedder: None,
        token_lines: None,
        base: None,
        contents,
        config: json!({}),
        results: json!({}),
        made_by: "a test".to_owned(),
        files: Vec::new(),
    }
}
