use std::{collections::BTreeMap, path::PathBuf};

use anyhow::Context as _;
use cli_support::{Progress, read_toml, usage_error};
use datagen::{DatasetName, Staging, Summary, Tally};
use dataset::{
    CostKind, CostRule, DatasetDir, DatasetInfo, MadeFrom, ModelInfo, Part, PredictionsWriter,
    Source, SplitOrigin, SplitWriter, TrainTestSplit, sha256_file, train_test_split,
};
use serde::Serialize;

use crate::{
    args::Args,
    bayes::{BayesReport, BayesTally},
    config::{BUILT_IN, Config},
    rows::Rows,
};

/// Rows made and written at a time: some megabytes.
const ROWS_PER_CHUNK: usize = 8192;

/// What the command line and the configuration ask for.
#[derive(Debug)]
pub(crate) struct Job {
    config: Config,
    source: Source,
    name: DatasetName,
    rows: TrainTestSplit,
    seed: u32,
    test_size: f64,
    data_dir: PathBuf,
    quiet: bool,
}

/// What was made.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    dataset: Summary,
    truth: BayesReport,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let path = args.config.config.as_deref();
        let config: Config = read_toml(path, BUILT_IN)?;
        let config = config.check().with_context(|| match path {
            Some(path) => format!("cannot use the settings in `{}`", path.display()),
            None => "cannot use the built-in settings".to_owned(),
        })?;
        let source = Source::of_settings(path, "configs/synthetic.toml", BUILT_IN)?;
        let n = args.n.map_or(config.n_prompts, usize::from);
        let seed = args.seed.unwrap_or(config.seed);
        let test_size = args.test_size.unwrap_or(config.test_size);
        let rows =
            train_test_split(n, test_size, seed).map_err(|error| usage_error(error.to_string()))?;
        Ok(Self {
            config,
            source,
            name: args.name,
            rows,
            seed,
            test_size,
            data_dir: args.data_dir.data_dir,
            quiet: args.output.quiet,
        })
    }

    /// Makes and writes the rows piece by piece, in the split's order.
    pub(crate) fn run(&self) -> anyhow::Result<Report> {
        let info = self.info();
        let staging = Staging::new(&self.data_dir, self.name.as_str())?;
        let mut tally = Tally::new(info.models.len());
        let mut bayes = BayesTally::new(info.models.len());
        let progress = Progress::bar("rows", (info.n_train + info.n_test) as u64, self.quiet);
        let rows = Rows::new(&self.config, self.seed)?;
        for (part, numbers) in [
            (Part::Train, &self.rows.train),
            (Part::Test, &self.rows.test),
        ] {
            let mut writers = Writers::create(&rows, staging.dir(), part)?;
            for numbers in numbers.chunks(ROWS_PER_CHUNK) {
                let chunk = rows.chunk(numbers);
                writers.split.write(&chunk.split)?;
                writers.truth.write(&chunk.truth)?;
                tally.add(&chunk.split);
                if part == Part::Test {
                    bayes.add(&chunk.truth);
                }
                progress.add(numbers.len() as u64);
            }
            writers.split.finish()?;
            // The truth says which table it is the truth of, which has a hash only once it is whole.
            let split_sha256 = sha256_file(&staging.dir().split(part))?;
            writers.truth.finish(&MadeFrom {
                made_by: Some(info.made_by.clone()),
                ..MadeFrom::split(split_sha256)
            })?;
        }
        let dir = staging.commit(&info)?;
        Ok(Report {
            dataset: tally.summary(&info, &dir),
            truth: bayes.report(&info.model_names()),
        })
    }

    fn info(&self) -> DatasetInfo {
        let models = self.config.models.iter().map(|model| ModelInfo {
            name: model.name.clone(),
            price: Some(model.price()),
            cost_rule: CostRule::InputAndOutputTokens,
        });
        DatasetInfo {
            name: self.name.as_str().to_owned(),
            models: models.collect(),
            pair: Some(self.config.pair()),
            cost_kind: CostKind::OutputTokens,
            n_train: self.rows.train.len(),
            n_test: self.rows.test.len(),
            n_validation: None,
            split: SplitOrigin::Random { test_size: self.test_size, seed: self.seed },
            sources: vec![self.source.clone()],
            made_by: concat!("gen-synthetic ", env!("CARGO_PKG_VERSION")).to_owned(),
            options: BTreeMap::new(),
            notes: vec![
                "synthetic: prompts come from templates, scores and lengths are drawn from a latent model; no LLM was asked".to_owned(),
                "truth/ holds the expected score, output tokens and cost of every LLM on every prompt".to_owned(),
            ],
            findings: BTreeMap::new(),
        }
    }
}

impl Report {
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}", self.truth.text(), self.dataset.text("minilm"))
    }
}

struct Writers {
    split: SplitWriter,
    truth: PredictionsWriter,
}

impl Writers {
    fn create(rows: &Rows<'_>, dir: &DatasetDir, part: Part) -> anyhow::Result<Self> {
        let like = rows.chunk(&[]);
        Ok(Self {
            split: SplitWriter::create(&dir.split(part), &like.split)?,
            truth: PredictionsWriter::create(&dir.truth(part), &like.truth)?,
        })
    }
}
