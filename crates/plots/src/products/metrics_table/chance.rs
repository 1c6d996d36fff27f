//! How likely the numbers of the table are by chance, corrected for how many there are.

use evaluation::worth::{Area, Verdict, holm};

use crate::data::intervals::{Intervals, Tails};

/// The p-values of one table. Those above 0 are one family, and those below another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chance {
    /// Of each router with a gain.
    pub(super) gains: Vec<Against>,
    /// Of each contender's cross-fitted gain over the zero router; `None` for references.
    pub(super) areas: Vec<Option<Against>>,
}

/// One number against 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Against {
    pub(super) tails: Tails,
    /// Corrected for all numbers of the table.
    pub(super) above_holm: f64,
    pub(super) below_holm: f64,
    /// In a word or two.
    pub(super) verdict: &'static str,
}

impl Chance {
    pub(super) fn new(intervals: &Intervals) -> Self {
        let gains = intervals
            .gains
            .as_ref()
            .map_or(&[][..], |gains| &gains.routers);
        let of_gains = gains.iter().map(|of| Tails {
            above: of.report.mean.p_above,
            below: of.report.mean.p_below,
        });
        let contenders = 0..intervals.routers.len();
        let compared: Vec<usize> = contenders
            .clone()
            .filter(|&i| !intervals.is_reference(i))
            .collect();
        let of_areas = compared
            .iter()
            .map(|&i| intervals.area_tails(i, Area::GainOverZeroRouter));
        let tails: Vec<Tails> = of_gains.chain(of_areas).collect();
        let adjusted = |of: fn(&Tails) -> f64| holm(&tails.iter().map(of).collect::<Vec<_>>());
        let (above, below) = (adjusted(|tails| tails.above), adjusted(|tails| tails.below));
        let tail = (1.0 - intervals.settings.level) / 2.0;
        let against = |i: usize| Against {
            tails: tails[i],
            above_holm: above[i],
            below_holm: below[i],
            verdict: match (above[i] <= tail, below[i] <= tail) {
                (true, _) => "gains",
                (_, true) => "loses",
                _ => "cannot tell",
            },
        };
        let of_gains = (gains.iter().enumerate()).map(|(i, of)| {
            let never_routes = !of.report.routes && of.report.verdict(None) == Verdict::NotWorthIt;
            Against {
                verdict: if of.report.support.refusal().is_some() {
                    "cannot tell"
                } else if never_routes {
                    "does not route"
                } else {
                    against(i).verdict
                },
                ..against(i)
            }
        });
        let of_contender = |i: usize| {
            let position = compared.iter().position(|&compared| compared == i)?;
            Some(against(gains.len() + position))
        };
        Self {
            gains: of_gains.collect(),
            areas: contenders.map(of_contender).collect(),
        }
    }
}

/// A p-value as readers see it.
pub(super) fn p_value(p: f64) -> String {
    if p.is_nan() {
        "N/A".to_owned()
    } else if p < 1e-4 {
        "<0.0001".to_owned()
    } else {
        format!("{p:.4}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_readable() {
        for (p, expected) in [
            (0.5, "0.5000"),
            (0.000_16, "0.0002"),
            (3e-9, "<0.0001"),
            (f64::NAN, "N/A"),
        ] {
            assert_eq!(p_value(p), expected);
        }
    }
}
