use std::collections::BTreeMap;

use anyhow::bail;
use cli_support::{Progress, usage_error};
use datagen::{
    DatasetName, RandomSplit, Recipe, Tally,
    cli::{Extra, GenArgs, Staged, run_staged},
};
use dataset::{
    CostKind, DatasetDir, DatasetInfo, MadeFrom, Part, PartWriter, Predictions, PredictionsWriter,
    Source, SplitOrigin, TrainTestSplit, sha256_file, train_test_split,
};

use crate::{
    args::Args,
    bayes::BayesReport,
    design::{Design, Designed, RowMaker},
    log::Log,
};

/// Their numbers alone take 400 MB in the split.
const MAX_PROMPTS: usize = 100_000_000;
/// Rows made and written at a time: some megabytes.
const ROWS_PER_CHUNK: usize = 8192;

/// What the command line and the configuration ask for.
#[derive(Debug)]
pub(crate) struct Job {
    design: Design,
    source: Source,
    log: Log,
    options: BTreeMap<String, String>,
    name: DatasetName,
    rows: TrainTestSplit,
    split: RandomSplit,
    /// Rows that `--limit` leaves out.
    n_left_out: usize,
    shared: GenArgs,
}

impl Job {
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let designed = Designed::new(&args)?;
        let shared = args.configured.shared;
        let n = designed.n_prompts;
        if n > MAX_PROMPTS {
            return Err(usage_error(format!(
                "{n} prompts are asked for, expected at most {MAX_PROMPTS}"
            )));
        }
        // The limit comes before the split, as for a source that is read: the first rows, not the first of each part.
        let n_kept = shared.limit.map_or(n, |limit| n.min(limit.get()));
        let split = RandomSplit {
            test_size: designed.test_size,
            seed: designed.seed,
        };
        let rows = train_test_split(n_kept, split.test_size, split.seed)
            .map_err(|error| usage_error(error.to_string()))?;
        Ok(Self {
            design: designed.design,
            source: designed.source,
            log: designed.log,
            options: designed.options,
            name: shared.name_or(&designed.name)?,
            rows,
            split,
            n_left_out: n - n_kept,
            shared,
        })
    }

    /// Makes, writes and embeds what is missing.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        run_staged(&self.shared, &self)
    }
}

impl Staged for Job {
    fn recipe(&self) -> Recipe {
        let limit = self.shared.limit;
        let limit = limit.map(|limit| ("limit".to_owned(), limit.to_string()));
        let mut options = self.options.clone();
        options.extend(limit);
        Recipe {
            name: self.name.clone(),
            pair: self.design.pair(),
            split: self.split,
            sources: vec![self.source.clone()],
            options,
            made_by: concat!("gen-synthetic ", env!("CARGO_PKG_VERSION")).to_owned(),
            group: None,
        }
    }

    fn info(&self) -> DatasetInfo {
        let recipe = self.recipe();
        let mut notes = vec![
            "synthetic: prompts come from templates, scores and lengths are drawn from a latent model; no LLM was asked".to_owned(),
            "truth/ holds the expected score, output tokens and cost of every LLM on every prompt".to_owned(),
        ];
        notes.extend(self.design.note());
        notes.extend(self.log.notes());
        notes.extend(self.shared.limit_note(self.n_left_out));
        DatasetInfo {
            name: recipe.name.as_str().to_owned(),
            models: self.design.models(),
            pair: recipe.pair,
            cost_kind: CostKind::OutputTokens,
            n_train: self.rows.train.len(),
            n_test: self.rows.test.len(),
            n_validation: None,
            part_sha256: None,
            split: SplitOrigin::Random {
                test_size: self.split.test_size,
                seed: self.split.seed,
            },
            sources: recipe.sources,
            made_by: recipe.made_by,
            options: recipe.options,
            notes,
            findings: BTreeMap::new(),
        }
    }

    /// Rows are made and written piece by piece, in the split's order.
    fn write(&self, dir: &DatasetDir) -> anyhow::Result<Tally> {
        let n_rows = self.rows.train.len() + self.rows.test.len();
        let progress = Progress::bar("rows", n_rows as u64, self.shared.output.quiet);
        let rows = self.design.rows(self.split.seed)?;
        let mut tally = Tally::new(self.design.models().len());
        for (part, numbers) in [
            (Part::Train, &self.rows.train),
            (Part::Test, &self.rows.test),
        ] {
            let mut writers = Writers::create(&rows, &self.log, dir, part)?;
            for numbers in numbers.chunks(ROWS_PER_CHUNK) {
                let chunk = self.log.mask(rows.chunk(numbers), numbers, self.split.seed);
                writers.split.write(&chunk.split)?;
                writers.expectations.write(&chunk.expectations)?;
                tally.add(&chunk.split);
                progress.add(numbers.len() as u64);
            }
            writers.split.finish()?;
            // The expectations say which table they belong to, and its hash is known only once it is complete.
            let split_sha256 = sha256_file(&dir.split(part))?;
            writers.expectations.finish(&MadeFrom {
                made_by: Some(self.recipe().made_by),
                ..MadeFrom::split(split_sha256)
            })?;
        }
        Ok(tally)
    }

    fn extras(&self, dir: &DatasetDir) -> anyhow::Result<Vec<Extra>> {
        let path = dir.truth(Part::Test);
        let Predictions::PerModel(expectations) = Predictions::read(&path)? else {
            bail!("`{}` does not hold expectations per LLM", path.display());
        };
        let report = BayesReport::of(&expectations)?;
        Ok(vec![Extra {
            name: "truth",
            value: serde_json::to_value(&report)?,
            text: report.text(),
        }])
    }
}

struct Writers {
    split: PartWriter,
    expectations: PredictionsWriter,
}

impl Writers {
    fn create(
        rows: &RowMaker<'_>,
        log: &Log,
        dir: &DatasetDir,
        part: Part,
    ) -> anyhow::Result<Self> {
        // Writers take the columns and the names of LLMs from an example, for which no rows are needed.
        let like = log.mask(rows.chunk(&[]), &[], 0);
        Ok(Self {
            split: PartWriter::create(&dir.split(part), &like.split)?,
            expectations: PredictionsWriter::create(&dir.truth(part), &like.expectations)?,
        })
    }
}
