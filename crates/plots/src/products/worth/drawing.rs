//! The figure `worth`: the gain against what a whole score is worth on the left, gains by task on the right, one legend below both.

use charts::{
    draw::{
        canvas::Canvas,
        geometry::Rect,
        legend::{Entry, Sample},
        look::Look,
        shorten,
        style::{PageSize, Style},
        theme,
    },
    error::Result,
};

use super::{by_task::ByTask, by_worth};
use crate::{
    data::{
        gains::{Gains, MeasuredOn},
        series::Series,
    },
    products::{legend_below::legend_below, percent::percent},
};

/// Gains are drawn in points of accuracy.
pub(super) const POINTS: f64 = 100.0;

/// Draws the figure; the same gains and settings give the same bytes. `page` is the least size: many tasks make it longer.
///
/// # Errors
/// When the font or the backend fails.
pub(super) fn draw(gains: &Gains, look: Look, page: PageSize, style: &Style) -> Result<String> {
    let (width, page_height) = page.in_points();
    let legend = legend_below(entries(gains, look), width, style)?;
    let below = legend.height() + 2.0 * theme::MARGIN;
    let by_task = ByTask::new(gains, width, style)?;
    let bottom = (page_height - below).max(by_task.height(style));
    // A frame of curves is not stretched by the tasks beside it: slopes would look steeper than in the next data set's figure.
    let height = bottom.min(page_height);
    let left = Rect::new(0.0, 0.0, width - by_task.width(), height);
    let right = Rect::new(left.right, 0.0, by_task.width(), bottom);
    Canvas::svg(look, width, bottom + below, |canvas| {
        by_worth::draw(gains, canvas, left, style)?;
        by_task.draw(canvas, right, style)?;
        let left = (width - legend.width()) / 2.0;
        let top = bottom + theme::MARGIN;
        let place = Rect::new(left, top, legend.width(), legend.height());
        legend.draw(canvas, place, style.curve_width_pt)
    })
}

/// The left frame alone, on a page of just this size.
///
/// # Errors
/// When the font or the backend fails.
pub(super) fn draw_by_worth(
    gains: &Gains,
    look: Look,
    page: PageSize,
    style: &Style,
) -> Result<String> {
    let (width, height) = page.in_points();
    let legend = legend_below(entries(gains, look), width, style)?;
    let bottom = height - legend.height() - 2.0 * theme::MARGIN;
    Canvas::svg(look, width, height, |canvas| {
        by_worth::draw(gains, canvas, Rect::new(0.0, 0.0, width, bottom), style)?;
        let left = (width - legend.width()) / 2.0;
        let top = bottom + theme::MARGIN;
        let place = Rect::new(left, top, legend.width(), legend.height());
        legend.draw(canvas, place, style.curve_width_pt)
    })
}

/// The routers with their lines, not routing, and what is shaded.
fn entries(gains: &Gains, look: Look) -> Vec<Entry> {
    let labels = labels(gains);
    let mut entries: Vec<Entry> = (labels.iter().zip(&gains.routers))
        .map(|(label, of)| Entry {
            // A measurement on fewer prompts, of a router fitted on more, is another one.
            text: match of.measured_on {
                MeasuredOn::TestPart => format!("{label}, test part"),
                MeasuredOn::OutOfFold => label.clone(),
            },
            sample: Sample::Curve(of.series.line(look)),
        })
        .collect();
    entries.push(Entry {
        text: Series::NotRouting.name(),
        sample: Sample::Curve(Series::NotRouting.line(look)),
    });
    if gains.has_curves() {
        let shaded: Vec<usize> = by_worth::with_bands(gains).collect();
        let level = percent(gains.level);
        let (text, color) = match shaded[..] {
            [one] => {
                let text = format!("{level} band of {}", labels[one]);
                (text, gains.routers[one].series.line(look).color)
            }
            _ => (format!("{level} bands"), look.palette().marker),
        };
        let sample = Sample::Band(color, by_worth::OPACITY);
        entries.push(Entry { text, sample });
    }
    entries
}

/// What legends call the routers.
pub(super) fn labels(gains: &Gains) -> Vec<String> {
    let names: Vec<String> = (gains.routers.iter().map(|of| of.series.name())).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    shorten::curve_labels(&names)
}
