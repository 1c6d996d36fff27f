use std::{collections::BTreeMap, mem, path::Path};

use dataset::{
    CostKind, CostRule, DatasetDir, DatasetInfo, EqualPrompts, Field, ModelInfo, Part, PartTable,
    TablePropensities,
};
use ndarray::Array2;
use serde_json::{Value, json};
use tracing::warn;

use crate::{
    Error, PriceList, RawModel, RawTable, Recipe, Result, Staging,
    cost::{Costs, costs},
    pair::check_pair,
    split::{Rows, split_rows},
};

/// The finding that is there where a table has propensities.
const PROPENSITIES: &str = "propensities";

/// What to make of a raw table.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name, pair, split, sources and options.
    pub recipe: Recipe,
    /// What a reader of the numbers should know.
    pub notes: Vec<String>,
    /// Other findings about the source, by name.
    pub findings: BTreeMap<String, Value>,
}

/// A data set in memory, checked and ready to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// What goes into `dataset.json`.
    pub info: DatasetInfo,
    /// Rows of `train.parquet`.
    pub train: PartTable,
    /// Rows of `test.parquet`.
    pub test: PartTable,
}

/// Checks a raw table, works out costs, and splits it. Writes nothing.
///
/// Rows are in the order in which scikit-learn's `train_test_split` returns them, on which un-shuffled cross-validation depends; where
/// the table came in parts, in the table's order, validation rows after all other train rows. Test prompts that are also train prompts are
/// counted, in the findings and in a note. Whether the table has propensities is told in both too.
///
/// # Errors
/// [`Error`] names the file, the column and the row of what is wrong: a duplicate id, a value outside its range, a score without a
/// cost, an LLM without a price or without any known train score, a part without rows, a pair of unknown LLMs.
pub fn make(mut table: RawTable, prices: Option<&PriceList>, request: Request) -> Result<Made> {
    let Request {
        recipe,
        mut notes,
        mut findings,
    } = request;
    table.round_scores();
    table.check()?;
    if let Some(pair) = &recipe.pair {
        check_pair(&table, pair)?;
    }
    let costs = table
        .models
        .iter()
        .map(|model| costs(&table, model, prices))
        .collect::<Result<Vec<_>>>()?;
    let Rows {
        train: train_rows,
        test: test_rows,
        n_validation,
        origin,
    } = split_rows(&table, recipe.split, recipe.group.as_deref())?;
    // After the split, because what counts is whether the train rows have a score to learn from.
    refuse_unknown_scores(&table, &train_rows)?;
    notes.extend(unknown_score_notes(&table));
    if let Some(least) = least_propensity(&table) {
        notes.push(format!(
            "the probability with which each LLM was asked is known (`<model>/propensity`), and is at least {least} where the score is known"
        ));
        findings.insert(PROPENSITIES.to_owned(), json!({ "least": least }));
    }
    let equal = equal_prompts(&table, &train_rows, &test_rows);
    if let Some(note) = equal.note(test_rows.len()) {
        warn!("{note}");
        notes.push(note);
    }
    let value = serde_json::to_value(equal).expect("counts are valid JSON");
    findings.insert(EqualPrompts::FINDING.to_owned(), value);

    let models = table.models.iter().zip(&costs);
    let models = models.map(|(model, costs)| ModelInfo {
        name: model.name.clone(),
        price: costs.price.clone(),
        cost_rule: costs.rule,
    });
    let rules: Vec<CostRule> = costs.iter().map(|costs| costs.rule).collect();
    let info = DatasetInfo {
        name: recipe.name.as_str().to_owned(),
        models: models.collect(),
        pair: recipe.pair,
        cost_kind: CostKind::of(&rules),
        n_train: train_rows.len(),
        n_test: test_rows.len(),
        n_validation,
        part_sha256: None,
        split: origin,
        sources: recipe.sources,
        made_by: recipe.made_by,
        options: recipe.options,
        notes,
        findings,
    };
    let train = take_rows(&mut table, &costs, &train_rows);
    let test = take_rows(&mut table, &costs, &test_rows);
    Ok(Made { info, train, test })
}

impl Made {
    /// Writes the three files under `data_dir`; the old data set of that name stays until the new one is whole.
    ///
    /// # Errors
    /// [`Error::Dataset`] when the disk refuses.
    pub fn write(&self, data_dir: &Path) -> Result<DatasetDir> {
        let staging = Staging::new(data_dir, &self.info.name)?;
        self.train.write(&staging.dir().split(Part::Train))?;
        self.test.write(&staging.dir().split(Part::Test))?;
        staging.commit(&self.info)
    }
}

fn refuse_unknown_scores(table: &RawTable, train_rows: &[usize]) -> Result<()> {
    for model in &table.models {
        if train_rows.iter().all(|&i| model.scores[i].is_nan()) {
            return Err(Error::NoKnownScore {
                path: table.path.clone(),
                model: model.name.clone(),
                part: Part::Train,
            });
        }
    }
    Ok(())
}

fn equal_prompts(table: &RawTable, train_rows: &[usize], test_rows: &[usize]) -> EqualPrompts {
    let prompts = |rows: &[usize]| rows.iter().map(|&i| &table.prompts[i]).collect();
    let (train, test): (Vec<&String>, Vec<&String>) = (prompts(train_rows), prompts(test_rows));
    EqualPrompts::count(train, test)
}

fn unknown_score_notes(table: &RawTable) -> Vec<String> {
    let n = table.n_prompts();
    let unknown = |model: &RawModel| model.scores.iter().filter(|score| score.is_nan()).count();
    let models = table.models.iter().map(|model| (model, unknown(model)));
    models
        .filter(|&(_, n_unknown)| n_unknown > 0)
        .map(|(model, n_unknown)| {
            format!(
                "the score of `{}` is unknown in {n_unknown} of {n} rows",
                model.name
            )
        })
        .collect()
}

/// The least probability with which an LLM was asked that has a score; `None` where nothing is said of probabilities.
fn least_propensity(table: &RawTable) -> Option<f64> {
    let models = table.models.iter();
    let known = models.filter_map(|model| Some((&model.scores, model.propensities.as_ref()?)));
    let scored = known.flat_map(|(scores, propensities)| {
        let rows = scores.iter().zip(propensities);
        rows.filter(|(score, _)| !score.is_nan())
            .map(|(_, &value)| value)
    });
    scored.reduce(f64::min)
}

/// Moves some rows out of the table; each row may be taken once.
fn take_rows(table: &mut RawTable, costs: &[Costs], rows: &[usize]) -> PartTable {
    let take = |texts: &mut Vec<String>| rows.iter().map(|&i| mem::take(&mut texts[i])).collect();
    let (ids, tasks, prompts) = (
        take(&mut table.ids),
        take(&mut table.tasks),
        take(&mut table.prompts),
    );
    let models = &table.models;
    let shape = (rows.len(), models.len());
    let optional = |field| {
        // A table has a column for all LLMs or for none; where only some have it, it is unknown for the others.
        let is_there = models.iter().any(|model| model.column(field).is_some());
        is_there.then(|| {
            Array2::from_shape_fn(shape, |(i, m)| {
                models[m]
                    .column(field)
                    .map_or(f64::NAN, |column| column[rows[i]])
            })
        })
    };
    PartTable {
        ids,
        tasks,
        prompts,
        scores: Array2::from_shape_fn(shape, |(i, m)| models[m].scores[rows[i]] as f32),
        input_tokens: optional(Field::InputTokens),
        output_tokens: optional(Field::OutputTokens),
        cost_usd: Array2::from_shape_fn(shape, |(i, m)| costs[m].usd[rows[i]]),
        propensities: optional(Field::Propensity).map(TablePropensities::recorded),
        models: models.iter().map(|model| model.name.clone()).collect(),
        kept: table
            .kept
            .map(|values| rows.iter().map(|&i| values[i].clone()).collect()),
    }
}
