//! `train-and-infer embed`: a table in, the same table with embeddings out, in memory that does not grow with it.

mod args;
mod blocks;
mod made_from;
mod report;

use std::{path::PathBuf, time::Instant};

use anyhow::bail;
use cli_support::{Progress, read_toml, usage_error, with_hint};
use dataset::{AtomicFile, Lock, Precision};
use encoder::PromptEmbedder;
use fitting::{BUILT_IN, Settings};
use hub::ModelPlace;
use tables::{Cell, CellType, Chunk, Format, Kind, NewColumn, Rows, TableWriter, output_format};
use tracing::info;

pub(crate) use self::args::EmbedArgs;
use self::{
    args::OnError,
    blocks::{Block, Blocks, Row},
    made_from::{Found, MadeFrom},
    report::{Done, Report, Status},
};
use crate::{embedder, job, local_model::LocalModel, setup::ModelSetup};

/// Rows that are embedded at a time, and lost if the program is killed.
const ROWS: usize = 2_048;
/// The column that is read.
const PROMPT: &str = "prompt";
/// The column that is written.
const EMBEDDING: &str = "embedding";

/// A table that is to be embedded, with its arguments checked.
struct Job {
    input: PathBuf,
    output: PathBuf,
    name: String,
    place: ModelPlace,
    setup: ModelSetup,
    on_error: OnError,
    force: bool,
}

/// Does what the command line asks for, and prints a report.
///
/// # Errors
/// A usage error for a command line that makes no sense; any error of the table, of the model, or of the disk.
pub(crate) fn run(args: EmbedArgs) -> anyhow::Result<()> {
    let print = args.output;
    let report = Job::check(args)?.run()?;
    report.log();
    print.print(&report, &report.text())
}

impl Job {
    fn check(args: EmbedArgs) -> anyhow::Result<Self> {
        let settings: Settings = read_toml(args.config.config.as_deref(), BUILT_IN)?;
        let output = args.output_file;
        // What the embeddings were made from stands in the footer, which other formats lack.
        if output_format(&output).ok() != Some(Format::Parquet) {
            return Err(usage_error(format!(
                "`--output` is `{}`, expected a .parquet file",
                output.display()
            )));
        }
        // As the next run's input it would have the new column already.
        let is_same = |output: PathBuf| args.input.canonicalize().is_ok_and(|it| it == output);
        if output.canonicalize().is_ok_and(is_same) {
            return Err(usage_error("`--input` and `--output` are the same file"));
        }
        let place = embedder::place(
            &args.embedding,
            &settings.embedders,
            &args.models_dir.models_dir,
        );
        let known = settings.embedders.get(&args.embedding);
        let source = known.and_then(|known| known.distilled_from.as_ref());
        if let (ModelPlace::Folder(folder), Some(source)) = (&place, source)
            && !folder.is_dir()
        {
            let error = anyhow::anyhow!("there is no static embedder in `{}`", folder.display());
            let hint = format!(
                "`cargo run -p train-and-infer -- distill --model {source}` makes it, once"
            );
            return Err(with_hint(error, hint));
        }
        Ok(Self {
            input: args.input,
            output,
            name: args.embedding,
            place,
            setup: ModelSetup {
                device: job::device(&args.device)?,
                truncate: args.truncate,
                quiet: args.output.quiet,
            },
            on_error: args.on_error,
            force: args.force,
        })
    }

    fn run(&self) -> anyhow::Result<Report> {
        let start = Instant::now();
        let _lock = Lock::of(&self.output)?;
        let mut rows = Rows::open(&self.input, ROWS)?;
        self.check_columns(&rows)?;
        let mut model = LocalModel::find(self.setup, &self.name, Precision::F32, &self.place)?;
        let made_from = MadeFrom::of(&self.input, &model, self.setup, self.on_error)?;
        let report = |status, rows, done| Report {
            status,
            input: self.input.clone(),
            output: self.output.clone(),
            embedder: self.name.clone(),
            rows,
            done,
        };
        match made_from.find(&self.output)? {
            _ if self.force => {}
            Found::Nothing => {}
            Found::Same { n_rows } => return Ok(report(Status::Kept, n_rows, None)),
            Found::Other => info!(
                "`{}` was made of another input or by another embedder; making it again",
                self.output.display()
            ),
            Found::Foreign => bail!(
                "`{}` is there and `embed` has not written it; remove it, or replace it with `--force`",
                self.output.display()
            ),
        }
        info!(
            "embedding `{}` {}",
            self.input.display(),
            model.how(self.setup)
        );
        let column = NewColumn::new(EMBEDDING, CellType::List(CellType::Single.into()));
        let file = AtomicFile::create(&self.output)?;
        let footer = [made_from.key_value()?];
        let mut writer = TableWriter::create(file, &self.output, &rows, vec![column], &footer)?;
        let blocks = Blocks::open(&self.output, &made_from.json()?)?;
        let embedder = model.load(self.setup)?;
        let mut done = Done {
            dim: embedder.dim(),
            ..Done::default()
        };
        let (mut n_rows, mut n_chunks) = (0, 0);
        while let Some(chunk) = rows.next(&|name| (name == PROMPT).then_some(Kind::Text))? {
            let kept = blocks.get(n_chunks, chunk.table.n_rows, done.dim);
            let is_resumed = kept.is_some();
            let block = match kept {
                Some(block) => block,
                None => {
                    let block = self.embed(embedder, &chunk)?;
                    blocks.put(n_chunks, &block)?;
                    block
                }
            };
            done.add(&block, is_resumed);
            writer.write(&chunk, vec![cells(&block, done.dim)])?;
            n_rows += chunk.table.n_rows;
            n_chunks += 1;
        }
        writer.finish()?.commit()?;
        blocks.remove()?;
        done.seconds = start.elapsed().as_secs_f64();
        Ok(report(Status::Made, n_rows, Some(done)))
    }

    /// Refuses a table without prompts, where its header says so. An empty part of a larger table is none.
    fn check_columns(&self, rows: &Rows) -> anyhow::Result<()> {
        let is_there = |names: Vec<String>| names.iter().any(|name| name == PROMPT);
        match rows.names().is_none_or(is_there) {
            true => Ok(()),
            false => Err(tables::Error::MissingColumn {
                path: self.input.clone(),
                column: PROMPT.to_owned(),
            }
            .into()),
        }
    }

    fn embed(&self, embedder: &dyn PromptEmbedder, chunk: &Chunk) -> anyhow::Result<Block> {
        let prompts = chunk.table.texts.get(PROMPT);
        let prompt = |row: usize| {
            let prompt = prompts?[row].as_ref()?;
            (!prompt.trim().is_empty()).then(|| prompt.clone())
        };
        let prompts: Vec<Option<String>> = (0..chunk.table.n_rows).map(prompt).collect();
        let without = prompts.iter().position(Option::is_none);
        if let (OnError::Fail, Some(row)) = (self.on_error, without) {
            let error = anyhow::anyhow!(
                "row {} of `{}` has no prompt",
                chunk.n_before + row + 1,
                self.input.display()
            );
            return Err(with_hint(
                error,
                "`--on-error row` writes null for its embedding",
            ));
        }
        let is_there: Vec<bool> = prompts.iter().map(Option::is_some).collect();
        let prompts: Vec<String> = prompts.into_iter().flatten().collect();
        let bar = Progress::bar("embedding", prompts.len() as u64, self.setup.quiet);
        // An embedder need not expect to have nothing to do.
        let (values, is_truncated) = match prompts.is_empty() {
            true => (Vec::new(), Vec::new()),
            false => {
                let embedded = embedder.embed(&prompts, &|n| bar.add(n))?;
                (embedded.values.into_iter().collect(), embedded.is_truncated)
            }
        };
        let mut cut = is_truncated.into_iter();
        let row = |is_there: bool| match is_there.then(|| cut.next()).flatten() {
            None => Row::Nothing,
            Some(false) => Row::Whole,
            Some(true) => Row::Cut,
        };
        Ok(Block {
            rows: is_there.into_iter().map(row).collect(),
            values,
        })
    }
}

/// The rows of a block, null for those without an embedding.
fn cells(block: &Block, dim: usize) -> Vec<Cell> {
    let mut vectors = block.values.chunks_exact(dim);
    let rows = block.rows.iter();
    rows.map(|row| match row {
        Row::Nothing => Cell::Null,
        Row::Whole | Row::Cut => {
            let vector = vectors.next().expect("a vector for each row that has one");
            Cell::List(vector.iter().map(|&value| Cell::Single(value)).collect())
        }
    })
    .collect()
}
