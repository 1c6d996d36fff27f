use super::{
    goal::{Aim, Goal, ROUNDING},
    setting::Setting,
    walk::Toward,
};
use crate::{Error, curve::events::Events, metric::formulas::SAME_ACCURACY};

/// A router's points at each setting that makes a difference, over a multiset of the prompts.
pub(super) struct Trace {
    points: Vec<TracePoint>,
    /// Thresholds go down, weights of cost go up.
    is_threshold: bool,
    /// What the LLM that the goal names costs alone; NaN without one.
    reference_usd: f64,
}

#[derive(Debug, Clone, Copy)]
struct TracePoint {
    at: f64,
    /// NaN, as the accuracy, where nothing is known of any choice.
    cost_usd: f64,
    accuracy: f64,
    /// Of the LLM that the goal names.
    share: f64,
}

/// The choice on a multiset of the prompts.
pub(super) struct Chosen {
    pub(super) setting: Setting,
    /// Else it is the nearest that there is.
    pub(super) is_reached: bool,
}

impl Trace {
    pub(super) fn over(events: &Events, aim: &Aim, counts: &[u32]) -> Self {
        let weight = |prompt_idx: usize| counts[prompt_idx];
        let mut points = Vec::with_capacity(events.n_changes() + 1);
        events.sweep(weight, |swept| {
            points.push(TracePoint {
                at: swept.at,
                cost_usd: swept.point.map_or(f64::NAN, |point| point.cost_usd),
                accuracy: swept.point.map_or(f64::NAN, |point| point.accuracy),
                share: f64::NAN,
            });
        });
        if let Some(shares) = &aim.shares {
            // The same changes, so the same points.
            let mut rest = points.iter_mut();
            shares.sweep(weight, |swept| {
                if let Some(point) = rest.next() {
                    point.share = swept.point.map_or(f64::NAN, |point| point.accuracy);
                }
            });
        }
        Self {
            points,
            is_threshold: events.is_threshold(),
            reference_usd: aim.reference_usd(counts),
        }
    }

    /// `None` where nothing is known of any choice at any setting.
    pub(super) fn choose(&self, aim: &Aim) -> Option<Chosen> {
        let (point_idx, is_reached) = match aim.goal {
            Goal::Cost { at_most_usd } => self.within(at_most_usd)?,
            Goal::RelativeCost { at_most, .. } => self.within(at_most * self.reference_usd)?,
            Goal::Accuracy { at_least } => {
                let accurate = |point: &TracePoint| point.accuracy >= at_least - SAME_ACCURACY;
                match self.best(accurate, TracePoint::is_cheaper) {
                    Some(point_idx) => (point_idx, true),
                    // In a resample the goal may be out of reach; then the router is set as near to it as it goes, as one would do with
                    // real prompts.
                    None => (self.first_of(TracePoint::is_more_accurate)?, false),
                }
            }
            Goal::Share { share, .. } => self.nearest_share(share)?,
        };
        Some(Chosen {
            setting: self.setting(point_idx),
            is_reached,
        })
    }

    /// What a goal that is not reached has to do with: the ends of what is.
    pub(super) fn out_of_reach(&self, aim: &Aim) -> Error {
        let range = |part: fn(&TracePoint) -> f64| {
            let values = self.points.iter().map(part);
            let ends = (f64::INFINITY, f64::NEG_INFINITY);
            values.fold(ends, |(least, most), value| {
                (least.min(value), most.max(value))
            })
        };
        let (what, asked) = aim.goal.in_words();
        let (least, most) = match aim.goal {
            Goal::Cost { .. } => range(|it| it.cost_usd),
            Goal::RelativeCost { .. } => {
                let (least, most) = range(|it| it.cost_usd);
                (least / self.reference_usd, most / self.reference_usd)
            }
            Goal::Accuracy { .. } => range(|it| it.accuracy),
            Goal::Share { .. } => range(|it| it.share),
        };
        Error::OutOfReach {
            what,
            asked,
            least,
            most,
        }
    }

    /// The most accurate point within a budget, or else the cheapest of all.
    fn within(&self, budget_usd: f64) -> Option<(usize, bool)> {
        let is_affordable = |point: &TracePoint| point.cost_usd <= budget_usd * (1.0 + ROUNDING);
        match self.best(is_affordable, TracePoint::is_more_accurate) {
            Some(point_idx) => Some((point_idx, true)),
            None => Some((self.first_of(TracePoint::is_cheaper)?, false)),
        }
    }

    /// The best of the points that will do and are known.
    fn best(
        &self,
        will_do: impl Fn(&TracePoint) -> bool,
        is_better: impl Fn(&TracePoint, &TracePoint) -> bool,
    ) -> Option<usize> {
        let candidates = self.known().filter(|&i| will_do(&self.points[i]));
        candidates.reduce(
            |best, other| match is_better(&self.points[other], &self.points[best]) {
                true => other,
                false => best,
            },
        )
    }

    fn first_of(&self, is_better: impl Fn(&TracePoint, &TracePoint) -> bool) -> Option<usize> {
        self.best(|_| true, is_better)
    }

    /// The points of which anything is known; as a rule all.
    fn known(&self) -> impl Iterator<Item = usize> {
        (0..self.points.len()).filter(|&i| !self.points[i].accuracy.is_nan())
    }

    /// The most accurate of the places where the share passes the value, on its nearer side; where it never does, the nearest.
    fn nearest_share(&self, share: f64) -> Option<(usize, bool)> {
        let away = |i: usize| (self.points[i].share - share).abs();
        // A share may jump over what was asked for, where many prompts change at once. The jump's nearer side is then the best there is,
        // and counts as reached.
        let passes = |i: usize| {
            let (before, after) = (self.points[i].share, self.points[i + 1].share);
            (before - share) * (after - share) <= 0.0
        };
        let n_points = self.points.len();
        let sides = (0..n_points - 1)
            .filter(|&i| passes(i))
            .map(|i| if away(i + 1) < away(i) { i + 1 } else { i });
        let alone = (0..n_points).filter(|&i| away(i) <= ROUNDING);
        let is_known = |&i: &usize| !self.points[i].accuracy.is_nan();
        let best = sides.chain(alone).filter(is_known).reduce(|best, other| {
            match self.points[other].is_more_accurate(&self.points[best]) {
                true => other,
                false => best,
            }
        });
        match best {
            Some(point_idx) => Some((point_idx, true)),
            None => {
                let nearer = |best, other| {
                    if away(other) < away(best) {
                        other
                    } else {
                        best
                    }
                };
                Some((self.known().reduce(nearer)?, false))
            }
        }
    }

    /// The middle of what holds a point, as in [`crate::choice::lambda_within`] and [`crate::choice::threshold_within`].
    fn setting(&self, point_idx: usize) -> Setting {
        let next = self.points.get(point_idx + 1).map(|next| next.at);
        Setting::between(self.points[point_idx].at, next, self.is_threshold)
    }

    /// To which end a walk should go that starts from the other one with a small share of an LLM, and stops where it passes this value: of
    /// two, to where the last point is the more accurate.
    pub(super) fn toward(&self, share: f64) -> Toward {
        let is_within = |point: &&TracePoint| point.share <= share + ROUNDING;
        let from_accurate = self.points.iter().take_while(is_within).last();
        let from_cheap = self.points.iter().rev().take_while(is_within).last();
        match (from_accurate, from_cheap) {
            (Some(one), Some(other)) if other.accuracy > one.accuracy => Toward::Accurate,
            (Some(_), _) => Toward::Cheap,
            (None, Some(_)) => Toward::Accurate,
            // Neither end is within; or there is no prompt.
            (None, None) => {
                let share = |point: Option<&TracePoint>| point.map(|it| it.share);
                match share(self.points.last()) < share(self.points.first()) {
                    true => Toward::Accurate,
                    false => Toward::Cheap,
                }
            }
        }
    }
}

impl TracePoint {
    fn is_more_accurate(&self, other: &Self) -> bool {
        self.accuracy > other.accuracy
            || (self.accuracy == other.accuracy && self.cost_usd < other.cost_usd)
    }

    fn is_cheaper(&self, other: &Self) -> bool {
        self.cost_usd < other.cost_usd
            || (self.cost_usd == other.cost_usd && self.accuracy > other.accuracy)
    }
}
