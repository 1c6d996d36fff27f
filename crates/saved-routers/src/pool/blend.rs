use std::collections::HashMap;

use dataset::{
    CostKind, CostTarget, EqualPrompts, MeanCost, PartTable, PredictedCost, Quantity, Standardizer,
};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use routers::{
    Blend, BlendLearners, BlendParams, CheckedBlendParams, ClusterParams, KernelParams, KnnParams,
    LinearParams, RoutingCosts, Rows, Setting, Target, UnitRows,
};
use serde::de::DeserializeOwned;

use super::{
    Addition, EditedModel, EditedPool, PoolEdit, RuleChange, RuleOutcome, TrainPart,
    addition::scattered, changes, knn::judge, refuse,
};
use crate::{
    BlendContents, BlendParts, Contents, EmbeddingFormat, Error, NewFolder, Record, Result,
    SavedBlend,
};

/// Neighbors that judge an added LLM where the fit chose no k, for want of rows.
const FEW_NEIGHBORS: usize = 4;

/// A blend with other LLMs.
#[derive(Debug, Clone)]
pub(super) struct EditedBlend {
    blend: Blend,
    quantities: Vec<Quantity>,
    scale: Option<Standardizer>,
    mean_cost: MeanCost,
    format: EmbeddingFormat,
}

pub(super) fn edit(
    record: &Record,
    blend: &SavedBlend,
    contents: &BlendContents,
    edit: &PoolEdit<'_>,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<EditedPool> {
    let without_train = || Error::EditWithoutTrain {
        router: record.router.clone(),
    };
    let TrainPart { table, embeddings } = edit.train.ok_or_else(without_train)?;
    let stored = blend.blend().parts().knn.as_ref();
    let stored = stored.map(|it| it.rows().view());
    let embeddings = match (&stored, &embeddings) {
        (Some(it), _) => it.view(),
        (None, Some(it)) => it.view(),
        (None, None) => return Err(without_train()),
    };
    if embeddings.nrows() != table.n_prompts() {
        return refuse(format!(
            "the train part has {} prompts, but there are embeddings of {}",
            table.n_prompts(),
            embeddings.nrows()
        ));
    }
    let mut record = record.clone();
    let kept = changes::kept(&record.models, edit.removed)?;
    record.models = kept.iter().map(|&m| record.models[m].clone()).collect();
    let mut columns = Columns::of(&record, table)?;
    let mut added = Vec::new();
    if let Some(addition) = &edit.added {
        let rows = addition.rows(table.n_prompts())?;
        let neighbors = UnitRows::new(embeddings.to_owned());
        let neighbors = neighbors.map_err(|source| Error::Predict { source })?;
        for m in 0..addition.table.models.len() {
            changes::add(&mut record, &addition.table.models[m])?;
            let scores = columns.add(addition, &rows, m, record.cost_kind)?;
            let k = n_neighbors(contents).min(neighbors.n_rows());
            added.push(judge(&neighbors, k, &addition.table.models[m], &scores)?);
        }
    }
    changes::settle(&mut record, edit)?;
    let has_tokens = record.cost_kind == CostKind::Usd || columns.input_tokens.is_some();
    if !has_tokens && (edit.prices.is_some() || edit.added.is_some()) {
        return refuse(
            "the train part does not hold the input tokens that costs are computed from, so only removing LLMs is possible".to_owned(),
        );
    }
    let table = columns.into_table(&record, table);
    let edited = refit(&record, contents, &table, embeddings, on_progress)?;
    let rule = RuleChange {
        before: RuleOutcome::of(&contents.report),
        after: RuleOutcome::of(edited.blend.report()),
    };
    changes::note(&mut record, edit, &added, Some(&rule));
    Ok(EditedPool {
        model: EditedModel::Blend(edited.into()),
        record,
        added,
        rule: Some(rule),
    })
}

/// The k that the fit chose for scores, whether neighbors have weight or not.
fn n_neighbors(contents: &BlendContents) -> usize {
    let learners = contents.report.targets.first().map(|it| &it.learners[..]);
    let k = learners.unwrap_or_default().iter().find_map(|it| {
        let Setting::Knn { n_neighbors } = it.setting else {
            return None;
        };
        Some(n_neighbors)
    });
    k.unwrap_or(FEW_NEIGHBORS)
}

/// Scores, tokens and dollars of the train prompts, a column for each LLM.
struct Columns {
    n_rows: usize,
    scores: Vec<Array1<f32>>,
    input_tokens: Option<Vec<Array1<f64>>>,
    output_tokens: Option<Vec<Array1<f64>>>,
    cost_usd: Vec<Array1<f64>>,
    /// Tokens of each prompt in the mean over the train part's LLMs: what is known of a new LLM's tokenizer.
    mean_input: Option<Array1<f64>>,
}

impl Columns {
    /// Those of the LLMs that stay.
    fn of(record: &Record, table: &PartTable) -> Result<Self> {
        let positions: HashMap<&str, usize> =
            (table.models.iter().map(String::as_str)).zip(0..).collect();
        let mut kept = Vec::with_capacity(record.models.len());
        for model in &record.models {
            match positions.get(&*model.name) {
                Some(&m) => kept.push(m),
                None => {
                    return refuse(format!(
                        "the train part has no scores of `{}`, which an earlier change added: make all changes at once, to the router that this \
                         one was made from",
                        model.name
                    ));
                }
            }
        }
        let take = |values: &Array2<f64>| -> Vec<Array1<f64>> {
            kept.iter().map(|&m| values.column(m).to_owned()).collect()
        };
        Ok(Self {
            n_rows: table.n_prompts(),
            scores: kept
                .iter()
                .map(|&m| table.scores.column(m).to_owned())
                .collect(),
            input_tokens: table.input_tokens.as_ref().map(take),
            output_tokens: table.output_tokens.as_ref().map(take),
            cost_usd: take(&table.cost_usd),
            mean_input: table.input_tokens.as_ref().map(known_mean),
        })
    }

    /// Adds the LLM in column `m` of a table whose prompts are these train prompts, and gives its scores.
    fn add(
        &mut self,
        addition: &Addition<'_>,
        rows: &[Option<usize>],
        m: usize,
        kind: CostKind,
    ) -> Result<Array1<f64>> {
        let n_rows = self.n_rows;
        let column = |values: ArrayView1<'_, f64>| scattered(values, rows, n_rows);
        let scores = column(addition.table.scores.column(m).mapv(f64::from).view());
        if scores.iter().all(|score| score.is_nan()) {
            let name = &addition.table.models[m];
            return refuse(format!("no train prompt has a score of `{name}`"));
        }
        self.scores.push(scores.mapv(|score| score as f32));
        let unknown = || Array1::from_elem(n_rows, f64::NAN);
        if let Some(columns) = &mut self.output_tokens {
            columns.push(match kind {
                CostKind::OutputTokens => column(addition.tokens(m)?),
                CostKind::Usd | CostKind::Known => unknown(),
            });
        }
        if let Some(columns) = &mut self.input_tokens {
            columns.push(self.mean_input.clone().unwrap_or_else(unknown));
        }
        self.cost_usd.push(match kind {
            CostKind::Usd => column(addition.costs(m)?),
            // From tokens and prices, below.
            CostKind::OutputTokens | CostKind::Known => unknown(),
        });
        Ok(scores)
    }

    /// The train part with these LLMs, and with dollars by the record's prices where tokens and prices make them.
    fn into_table(self, record: &Record, train: &PartTable) -> PartTable {
        let n_rows = train.n_prompts();
        let matrix = |columns: Vec<Array1<f64>>| {
            Array2::from_shape_fn((n_rows, columns.len()), |(row, m)| columns[m][row])
        };
        let mut table = PartTable {
            models: record.models.iter().map(|it| it.name.clone()).collect(),
            scores: Array2::from_shape_fn((n_rows, self.scores.len()), |(row, m)| {
                self.scores[m][row]
            }),
            input_tokens: self.input_tokens.map(matrix),
            output_tokens: self.output_tokens.map(matrix),
            cost_usd: matrix(self.cost_usd),
            // Those of the train part are for its own LLMs, and a fit does not look at them.
            propensities: None,
            ..train.clone()
        };
        let Some(input) = &table.input_tokens else {
            return table;
        };
        let output = match record.cost_kind {
            CostKind::Usd => return table,
            CostKind::OutputTokens => table.output_tokens.as_ref(),
            CostKind::Known => None,
        };
        table.cost_usd = Array2::from_shape_fn(table.cost_usd.dim(), |at| {
            let output = match (record.cost_kind, output) {
                (CostKind::Known, _) => 0.0,
                (_, Some(output)) => output[at],
                (_, None) => f64::NAN,
            };
            let price = record.models[at.1].price.as_ref();
            price.map_or(f64::NAN, |price| price.cost_usd(input[at], output))
        });
        table
    }
}

/// The mean of each row's known values.
fn known_mean(values: &Array2<f64>) -> Array1<f64> {
    let mean = |row: ArrayView1<'_, f64>| {
        let known = || row.iter().filter(|it| !it.is_nan());
        known().sum::<f64>() / known().count() as f64
    };
    values.map_axis(Axis(1), mean)
}

/// Fits the learners that have weight to the table, and lets the rule decide.
fn refit(
    record: &Record,
    contents: &BlendContents,
    table: &PartTable,
    embeddings: ArrayView2<'_, f32>,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<EditedBlend> {
    let of_learner = |source| Error::Refit { source };
    let target = CostTarget::of(record.cost_kind, table);
    let mut targets = vec![Target {
        name: "score".to_owned(),
        values: table.scores.clone(),
    }];
    targets.extend(target.values().map(|(name, values)| Target {
        name: name.to_owned(),
        values: values.clone(),
    }));
    let scale = match target {
        CostTarget::Usd(_, scale) => Some(scale),
        CostTarget::OutputTokens(_) | CostTarget::Known => None,
    };
    let quantities = &contents.targets;
    let predicted_usd = |outputs: Option<&Array2<f32>>| {
        let cost = outputs.zip(quantities.get(1));
        let cost = cost.and_then(|(outputs, quantity)| quantity.cost(outputs, scale.as_ref()));
        cost.unwrap_or(PredictedCost::Known)
            .usd_of_split(&record.models, table)
    };
    let costs = RoutingCosts {
        cost_usd: table.cost_usd.view(),
        predicted_usd: &predicted_usd,
    };
    let params = params(record)?.keeping(&contents.report);
    // The same folds as in the fit.
    let groups = EqualPrompts::groups(&table.prompts);
    let rows = Rows {
        embeddings,
        groups: Some(&groups),
    };
    let prepared = params.and_then(|it| it.prepare(rows, on_progress));
    let blend = prepared
        .and_then(|it| it.fit_kept(&targets, &costs, &contents.report))
        .map_err(of_learner)?;
    Ok(EditedBlend {
        blend,
        quantities: quantities.clone(),
        scale,
        mean_cost: MeanCost::of(record.cost_kind, table),
        format: contents.embeddings,
    })
}

/// The parameters that the blend was fitted with, from its record.
fn params(record: &Record) -> Result<CheckedBlendParams> {
    fn of<T: DeserializeOwned>(record: &Record, key: &'static str) -> Result<T> {
        let value = record.config.get(key).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|source| Error::NoParameters {
            router: record.router.clone(),
            key,
            source,
        })
    }
    let learners =
        |knn: KnnParams, linear: LinearParams, kernel: KernelParams, cluster: ClusterParams| {
            Ok(BlendLearners {
                knn: knn.check()?,
                linear: linear.check()?,
                kernel: kernel.check()?,
                cluster: cluster.check()?,
            })
        };
    let learners = learners(
        of(record, "knn")?,
        of(record, "linear")?,
        of(record, "kernel")?,
        of(record, "cluster")?,
    );
    let blend: BlendParams = of(record, "blend")?;
    learners
        .and_then(|learners| blend.check(learners))
        .map_err(|source| Error::Refit { source })
}

impl EditedBlend {
    /// Writes it, and gives what the record says of it.
    pub(super) fn write(&self, folder: &NewFolder) -> Result<Contents> {
        let contents = folder.write_blend(&BlendParts {
            blend: &self.blend,
            quantities: &self.quantities,
            mean_cost: &self.mean_cost,
            format: self.format,
        })?;
        if let Some(scale) = &self.scale {
            folder.write_scale(scale)?;
        }
        Ok(contents)
    }
}
