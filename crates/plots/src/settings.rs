//! configs/plots.toml: what it may say, and what it must not.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, ensure};
use intrinsic_dimension::DimensionParams;
use serde::Deserialize;

/// The file that is in force unless `--config` names another one.
const BUILT_IN: &str = include_str!("../../../configs/plots.toml");

/// How figures are drawn; the keys are explained in configs/plots.toml.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) width_in: f64,
    pub(crate) height_in: f64,
    pub(crate) png_dpi: f64,
    pub(crate) axis_title_pt: f64,
    pub(crate) tick_pt: f64,
    pub(crate) legend_pt: f64,
    pub(crate) label_pt: f64,
    pub(crate) curve_width_pt: f64,
    pub(crate) max_ticks: usize,
    pub(crate) x_scale: XScale,
    pub(crate) crowd_share: f64,
    pub(crate) crowd_cost: f64,
    pub(crate) cost_unit: CostUnit,
    pub(crate) title: bool,
    pub(crate) mixture: bool,
    pub(crate) oracle_room: f64,
    pub(crate) bootstrap: BootstrapSettings,
    pub(crate) embedding_dim: EmbeddingDimSettings,
    /// Page of a figure `rate_optimality` of two rows.
    pub(crate) rate_optimality: PageSettings,
    /// By data set.
    pub(crate) reference_quirks: BTreeMap<String, QuirkSettings>,
}

/// How the reference draws `vs_rb_zero`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct QuirkSettings {
    pub(crate) n_steps: usize,
    pub(crate) cost_multiplier: f64,
    pub(crate) rule_cost_multiplier: f64,
    /// LLMs that the zero router's line goes through; none for no line.
    pub(crate) zero_router: Vec<String>,
}

/// The figure `embedding_dim`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct EmbeddingDimSettings {
    pub(crate) page: PageSettings,
    pub(crate) analysis: DimensionParams,
}

/// A page of another size than that of most figures.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PageSettings {
    pub(crate) width_in: f64,
    pub(crate) height_in: f64,
}

/// How intervals of metrics are computed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BootstrapSettings {
    pub(crate) n_resamples: usize,
    pub(crate) seed: u64,
    /// Level of confidence, in (0, 1).
    pub(crate) level: f64,
}

/// Scale of the cost axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum XScale {
    Auto,
    Linear,
    Log,
}

/// What the cost axis counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum CostUnit {
    #[serde(rename = "auto")]
    Auto,
    #[serde(rename = "per-query")]
    PerQuery,
    #[serde(rename = "per-1000-queries")]
    PerThousandQueries,
}

impl Settings {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// When the file cannot be read, is not of the expected form, or asks for what cannot be drawn.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        cli_support::read_toml::<Self>(path, BUILT_IN)?.check()
    }

    fn check(self) -> anyhow::Result<Self> {
        let ranges = [
            ("width-in", self.width_in, 2.0, 40.0),
            ("height-in", self.height_in, 2.0, 40.0),
            ("png-dpi", self.png_dpi, 20.0, 1200.0),
            ("axis-title-pt", self.axis_title_pt, 3.0, 40.0),
            ("tick-pt", self.tick_pt, 3.0, 40.0),
            ("legend-pt", self.legend_pt, 3.0, 40.0),
            ("label-pt", self.label_pt, 3.0, 40.0),
            ("curve-width-pt", self.curve_width_pt, 0.1, 10.0),
            ("max-ticks", self.max_ticks as f64, 2.0, 20.0),
            ("crowd-share", self.crowd_share, 0.0, 1.0),
            ("crowd-cost", self.crowd_cost, 0.0, 1.0),
            ("oracle-room", self.oracle_room, 0.0, 100.0),
            (
                "bootstrap.n-resamples",
                self.bootstrap.n_resamples as f64,
                1.0,
                1e6,
            ),
            (
                "embedding-dim.page.width-in",
                self.embedding_dim.page.width_in,
                4.0,
                40.0,
            ),
            (
                "embedding-dim.page.height-in",
                self.embedding_dim.page.height_in,
                4.0,
                40.0,
            ),
            (
                "rate-optimality.width-in",
                self.rate_optimality.width_in,
                4.0,
                40.0,
            ),
            (
                "rate-optimality.height-in",
                self.rate_optimality.height_in,
                4.0,
                40.0,
            ),
            ("bootstrap.level", self.bootstrap.level, 0.01, 0.9999),
        ];
        for (key, value, low, high) in ranges {
            ensure!(
                (low..=high).contains(&value),
                "`{key}` is {value}, expected a number from {low} to {high}"
            );
        }
        for (dataset, quirks) in &self.reference_quirks {
            let QuirkSettings {
                n_steps,
                cost_multiplier,
                rule_cost_multiplier,
                ..
            } = quirks;
            ensure!(
                *n_steps > 0 && *cost_multiplier > 0.0 && *rule_cost_multiplier > 0.0,
                "`reference-quirks.{dataset}` has a number that is not above 0: {n_steps} steps, multipliers {cost_multiplier} and \
                 {rule_cost_multiplier}"
            );
        }
        self.embedding_dim
            .analysis
            .clone()
            .check()
            .context("in `embedding-dim.analysis`")?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_settings_are_good() {
        assert!(Settings::read(None).is_ok());
    }

    #[test]
    fn bad_settings_are_refused() {
        for (key, value) in [
            ("width-in", "0.5"),
            ("png-dpi", "nan"),
            ("max-ticks", "1"),
            ("crowd-share", "1.5"),
            ("x-scale", "\"cubic\""),
            ("title", "3"),
            ("n-resamples", "0"),
            ("seed", "-1"),
            ("level", "95"),
            ("level", "nan"),
            ("variance-shares", "[2.0]"),
            ("n-neighbors", "0"),
            ("n-steps", "0"),
            ("rule-cost-multiplier", "nan"),
            ("gamma-times-dim", "-1.0"),
        ] {
            let text: String = BUILT_IN
                .lines()
                .map(|line| {
                    if line.starts_with(&format!("{key} =")) {
                        format!("{key} = {value}\n")
                    } else {
                        format!("{line}\n")
                    }
                })
                .collect();
            let read = cli_support::read_toml::<Settings>(None, &text).and_then(Settings::check);
            assert!(read.is_err(), "{key} = {value}");
        }
        assert!(
            cli_support::read_toml::<Settings>(None, &format!("{BUILT_IN}\nextra = 1\n")).is_err()
        );
    }
}
