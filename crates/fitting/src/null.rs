use std::collections::BTreeMap;

use dataset::{OutOfFold, PartTable, Predictions};
use evaluation::{
    Predicted, Truth,
    worth::{Baseline, CrossFit, doubly_robust_gains},
};
use ndarray::Axis;
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use routers::Rows;
use serde::Serialize;

use crate::{
    Error, Folds, Result, Subject,
    cross_fit::{means, worths},
};

/// How the null distribution is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NullSettings {
    /// Permutations of each kind.
    pub n_permutations: u32,
    /// Seed of the permutations; each has a stream of its own.
    pub seed: u64,
}

/// A router's mean gain, and that of the whole procedure where embeddings say nothing of scores and costs.
///
/// Permuting after the fit would only make a mixture of constants, too easy a null. Here rows of scores, costs and token counts are permuted
/// against embeddings before anything is fitted (Ojala and Garriga 2010), so each gain has all the choices in it that a fit makes.
///
/// Rows that stay together ([`Folds::groups`], equal prompts) are exchanged together, with others of the same number, row for row: torn apart they
/// would be as many independent observations, which is too easy a null (Winkler et al. 2015, "Multi-level block permutation"). A group whose
/// number of rows no other has stays where it is, and so does its part of the gain; within tasks, one whose tasks, row for row, no other of its
/// number has. With many such groups the null is nearer to the observed gain, and p too large rather than too small.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct NullGains {
    /// The gain on the table as it is: the mean over prompts and worths.
    pub observed: f64,
    /// Gains of permutations over all rows: nothing can be learned.
    pub over_all: Vec<f64>,
    /// Gains of permutations within tasks: only the task can be learned.
    pub within_tasks: Vec<f64>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    OverAll,
    WithinTasks,
}

impl NullGains {
    /// How likely a gain as large as the observed one is where nothing can be learned:
    ///
    /// ```text
    /// p = (1 + number of null gains >= observed) / (B + 1)
    /// ```
    ///
    /// With 99 permutations it cannot be below .01. NaN without permutations or for an unknown gain; an unknown null gain counts as larger.
    pub fn p_over_all(&self) -> f64 {
        p_value(self.observed, &self.over_all)
    }

    /// The same where only the task can be learned.
    pub fn p_within_tasks(&self) -> f64 {
        p_value(self.observed, &self.within_tasks)
    }
}

fn p_value(observed: f64, null: &[f64]) -> f64 {
    if null.is_empty() || observed.is_nan() {
        return f64::NAN;
    }
    let n_larger = null
        .iter()
        .filter(|&&gain| gain.is_nan() || gain >= observed);
    (1 + n_larger.count()) as f64 / (null.len() + 1) as f64
}

/// The mean gain of out-of-fold predictions, and those of the same procedure on permuted rows. `on_progress` counts fits: there are
/// `2 * n_permutations` for each fold.
///
/// Of a log whose propensities were estimated, take the table with them ([`crate::LogPropensities::on`]): each row keeps its own wherever it goes.
///
/// The mean is over the prompts of all folds, each fold's by [`doubly_robust_gains`] against the best constant of the rows that its router was fitted
/// on. Where all scores and costs are known that is [`evaluation::worth::GainReport`]'s mean.
///
/// # Errors
/// [`Error::NoGain`] for a router of a pair; as for [`crate::cross_fit`].
pub fn null_gains(
    subject: &Subject<'_>,
    folds: &Folds,
    observed: &OutOfFold,
    settings: NullSettings,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<NullGains> {
    subject.check(folds)?;
    if subject.learner.needs_pair() {
        return Err(Error::NoGain {
            router: subject.learner.router(),
        });
    }
    let worths = worths(subject.table);
    let all_rows: Vec<usize> = (0..subject.table.n_prompts()).collect();
    let together = subject.together(folds, &all_rows)?;
    // Once for all folds and permutations, as in the cross-fit that is compared.
    let params = subject.params.resolved(subject.table, subject.info);
    let draw = |kind| -> Vec<Vec<usize>> {
        (0..settings.n_permutations)
            .map(|index| {
                let tasks = &subject.table.tasks;
                permutation(tasks, together.groups(), kind, settings.seed, index)
            })
            .collect()
    };
    let orders = [draw(Kind::OverAll), draw(Kind::WithinTasks)];
    let mut observed_sum = MeanSum::default();
    let mut sums = orders
        .each_ref()
        .map(|orders| vec![MeanSum::default(); orders.len()]);
    for fold in 0..folds.n_folds() {
        let (trained, judged) = (folds.trained(fold), folds.judged(fold));
        observed_sum.add(&fold_gains(
            subject,
            (
                &subject.table.select(&trained),
                &subject.table.select(&judged),
            ),
            &observed.predictions.select(&judged),
            &worths,
        )?);
        if settings.n_permutations == 0 {
            continue;
        }
        let [of_trained, of_judged] =
            [&trained, &judged].map(|rows| subject.embeddings.select(Axis(0), rows));
        // Once per fold: neighbors and Gram matrices do not depend on what is permuted.
        let of_fold = subject.together(folds, &trained)?;
        let rows = Rows {
            embeddings: of_trained.view(),
            groups: Some(of_fold.groups()),
        };
        let prepared = params.prepare(subject.learner, rows, &|_| {})?;
        for (orders, sums) in orders.iter().zip(&mut sums) {
            for (order, sum) in orders.iter().zip(sums) {
                let permuted = |rows: &[usize]| {
                    let rows: Vec<usize> = rows.iter().map(|&row| order[row]).collect();
                    subject.table.select(&rows)
                };
                let (train, judge) = (permuted(&trained), permuted(&judged));
                let fitted = prepared.fit(&train, subject.info, &|_| {})?;
                let predicted =
                    fitted.predictions(of_judged.view(), &judge, subject.info, &|_| {})?;
                sum.add(&fold_gains(subject, (&train, &judge), &predicted, &worths)?);
                on_progress(1);
            }
        }
    }
    let [over_all, within_tasks] =
        sums.map(|sums| sums.iter().map(MeanSum::mean).collect::<Vec<f64>>());
    Ok(NullGains {
        observed: observed_sum.mean(),
        over_all,
        within_tasks,
    })
}

/// What each prompt of a fold says of the gain, over the worths; NaN where it says nothing.
fn fold_gains(
    subject: &Subject<'_>,
    (train, judge): (&PartTable, &PartTable),
    predicted: &Predictions,
    worths: &[f64],
) -> Result<Vec<f64>> {
    let Predictions::PerModel(predicted) = predicted else {
        return Err(Error::NoGain {
            router: subject.learner.router(),
        });
    };
    let (scores, costs_usd) = means(train);
    let pass = CrossFit {
        predicted: Predicted::of(predicted)?,
        baseline: Baseline::Means {
            scores: &scores,
            costs_usd: &costs_usd,
        },
    };
    Ok(doubly_robust_gains(&Truth::of(judge)?, &[pass], worths)?.over_worths())
}

/// A mean over known values.
#[derive(Debug, Clone, Copy, Default)]
struct MeanSum {
    sum: f64,
    n: usize,
}

impl MeanSum {
    fn add(&mut self, gains: &[f64]) {
        for gain in gains.iter().filter(|gain| !gain.is_nan()) {
            self.sum += gain;
            self.n += 1;
        }
    }

    fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }
}

/// The row whose scores and costs each row gets. `groups` has one number per row; groups of one size change places, their rows in order.
fn permutation(
    tasks: &[String],
    groups: &[usize],
    kind: Kind,
    seed: u64,
    index: u32,
) -> Vec<usize> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, &group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(row);
    }
    // In the order of first rows, so that numbers of groups decide nothing.
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.sort_unstable_by_key(|rows| rows[0]);
    // By the number of rows, and by the tasks of the rows where they are to stay.
    let mut alike: BTreeMap<(usize, Vec<&str>), Vec<Vec<usize>>> = BTreeMap::new();
    for rows in members {
        let of_rows = match kind {
            Kind::OverAll => Vec::new(),
            Kind::WithinTasks => rows.iter().map(|&row| tasks[row].as_str()).collect(),
        };
        alike.entry((rows.len(), of_rows)).or_default().push(rows);
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(2 * u64::from(index) + kind as u64);
    let mut order = vec![0; tasks.len()];
    for groups in alike.values() {
        let mut shuffled: Vec<&Vec<usize>> = groups.iter().collect();
        shuffled.shuffle(&mut rng);
        for (rows, from) in groups.iter().zip(shuffled) {
            for (&row, &from) in rows.iter().zip(from) {
                order[row] = from;
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutations_stay_within_tasks() {
        let tasks: Vec<String> = (0..60).map(|row| (row % 3).to_string()).collect();
        let alone: Vec<usize> = (0..60).collect();
        let orders: Vec<Vec<usize>> = (0..4)
            .flat_map(|index| [(index, Kind::OverAll), (index, Kind::WithinTasks)])
            .map(|(index, kind)| permutation(&tasks, &alone, kind, 42, index))
            .collect();
        for (i, order) in orders.iter().enumerate() {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..60));
            let stays = (0..60).all(|row| tasks[row] == tasks[order[row]]);
            assert_eq!(stays, i % 2 == 1);
            assert!(!orders[..i].contains(order));
        }
    }

    #[test]
    fn groups_are_exchanged_whole() {
        // Rows of groups 0 to 9: three each, of 10 and 11: two each, and of 12: one. Groups 0 to 4 and 10, 11 are of task a; of b are 5 to 9.
        let mut groups: Vec<usize> = (0..30).map(|row| row % 10).collect();
        groups.extend([10, 11, 11, 10, 12]);
        let tasks: Vec<String> = (groups.iter())
            .map(|group| if (5..10).contains(group) { "b" } else { "a" }.to_owned())
            .collect();
        let members =
            |group| -> Vec<usize> { (0..35).filter(|&row| groups[row] == group).collect() };
        let mut crosses = false;
        for index in 0..20 {
            for kind in [Kind::OverAll, Kind::WithinTasks] {
                let order = permutation(&tasks, &groups, kind, 42, index);
                for group in 0..13 {
                    let from: Vec<usize> = members(group).iter().map(|&row| order[row]).collect();
                    assert_eq!(from, members(groups[from[0]]), "whole, and rows in order");
                }
                assert_eq!(order[34], 34, "no other group has one row");
                let stays = (0..35).all(|row| tasks[row] == tasks[order[row]]);
                assert!(stays || matches!(kind, Kind::OverAll));
                crosses |= !stays;
                assert!(order.iter().enumerate().any(|(row, &from)| row != from));
            }
        }
        assert!(crosses);
    }

    #[test]
    fn no_permutation_is_below_its_share() {
        assert_eq!(p_value(0.5, &[0.1, 0.5, 0.7]), 0.75);
        assert_eq!(p_value(0.8, &[0.1, 0.5, 0.7]), 0.25);
        assert_eq!(p_value(0.8, &[0.1, f64::NAN, 0.7]), 0.5);
        assert!(p_value(0.8, &[]).is_nan() && p_value(f64::NAN, &[0.1]).is_nan());
    }
}
