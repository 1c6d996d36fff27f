use crate::{Error, Result};

/// Where a router or an LLM stands: means per prompt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Mean true cost in US dollars.
    pub cost_usd: f64,
    /// Mean true score, in [0, 1].
    pub accuracy: f64,
}

/// One operating point of a router.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// The least weight of cost from which the point holds, in [0, 1]; for a pair router the threshold alpha: the small LLM answers
    /// where its probability is at least alpha, and infinity stands for never.
    pub setting: f64,
    /// Mean true cost in US dollars; NaN, as the accuracy, where nothing is known of any choice.
    pub cost_usd: f64,
    /// Mean true score, in [0, 1].
    pub accuracy: f64,
}

/// What a router does on some prompts at one lambda.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// Where it stands.
    pub point: Point,
    /// Which share of the prompts each LLM gets, whether it is known there or not, see [`crate::choice::shares_at`].
    pub shares: Vec<f64>,
}

/// What a router can do, from the most accurate end (lambda 0, or only the large LLM) to the cheapest (lambda 1, or only the small one).
///
/// Neither cost nor accuracy need fall from point to point: choices are made by predicted values, means are of true ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// The operating points in order; at least one, and at least one that is known.
    pub points: Vec<CurvePoint>,
    /// How many prompts have an LLM to choose; where scores are missing, means are over those of them whose choice is known.
    pub n_prompts: usize,
}

impl Point {
    pub(crate) fn is_finite(&self) -> bool {
        self.cost_usd.is_finite() && self.accuracy.is_finite()
    }
}

impl CurvePoint {
    /// `None` where nothing is known of any choice.
    pub(crate) fn new(setting: f64, point: Option<Point>) -> Self {
        Self {
            setting,
            cost_usd: point.map_or(f64::NAN, |point| point.cost_usd),
            accuracy: point.map_or(f64::NAN, |point| point.accuracy),
        }
    }

    /// Whether anything is known of the choices.
    pub fn is_known(&self) -> bool {
        !self.accuracy.is_nan()
    }
}

impl From<CurvePoint> for Point {
    fn from(point: CurvePoint) -> Self {
        Self {
            cost_usd: point.cost_usd,
            accuracy: point.accuracy,
        }
    }
}

impl Curve {
    /// Refuses points of which none is known.
    pub(crate) fn checked(points: Vec<CurvePoint>, n_prompts: usize) -> Result<Self> {
        match points.iter().any(CurvePoint::is_known) {
            true => Ok(Self { points, n_prompts }),
            false => Err(Error::NothingToChoose { n_prompts }),
        }
    }

    /// The points of which anything is known; as a rule all.
    pub fn known_points(&self) -> impl Iterator<Item = CurvePoint> {
        let points = self.points.iter().copied();
        points.filter(CurvePoint::is_known)
    }

    /// The known points of the curve without lambdas, as the metrics take it.
    pub fn to_points(&self) -> Vec<Point> {
        self.known_points().map(Point::from).collect()
    }

    /// The most accurate operating point whose mean cost is at most `budget_usd`, the cheapest of several; `None` where all cost more.
    ///
    /// The choice is made on the same prompts as the curve: read off a test curve it is an optimistic, in-sample envelope.
    pub fn best_within(&self, budget_usd: f64) -> Option<CurvePoint> {
        self.best_idx_within(budget_usd)
            .map(|point_idx| self.points[point_idx])
    }

    /// The position of [`Curve::best_within`], the first of several.
    pub(crate) fn best_idx_within(&self, budget_usd: f64) -> Option<usize> {
        let affordable = self.points.iter().enumerate();
        affordable
            .filter(|(_, point)| point.cost_usd <= budget_usd)
            .reduce(|best, other| {
                let better = (other.1.accuracy)
                    .total_cmp(&best.1.accuracy)
                    .then(best.1.cost_usd.total_cmp(&other.1.cost_usd));
                if better.is_gt() { other } else { best }
            })
            .map(|(point_idx, _)| point_idx)
    }
}

/// Points of (US dollars, accuracy).
#[cfg(test)]
pub(crate) fn points<const N: usize>(pairs: [(f64, f64); N]) -> Vec<Point> {
    pairs
        .map(|(cost_usd, accuracy)| Point { cost_usd, accuracy })
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_within_a_budget_is_the_most_accurate_then_the_cheapest() {
        let points = [
            (0.0, 5.0, 0.9),
            (0.1, 4.0, 0.8),
            (0.2, 3.0, 0.8),
            (0.3, 1.0, 0.5),
        ];
        let curve = Curve {
            points: points
                .map(|(lambda, cost_usd, accuracy)| CurvePoint {
                    setting: lambda,
                    cost_usd,
                    accuracy,
                })
                .to_vec(),
            n_prompts: 1,
        };
        let lambda = |budget| curve.best_within(budget).map(|point| point.setting);
        assert_eq!(lambda(9.0), Some(0.0));
        assert_eq!(lambda(4.5), Some(0.2));
        assert_eq!(lambda(1.0), Some(0.3));
        assert_eq!(lambda(0.5), None);
        assert_eq!(lambda(f64::NAN), None);
    }
}
