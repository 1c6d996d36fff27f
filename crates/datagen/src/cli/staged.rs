use std::env;

use anyhow::Context as _;
use atomic_files::TemporaryFolder;
use dataset::{DatasetDir, DatasetInfo, SplitOrigin};

use super::{
    args::GenArgs, existing::existing_or_lock, raw::Extra, report::Report, splits::Splits,
};
use crate::{Recipe, Staging, Tally};

/// A data set whose rows a program makes itself and writes piece by piece, so that it need not fit into memory.
pub trait Staged {
    /// What is to be made; with the numbers of rows it decides whether an existing data set is that one.
    fn recipe(&self) -> Recipe;

    /// What `dataset.json` is to hold.
    fn info(&self) -> DatasetInfo;

    /// Writes both parts, and whatever belongs to them, into a folder that replaces the data set once all is written.
    ///
    /// # Errors
    /// When the disk refuses.
    fn write(&self, dir: &DatasetDir) -> anyhow::Result<Tally>;

    /// What to report beside the summary, read from the files.
    ///
    /// # Errors
    /// When they cannot be read.
    fn extras(&self, dir: &DatasetDir) -> anyhow::Result<Vec<Extra>>;
}

/// As [`crate::cli::run`], for rows that come piece by piece.
///
/// # Errors
/// When the disk refuses, or a data set of that name exists with different options.
pub fn run_staged(args: &GenArgs, staged: &impl Staged) -> anyhow::Result<()> {
    let embed_job = args.embedding.job()?;
    let (recipe, info) = (staged.recipe(), staged.info());
    let data_dir = &args.data_dir.data_dir;
    let dir = DatasetDir::new(data_dir, &info.name);
    let is_dry = args.embedding.dry_run;
    let (found, _lock) = existing_or_lock(&dir, args.force, is_dry, |found| {
        differences(&recipe, &info, found)
    })?;

    // A dry run leaves nothing in the data folder: its rows go to a folder that is removed at the end.
    let scratch = is_dry.then(|| TemporaryFolder::create_in(&env::temp_dir()));
    let scratch = scratch
        .transpose()
        .context("cannot create a temporary folder")?;
    let folder = scratch
        .as_ref()
        .map_or(data_dir.as_path(), |scratch| scratch.path());
    let (summary, rows) = match found {
        Some(info) => (Splits::read(&dir, info)?.summary(&dir), Rows::Placed),
        None => {
            let staging = Staging::new(folder, &info.name)?;
            let tally = staged.write(staging.dir())?;
            let summary = tally.summary(&info, &dir);
            let rows = if is_dry {
                Rows::Staged(staging.into())
            } else {
                staging.commit(&info)?;
                Rows::Placed
            };
            (summary, rows)
        }
    };
    let files = rows.dir(&dir);
    // Read from the files rather than kept from writing them, so that a run that finds the data set reports the same.
    let extras = staged.extras(files)?;
    let embedding = embed_job.map(|job| {
        let splits = Splits::read(files, info.clone())?;
        job.run(&dir, splits.parts(), is_dry, args.output.quiet)
    });
    Report {
        summary,
        findings: extras
            .iter()
            .map(|extra| (extra.name.to_owned(), extra.value.clone()))
            .collect(),
        extras: &extras,
        embedding: embedding.transpose()?,
        is_dry,
    }
    .print(args.output)
}

/// How an existing data set differs from what would be made, in words. The rows follow from how many there are and how they are split.
fn differences(recipe: &Recipe, info: &DatasetInfo, found: &DatasetInfo) -> Vec<String> {
    let mut differences = recipe.differences(found);
    let n_prompts = |info: &DatasetInfo| info.n_train + info.n_test;
    if n_prompts(found) != n_prompts(info) {
        differences.push(format!(
            "{} prompts, now {}",
            n_prompts(found),
            n_prompts(info)
        ));
    }
    if found.split != info.split {
        differences.push(format!(
            "{}, now {}",
            in_words(&found.split),
            in_words(&info.split)
        ));
    }
    differences
}

fn in_words(split: &SplitOrigin) -> String {
    match split {
        SplitOrigin::Random { test_size, seed } => format!("test size {test_size} and seed {seed}"),
        SplitOrigin::Grouped {
            test_size,
            seed,
            column,
        } => format!("test size {test_size} and seed {seed}, by `{column}`"),
        SplitOrigin::Given => "given parts".to_owned(),
    }
}

/// Where the rows are.
enum Rows {
    /// In the data set's own folder.
    Placed,
    /// In a temporary folder, for a dry run.
    Staged(Box<Staging>),
}

impl Rows {
    fn dir<'a>(&'a self, placed: &'a DatasetDir) -> &'a DatasetDir {
        match self {
            Self::Placed => placed,
            Self::Staged(staging) => staging.dir(),
        }
    }
}
