//! configs/plots.toml: its keys, and the values they may have.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context as _, ensure};
use charts::{
    accuracy_cost::{CostUnit, ScaleRules, XScale},
    draw::{
        look::Look,
        style::{PageSize, Style},
    },
};
use intrinsic_dimension::DimensionParams;
use serde::Deserialize;

use self::{product::Product, quirks::ReferenceQuirks, spider::SpiderSettings};

pub(crate) mod job;
pub(crate) mod product;
pub(crate) mod quirks;
pub(crate) mod spider;

/// The file that is in force unless `--config` names another one.
const BUILT_IN: &str = include_str!("../../../configs/plots.toml");

/// How figures are drawn; the keys are explained in configs/plots.toml.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Settings {
    pub(crate) width_in: f64,
    pub(crate) height_in: f64,
    /// Page of a print version.
    pub(crate) bw_page: PageSize,
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
    pub(crate) metrics_table: MetricsTableSettings,
    pub(crate) embedding_dim: EmbeddingDimSettings,
    /// Page of a figure `rate_optimality` of two rows.
    pub(crate) rate_optimality: PageSize,
    pub(crate) regret: RegretSettings,
    pub(crate) worth: WorthSettings,
    /// By data set, the paper's names of its figures.
    pub(crate) paper_names: BTreeMap<String, BTreeMap<Product, String>>,
    /// By data set, the LLMs whose names come first.
    pub(crate) named_first: BTreeMap<String, Vec<String>>,
    pub(crate) spider: SpiderSettings,
    /// By data set.
    pub(crate) reference_quirks: BTreeMap<String, ReferenceQuirks>,
}

/// The figure `embedding_dim`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct EmbeddingDimSettings {
    pub(crate) page: PageSize,
    pub(crate) analysis: DimensionParams,
}

/// The figure `regret`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RegretSettings {
    pub(crate) page: PageSize,
    /// Brings dollars to the scale of scores.
    pub(crate) cost_multiplier: f64,
    /// Lambdas of the table.
    pub(crate) lambdas: Vec<f64>,
    /// Steps of lambda along the lines.
    pub(crate) n_steps: usize,
}

/// The figure `worth`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WorthSettings {
    /// The least page; many tasks make it longer.
    pub(crate) page: PageSize,
}

/// The tables of metrics, and the figure `worth`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct MetricsTableSettings {
    /// Resamples behind p-values.
    pub(crate) n_resamples: usize,
}

/// How intervals are computed.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BootstrapSettings {
    pub(crate) n_resamples: usize,
    pub(crate) seed: u64,
    /// Level of confidence, in (0, 1).
    pub(crate) level: f64,
}

impl Settings {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// When the file cannot be read, is not of the expected form, or asks for what cannot be drawn.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        cli_support::read_toml::<Self>(path, BUILT_IN)?.check()
    }

    /// The page of most figures.
    pub(crate) fn page(&self, look: Look) -> PageSize {
        match look {
            Look::Color => PageSize {
                width_in: self.width_in,
                height_in: self.height_in,
            },
            Look::Bw => self.bw_page,
        }
    }

    /// Sizes of text and lines, as charts take them.
    pub(crate) fn style(&self) -> Style {
        Style {
            axis_title_pt: self.axis_title_pt,
            tick_pt: self.tick_pt,
            legend_pt: self.legend_pt,
            label_pt: self.label_pt,
            curve_width_pt: self.curve_width_pt,
            max_ticks: self.max_ticks,
            has_titles: self.title,
        }
    }

    /// As [`Settings::bootstrap`], with as many resamples as p-values take.
    pub(crate) fn comparisons(&self) -> BootstrapSettings {
        BootstrapSettings {
            n_resamples: self.metrics_table.n_resamples,
            ..self.bootstrap
        }
    }

    /// How the axes of accuracy-cost figures are chosen.
    pub(crate) fn scale_rules(&self) -> ScaleRules {
        ScaleRules {
            x_scale: self.x_scale,
            cost_unit: self.cost_unit,
            crowd_share: self.crowd_share,
            crowd_cost: self.crowd_cost,
            oracle_room: self.oracle_room,
        }
    }

    /// The name of a product's files: the paper's, where it shows it of this data set.
    pub(crate) fn stem(&self, product: Product, dataset: &str) -> String {
        let names = self.paper_names.get(dataset);
        // Under the paper's name, so that a figure lies beside the published one and is found by those who know the paper.
        let name = names.and_then(|names| names.get(&product)).cloned();
        name.unwrap_or_else(|| product.name().to_owned())
    }

    /// What the paper calls by a name: the product and the data sets.
    pub(crate) fn named_by_paper(&self, name: &str) -> Option<(Product, BTreeSet<String>)> {
        let mut found: Option<(Product, BTreeSet<String>)> = None;
        for (dataset, names) in &self.paper_names {
            for (&product, stem) in names {
                if stem == name {
                    // One name may be that of several data sets' figures, as SPROUT with and without o3-mini.
                    let (_, datasets) = found.get_or_insert((product, BTreeSet::new()));
                    datasets.insert(dataset.clone());
                }
            }
        }
        found
    }

    /// The LLMs of a data set whose names come first in its figures.
    pub(crate) fn named_first(&self, dataset: &str) -> Vec<String> {
        self.named_first.get(dataset).cloned().unwrap_or_default()
    }

    /// Keys, their values, and the least and the largest value that makes a figure.
    fn ranges(&self) -> Vec<(&'static str, f64, f64, f64)> {
        vec![
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
            ("bw-page.width-in", self.bw_page.width_in, 2.0, 40.0),
            ("bw-page.height-in", self.bw_page.height_in, 2.0, 40.0),
            (
                "bootstrap.n-resamples",
                self.bootstrap.n_resamples as f64,
                1.0,
                1e6,
            ),
            (
                "metrics-table.n-resamples",
                self.metrics_table.n_resamples as f64,
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
            ("bootstrap.level", self.bootstrap.level, 0.01, 0.9999),
            ("worth.page.width-in", self.worth.page.width_in, 4.0, 40.0),
            ("worth.page.height-in", self.worth.page.height_in, 2.0, 40.0),
            ("regret.page.width-in", self.regret.page.width_in, 4.0, 40.0),
            (
                "regret.page.height-in",
                self.regret.page.height_in,
                2.0,
                40.0,
            ),
            ("regret.n-steps", self.regret.n_steps as f64, 1.0, 1e4),
            (
                "regret.cost-multiplier",
                self.regret.cost_multiplier,
                1e-9,
                1e9,
            ),
        ]
    }

    fn check(self) -> anyhow::Result<Self> {
        for &lambda in &self.regret.lambdas {
            ensure!(
                (0.0..=1.0).contains(&lambda),
                "`regret.lambdas` has {lambda}, expected numbers from 0 to 1"
            );
        }
        // Ranges are checked here because a page of 0 inches fails late, deep in the drawing code, and
        // a billion resamples never end.
        for (key, value, low, high) in self.ranges() {
            ensure!(
                (low..=high).contains(&value),
                "`{key}` is {value}, expected a number from {low} to {high}"
            );
        }
        for (dataset, quirks) in &self.reference_quirks {
            quirks
                .check()
                .with_context(|| format!("in `reference-quirks.{dataset}`"))?;
        }
        for names in self.paper_names.values() {
            for name in names.values() {
                // The name becomes part of a path, which must stay within the folder of figures.
                ensure!(
                    is_file_name(name),
                    "`paper-names` has `{name}`, expected letters, digits, `_` and `-`"
                );
            }
        }
        // Checked when settings are read and not when a figure is drawn: a run over many data sets would otherwise fail after half of its
        // work.
        self.spider.check()?;
        self.embedding_dim
            .analysis
            .clone()
            .check()
            .context("in `embedding-dim.analysis`")?;
        Ok(self)
    }
}

fn is_file_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    !name.is_empty() && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use test_support::try_mutations;

    use super::*;

    #[test]
    fn mutations_of_settings_are_read_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plots.toml");
        try_mutations(&[BUILT_IN.as_bytes().to_vec()], |bytes| {
            fs::write(&path, bytes).expect("written");
            _ = Settings::read(Some(&path));
        });
    }

    #[test]
    fn the_built_in_settings_are_good() {
        let settings = Settings::read(None).expect("good");
        // Regret is measured by the rule that routers choose by.
        assert_eq!(
            settings.regret.cost_multiplier,
            evaluation::choice::COST_MULTIPLIER
        );
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
            ("n-thresholds", "0"),
            ("threshold-margin", "nan"),
            ("vs-rb", "\"a/b\""),
            ("rule-cost-multiplier", "nan"),
            ("gamma-times-dim", "-1.0"),
            ("cost-multiplier", "0.0"),
            ("lambdas", "[0.5, 1.5]"),
            ("shares", "[0.2, 0.1]"),
            ("shares", "[]"),
            ("shares", "[0.0]"),
            ("n-folds", "1"),
            ("max-benchmarks", "2"),
            ("panel-height-in", "nan"),
            ("others", "\"MMLU\""),
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
