//! Changing the LLMs of a saved router without fitting it again.

use std::{collections::HashMap, path::Path};

use dataset::{
    CostKind, CostRule, ModelInfo, ModelScores, Prices, Quantity, Standardizer, TOKENS_PER_UNIT,
};
use ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};
use routers::{Backend, Knn, Target, UnitRows};
use serde_json::{Value, json};

use crate::{
    Contents, Error, KnnParts, KnnTarget, Model, NewFolder, Record, Result, SavedKnn, SavedRouter,
    record::EDITS,
};

/// Folds of the cross-validation that judges an added LLM.
const N_FOLDS: usize = 5;

/// Changes of the LLMs of a saved k-nearest-neighbors router. What is predicted for the LLMs that stay is the same to the last bit (with
/// vectors of float32): each LLM has columns of its own in the values that are averaged over.
#[derive(Debug, Clone, Copy)]
pub struct PoolEdit<'a> {
    /// Prices of LLMs that stay, and of those that are added.
    pub prices: Option<&'a Prices>,
    /// LLMs to take out.
    pub removed: &'a [String],
    /// LLMs to add.
    pub added: Option<Addition<'a>>,
}

/// LLMs to add, all of a table.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// How they did on some of the train prompts; other prompts are passed over.
    pub table: &'a ModelScores,
    /// The ids of the router's train prompts, row by row.
    pub train_ids: &'a [String],
}

/// A router with other LLMs than it was fitted for, to be written.
#[derive(Debug, Clone)]
pub struct EditedPool {
    record: Record,
    embeddings: UnitRows,
    targets: Vec<Target>,
    scale: Option<Standardizer>,
    added: Vec<AddedModel>,
}

/// An LLM that was added.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AddedModel {
    /// Its name.
    pub name: String,
    /// Number of train prompts with a score of it.
    pub n_scored: usize,
    /// How many of a scored prompt's k neighbors have a score of it, in the mean. Below 1, it is mostly its mean score that is predicted.
    pub n_known_neighbors: f64,
    /// The k of the score.
    pub n_neighbors: usize,
    /// R2 of its predicted scores on those prompts, each predicted without the fifth of them that it is in; none for fewer than two
    /// prompts, or for scores that are all equal.
    pub r2: Option<f64>,
    /// Mean absolute error of the same.
    pub mae: Option<f64>,
}

impl SavedRouter {
    /// Changes the router's LLMs. LLMs that stay keep their order, added ones come last.
    ///
    /// An added LLM is predicted as any other: by the mean of those neighbors among the k that have a score of it, or by its mean score where
    /// none has. k is the one that the fit chose for the others.
    ///
    /// # Errors
    /// [`Error::BadEdit`] for another kind of router, an LLM to remove that it does not have or one to add that it has, a price of neither, an
    /// added LLM without a price or without a value that costs need, a table of other prompts, or when no LLM is left.
    pub fn edit(&self, edit: &PoolEdit<'_>) -> Result<EditedPool> {
        let (Model::Knn(knn), Contents::Knn { targets, .. }) = (&self.model, &self.record.contents)
        else {
            return Err(Error::NotEditable {
                router: self.record.router.clone(),
            });
        };
        let kept = kept(&self.record.models, edit.removed)?;
        let mut pool = Pool::of(self, knn, targets, &kept);
        if let Some(addition) = &edit.added {
            let rows = addition.rows(knn.n_rows())?;
            for m in 0..addition.table.models.len() {
                pool.add(addition, &rows, m)?;
            }
        }
        let Pool {
            mut record,
            columns,
            scale,
            added,
            ..
        } = pool;
        if record.models.is_empty() {
            return refuse("no LLM would be left".to_owned());
        }
        if let Some(prices) = edit.prices {
            set_prices(&mut record, prices)?;
        }
        // Where dollars were observed a price is not needed; elsewhere tokens without a price make a cost that nobody knows.
        if record.cost_kind != CostKind::Usd
            && let Some(model) = record.models.iter().find(|model| model.price.is_none())
        {
            return Err(Error::EditWithoutPrice {
                model: model.name.clone(),
            });
        }
        let has = |name: &String| record.models.iter().any(|model| model.name == *name);
        // Only binary routers need the pair, and they cannot be edited; metrics that ask for it do without.
        record.pair = record
            .pair
            .filter(|pair| has(&pair.small) && has(&pair.large));
        note(&mut record, edit, &added);
        let named = |(values, target): (Array2<f32>, &KnnTarget)| Target {
            name: format!("{:?}", target.quantity),
            values,
        };
        Ok(EditedPool {
            embeddings: knn.rows().clone(),
            targets: columns.into_iter().zip(targets).map(named).collect(),
            scale: scale
                .map(|(mean, deviation)| Standardizer::from_parts(mean.into(), deviation.into()))
                .transpose()
                .expect("moments of known costs are finite"),
            record,
            added,
        })
    }
}

/// The LLMs of a router while they are being changed.
struct Pool<'a> {
    knn: &'a SavedKnn,
    targets: &'a [KnnTarget],
    record: Record,
    /// For each target the values of all LLMs, of shape `(n_prompts, n_models)`.
    columns: Vec<Array2<f32>>,
    /// Mean and deviation of each LLM's dollars, where z-scores are predicted.
    scale: Option<(Vec<f64>, Vec<f64>)>,
    added: Vec<AddedModel>,
}

impl<'a> Pool<'a> {
    /// The LLMs that stay, by their positions.
    fn of(
        router: &SavedRouter,
        knn: &'a SavedKnn,
        targets: &'a [KnnTarget],
        kept: &[usize],
    ) -> Self {
        let mut record = router.record.clone();
        record.models = kept.iter().map(|&m| record.models[m].clone()).collect();
        Self {
            columns: (0..targets.len())
                .map(|target| knn.values(target).select(Axis(1), kept))
                .collect(),
            scale: knn.scale().map(|scale| {
                let keep = |all: ArrayView1<'_, f64>| all.select(Axis(0), kept).to_vec();
                (keep(scale.mean()), keep(scale.deviation()))
            }),
            added: Vec::new(),
            knn,
            targets,
            record,
        }
    }

    /// Adds the LLM in column `m` of a table whose prompts are these rows of the router.
    fn add(&mut self, addition: &Addition<'_>, rows: &[Option<usize>], m: usize) -> Result<()> {
        let name = &addition.table.models[m];
        if self.record.models.iter().any(|model| model.name == *name) {
            return refuse(format!("the router already has an LLM `{name}`"));
        }
        let column = |values: ArrayView1<'_, f64>| scattered(values, rows, self.knn.n_rows());
        let scores = column(addition.table.scores.column(m).mapv(f64::from).view());
        // Its prediction would be the mean of nothing, for every prompt.
        if scores.iter().all(|score| score.is_nan()) {
            return refuse(format!("no train prompt has a score of `{name}`"));
        }
        for (target, columns) in self.targets.iter().zip(&mut self.columns) {
            let values = match target.quantity {
                Quantity::Score => scores.clone(),
                Quantity::OutputTokens => column(addition.tokens(m)?),
                Quantity::ThousandsOfOutputTokens => {
                    column(addition.tokens(m)?) / f64::from(TOKENS_PER_UNIT)
                }
                Quantity::StandardizedUsd => {
                    // Each LLM has a scale of its own, so the new one does not move those of the others.
                    let costs = column(addition.costs(m)?).insert_axis(Axis(1));
                    let own = Standardizer::fit(&costs);
                    if let Some((mean, deviation)) = &mut self.scale {
                        mean.extend(own.mean());
                        deviation.extend(own.deviation());
                    }
                    own.standardize(&costs).column(0).mapv(f64::from)
                }
            };
            let values = values.mapv(|value| value as f32).insert_axis(Axis(1));
            *columns =
                concatenate(Axis(1), &[columns.view(), values.view()]).expect("one value per row");
        }
        let n_neighbors = self.targets[0].n_neighbors;
        self.added
            .push(judge(self.knn, n_neighbors, name, &scores)?);
        self.record.models.push(ModelInfo {
            name: name.clone(),
            price: None,
            cost_rule: match self.record.cost_kind {
                CostKind::OutputTokens => CostRule::InputAndOutputTokens,
                CostKind::Usd => CostRule::Given,
                CostKind::Known => CostRule::InputTokens,
            },
        });
        Ok(())
    }
}

impl EditedPool {
    /// The LLMs that were added, in order.
    pub fn added(&self) -> &[AddedModel] {
        &self.added
    }

    /// What will be written as router.json.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Writes the router into a folder of its own, whole or not at all; an existing one is replaced.
    ///
    /// # Errors
    /// [`Error::Dataset`] when the disk is full, say.
    pub fn write(&self, place: &Path) -> Result<()> {
        let Contents::Knn { embeddings, .. } = self.record.contents else {
            unreachable!("only nearest neighbors can be edited");
        };
        let folder = NewFolder::create(place)?;
        folder.write_knn(&KnnParts {
            embeddings: &self.embeddings,
            targets: &self.targets,
            format: embeddings,
        })?;
        if let Some(scale) = &self.scale {
            folder.write_scale(scale)?;
        }
        folder.commit(&self.record)
    }
}

impl Addition<'_> {
    /// For each prompt of the table its row in the router, if it has one.
    fn rows(&self, n_rows: usize) -> Result<Vec<Option<usize>>> {
        if self.train_ids.len() != n_rows {
            return refuse(format!(
                "the train part has {} prompts, but the router was fitted on {n_rows}",
                self.train_ids.len()
            ));
        }
        let positions: HashMap<&str, usize> = self
            .train_ids
            .iter()
            .enumerate()
            .map(|(row, id)| (id.as_str(), row))
            .collect();
        let rows: Vec<Option<usize>> = self
            .table
            .ids
            .iter()
            .map(|id| positions.get(id.as_str()).copied())
            .collect();
        if rows.iter().all(Option::is_none) {
            return refuse(format!(
                "none of the table's prompts is a train prompt of the router: the table begins with `{}`, the router with `{}`",
                self.table.ids[0], self.train_ids[0]
            ));
        }
        Ok(rows)
    }

    fn tokens(&self, m: usize) -> Result<ArrayView1<'_, f64>> {
        known(self.table.output_tokens.as_ref(), m)
            .map_or_else(|| self.without_cost(m, "output_tokens"), Ok)
    }

    fn costs(&self, m: usize) -> Result<ArrayView1<'_, f64>> {
        known(self.table.cost_usd.as_ref(), m).map_or_else(|| self.without_cost(m, "cost_usd"), Ok)
    }

    fn without_cost<T>(&self, m: usize, field: &str) -> Result<T> {
        let name = &self.table.models[m];
        refuse(format!(
            "the cost of `{name}` cannot be predicted: the table has no value in `{name}/{field}`"
        ))
    }
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::BadEdit { why })
}

/// One LLM's numbers, if any is known.
fn known(values: Option<&Array2<f64>>, m: usize) -> Option<ArrayView1<'_, f64>> {
    let column = values?.column(m);
    column.iter().any(|value| !value.is_nan()).then_some(column)
}

/// Values of a table's prompts as those of the router's rows, NaN elsewhere.
fn scattered(values: ArrayView1<'_, f64>, rows: &[Option<usize>], n_rows: usize) -> Array1<f64> {
    let mut all = Array1::from_elem(n_rows, f64::NAN);
    for (&value, row) in values.iter().zip(rows) {
        if let Some(row) = row {
            all[*row] = value;
        }
    }
    all
}

/// The positions of the LLMs that stay.
fn kept(models: &[ModelInfo], removed: &[String]) -> Result<Vec<usize>> {
    let has = |name: &&String| models.iter().any(|model| model.name == **name);
    if let Some(name) = removed.iter().find(|name| !has(name)) {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        return refuse(format!(
            "cannot remove `{name}`, which the router does not have; it has `{}`",
            names.join("`, `")
        ));
    }
    Ok((0..models.len())
        .filter(|&m| !removed.contains(&models[m].name))
        .collect())
}

fn set_prices(record: &mut Record, prices: &Prices) -> Result<()> {
    let has = |name: &&str| record.models.iter().any(|model| model.name == **name);
    if let Some(name) = prices.models().find(|name| !has(name)) {
        return refuse(format!(
            "there is a price for `{name}`, but the router has no such LLM"
        ));
    }
    for model in &mut record.models {
        let Some(price) = prices.get(&model.name) else {
            continue;
        };
        // An error rather than a shrug: whoever gives a price expects the costs to change.
        if record.cost_kind == CostKind::Usd {
            return refuse(format!(
                "the router predicts the cost of `{}` in dollars, as observed on train prompts, so a price has no effect",
                model.name
            ));
        }
        model.price = Some(price.clone());
    }
    Ok(())
}

/// How well an added LLM is predicted from the neighbors that it has.
fn judge(knn: &SavedKnn, k: usize, name: &str, scores: &Array1<f64>) -> Result<AddedModel> {
    let scored: Vec<usize> = (0..scores.len()).filter(|&i| !scores[i].is_nan()).collect();
    let n_folds = N_FOLDS.min(scored.len());
    let (mut errors, mut n_known) = (Vec::with_capacity(scored.len()), 0.0);
    for fold in 0..n_folds {
        // Every n-th, not a run: a table may be ordered by task, and a fold of one task would be judged by the other tasks only.
        let held_out: Vec<usize> = scored.iter().copied().skip(fold).step_by(n_folds).collect();
        let mut others = scores.mapv(|score| score as f32);
        for &row in &held_out {
            others[row] = f32::NAN;
        }
        // Averaged like a score, this is the share of neighbors that have one, so `k` times it counts them.
        let is_known = others.mapv(|score| if score.is_nan() { 0.0 } else { 1.0 });
        let target = |name: &str, values: Array1<f32>| Target {
            name: name.to_owned(),
            values: values.insert_axis(Axis(1)),
        };
        let regression = Knn::from_parts(
            knn.rows().clone(),
            &[target("score", others), target("known", is_known)],
            &[k, k],
            Backend::Gemm,
        );
        let queries = knn.rows().view().select(Axis(0), &held_out);
        let predicted = regression
            .and_then(|regression| regression.predict(queries.view(), &|_| ()))
            .map_err(|source| Error::Predict { source })?;
        for (i, &row) in held_out.iter().enumerate() {
            errors.push((scores[row], scores[row] - f64::from(predicted[0][[i, 0]])));
            n_known += k as f64 * f64::from(predicted[1][[i, 0]]);
        }
    }
    let n = errors.len() as f64;
    let mean = errors.iter().map(|(score, _)| score).sum::<f64>() / n;
    let spread: f64 = errors.iter().map(|(score, _)| (score - mean).powi(2)).sum();
    let squares: f64 = errors.iter().map(|(_, error)| error.powi(2)).sum();
    // One prompt alone has no other that it could be predicted from.
    let is_judged = n_folds > 1;
    Ok(AddedModel {
        name: name.to_owned(),
        n_scored: scored.len(),
        n_known_neighbors: n_known / n,
        n_neighbors: k,
        r2: (is_judged && spread > 0.0).then(|| 1.0 - squares / spread),
        mae: is_judged.then(|| errors.iter().map(|(_, error)| error.abs()).sum::<f64>() / n),
    })
}

/// Says in the record what was changed, after what was changed before.
fn note(record: &mut Record, edit: &PoolEdit<'_>, added: &[AddedModel]) {
    let priced: Vec<&str> = edit.prices.into_iter().flat_map(Prices::models).collect();
    let now = json!({ "removed": edit.removed, "added": added, "priced": priced });
    if let Value::Object(config) = &mut record.config {
        let edits = config.entry(EDITS).or_insert_with(|| json!([]));
        if let Value::Array(edits) = edits {
            edits.push(now);
        }
    } else {
        record.config = json!({ EDITS: [now] });
    }
}
