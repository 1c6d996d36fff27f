//! The chart of what `carrot-router worth` has measured, for report.html.

use charts::{
    draw::{
        look::Look,
        style::{PageSize, Style},
    },
    error::Result,
};
use dataset::{WorthEstimate, WorthPoint, WorthRecord};
use evaluation::worth::{Estimate, GainAt, GainReport, Support};

use super::drawing;
use crate::data::{
    gains::{Gains, MeasuredOn, RouterGains},
    series::Series,
};

/// As wide as a phone shows without making its text too small to read.
const PAGE: PageSize = PageSize {
    width_in: 4.3,
    height_in: 3.1,
};

/// Draws the gain against dollars per right answer, with its band.
///
/// # Errors
/// When the font or the backend fails.
pub(crate) fn draw(record: &WorthRecord, style: &Style) -> Result<String> {
    // The page has the data set's name above it.
    let style = Style {
        has_titles: false,
        ..*style
    };
    drawing::draw_by_worth(&gains(record), Look::Color, PAGE, &style)
}

fn gains(record: &WorthRecord) -> Gains {
    let router = RouterGains {
        series: Series::Router(record.router.clone()),
        measured_on: MeasuredOn::OutOfFold,
        report: GainReport {
            n_prompts: record.counts.n_judged,
            n_groups: record.counts.n_judged,
            n_repeats: record.settings.n_repeats,
            level: record.settings.level,
            mean: estimate(&record.gain),
            routes: record.curve.iter().any(|point| point.moved_share > 0.0),
            curve: record.curve.iter().map(at).collect(),
            // Not drawn; the page says it beside the figure.
            support: Support::of_all_known(record.counts.n_judged),
        },
        tasks: Vec::new(),
        null: None,
    };
    Gains {
        dataset: record.dataset.clone(),
        worths_usd: record.curve.iter().map(|point| point.worth_usd).collect(),
        routers: vec![router],
        differences: Vec::new(),
        level: record.settings.level,
    }
}

fn at(point: &WorthPoint) -> GainAt {
    GainAt {
        worth_usd: point.worth_usd,
        gain: estimate(&point.gain),
        band_low: point.band_low,
        band_high: point.band_high,
        best_constant: None,
        best_constant_share: f64::NAN,
        differing_share: point.moved_share,
        routed_shares: Vec::new(),
    }
}

fn estimate(of: &WorthEstimate) -> Estimate {
    Estimate {
        value: of.estimate,
        standard_error: of.standard_error,
        low: of.low,
        high: of.high,
        p_above: f64::NAN,
        p_below: f64::NAN,
    }
}
