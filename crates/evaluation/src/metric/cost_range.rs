use crate::{Error, Point, Result};

/// Costs that differ by less than this part of the largest one are the same: they are sums of the same terms in another order.
pub(crate) const SAME_COST: f64 = 1e-12;

/// The costs over which an area is taken, in US dollars per prompt. To compare routers, take one range over all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CostRange {
    min_usd: f64,
    max_usd: f64,
}

impl CostRange {
    /// From `min_usd` to `max_usd`, which may be equal.
    ///
    /// # Errors
    /// [`Error::BadCostRange`] when one is not finite, or they are in descending order.
    pub fn new(min_usd: f64, max_usd: f64) -> Result<Self> {
        if min_usd.is_finite() && max_usd.is_finite() && min_usd <= max_usd {
            Ok(Self { min_usd, max_usd })
        } else {
            Err(Error::BadCostRange { min_usd, max_usd })
        }
    }

    /// The least range that holds all given points, say of all routers; points that are not finite do not count. `None` of no points.
    pub fn over(points: impl IntoIterator<Item = Point>) -> Option<Self> {
        points
            .into_iter()
            .filter(Point::is_finite)
            .map(|point| Self {
                min_usd: point.cost_usd,
                max_usd: point.cost_usd,
            })
            .reduce(|a, b| Self {
                min_usd: a.min_usd.min(b.min_usd),
                max_usd: a.max_usd.max(b.max_usd),
            })
    }

    /// Lower end.
    pub fn min_usd(self) -> f64 {
        self.min_usd
    }

    /// Upper end.
    pub fn max_usd(self) -> f64 {
        self.max_usd
    }

    pub(crate) fn width_usd(self) -> f64 {
        self.max_usd - self.min_usd
    }

    /// Whether both ends are the same cost, but for the rounding of sums.
    pub(crate) fn is_one_cost(self) -> bool {
        self.width_usd() <= SAME_COST * self.max_usd.abs()
    }

    /// 0 at the lower end, 1 at the upper one, and 0 everywhere if there is nothing between.
    pub(crate) fn normalized(self, cost_usd: f64) -> f64 {
        if !self.is_one_cost() {
            ((cost_usd - self.min_usd) / self.width_usd()).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_checked() {
        assert!(CostRange::new(1.0, 1.0).is_ok());
        for (min_usd, max_usd) in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
            assert!(matches!(
                CostRange::new(min_usd, max_usd),
                Err(Error::BadCostRange { .. })
            ));
        }
        let over = CostRange::over(
            [(3.0, 0.1), (f64::NAN, 0.1), (1.0, 0.9)]
                .map(|(cost_usd, accuracy)| Point { cost_usd, accuracy }),
        );
        assert_eq!(over, CostRange::new(1.0, 3.0).ok());
        assert_eq!(CostRange::over([]), None);
    }

    #[test]
    fn a_range_that_is_one_bit_wide_is_one_cost() {
        let check = |min_usd, max_usd, is_one_cost, normalized| {
            let range = CostRange::new(min_usd, max_usd).expect("a range");
            assert_eq!(range.is_one_cost(), is_one_cost, "{range:?}");
            assert_eq!(range.normalized(max_usd), normalized, "{range:?}");
        };
        check(0.0, 0.0, true, 0.0);
        check(2.0, 2.0_f64.next_up(), true, 0.0);
        check(2.0, 2.001, false, 1.0);
        check(0.0, 1e-9, false, 1.0);
    }
}
