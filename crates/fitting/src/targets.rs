use dataset::{CostTarget, DatasetInfo, PartTable, Quantity, Standardizer};
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
