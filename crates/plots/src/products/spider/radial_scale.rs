//! The scale of the radar chart.

use charts::draw::axis::{Axis, Tick, range};

use super::numbers::Spider;

/// Rings between the center and the rim, at most.
const MAX_RINGS: usize = 6;

/// Values from the center to the rim.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RadialScale {
    pub(super) center: f64,
    pub(super) rim: f64,
    /// From the center to the rim.
    pub(super) ticks: Vec<Tick>,
}

impl RadialScale {
    /// The scale of all accuracy ratios of a figure.
    pub(super) fn of(spider: &Spider) -> Self {
        let cells = spider
            .benchmarks
            .iter()
            .flat_map(|benchmark| &benchmark.cells);
        Self::over(cells.filter_map(|cell| cell.accuracy_ratio().ok()))
    }

    /// A scale that holds 1, the large LLM, and all values; the least one is at least half a ring away from the center.
    fn over(values: impl Iterator<Item = f64>) -> Self {
        // The center is not 0. Most ratios are near 1, and from 0 on all polygons would look like the
        // circle. But the least value keeps half a ring from the center, where a corner could no longer
        // be seen; the caption says where the scale begins.
        let (low, high) = range(values.chain([1.0])).expect("there is at least the 1");
        let axis = Axis::linear((low, high), (0.0, f64::INFINITY), MAX_RINGS);
        let step = match axis.ticks[..] {
            [ref first, ref second, ..] => second.value - first.value,
            _ => 0.1,
        };
        let n_decimals = axis.max_decimals();
        let first = ((low / step - 0.5).floor()).max(0.0) as i64;
        // A value on a ring may come out a rounding error above it, and would add a ring with nothing
        // in it.
        let last = (high / step - 1e-9).ceil() as i64;
        let ticks: Vec<Tick> = (first..=last)
            .map(|i| {
                let value = i as f64 * step;
                Tick {
                    value,
                    label: format!("{value:.n_decimals$}"),
                }
            })
            .collect();
        Self {
            center: first as f64 * step,
            rim: last as f64 * step,
            ticks,
        }
    }

    /// From 0 at the center to 1 at the rim.
    pub(super) fn position(&self, value: f64) -> f64 {
        (value - self.center) / (self.rim - self.center)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_holds_all_values_and_the_circle() {
        let check = |values: &[f64], center: f64, rim: f64, labels: &[&str]| {
            let scale = RadialScale::over(values.iter().copied());
            let found: Vec<&str> = scale.ticks.iter().map(|tick| tick.label.as_str()).collect();
            assert_eq!(found, labels, "{values:?}");
            assert!((scale.center - center).abs() < 1e-9 && (scale.rim - rim).abs() < 1e-9);
            assert!((scale.position(center)).abs() < 1e-9);
            assert!((scale.position(rim) - 1.0).abs() < 1e-9);
        };
        check(
            &[0.83, 0.97, 1.04],
            0.8,
            1.05,
            &["0.80", "0.85", "0.90", "0.95", "1.00", "1.05"],
        );
        // Less than half a ring from .80.
        check(
            &[0.82],
            0.75,
            1.0,
            &["0.75", "0.80", "0.85", "0.90", "0.95", "1.00"],
        );
        check(
            &[0.0, 0.4],
            0.0,
            1.0,
            &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"],
        );
        // Nothing but the circle.
        check(&[], 0.95, 1.0, &["0.95", "1.00"]);
    }
}
