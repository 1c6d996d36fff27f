use anyhow::Context as _;
use dataset::DatasetDir;

use super::{
    args::GenArgs,
    existing::existing_or_lock,
    raw::{Extra, Raw},
    report::Report,
    splits::Splits,
};
use crate::{Made, Recipe, Request, make};

/// Makes what is missing of a data set, and prints what was made.
///
/// `read` is called only if the data set does not exist, or `--force` was given.
///
/// # Errors
/// When the source cannot be read or is wrong, the disk refuses, or a data set of that name exists with different options.
pub fn run(
    args: &GenArgs,
    mut recipe: Recipe,
    read: impl FnOnce() -> anyhow::Result<Raw>,
) -> anyhow::Result<()> {
    let data_dir = &args.data_dir.data_dir;
    // A missing API key should end the program before an hour of reading, not after it.
    let embed_job = args.embedding.job()?;
    // Part of the recipe: a data set of the first rows is not the whole one under the same name.
    if let Some(limit) = args.limit {
        recipe.options.insert("limit".to_owned(), limit.to_string());
    }
    let dir = DatasetDir::new(data_dir, recipe.name.as_str());
    let is_dry = args.embedding.dry_run;
    let (found, _lock) =
        existing_or_lock(&dir, args.force, is_dry, |found| recipe.differences(found))?;
    let (splits, extras) = match found {
        Some(info) => (Splits::read(&dir, info)?, Vec::new()),
        None => {
            let (made, extras) = make_splits(args, recipe, read()?)?;
            if !is_dry {
                made.write(data_dir).with_context(|| {
                    format!("failed to write the data set `{}`", made.info.name)
                })?;
            }
            (Splits::from(made), extras)
        }
    };
    let embedding = embed_job.map(|job| job.run(&dir, splits.parts(), is_dry, args.output.quiet));
    Report {
        summary: splits.summary(&dir),
        findings: splits.info.findings.clone(),
        extras: &extras,
        embedding: embedding.transpose()?,
        is_dry,
    }
    .print(args.output)
}

fn make_splits(args: &GenArgs, recipe: Recipe, raw: Raw) -> anyhow::Result<(Made, Vec<Extra>)> {
    let Raw {
        mut table,
        prices,
        mut notes,
        extras,
    } = raw;
    if let Some(limit) = args.limit {
        notes.extend(args.limit_note(table.keep_first(limit.get())));
    }
    let request = Request {
        recipe,
        notes,
        findings: extras
            .iter()
            .map(|extra| (extra.name.to_owned(), extra.value.clone()))
            .collect(),
    };
    Ok((make(table, prices.as_ref(), request)?, extras))
}
