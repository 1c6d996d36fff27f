//! What routing is worth on a data set: each router's gain over the best single LLM, as figures and tables show it.

mod measure;

use dataset::router_names::CARROT_BLEND;
use evaluation::worth::{Estimate, GainReport, TaskGain};
use serde::Deserialize;

use super::series::Series;

/// The gains of a data set's routers.
#[derive(Debug, Clone)]
pub(crate) struct Gains {
    pub(crate) dataset: String,
    /// What a whole score is worth, in dollars, ascending; a single infinite one where the LLMs' costs do not differ.
    pub(crate) worths_usd: Vec<f64>,
    /// In the order of legends.
    pub(crate) routers: Vec<RouterGains>,
    /// Of each two routers that were measured on the same prompts, once.
    pub(crate) differences: Vec<GainDifference>,
    /// Level of confidence of intervals and bands.
    pub(crate) level: f64,
}

/// One router's gains.
#[derive(Debug, Clone)]
pub(crate) struct RouterGains {
    pub(crate) series: Series,
    pub(crate) measured_on: MeasuredOn,
    pub(crate) report: GainReport,
    /// Averaged over the worths, by task in the order of their first prompts.
    pub(crate) tasks: Vec<(String, TaskGain)>,
    /// The whole procedure on permuted prompts, where its manifest has that.
    pub(crate) null: Option<Null>,
}

/// Mean gains of a router that was fitted on prompts which were permuted against their scores, with the p-value of the router's own gain
/// against them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Null {
    pub(crate) over_all: NullGains,
    pub(crate) within_tasks: NullGains,
}

/// One mean gain per permutation.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct NullGains {
    pub(crate) gains: Vec<f64>,
    pub(crate) p: f64,
}

/// By how much the mean gain of one router exceeds another's on the same prompts; the routers by position.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GainDifference {
    pub(crate) first: usize,
    pub(crate) second: usize,
    pub(crate) n_prompts: usize,
    pub(crate) gain: Estimate,
}

/// The prompts that a router was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MeasuredOn {
    /// All prompts, each predicted by a fit on other folds.
    OutOfFold,
    /// The test part, against the best single LLM of the train part.
    TestPart,
}

/// Gains, or why there are none, and what makes some.
pub(crate) type Found = Result<Gains, (String, String)>;

impl MeasuredOn {
    /// In CSV files.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::OutOfFold => "out-of-fold",
            Self::TestPart => "test-part",
        }
    }

    /// In tables for readers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OutOfFold => "all prompts, out of fold",
            Self::TestPart => "test part",
        }
    }
}

impl Gains {
    /// Whether gains depend on the worth; they do not where all LLMs cost the same.
    pub(crate) fn has_curves(&self) -> bool {
        self.worths_usd
            .iter()
            .all(|worth_usd| worth_usd.is_finite())
    }

    /// Whose gains are shown where there is room for one router alone. By rank and not by gain: the largest of several is the luckiest.
    pub(crate) fn lead(&self) -> Option<&RouterGains> {
        let routers = || self.routers.iter();
        let blend = routers().find(|of| of.series.key() == CARROT_BLEND);
        let out_of_fold = || routers().find(|of| of.measured_on != MeasuredOn::TestPart);
        blend.or_else(out_of_fold).or_else(|| routers().next())
    }
}

impl RouterGains {
    /// The gain on all prompts.
    pub(crate) fn all(&self) -> TaskGain {
        TaskGain {
            n_prompts: self.report.n_prompts,
            gain: self.report.mean,
        }
    }

    /// The gain on a task's prompts; `None` where it was measured on none.
    pub(crate) fn task(&self, name: &str) -> Option<TaskGain> {
        let found = self.tasks.iter().find(|(task, _)| task == name);
        found.map(|&(_, gain)| gain)
    }
}

impl NullGains {
    /// The mean over the permutations, the least and the largest; NaN without any.
    pub(crate) fn summary(&self) -> (f64, [f64; 2]) {
        let n = self.gains.len() as f64;
        let end =
            |of: fn(f64, f64) -> f64| self.gains.iter().copied().reduce(of).unwrap_or(f64::NAN);
        (
            self.gains.iter().sum::<f64>() / n,
            [end(f64::min), end(f64::max)],
        )
    }
}
