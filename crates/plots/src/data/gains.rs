//! What routing is worth on a data set: gains over the best single LLM of each router that has predictions, as figures and tables show them.

use dataset::router_names::CARROT_BLEND;

use super::series::Series;

/// The gains of a data set's routers.
#[derive(Debug, Clone)]
pub(crate) struct Gains {
    pub(crate) dataset: String,
    /// What a whole score is worth, in dollars, ascending; a single infinite one where the LLMs' costs do not differ.
    pub(crate) worths_usd: Vec<f64>,
    /// In the order of legends.
    pub(crate) routers: Vec<RouterGains>,
    /// Level of confidence of intervals and bands.
    pub(crate) level: f64,
}

/// One router's gains.
#[derive(Debug, Clone)]
pub(crate) struct RouterGains {
    pub(crate) series: Series,
    pub(crate) measured_on: MeasuredOn,
    /// Averaged over the worths.
    pub(crate) mean: Gain,
    /// One per worth.
    pub(crate) curve: Vec<GainAt>,
    /// Averaged over the worths, by task in the order of their first prompts.
    pub(crate) tasks: Vec<(String, Gain)>,
}

/// The prompts that a router was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MeasuredOn {
    /// All prompts, each predicted by a fit on other folds.
    OutOfFold { n_repeats: usize },
    /// The test part, against the best single LLM of the train part.
    TestPart,
}

/// A mean gain, in scores; unknown numbers are NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gain {
    pub(crate) estimate: f64,
    pub(crate) standard_error: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) n_prompts: usize,
    /// One-sided, for a gain above 0 and for one below.
    pub(crate) p_gain: f64,
    pub(crate) p_loss: f64,
}

/// The gain at one worth, with the ends of the band that holds the whole curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GainAt {
    pub(crate) gain: Gain,
    pub(crate) band_low: f64,
    pub(crate) band_high: f64,
}

impl MeasuredOn {
    /// As CSV files say it.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::OutOfFold { .. } => "out-of-fold",
            Self::TestPart => "test-part",
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
    /// The gain on a task's prompts; `None` where it was measured on none.
    pub(crate) fn task(&self, name: &str) -> Option<Gain> {
        let found = self.tasks.iter().find(|(task, _)| task == name);
        found.map(|&(_, gain)| gain)
    }
}
