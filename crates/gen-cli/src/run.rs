use anyhow::{Context as _, bail};
use cli_support::{Output, print_json, print_text};
use datagen::{Made, Request, Summary, Tally, make};
use dataset::{DatasetDir, DatasetInfo, Part, Split};
use serde_json::{Map, Value};
use tracing::info;

use crate::{Extra, GenArgs, Raw, Recipe, embed::EmbeddingReport};

/// What train-and-infer computes itself.
const LOCAL_EMBEDDING: &str = "minilm";

/// Makes what is missing of a data set, and prints what was made.
///
/// `read` is called only if the data set is not there, or `--force` was given.
///
/// # Errors
/// When the source cannot be read or is wrong, the disk refuses, or a data set of that name is there that was made otherwise.
pub fn run(
    args: &GenArgs,
    mut recipe: Recipe,
    read: impl FnOnce() -> anyhow::Result<Raw>,
) -> anyhow::Result<()> {
    let data_dir = &args.data_dir.data_dir;
    let embed_job = args.embedding.job()?;
    if let Some(limit) = args.limit {
        recipe.options.insert("limit".to_owned(), limit.to_string());
    }
    let dir = DatasetDir::new(data_dir, recipe.name.as_str());
    let is_dry = args.embedding.dry_run;
    let (splits, extras) = match existing(&dir, &recipe, args.force)? {
        Some(info) => {
            info!(
                "`{}` is there already; --force makes it anew",
                dir.root().display()
            );
            (Splits::read(&dir, info)?, Vec::new())
        }
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
    let parts = [&splits.train, &splits.test];
    let embedding = embed_job.map(|job| {
        if is_dry {
            job.plan(data_dir, parts)
        } else {
            job.embed(&dir, parts, args.output.quiet)
        }
    });
    Report {
        dir: &dir,
        splits: &splits,
        extras: &extras,
        embedding: embedding.transpose()?,
        is_dry,
    }
    .print(args.output)
}

/// A data set in memory.
struct Splits {
    info: DatasetInfo,
    train: Split,
    test: Split,
}

impl Splits {
    fn read(dir: &DatasetDir, info: DatasetInfo) -> anyhow::Result<Self> {
        Ok(Self {
            info,
            train: Split::read(&dir.split(Part::Train))?,
            test: Split::read(&dir.split(Part::Test))?,
        })
    }

    fn summary(&self, dir: &DatasetDir) -> Summary {
        let mut tally = Tally::new(self.info.models.len());
        tally.add(&self.train);
        tally.add(&self.test);
        tally.summary(&self.info, dir)
    }
}

impl From<Made> for Splits {
    fn from(Made { info, train, test }: Made) -> Self {
        Self { info, train, test }
    }
}

/// The data set that is there, if it is what the recipe would make; `None` if it has to be made.
fn existing(dir: &DatasetDir, recipe: &Recipe, force: bool) -> anyhow::Result<Option<DatasetInfo>> {
    if force || !dir.info().is_file() {
        return Ok(None);
    }
    let found = DatasetInfo::read(&dir.info())?;
    let differences = recipe.differences(&found);
    if differences.is_empty() {
        return Ok(Some(found));
    }
    bail!(
        "`{}` is there and was made otherwise ({}); --force makes it anew, --name gives the new one another name",
        dir.root().display(),
        differences.join("; ")
    );
}

fn make_splits(args: &GenArgs, recipe: Recipe, raw: Raw) -> anyhow::Result<(Made, Vec<Extra>)> {
    let Raw {
        mut table,
        prices,
        mut notes,
        extras,
    } = raw;
    if let Some(limit) = args.limit {
        let n_gone = table.keep_first(limit.get());
        if n_gone > 0 {
            notes.push(format!(
                "kept only the first rows: --limit {limit} left out {n_gone}"
            ));
        }
    }
    let request = Request {
        name: recipe.name,
        pair: recipe.pair,
        split: recipe.split,
        sources: recipe.sources,
        made_by: recipe.made_by,
        options: recipe.options,
        notes,
        findings: extras
            .iter()
            .map(|extra| (extra.name.to_owned(), extra.value.clone()))
            .collect(),
    };
    Ok((make(table, prices.as_ref(), request)?, extras))
}

/// What is printed in the end.
struct Report<'a> {
    dir: &'a DatasetDir,
    splits: &'a Splits,
    extras: &'a [Extra],
    embedding: Option<EmbeddingReport>,
    is_dry: bool,
}

impl Report<'_> {
    /// Prints the summary after what was found out; of a data set that was there already, only programs are told the latter.
    fn print(&self, output: Output) -> anyhow::Result<()> {
        let summary = self.splits.summary(self.dir);
        if output.json {
            let mut values = Map::new();
            values.insert("dataset".to_owned(), serde_json::to_value(&summary)?);
            if let Some(embedding) = &self.embedding {
                values.insert("embedding".to_owned(), serde_json::to_value(embedding)?);
            }
            values.insert("is-dry-run".to_owned(), Value::Bool(self.is_dry));
            values.extend(self.splits.info.findings.clone());
            return print_json(&Value::Object(values));
        }
        let mut text = String::new();
        for extra in self.extras {
            text.push_str(extra.text.trim_end());
            text.push_str("\n\n");
        }
        if let Some(embedding) = &self.embedding {
            text.push_str(&embedding.text());
            text.push('\n');
        }
        let vectors = self
            .embedding
            .as_ref()
            .map_or(LOCAL_EMBEDDING, EmbeddingReport::embedder);
        text.push_str(&summary.text(vectors));
        if self.is_dry {
            text.push_str("nothing was written: this was a dry run\n");
        }
        print_text(&text)
    }
}
