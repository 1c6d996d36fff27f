use dataset::{
    CostKind, CostTarget, EqualPrompts, MeanCost, PartTable, PredictedCost, Quantity, Standardizer,
};
use ndarray::{Array2, ArrayView2, Axis};
use routers::{
    Blend, BlendLearners, BlendParams, CheckedBlendParams, ClusterParams, KernelParams, Knn,
    KnnParams, LinearParams, RoutingCosts, Rows, Setting, Target, UnitRows,
};
use serde::de::DeserializeOwned;

use super::{
    EditedModel, EditedPool, PoolEdit, RuleChange, RuleOutcome, TrainPart,
    added_gain::{self, Predicted},
    changes,
    columns::Columns,
    knn::judge,
    refuse,
};
use crate::{
    BlendContents, BlendParts, Contents, EmbeddingFormat, Error, NewFolder, PerModelOutputs,
    Record, Result, SavedBlend,
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
    let rows_of = |knn: &Knn| {
        let held = knn.in_memory().ok_or(Error::RowsElsewhere)?;
        Ok::<_, Error>(held.rows().to_unit_rows())
    };
    let stored = stored.map(rows_of).transpose()?;
    let stored = stored.as_ref().map(UnitRows::view);
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
            let others = columns.scores();
            let name = &addition.table.models[m];
            added.push(judge(&neighbors, k, name, &scores, others.view())?);
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
    let n_kept = kept.len();
    let added_gain = added_gain::measure(&table, n_kept, |others, held_out| {
        let of = |rows: &[usize]| embeddings.select(Axis(0), rows);
        let train = table.select(others);
        let refit = refit(&record, contents, &train, of(others).view(), &|_| ())?;
        refit.predict(&record, of(held_out).view(), &table.select(held_out))
    })?;
    let rule = RuleChange {
        before: RuleOutcome::of(&contents.report),
        after: RuleOutcome::of(edited.blend.report()),
    };
    changes::note(&mut record, edit, &added, added_gain.as_ref(), Some(&rule));
    Ok(EditedPool {
        model: EditedModel::Blend(edited.into()),
        record,
        added,
        added_gain,
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
    let weights = table.inverse_propensities();
    let costs = RoutingCosts {
        cost_usd: table.cost_usd.view(),
        predicted_usd: &predicted_usd,
        inverse_propensities: weights.as_ref().map(Array2::view),
    };
    let params = params(record)?.keeping(&contents.report);
    // The same folds as in the fit.
    let groups = EqualPrompts::groups(&table.prompts);
    let rows = Rows {
        embeddings: embeddings.view(),
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
    /// Scores and dollars of some prompts.
    fn predict(
        &self,
        record: &Record,
        embeddings: ArrayView2<'_, f32>,
        table: &PartTable,
    ) -> Result<Predicted> {
        let predicted = (self.blend.predict(embeddings, &|_| ()))
            .map_err(|source| Error::Predict { source })?;
        let mut outputs = PerModelOutputs::of(predicted, &self.quantities, self.scale.as_ref());
        if !self.blend.routes() {
            outputs.cost = PredictedCost::Mean(self.mean_cost.clone());
        }
        Ok(Predicted {
            scores: outputs.scores,
            cost_usd: outputs.cost.usd_of_split(&record.models, table),
        })
    }

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
