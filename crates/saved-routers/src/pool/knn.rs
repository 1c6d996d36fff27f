use dataset::{PartTable, Quantity, Standardizer, TOKENS_PER_UNIT};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate, s};
use routers::{Backend, InMemory, Knn, NeighborRows, Target, UnitRows, completed};

use super::{
    AddedGain, AddedModel, Addition, EditedModel, EditedPool, PoolEdit, TrainPart,
    added_gain::{self, Predicted},
    addition::scattered,
    changes,
    columns::Columns,
    refuse,
};
use crate::{
    EmbeddingFormat, Error, KnnParts, KnnTarget, NewFolder, PerModelOutputs, Record, Result,
    SavedKnn,
};

/// Folds of the cross-validation that judges an added LLM.
const N_FOLDS: usize = 5;

/// Nearest neighbors with other LLMs. What is predicted for the LLMs that stay is the same to the last bit (with vectors of float32): each LLM
/// has columns of its own in the values that are averaged over.
#[derive(Debug, Clone)]
pub(super) struct EditedKnn {
    embeddings: NeighborRows,
    targets: Vec<Target>,
    scale: Option<Standardizer>,
    format: EmbeddingFormat,
}

pub(super) fn edit(
    record: &Record,
    knn: &SavedKnn,
    format: EmbeddingFormat,
    targets: &[KnnTarget],
    edit: &PoolEdit<'_>,
) -> Result<EditedPool> {
    let held = knn.in_memory().ok_or(Error::RowsElsewhere)?;
    let kept = changes::kept(&record.models, edit.removed)?;
    let mut pool = Pool::of(record, knn, held, targets, &kept);
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
    changes::settle(&mut record, edit)?;
    let named = |(values, target): (Array2<f32>, &KnnTarget)| Target {
        name: format!("{:?}", target.quantity),
        values,
    };
    let model = EditedKnn {
        embeddings: held.rows().clone(),
        targets: columns.into_iter().zip(targets).map(named).collect(),
        scale: scale
            .map(|(mean, deviation)| Standardizer::from_parts(mean.into(), deviation.into()))
            .transpose()
            .expect("moments of known costs are finite"),
        format,
    };
    let added_gain = match (&edit.added, &edit.train) {
        (Some(addition), Some(train)) => {
            model.added_gain(&record, targets, addition, train, kept.len())?
        }
        _ => None,
    };
    changes::note(&mut record, edit, &added, added_gain.as_ref(), None);
    Ok(EditedPool {
        model: EditedModel::Knn(model),
        record,
        added,
        added_gain,
        rule: None,
    })
}

impl EditedKnn {
    /// What routing gains by the added LLMs, which come after `n_kept` others.
    fn added_gain(
        &self,
        record: &Record,
        targets: &[KnnTarget],
        addition: &Addition<'_>,
        train: &TrainPart<'_>,
        n_kept: usize,
    ) -> Result<Option<AddedGain>> {
        let mut before = record.clone();
        before.models.truncate(n_kept);
        // An LLM that an earlier change added is not in the train part, and its true scores are not known.
        let Ok(mut columns) = Columns::of(&before, train.table) else {
            return Ok(None);
        };
        let rows = addition.rows(train.table.n_prompts())?;
        for m in 0..addition.table.models.len() {
            columns.add(addition, &rows, m, record.cost_kind)?;
        }
        let table = columns.into_table(record, train.table);
        added_gain::measure(&table, n_kept, |others, held_out| {
            self.predict(record, targets, others, held_out, &table.select(held_out))
        })
    }

    /// Predicts some rows, which a table has, from others.
    fn predict(
        &self,
        record: &Record,
        targets: &[KnnTarget],
        others: &[usize],
        held_out: &[usize],
        table: &PartTable,
    ) -> Result<Predicted> {
        let all = self.embeddings.to_unit_rows();
        let all = all.view();
        let of_others = |target: &Target| Target {
            name: target.name.clone(),
            values: target.values.select(Axis(0), others),
        };
        let values: Vec<Target> = self.targets.iter().map(of_others).collect();
        let ks = targets.iter().map(|it| it.n_neighbors.min(others.len()));
        let ks: Vec<usize> = ks.collect();
        let prior_values: Vec<Option<f64>> = targets.iter().map(|it| it.prior_values).collect();
        let predicted = UnitRows::new(all.select(Axis(0), others))
            .and_then(|rows| Knn::from_parts(rows, &values, &ks, Backend::Gemm))
            .and_then(|knn| knn.counting_known(&prior_values))
            .and_then(|knn| knn.predict(all.select(Axis(0), held_out).view(), &|_| ()))
            .map_err(|source| Error::Predict { source })?;
        let quantities: Vec<Quantity> = targets.iter().map(|it| it.quantity).collect();
        let outputs = PerModelOutputs::of(predicted, &quantities, self.scale.as_ref());
        Ok(Predicted {
            scores: outputs.scores,
            cost_usd: outputs.cost.usd_of_split(&record.models, table),
        })
    }

    pub(super) fn write(&self, folder: &NewFolder) -> Result<()> {
        folder.write_knn(&KnnParts {
            embeddings: &self.embeddings,
            targets: &self.targets,
            format: self.format,
        })?;
        match &self.scale {
            Some(scale) => folder.write_scale(scale),
            None => Ok(()),
        }
    }
}

/// The LLMs of a router while they are being changed.
struct Pool<'a> {
    rows: UnitRows,
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
        record: &Record,
        knn: &SavedKnn,
        held: &InMemory,
        targets: &'a [KnnTarget],
        kept: &[usize],
    ) -> Self {
        let mut record = record.clone();
        record.models = kept.iter().map(|&m| record.models[m].clone()).collect();
        Self {
            columns: (0..targets.len())
                .map(|target| {
                    let columns = s![.., knn.learner().outputs(target)];
                    held.values().slice(columns).select(Axis(1), kept)
                })
                .collect(),
            scale: knn.scale().map(|scale| {
                let keep = |all: ArrayView1<'_, f64>| all.select(Axis(0), kept).to_vec();
                (keep(scale.mean()), keep(scale.deviation()))
            }),
            added: Vec::new(),
            rows: held.rows().to_unit_rows(),
            targets,
            record,
        }
    }

    /// Adds the LLM in column `m` of a table whose prompts are these rows of the router.
    fn add(&mut self, addition: &Addition<'_>, rows: &[Option<usize>], m: usize) -> Result<()> {
        let name = &addition.table.models[m];
        changes::add(&mut self.record, name)?;
        let column = |values: ArrayView1<'_, f64>| scattered(values, rows, self.rows.n_rows());
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
            let values = values.mapv(|value| value as f32);
            *columns = match target.prior_values {
                // The neighbors that know it are counted.
                Some(_) => beside(columns.view(), values.view()),
                None => filled_in(columns.view(), values.view()),
            };
        }
        let n_neighbors = self.targets[0].n_neighbors;
        let n_others = self.columns[0].ncols() - 1;
        let others = self.columns[0].slice(s![.., ..n_others]);
        self.added
            .push(judge(&self.rows, n_neighbors, name, &scores, others)?);
        Ok(())
    }
}

/// A column after those of a matrix.
fn beside(columns: ArrayView2<'_, f32>, added: ArrayView1<'_, f32>) -> Array2<f32> {
    let added = added.to_owned().insert_axis(Axis(1));
    concatenate(Axis(1), &[columns.view(), added.view()]).expect("one value per row")
}

/// The same with what the other columns let expect in the place of what is unknown of it; they stay as they are.
fn filled_in(columns: ArrayView2<'_, f32>, added: ArrayView1<'_, f32>) -> Array2<f32> {
    let all = beside(columns, added);
    match completed(all.view()) {
        Some(filled) => beside(columns, filled.column(columns.ncols())),
        None => all,
    }
}

/// How well an added LLM is predicted from the neighbors that it has, and from `others`, the scores of the other LLMs, of shape
/// `(n_rows, n_others)`.
pub(super) fn judge(
    rows: &UnitRows,
    k: usize,
    name: &str,
    scores: &Array1<f64>,
    others: ArrayView2<'_, f32>,
) -> Result<AddedModel> {
    let scored: Vec<usize> = (0..scores.len()).filter(|&i| !scores[i].is_nan()).collect();
    let n_folds = N_FOLDS.min(scored.len());
    let (mut errors, mut n_known) = (Vec::with_capacity(scored.len()), 0.0);
    for fold in 0..n_folds {
        // Every n-th, not a run: a table may be ordered by task, and a fold of one task would be judged by the other tasks only.
        let held_out: Vec<usize> = scored.iter().copied().skip(fold).step_by(n_folds).collect();
        let mut seen = scores.mapv(|score| score as f32);
        for &row in &held_out {
            seen[row] = f32::NAN;
        }
        // Averaged like a score, this is the share of neighbors that have one, so `k` times it counts them.
        let is_known = seen.mapv(|score| if score.is_nan() { 0.0 } else { 1.0 });
        let filled = filled_in(others, seen.view());
        let mut seen = filled.column(others.ncols()).to_owned();
        // What the other LLMs got for a prompt is not known when it comes.
        for &row in &held_out {
            seen[row] = f32::NAN;
        }
        let target = |name: &str, values: Array1<f32>| Target {
            name: name.to_owned(),
            values: values.insert_axis(Axis(1)),
        };
        let regression = Knn::from_parts(
            rows.clone(),
            &[target("score", seen), target("known", is_known)],
            &[k, k],
            Backend::Gemm,
        );
        let queries = rows.view().select(Axis(0), &held_out);
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
