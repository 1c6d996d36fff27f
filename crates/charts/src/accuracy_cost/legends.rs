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
    let oracle: Vec<String> = if shown_oracles.iter().any(Option::is_some) {
        vec!["Oracle".to_owned()]
    } else {
        // An oracle far above everything would squeeze the curves into a strip, so the legend gives its accuracy instead.
        let oracles = scenes.iter().filter_map(|scene| scene.oracle);
        let text = |oracle: DataPoint| format!("Oracle {:.3} (off scale)", oracle.accuracy);
        oracles.map(text).collect()
    };
    // The oracle keeps its name even where a router has taken it.
    let names = oracle.iter().map(String::as_str);
    let names: Vec<&str> = names
        .chain(curves.iter().map(|curve| &*curve.line.name))
        .collect();
    let mut labels = shorten::curve_labels(&names);
    let of_curves = labels.split_off(oracle.len());
    let entry = |(text, curve): (String, &&SceneCurve)| Entry {
        text,
        sample: Sample::Curve(curve.line.style(look)),
    };
    let of_curves = of_curves.into_iter().zip(&curves).map(entry);
    let of_oracle = labels.into_iter().map(|text| Entry {
        text,
        sample: Sample::Marker(Shape::ORACLE),
    });
    of_curves.chain(of_oracle).collect()
}

/// The legend in as many columns as `width` holds.
///
/// # Errors
/// When the font is broken.
pub(super) fn below_frames(entries: Vec<Entry>, width: f64, style: &Style) -> Result<Legend> {
    let mut legend = Legend::new(entries, style.legend_pt, 1)?;
    for n_columns in 2..=legend.n_entries().max(1) {
        let wider = legend.clone().in_columns(n_columns);
        if wider.width() > width {
            break;
        }
        legend = wider;
    }
    Ok(legend)
}
