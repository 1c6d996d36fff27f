//! What the legend of an accuracy-cost figure says.

use super::scene::{DataPoint, Scene, SceneCurve};
use crate::{
    draw::{
        legend::{Entry, Legend, Sample},
        look::Look,
        marker::Shape,
        shorten,
        style::Style,
    },
    error::Result,
};

/// Every curve once, and the oracles.
pub(super) fn entries(
    scenes: &[Scene],
    shown_oracles: &[Option<DataPoint>],
    look: Look,
) -> Vec<Entry> {
    let mut curves: Vec<&SceneCurve> = Vec::new();
    for curve in scenes.iter().flat_map(|scene| &scene.curves) {
        if curves.iter().all(|known| known.line != curve.line) {
            curves.push(curve);
        }
    }
    let mut entries: Vec<Entry> = curves
        .iter()
        .map(|curve| Entry {
            text: shorten::shortened(&curve.line.name),
            sample: Sample::Curve(curve.line.style(look)),
        })
        .collect();
    let sample = Sample::Marker(Shape::ORACLE);
    if shown_oracles.iter().any(Option::is_some) {
        let text = "Oracle".to_owned();
        entries.push(Entry { text, sample });
    } else {
        // An oracle far above everything would squeeze the curves into a strip, so the legend gives its accuracy instead.
        let oracles = scenes.iter().filter_map(|scene| scene.oracle);
        entries.extend(oracles.map(|oracle| Entry {
            text: format!("Oracle {:.3} (off scale)", oracle.accuracy),
            sample,
        }));
    }
    entries
}

/// The legend in as many columns as `width` holds.
///
/// # Errors
/// When the font is broken.
pub(super) fn below_frames(entries: Vec<Entry>, width: f64, style: &Style) -> Result<Legend> {
    let mut legend = Legend::new(entries.clone(), style.legend_pt, 1)?;
    for n_columns in 2..=entries.len().max(1) {
        let wider = Legend::new(entries.clone(), style.legend_pt, n_columns)?;
        if wider.width() > width {
            break;
        }
        legend = wider;
    }
    Ok(legend)
}
