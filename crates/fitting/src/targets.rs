use dataset::{CostTarget, DatasetInfo, PartTable, PredictedCost, Quantity, Standardizer};
use ndarray::Array2;
use routers::Target;

/// What a router of all LLMs learns of a table.
pub(crate) struct Targets {
    /// The score first; each of shape `(n_prompts, n_models)`.
    pub(crate) targets: Vec<Target>,
    /// What their values are.
    pub(crate) quantities: Vec<Quantity>,
    /// The way back to dollars, where they are learned.
    pub(crate) scale: Option<Standardizer>,
}

impl Targets {
    /// The dollars of each prompt and LLM by predictions of the cost target for all prompts of the table; where there is no such target, the
    /// table's own, which are known before the call.
    pub(crate) fn usd(
        &self,
        outputs: Option<&Array2<f32>>,
        table: &PartTable,
        info: &DatasetInfo,
    ) -> Array2<f64> {
        let predicted = outputs
            .zip(self.quantities.get(1))
            .and_then(|(outputs, quantity)| quantity.cost(outputs, self.scale.as_ref()))
            .unwrap_or(PredictedCost::Known);
        predicted.usd_of_split(&info.models, table)
    }

    pub(crate) fn of(table: &PartTable, info: &DatasetInfo) -> Self {
        let cost = CostTarget::of(info.cost_kind, table);
        let mut targets = vec![Target {
            name: "score".to_owned(),
            values: table.scores.clone(),
        }];
        targets.extend(cost.values().map(|(name, values)| Target {
            name: name.to_owned(),
            values: values.clone(),
        }));
        let (quantity, scale) = match cost {
            CostTarget::OutputTokens(_) => (Some(Quantity::OutputTokens), None),
            // Dollars are learned as z-scores, so whoever predicts needs the way back.
            CostTarget::Usd(_, scale) => (Some(Quantity::StandardizedUsd), Some(scale)),
            CostTarget::Known => (None, None),
        };
        Self {
            targets,
            quantities: [Quantity::Score].into_iter().chain(quantity).collect(),
            scale,
        }
    }
}
