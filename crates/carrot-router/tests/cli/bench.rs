//! A tiny router in a temporary folder, and the program run on it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use dataset::{CostKind, CostRule, ModelInfo, Price};
use ndarray::{Array2, array};
use nets::{DeviceChoice, ModelFiles, SentenceEmbedder};
use routers::{Backend, Target, UnitRows, labels::Standardizer};
use saved_routers::{
    Contents, Embedder, FORMAT_VERSION, KnnParts, KnnTarget, NewFolder, Quantity, Record,
    VectorFormat,
};
use serde_json::{Value, json};

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

pub(crate) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A router of the given kind in `models/tiny/carrot-knn`, its embedder in `models/tiny-bert`.
    pub(crate) fn new(cost_kind: CostKind) -> Self {
        Self::with(cost_kind, |_| ())
    }

    /// The same with its record changed.
    pub(crate) fn with(cost_kind: CostKind, edit: impl FnOnce(&mut Record)) -> Self {
        let bench = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let embedder = bench.path().join("models/tiny-bert");
        copy_embedder(&embedder);
        let files = ModelFiles::in_folder(&embedder).expect("a model");
        let model = SentenceEmbedder::load(&files, DeviceChoice::Cpu).expect("loaded");
        let vectors = model.embed(&PROMPTS.map(str::to_owned), &|_| ());
        let vectors = UnitRows::new(vectors.expect("embedded").values).expect("vectors");

        let mut targets = vec![(Quantity::Score, scores())];
        let folder = NewFolder::create(&bench.router()).expect("created");
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
        let parts = KnnParts {
            vectors: &vectors,
            targets: &targets,
            format: VectorFormat::F32,
        };
        folder.write_knn(&parts).expect("written");
        let mut record = record(cost_kind, &quantities);
        record.embedder = Some(Embedder {
            name: "tiny-bert".to_owned(),
            model: Some("models/tiny-bert".to_owned()),
            sha256: Some(files.sha256().expect("hashed")),
            dim: model.dim(),
            license: None,
        });
        edit(&mut record);
        folder.commit(&record).expect("committed");
        bench
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn router(&self) -> PathBuf {
        self.path().join("models/tiny/carrot-knn")
    }

    /// Writes a file into the working folder.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("written");
    }

    /// `route --model models/tiny/carrot-knn` and more, with a text on standard input, in a folder.
    pub(crate) fn route_in(&self, folder: &Path, args: &[&str], stdin: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carrot-router"));
        command
            .arg("route")
            .args(args)
            .current_dir(folder)
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_HOME", self.path())
            // On nets this small, threads would only wait for one another.
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if !args.contains(&"--model") {
            command.arg("--model").arg(self.router());
        }
        let mut child = command.spawn().expect("started");
        let mut input = child.stdin.take().expect("piped");
        // A program that refuses its command line reads nothing.
        input.write_all(stdin.as_bytes()).ok();
        drop(input);
        child.wait_with_output().expect("ended")
    }

    pub(crate) fn route(&self, args: &[&str], stdin: &str) -> Output {
        self.route_in(self.path(), args, stdin)
    }

    /// The lines of `--json`, for a run that must succeed.
    pub(crate) fn decisions(&self, args: &[&str], stdin: &str) -> Vec<Value> {
        let output = self.route(&[args, &["--json"]].concat(), stdin);
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = String::from_utf8(output.stdout).expect("text");
        let lines = lines.lines();
        lines
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }
}

fn record(cost_kind: CostKind, quantities: &[Quantity]) -> Record {
    let models = MODELS.iter().zip(PRICES).map(|(name, price)| ModelInfo {
        name: (*name).to_owned(),
        price: Some(Price {
            input_usd_per_mtok: price.0,
            output_usd_per_mtok: price.1,
            source: None,
        }),
        cost_rule: match cost_kind {
            CostKind::Known => CostRule::InputTokens,
            CostKind::OutputTokens => CostRule::InputAndOutputTokens,
            CostKind::Usd => CostRule::Given,
        },
    });
    let targets = quantities.iter().map(|&quantity| KnnTarget {
        quantity,
        n_neighbors: 1,
    });
    Record {
        format_version: FORMAT_VERSION,
        router: "carrot-knn".to_owned(),
        dataset: "tiny".to_owned(),
        train_sha256: "abc".to_owned(),
        models: models.collect(),
        cost_kind,
        pair: None,
        embedder: None,
        base: None,
        contents: Contents::Knn {
            vectors: VectorFormat::F32,
            backend: Backend::Gemm,
            targets: targets.collect(),
        },
        config: json!({}),
        results: json!({}),
        made_by: "a test".to_owned(),
    }
}

/// The tiny BERT of the crate nets.
pub(crate) fn copy_embedder(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../nets/tests/golden/tiny-bert");
    fs::create_dir_all(to.join("1_Pooling")).expect("made");
    for name in [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "sentence_bert_config.json",
        "1_Pooling/config.json",
    ] {
        fs::copy(from.join(name), to.join(name)).expect(name);
    }
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
