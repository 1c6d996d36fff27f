//! Axes: the range shown, round ticks and their labels.

/// How values become lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Log,
}

/// A marked value.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// In data units.
    pub value: f64,
    /// As it is written beside the axis.
    pub label: String,
}

/// One axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    /// Values with a mark, a grid line and a label.
    pub ticks: Vec<Tick>,
    /// Values with a thin grid line and no label.
    pub minor: Vec<f64>,
}

/// Share of the range that is left empty at either end, so that no marker sits on the frame.
const PADDING: f64 = 0.04;
/// Below this many decades, powers of ten alone are too few ticks.
const FEW_DECADES: f64 = 3.0;

impl Axis {
    /// An axis that shows all of `low..=high` with some room around, with ticks only at values that `bounds` holds.
    ///
    /// A range without width is widened, so that a single value still lies between two ticks.
    #[must_use]
    pub fn linear((low, high): (f64, f64), bounds: (f64, f64), max_ticks: usize) -> Self {
        let (mut low, mut high) = (low, high);
        // A range that rounding alone has made is none.
        let least = f64::max(1e-9, 1e-6 * low.abs().max(high.abs()));
        if high - low < least {
            let half = if high == 0.0 { 0.5 } else { 0.1 * high.abs() };
            low = (low - half).max(bounds.0);
            high = (high + half).min(bounds.1);
        }
        let room = PADDING * (high - low);
        let (low, high) = (low - room, high + room);
        let (first, last) = (low.max(bounds.0), high.min(bounds.1));
        let step = nice_step(last - first, max_ticks);
        let n_decimals = decimals(step);
        // Ticks are counted in whole steps: adding a step up would let rounding creep into the labels.
        let ticks = ((first / step - 1e-9).ceil() as i64..=(last / step + 1e-9).floor() as i64)
            .map(|i| i as f64 * step)
            .map(|value| Tick {
                value,
                label: if value == 0.0 {
                    "0".to_owned()
                } else {
                    format!("{value:.n_decimals$}")
                },
            })
            .collect();
        Self {
            scale: Scale::Linear,
            low,
            high,
            ticks,
            minor: Vec::new(),
        }
    }

    /// A logarithmic axis; both ends must be above 0.
    #[must_use]
    pub fn log((low, high): (f64, f64)) -> Self {
        let (low, high) = (low.log10(), high.log10());
        // Half a decade holds a 1, a 2 or a 5 wherever it starts.
        let room = f64::max(PADDING * (high - low), 0.25 - (high - low) / 2.0);
        let (low, high) = (low - room, high + room);
        let mut ticks = Vec::new();
        let mut minor = Vec::new();
        for exponent in low.floor() as i32..=high.ceil() as i32 {
            for digit in 1..10 {
                let value = f64::from(digit) * 10_f64.powi(exponent);
                if !(low..=high).contains(&value.log10()) {
                    continue;
                }
                if digit == 1 || (high - low < FEW_DECADES && (digit == 2 || digit == 5)) {
                    let n_decimals = usize::try_from(-exponent).unwrap_or(0);
                    ticks.push(Tick {
                        value,
                        label: format!("{value:.n_decimals$}"),
                    });
                } else {
                    minor.push(value);
                }
            }
        }
        Self {
            scale: Scale::Log,
            low,
            high,
            ticks,
            minor,
        }
    }

    /// The position of a value, from 0 at the low end to 1 at the high end.
    #[must_use]
    pub fn position(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Log => value.log10(),
        };
        (value - self.low) / (self.high - self.low)
    }

    /// Whether equal distances are equal factors.
    #[must_use]
    pub fn is_log(&self) -> bool {
        self.scale == Scale::Log
    }

    /// Decimals of the longest tick label.
    #[must_use]
    pub fn max_decimals(&self) -> usize {
        let decimals = |label: &str| {
            label
                .split_once('.')
                .map_or(0, |(_, decimals)| decimals.len())
        };
        self.ticks
            .iter()
            .map(|tick| decimals(&tick.label))
            .max()
            .unwrap_or(0)
    }
}

/// The least and the largest of some numbers; `None` without any.
pub fn range(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().fold(None, |range, value| {
        let (low, high) = range.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    })
}

/// The least step of 1, 2 or 5 times a power of ten with which `span` has at most `max_ticks` steps.
fn nice_step(span: f64, max_ticks: usize) -> f64 {
    let rough = span / max_ticks as f64;
    let exponent = rough.log10().floor() as i32;
    let step = |digit: f64, exponent: i32| {
        // 5 * 10^-3 is 0.005 only when it is divided, not multiplied.
        if exponent < 0 {
            digit / 10_f64.powi(-exponent)
        } else {
            digit * 10_f64.powi(exponent)
        }
    };
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|digit| step(digit, exponent))
        .find(|&step| step >= rough * (1.0 - 1e-9))
        .unwrap_or_else(|| step(1.0, exponent + 1))
}

fn decimals(step: f64) -> usize {
    usize::try_from(-(step.log10() + 1e-9).floor() as i32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        for ((low, high), expected) in [
            ((0.0, 0.0078), vec!["0", "0.002", "0.004", "0.006", "0.008"]),
            ((0.18, 0.76), vec!["0.2", "0.4", "0.6"]),
            ((0.61, 0.69), vec!["0.62", "0.64", "0.66", "0.68"]),
            ((0.0, 30.0), vec!["0", "10", "20", "30"]),
            ((0.5, 0.5), vec!["0.45", "0.50", "0.55"]),
            ((0.0, 1.0), vec!["0", "0.5", "1.0"]),
        ] {
            assert_eq!(
                labels(&Axis::linear((low, high), (0.0, 1e9), 5)),
                expected,
                "{low}..{high}"
            );
        }
    }

    #[test]
    fn log_ticks_are_powers_or_1_2_5() {
        assert_eq!(
            labels(&Axis::log((0.07, 7.65))),
            ["0.1", "0.2", "0.5", "1", "2", "5"]
        );
        assert_eq!(labels(&Axis::log((0.04, 83.0))), ["0.1", "1", "10", "100"]);
        assert_eq!(labels(&Axis::log((0.3, 4.0))), ["0.5", "1", "2"]);
        let one_value = Axis::log((1.0, 1.0));
        assert_eq!(labels(&one_value), ["1"]);
        assert!((one_value.position(1.0) - 0.5).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn every_range_is_shown_with_room(low in 0.0_f64..1e3, span in 0.0_f64..1e3, shrink in 0_i32..9) {
            let unit = 10_f64.powi(-shrink);
            let (low, high) = (low * unit, (low + span) * unit);
            let axis = Axis::linear((low, high), (0.0, f64::INFINITY), 5);
            prop_assert!(axis.position(low) > 0.0 && axis.position(high) < 1.0);
            prop_assert!((1..=7).contains(&axis.ticks.len()), "{:?}", axis.ticks);
            prop_assert!(axis.ticks.iter().all(|tick| (0.0..=1.0).contains(&axis.position(tick.value))));
        }
    }
}
