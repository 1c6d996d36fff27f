//! Which box each label takes, so that the sum of costs is small.

use std::{cell::Cell, mem};

use super::{
    candidates::Candidate,
    cells::Cells,
    layout::{CLEARANCE, Layout, Placement, Request},
};
use crate::draw::geometry::{Rect, Segment};

/// Two leaders that cross make readers follow the wrong one. In the units of candidates, as the others.
const COST_LEADERS_CROSS: f64 = 120.0;
/// Less than a label left out, so that labels may pass through each other on the way to a better layout.
const COST_LABELS_TOUCH: f64 = 400.0;
/// More than nearly any box costs, so that a label is left out only where it has to be.
const COST_UNPLACED: f64 = 1_000.0;
/// More than several other labels that would have to go for it.
const COST_FIRST_UNPLACED: f64 = 4_000.0;

// Temperatures at both ends of the annealing. At first two leaders may come to cross about once in three tries, exp(-120 / 100) = .30, and
// labels pass through each other once in fifty, exp(-400 / 100) = .02; in the end what costs two points of leader line more is taken once in
// fifty, exp(-2 / .5) = .02, so the layout has settled.
const HOT: f64 = 100.0;
const COLD: f64 = 0.5;

/// Which candidate each label has; `None` is no label.
pub(super) struct State<'a> {
    candidates: &'a [Vec<Candidate>],
    requests: &'a [Request],
    chosen: Vec<Option<usize>>,
    /// Where the chosen ones are.
    cells: Cells,
    /// How many pairs of labels were looked at.
    n_pairs: Cell<u64>,
}

impl<'a> State<'a> {
    /// No label yet, inside `frame`.
    pub(super) fn new(
        candidates: &'a [Vec<Candidate>],
        requests: &'a [Request],
        frame: Rect,
    ) -> Self {
        Self {
            candidates,
            requests,
            chosen: vec![None; requests.len()],
            cells: Cells::new(frame, requests.len()),
            n_pairs: Cell::new(0),
        }
    }

    fn candidate(&self, i: usize) -> Option<&Candidate> {
        self.chosen[i].map(|choice| &self.candidates[i][choice])
    }

    fn choose(&mut self, i: usize, choice: Option<usize>) {
        if let Some(before) = self.candidate(i) {
            let bounds = before.bounds;
            self.cells.remove(i, bounds);
        }
        self.chosen[i] = choice;
        if let Some(now) = self.candidate(i) {
            let bounds = now.bounds;
            self.cells.add(i, bounds);
        }
    }

    /// The chosen candidates of other labels that a candidate of label `i` may have to do with.
    fn near(&self, i: usize, mine: &Candidate) -> impl Iterator<Item = (usize, &Candidate)> {
        let bounds = mine.bounds;
        let others = self.cells.near(bounds).filter(move |&j| j != i);
        let others = others.filter_map(|j| Some((j, self.candidate(j)?)));
        others.filter(move |(_, other)| {
            self.n_pairs.update(|n| n + 1);
            other.bounds.touches(bounds)
        })
    }

    /// What label `i` would cost with another choice, the others as they are. Shared costs are counted in full.
    fn cost(&self, i: usize, choice: Option<usize>) -> f64 {
        let Some(choice) = choice else {
            return if self.requests[i].is_first {
                COST_FIRST_UNPLACED
            } else {
                COST_UNPLACED
            };
        };
        let mine = &self.candidates[i][choice];
        let others = self.near(i, mine);
        mine.cost
            + others
                .map(|(_, other)| shared_cost(&mine.placement, &other.placement))
                .sum::<f64>()
    }

    /// The labels that go before others choose first, then those with the fewest candidates.
    pub(super) fn start_greedily(&mut self) {
        let mut order: Vec<usize> = (0..self.chosen.len()).collect();
        order.sort_by_key(|&i| (!self.requests[i].is_first, self.candidates[i].len()));
        for i in order {
            self.improve(i);
        }
    }

    /// Gives label `i` its best choice; whether that changed anything.
    fn improve(&mut self, i: usize) -> bool {
        let (mut best, mut best_cost) = (self.chosen[i], self.cost(i, self.chosen[i]));
        // Candidates are sorted by their own cost, to which others only add: from the first one on that costs more by itself, none can be
        // better.
        for choice in 0..self.candidates[i].len() {
            if self.candidates[i][choice].cost >= best_cost {
                break;
            }
            let cost = self.cost(i, Some(choice));
            if cost < best_cost - 1e-9 {
                (best, best_cost) = (Some(choice), cost);
            }
        }
        let changed = best != self.chosen[i];
        if changed {
            self.choose(i, best);
        }
        changed
    }

    /// The layout of the present choice.
    pub(super) fn layout(&self) -> Layout {
        let labels = || 0..self.chosen.len();
        Layout {
            placements: labels()
                .map(|i| self.candidate(i).map(|candidate| candidate.placement))
                .collect(),
            cost: labels().map(|i| self.cost(i, self.chosen[i])).sum(),
            n_pairs: self.n_pairs.get(),
        }
    }

    /// Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983): random changes, of which ever fewer are for the worse. A greedy layout alone
    /// leaves labels out in a crowd, since no single move helps where two would have to change places.
    pub(super) fn anneal(&mut self, seed: u64, n_moves: usize) {
        let movable: Vec<usize> = (0..self.chosen.len())
            .filter(|&i| !self.candidates[i].is_empty())
            .collect();
        if movable.is_empty() {
            return;
        }
        let mut random = SplitMix(seed);
        for step in 0..n_moves {
            let temperature = HOT * (COLD / HOT).powf(step as f64 / n_moves as f64);
            let i = movable[random.below(movable.len())];
            // Cheap candidates come first and are tried more often.
            let share = random.unit().powi(2);
            let choice = Some((share * self.candidates[i].len() as f64) as usize);
            let rise = self.cost(i, choice) - self.cost(i, self.chosen[i]);
            if rise <= 0.0 || random.unit() < (-rise / temperature).exp() {
                self.choose(i, choice);
            }
        }
    }

    /// Single best changes, until none helps.
    pub(super) fn descend(&mut self) {
        // Every change lowers the sum of costs, so this ends; the bound is for costs that differ by rounding only.
        for _ in 0..50 {
            let mut changed = false;
            for i in 0..self.chosen.len() {
                changed |= self.improve(i);
            }
            if !changed {
                break;
            }
        }
    }

    /// Drops labels until none touches another, those that touch most others first, but those last that go before others.
    pub(super) fn drop_touching(&mut self) {
        let touching = |i: usize| -> Vec<usize> {
            let Some(mine) = self.candidate(i) else {
                return Vec::new();
            };
            let near = self.near(i, mine);
            near.filter(|(_, other)| touch(&mine.placement, &other.placement))
                .map(|(j, _)| j)
                .collect()
        };
        let mut touching: Vec<Vec<usize>> = (0..self.chosen.len()).map(touching).collect();
        // Dropping the label that touches most others frees most of them; of labels with priority only where nothing else is left to drop.
        let worst = |touching: &[Vec<usize>]| {
            let counts = touching.iter().enumerate();
            let counts = counts.map(|(i, others)| (others.len(), i));
            counts
                .filter(|&(n, _)| n > 0)
                .max_by_key(|&(n, i)| (!self.requests[i].is_first, n, i))
                .map(|(_, i)| i)
        };
        let mut dropped = Vec::new();
        while let Some(worst) = worst(&touching) {
            for other in mem::take(&mut touching[worst]) {
                touching[other].retain(|&it| it != worst);
            }
            dropped.push(worst);
        }
        for i in dropped {
            self.choose(i, None);
        }
    }
}

/// Whether two labels, or the leader of one and the text of the other, touch.
pub(super) fn touch(a: &Placement, b: &Placement) -> bool {
    let leader_meets = |leader: Option<Segment>, rect: Rect| {
        leader.is_some_and(|leader| leader.meets(rect.grown(0.4)))
    };
    a.rect.grown(CLEARANCE).overlaps(b.rect)
        || leader_meets(a.leader, b.rect)
        || leader_meets(b.leader, a.rect)
}

fn shared_cost(a: &Placement, b: &Placement) -> f64 {
    if touch(a, b) {
        COST_LABELS_TOUCH
    } else if let (Some(a), Some(b)) = (a.leader, b.leader)
        && a.crosses(b)
    {
        COST_LEADERS_CROSS
    } else {
        0.0
    }
}

/// Steele, Lea and Flood's SplitMix64: five lines that give the same numbers on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}
