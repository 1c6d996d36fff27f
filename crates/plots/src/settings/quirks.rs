//! How the reference draws its figures: `--reference-quirks`.

use anyhow::ensure;
use serde::Deserialize;

/// The figures that the reference draws of a data set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ReferenceQuirks {
    pub(crate) binary: Option<BinaryQuirks>,
    pub(crate) vs_rb: Option<RuleQuirks>,
    pub(crate) vs_rb_zero: Option<RuleQuirks>,
}

/// How the reference draws `binary`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BinaryQuirks {
    pub(crate) n_steps: usize,
    pub(crate) cost_multiplier: f64,
    /// Steps of a binary router's threshold.
    pub(crate) n_thresholds: usize,
    /// How far the thresholds reach beyond the probabilities.
    pub(crate) threshold_margin: f64,
}

/// How the reference draws `vs_rb` and `vs_rb_zero`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RuleQuirks {
    pub(crate) n_steps: usize,
    pub(crate) cost_multiplier: f64,
    pub(crate) rule_cost_multiplier: f64,
    /// LLMs that the zero router's line goes through; none for no line.
    pub(crate) zero_router: Vec<String>,
}

impl ReferenceQuirks {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let binary = self.binary.iter().flat_map(|quirks| {
            [
                ("n-steps", quirks.n_steps as f64),
                ("cost-multiplier", quirks.cost_multiplier),
                ("n-thresholds", quirks.n_thresholds as f64),
                ("threshold-margin", quirks.threshold_margin),
            ]
        });
        let rules = self
            .vs_rb
            .iter()
            .chain(&self.vs_rb_zero)
            .flat_map(|quirks| {
                [
                    ("n-steps", quirks.n_steps as f64),
                    ("cost-multiplier", quirks.cost_multiplier),
                    ("rule-cost-multiplier", quirks.rule_cost_multiplier),
                ]
            });
        for (key, value) in binary.chain(rules) {
            ensure!(
                value > 0.0 && value.is_finite(),
                "`{key}` is {value}, expected a number above 0"
            );
        }
        Ok(())
    }
}
