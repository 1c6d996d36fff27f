use crate::{Point, candidates::Answer};

/// A running sum whose error does not grow with the number of terms (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur
/// Summation endlicher Summen").
///
/// The sweep over a curve adds and takes away tens of thousands of costs and ends at a sum a hundred times smaller than it began with;
/// what plain addition loses on the way would show in the cheap end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    total: f64,
    lost: f64,
}

impl Sum {
    pub(crate) fn add(&mut self, term: f64) {
        let total = self.total + term;
        self.lost += if self.total.abs() >= term.abs() {
            (self.total - total) + term
        } else {
            (term - total) + self.total
        };
        self.total = total;
    }

    pub(crate) fn value(self) -> f64 {
        self.total + self.lost
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = Self::default();
        terms.into_iter().for_each(|term| sum.add(term));
        sum
    }
}

/// Running means of true scores and costs, weighted as [`crate::Propensities`] say; what is unknown does not count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PointSum {
    weight: Sum,
    score: Sum,
    cost: Sum,
    /// How many answers there are that are known. Weights that are added and taken away again may leave a rounding error instead of 0.
    n_known: u64,
}

impl PointSum {
    /// Adds an answer so many times.
    pub(crate) fn add(&mut self, count: u32, answer: &Answer) {
        let weight = f64::from(count) * answer.weight;
        self.weight.add(weight);
        self.score.add(weight * answer.score);
        self.cost.add(weight * answer.cost);
        self.n_known += u64::from(count) * u64::from(answer.is_known());
    }

    /// Takes so many away that were added, and adds others in their place.
    pub(crate) fn replace(&mut self, count: u32, from: &Answer, to: &Answer) {
        let (lost, won) = (f64::from(count) * from.weight, f64::from(count) * to.weight);
        // As a rule nothing is missing, and all weights are the same.
        if lost != won {
            self.weight.add(won);
            self.weight.add(-lost);
        }
        self.score.add(won * to.score);
        self.score.add(-lost * from.score);
        self.cost.add(won * to.cost);
        self.cost.add(-lost * from.cost);
        self.n_known += u64::from(count) * u64::from(to.is_known());
        self.n_known -= u64::from(count) * u64::from(from.is_known());
    }

    /// The means; `None` where nothing is known.
    pub(crate) fn point(&self) -> Option<Point> {
        let weight = self.weight.value();
        (self.n_known > 0).then(|| Point {
            cost_usd: self.cost.value() / weight,
            accuracy: self.score.value() / weight,
        })
    }
}

/// The mean, or `None` of nothing.
pub(crate) fn mean(terms: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut n_terms = 0_usize;
    let sum: Sum = terms.into_iter().inspect(|_| n_terms += 1).collect();
    (n_terms > 0).then(|| sum.value() / n_terms as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plain_addition_loses_is_kept() {
        let terms = [1.0, 1e100, 1.0, -1e100];
        assert_eq!(terms.iter().sum::<f64>(), 0.0);
        assert_eq!(terms.into_iter().collect::<Sum>().value(), 2.0);
    }

    #[test]
    fn what_is_taken_away_leaves_nothing() {
        let answer = |weight, score| Answer {
            model_idx: 0,
            weight,
            score,
            cost: 0.1,
        };
        let unknown = Answer::unknown(1);
        let mut sum = PointSum::default();
        sum.add(3, &unknown);
        assert_eq!(sum.point(), None);
        sum.replace(3, &unknown, &answer(1.0 / 0.3, 0.7));
        let accuracy = |sum: PointSum| sum.point().expect("known").accuracy;
        assert!((accuracy(sum) - 0.7).abs() < 1e-15);
        sum.add(1, &answer(10.0, 0.0));
        // Weights 10 and 10.
        assert!((accuracy(sum) - 0.35).abs() < 1e-15);
        sum.replace(1, &answer(10.0, 0.0), &unknown);
        sum.replace(3, &answer(1.0 / 0.3, 0.7), &unknown);
        assert_eq!(sum.point(), None);
    }

    #[test]
    fn the_mean_of_nothing_is_none() {
        assert_eq!(mean([]), None);
        assert_eq!(mean([1.0, 2.0]), Some(1.5));
    }
}
