//! `[spider]` of configs/plots.toml.

use std::collections::BTreeSet;

use anyhow::ensure;
use serde::Deserialize;

/// How the figure `spider` is computed and drawn.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SpiderSettings {
    /// Parts of the large LLM's cost.
    pub(crate) shares: Vec<f64>,
    /// The first of these that made predictions is drawn.
    pub(crate) routers: Vec<String>,
    /// Into how many folds a benchmark's test prompts are dealt out.
    pub(crate) n_folds: usize,
    pub(crate) seed: u64,
    pub(crate) max_benchmarks: usize,
    /// Page of the bars.
    pub(crate) bars: BarSettings,
    pub(crate) reference_quirks: SpiderQuirks,
    pub(crate) groupings: Vec<GroupingSettings>,
}

/// The page of the bars.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BarSettings {
    pub(crate) width_in: f64,
    /// Of one benchmark.
    pub(crate) panel_height_in: f64,
}

/// How the reference chooses lambda.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SpiderQuirks {
    pub(crate) n_steps: usize,
    pub(crate) cost_multiplier: f64,
}

/// Which tasks make one benchmark.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct GroupingSettings {
    pub(crate) benchmarks: Vec<BenchmarkSettings>,
    /// Name of the benchmark of all other tasks; without, the grouping is for data sets that have no others.
    pub(crate) others: Option<String>,
}

/// One benchmark.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct BenchmarkSettings {
    pub(crate) name: String,
    /// Text in the names of its tasks.
    pub(crate) task_contains: String,
}

impl SpiderSettings {
    /// Refuses what cannot be drawn.
    ///
    /// # Errors
    /// Names the key.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        // Six, because there are six looks. Ascending, because looks go by position, and the same share
        // should not change its color when the list is reordered.
        ensure!(
            (1..=6).contains(&self.shares.len())
                && self.shares.windows(2).all(|pair| pair[0] < pair[1])
                && self
                    .shares
                    .iter()
                    .all(|share| (1e-4..=10.0).contains(share)),
            "`spider.shares` is {:?}, expected one to six numbers from 0.0001 to 10 in ascending order",
            self.shares
        );
        let ranges = [
            ("n-folds", self.n_folds as f64, 2.0, 1000.0),
            ("max-benchmarks", self.max_benchmarks as f64, 3.0, 30.0),
            ("bars.width-in", self.bars.width_in, 3.0, 40.0),
            ("bars.panel-height-in", self.bars.panel_height_in, 0.8, 20.0),
            (
                "reference-quirks.n-steps",
                self.reference_quirks.n_steps as f64,
                1.0,
                1e6,
            ),
            (
                "reference-quirks.cost-multiplier",
                self.reference_quirks.cost_multiplier,
                1e-9,
                1e9,
            ),
        ];
        for (key, value, low, high) in ranges {
            ensure!(
                (low..=high).contains(&value),
                "`spider.{key}` is {value}, expected a number from {low} to {high}"
            );
        }
        for grouping in &self.groupings {
            // Prompts are grouped by these names, so two benchmarks of one name would silently become one.
            let mut names: BTreeSet<&str> = grouping.others.as_deref().into_iter().collect();
            for BenchmarkSettings { name, .. } in &grouping.benchmarks {
                ensure!(
                    names.insert(name),
                    "`spider.groupings` has two benchmarks `{name}` in one grouping"
                );
            }
        }
        Ok(())
    }
}
