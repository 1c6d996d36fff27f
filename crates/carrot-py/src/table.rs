//! Arrays as the table that learners are fitted to.

use dataset::{CostKind, CostRule, DatasetInfo, KeptColumns, ModelInfo, PartTable, SplitOrigin};
use ndarray::{Array2, ArrayView2};
use pyo3::prelude::*;

use crate::error::refuse;

/// The name of data that came as arrays, where one is recorded.
pub(crate) const ARRAYS: &str = "arrays";

/// What a table is made of.
pub(crate) struct Columns<'a> {
    pub(crate) scores: ArrayView2<'a, f32>,
    /// Unknown to a router that only predicts scores.
    pub(crate) cost_usd: Option<ArrayView2<'a, f64>>,
    pub(crate) models: Option<Vec<String>>,
    /// One number per row, equal for rows that belong together.
    pub(crate) groups: Option<Vec<i64>>,
    /// Whether rows came in random order, so that runs of them are as good as any.
    pub(crate) is_shuffled: bool,
}

/// A table and its description.
pub(crate) struct Described {
    pub(crate) table: PartTable,
    pub(crate) info: DatasetInfo,
}

impl Columns<'_> {
    /// Refuses shapes that do not fit. `n_prompts` is the number of embeddings.
    fn check(&self, n_prompts: usize) -> PyResult<()> {
        let (n_rows, n_models) = self.scores.dim();
        if n_rows != n_prompts {
            return Err(refuse(format!(
                "scores have {n_rows} rows, expected {n_prompts}, one for each embedding"
            )));
        }
        if n_models == 0 {
            return Err(refuse("scores have no column, expected one for each LLM"));
        }
        if let Some(costs) = self.cost_usd
            && costs.dim() != self.scores.dim()
        {
            return Err(refuse(format!(
                "costs have shape `{:?}`, expected `{:?}`, as scores have",
                costs.dim(),
                self.scores.dim()
            )));
        }
        for (what, found, expected) in [
            (
                "names of LLMs",
                self.models.as_ref().map(Vec::len),
                n_models,
            ),
            ("groups", self.groups.as_ref().map(Vec::len), n_rows),
        ] {
            if let Some(found) = found
                && found != expected
            {
                return Err(refuse(format!(
                    "{found} {what} were given, expected {expected}"
                )));
            }
        }
        Ok(())
    }

    /// The table of these columns. Scores may be of any scale; NaN is unknown.
    pub(crate) fn describe(self, n_prompts: usize) -> PyResult<Described> {
        self.check(n_prompts)?;
        let (n_rows, n_models) = self.scores.dim();
        let ids: Vec<String> = (0..n_rows).map(|row| row.to_string()).collect();
        let models = self
            .models
            .unwrap_or_else(|| (0..n_models).map(|m| format!("llm-{m}")).collect());
        // Rows of one prompt are together in whatever is chosen by held-out rows.
        let prompts = match self.groups {
            Some(groups) => groups.iter().map(i64::to_string).collect(),
            None => ids.clone(),
        };
        let (cost_usd, cost_kind) = match self.cost_usd {
            Some(costs) => (costs.to_owned(), CostKind::Usd),
            // Nothing to weigh scores against, so that only they count, and nothing to predict.
            None => (Array2::zeros(self.scores.dim()), CostKind::Known),
        };
        let cost_rule = match cost_kind {
            CostKind::Known => CostRule::InputTokens,
            CostKind::Usd | CostKind::OutputTokens => CostRule::Given,
        };
        let split = match self.is_shuffled {
            // Neither the share nor the seed of a split that someone else made is known, and nothing asks for them.
            true => SplitOrigin::Random {
                test_size: 0.0,
                seed: 0,
            },
            false => SplitOrigin::Given,
        };
        let info = DatasetInfo {
            name: ARRAYS.to_owned(),
            models: models
                .iter()
                .map(|name| ModelInfo {
                    name: name.clone(),
                    price: None,
                    cost_rule,
                })
                .collect(),
            pair: None,
            cost_kind,
            n_train: n_rows,
            n_test: 0,
            n_validation: None,
            part_sha256: None,
            split,
            sources: Vec::new(),
            made_by: crate::router::MADE_BY.to_owned(),
            options: Default::default(),
            notes: Vec::new(),
            findings: Default::default(),
        };
        let table = PartTable {
            tasks: vec![String::new(); n_rows],
            ids,
            prompts,
            models,
            scores: self.scores.to_owned(),
            input_tokens: None,
            output_tokens: None,
            cost_usd,
            propensities: None,
            kept: KeptColumns::default(),
        };
        Ok(Described { table, info })
    }
}
