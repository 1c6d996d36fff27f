//! Where the labels of markers go: next to their marker if there is room, else farther off with a leader line, else nowhere.
//!
//! Each label has some hundred candidate boxes around its marker. Boxes that touch a marker, a curve, the legend or the frame are struck
//! off at once. Of the others one is chosen per label so that no two labels touch and the sum of the costs (distance, crossings,
//! ambiguity) is small: by simulated annealing from a greedy start, with fixed seeds, then by single best moves. What still touches is
//! dropped, so the result never overlaps.

use std::f64::consts::TAU;

use crate::geometry::{Point, Rect, Segment};

/// A marker that wants a label.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) marker: Point,
    /// Half the marker's width.
    pub(crate) radius: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// What labels must keep clear of, besides the markers that are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Obstacles {
    pub(crate) rects: Vec<Rect>,
    pub(crate) segments: Vec<Segment>,
}

/// Where one label stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    pub(crate) rect: Rect,
    /// From the marker's rim to the label, where the label does not sit next to its marker.
    pub(crate) leader: Option<Segment>,
}

/// All placements in the order of the requests, with what they cost in all: the less, the better readable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub(crate) placements: Vec<Option<Placement>>,
    pub(crate) cost: f64,
}

/// Free space around a label.
const CLEARANCE: f64 = 1.2;
/// Gaps between marker and label, from touching to far.
const GAPS: [f64; 14] = [
    0.0, 4.0, 8.0, 13.0, 19.0, 26.0, 34.0, 43.0, 54.0, 66.0, 80.0, 96.0, 114.0, 134.0,
];
/// Directions tried at each gap.
const N_DIRECTIONS: usize = 24;
/// Gaps up to this one need no leader line.
const TOUCHING: f64 = 0.0;
/// A label without a leader reads as its neighbor's when another marker is nearer than this.
const AMBIGUOUS: f64 = 4.0;

/// Costs, in arbitrary units: about one for a point of leader line.
const COST_LEADER: f64 = 8.0;
const COST_CURVE_CROSSED: f64 = 14.0;
const COST_MARKER_CROSSED: f64 = 80.0;
const COST_LEADERS_CROSS: f64 = 120.0;
const COST_AMBIGUOUS: f64 = 12.0;
/// Less than a label left out, so that labels may pass through each other on the way to a better layout.
const COST_LABELS_TOUCH: f64 = 400.0;
const COST_UNPLACED: f64 = 1_000.0;

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// To compare places of the legend.
    Quick,
    /// For the final figure.
    Thorough,
}

impl Effort {
    /// How often annealing starts anew; the best outcome counts.
    fn n_starts(self) -> u64 {
        match self {
            Self::Quick => 1,
            Self::Thorough => 6,
        }
    }

    /// Annealing moves per start for `n` labels. A move looks at all other labels, so many labels get fewer moves each.
    fn n_moves(self, n: usize) -> usize {
        match self {
            Self::Quick => 40_000.min(1_500 * n),
            Self::Thorough => 60_000.min(4_000 * n),
        }
    }
}

/// Temperatures at both ends of the annealing.
const HOT: f64 = 100.0;
const COLD: f64 = 0.5;

#[derive(Debug, Clone, Copy)]
struct Candidate {
    placement: Placement,
    cost: f64,
}

/// Places labels inside `frame`. The same input gives the same layout.
pub(crate) fn place(
    requests: &[Request],
    frame: Rect,
    obstacles: &Obstacles,
    effort: Effort,
) -> Layout {
    let candidates: Vec<Vec<Candidate>> = (0..requests.len())
        .map(|i| candidates(i, requests, frame, obstacles))
        .collect();
    let mut best: Option<Layout> = None;
    for seed in 0..effort.n_starts() {
        let mut state = State {
            candidates: &candidates,
            chosen: vec![None; requests.len()],
        };
        state.start_greedily();
        state.anneal(seed, effort.n_moves(requests.len()));
        state.descend();
        state.drop_touching();
        // A dropped label may have made room for another one.
        state.descend();
        state.drop_touching();
        let layout = state.layout();
        if best.as_ref().is_none_or(|best| layout.cost < best.cost) {
            best = Some(layout);
        }
    }
    best.expect("every effort starts at least once")
}

/// The boxes that label `i` may take, the cheapest first.
fn candidates(
    i: usize,
    requests: &[Request],
    frame: Rect,
    obstacles: &Obstacles,
) -> Vec<Candidate> {
    let Request {
        marker,
        radius,
        width,
        height,
    } = requests[i];
    let others = || {
        requests
            .iter()
            .enumerate()
            .filter(|&(j, _)| j != i)
            .map(|(_, other)| other)
    };
    let mut candidates = Vec::new();
    for gap in GAPS {
        for direction in 0..N_DIRECTIONS {
            let angle = direction as f64 / N_DIRECTIONS as f64 * TAU;
            let rect = beside(marker, radius + 1.0 + gap, angle, width, height);
            let clear = rect.grown(CLEARANCE);
            if !frame.holds(clear)
                || others()
                    .any(|other| Rect::around(other.marker, other.radius).overlaps(rect.grown(0.8)))
                || obstacles.rects.iter().any(|other| other.overlaps(clear))
                || obstacles
                    .segments
                    .iter()
                    .any(|segment| segment.meets(clear))
            {
                continue;
            }
            let leader = (gap > TOUCHING).then(|| leader(marker, radius, rect));
            let mut cost = gap + direction_cost(angle);
            if let Some(leader) = leader {
                // Whatever covers the marker itself cannot be avoided.
                if obstacles
                    .rects
                    .iter()
                    .any(|&rect| leader.meets(rect) && rect.distance(marker) > 0.0)
                {
                    continue;
                }
                let n_markers = others()
                    .filter(|other| {
                        other.marker.distance(marker) > other.radius + radius
                            && leader.distance(other.marker) < other.radius + 1.0
                    })
                    .count();
                let n_crossed = obstacles
                    .segments
                    .iter()
                    .filter(|segment| segment.crosses(leader))
                    .count();
                // One curve is many segments: more than a few crossings are as bad as a few.
                cost += COST_LEADER
                    + COST_MARKER_CROSSED * n_markers as f64
                    + COST_CURVE_CROSSED * n_crossed.min(8) as f64;
            } else {
                let nearest = others()
                    .map(|other| rect.distance(other.marker) - other.radius)
                    .fold(f64::INFINITY, f64::min);
                cost += COST_AMBIGUOUS * (1.0 - nearest / AMBIGUOUS).clamp(0.0, 1.0);
            }
            candidates.push(Candidate {
                placement: Placement { rect, leader },
                cost,
            });
        }
    }
    candidates.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    candidates
}

/// The box whose nearest point to the marker lies `distance` away at `angle` (counted from the right, clockwise on the page).
fn beside(marker: Point, distance: f64, angle: f64, width: f64, height: f64) -> Rect {
    let (sin, cos) = angle.sin_cos();
    // To the right the box hangs by its left side, above by its lower one; in between the anchor slides along the edge.
    let slide = |component: f64| (1.5 * component).clamp(-1.0, 1.0);
    let center = Point::new(
        marker.x + distance * cos + slide(cos) * width / 2.0,
        marker.y + distance * sin + slide(sin) * height / 2.0,
    );
    Rect::new(
        center.x - width / 2.0,
        center.y - height / 2.0,
        width,
        height,
    )
}

/// Readers expect a label to the right of its mark, then to the left, then above or below.
fn direction_cost(angle: f64) -> f64 {
    let (sin, cos) = angle.sin_cos();
    let sideways = if cos >= 0.0 { 0.0 } else { 0.8 };
    sideways + 2.5 * sin.abs() + if sin > 0.0 { 0.3 * sin } else { 0.0 }
}

fn leader(marker: Point, radius: f64, rect: Rect) -> Segment {
    // To the middle of the side if the label is beside the marker, else to the nearest point of the box.
    let nearest = rect.nearest(marker);
    let end = if nearest.y == rect.top || nearest.y == rect.bottom {
        nearest
    } else {
        Point::new(nearest.x, rect.center().y)
    };
    let length = marker.distance(end).max(1e-9);
    // A little air at both ends.
    let (first, last) = (
        ((radius + 0.6) / length).min(1.0),
        (1.0 - 0.8 / length).max(0.0),
    );
    let at = |share: f64| {
        Point::new(
            marker.x + share * (end.x - marker.x),
            marker.y + share * (end.y - marker.y),
        )
    };
    Segment::new(at(first), at(last.max(first)))
}

/// Which candidate each label has; `None` is no label.
struct State<'a> {
    candidates: &'a [Vec<Candidate>],
    chosen: Vec<Option<usize>>,
}

impl State<'_> {
    fn candidate(&self, i: usize) -> Option<&Candidate> {
        self.chosen[i].map(|choice| &self.candidates[i][choice])
    }

    /// What label `i` would cost with another choice, the others as they are. Shared costs are counted in full.
    fn cost(&self, i: usize, choice: Option<usize>) -> f64 {
        let Some(choice) = choice else {
            return COST_UNPLACED;
        };
        let mine = &self.candidates[i][choice];
        let others = (0..self.chosen.len())
            .filter(|&j| j != i)
            .filter_map(|j| self.candidate(j));
        mine.cost
            + others
                .map(|other| shared_cost(&mine.placement, &other.placement))
                .sum::<f64>()
    }

    /// The labels with the fewest candidates choose first.
    fn start_greedily(&mut self) {
        let mut order: Vec<usize> = (0..self.chosen.len()).collect();
        order.sort_by_key(|&i| self.candidates[i].len());
        for i in order {
            self.improve(i);
        }
    }

    /// Gives label `i` its best choice; whether that changed anything.
    fn improve(&mut self, i: usize) -> bool {
        let (mut best, mut best_cost) = (self.chosen[i], self.cost(i, self.chosen[i]));
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
        self.chosen[i] = best;
        changed
    }

    fn layout(&self) -> Layout {
        let labels = || 0..self.chosen.len();
        Layout {
            placements: labels()
                .map(|i| self.candidate(i).map(|candidate| candidate.placement))
                .collect(),
            cost: labels().map(|i| self.cost(i, self.chosen[i])).sum(),
        }
    }

    fn anneal(&mut self, seed: u64, n_moves: usize) {
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
                self.chosen[i] = choice;
            }
        }
    }

    fn descend(&mut self) {
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

    /// Drops labels until none touches another, those that touch most others first.
    fn drop_touching(&mut self) {
        loop {
            let n_touching = |i: usize| {
                let Some(mine) = self.candidate(i) else {
                    return 0;
                };
                (0..self.chosen.len())
                    .filter(|&j| j != i)
                    .filter_map(|j| self.candidate(j))
                    .filter(|other| touch(&mine.placement, &other.placement))
                    .count()
            };
            match (0..self.chosen.len()).map(|i| (n_touching(i), i)).max() {
                Some((n, worst)) if n > 0 => self.chosen[worst] = None,
                _ => return,
            }
        }
    }
}

/// Whether two labels, or the leader of one and the text of the other, touch.
fn touch(a: &Placement, b: &Placement) -> bool {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FRAME: Rect = Rect {
        left: 0.0,
        top: 0.0,
        right: 250.0,
        bottom: 230.0,
    };

    fn request(x: f64, y: f64, width: f64) -> Request {
        Request {
            marker: Point::new(x, y),
            radius: 2.2,
            width,
            height: 6.6,
        }
    }

    fn check(requests: &[Request], obstacles: &Obstacles) -> usize {
        check_with(Effort::Thorough, requests, obstacles)
    }

    fn check_with(effort: Effort, requests: &[Request], obstacles: &Obstacles) -> usize {
        let layout = place(requests, FRAME, obstacles, effort);
        let placed: Vec<&Placement> = layout.placements.iter().flatten().collect();
        for (i, a) in placed.iter().enumerate() {
            assert!(FRAME.holds(a.rect), "{a:?} leaves the frame");
            assert!(
                placed[i + 1..].iter().all(|b| !touch(a, b)),
                "{a:?} touches another label"
            );
            for other in requests {
                assert!(
                    !Rect::around(other.marker, other.radius).overlaps(a.rect),
                    "{a:?} covers a marker"
                );
            }
            assert!(
                !obstacles.rects.iter().any(|rect| rect.overlaps(a.rect)),
                "{a:?} covers an obstacle"
            );
            assert!(
                !obstacles
                    .segments
                    .iter()
                    .any(|segment| segment.meets(a.rect)),
                "{a:?} lies on a curve"
            );
        }
        placed.len()
    }

    #[test]
    fn a_lone_marker_has_its_label_to_the_right() {
        let layout = place(
            &[request(100.0, 100.0, 40.0)],
            FRAME,
            &Obstacles::default(),
            Effort::Thorough,
        );
        let placement = layout.placements[0].expect("there is room");
        assert_eq!(placement.leader, None);
        assert!(
            placement.rect.left > 102.0 && placement.rect.left < 105.0,
            "{placement:?}"
        );
        assert!((placement.rect.center().y - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_crowd_in_a_corner_is_labeled_in_full() {
        let requests: Vec<Request> = (0..20)
            .map(|i| {
                request(
                    4.0 + 0.9 * f64::from(i),
                    20.0 + f64::from(i * 37 % 200),
                    30.0 + f64::from(i * 13 % 40),
                )
            })
            .collect();
        let curve = (0..40).map(|i| {
            Point::new(
                6.0 * f64::from(i) + 6.0,
                200.0 - 40.0 * f64::from(i).sqrt() / 2.0,
            )
        });
        let curve: Vec<Point> = curve.collect();
        let obstacles = Obstacles {
            rects: vec![Rect::new(170.0, 180.0, 75.0, 45.0)],
            segments: curve
                .windows(2)
                .map(|pair| Segment::new(pair[0], pair[1]))
                .collect(),
        };
        assert_eq!(check(&requests, &obstacles), 20);
    }

    #[test]
    fn labels_that_fit_nowhere_are_left_out() {
        assert_eq!(
            check(
                &[request(100.0, 100.0, 400.0), request(50.0, 50.0, 30.0)],
                &Obstacles::default()
            ),
            1
        );
        assert_eq!(check(&[], &Obstacles::default()), 0);
    }

    #[test]
    fn markers_on_one_spot_are_told_apart() {
        assert_eq!(
            check(&[request(100.0, 100.0, 40.0); 6], &Obstacles::default()),
            6
        );
    }

    #[test]
    fn the_same_input_gives_the_same_layout() {
        let requests: Vec<Request> = (0..30)
            .map(|i| request(f64::from(i * 53 % 240), f64::from(i * 29 % 220), 45.0))
            .collect();
        let place = || place(&requests, FRAME, &Obstacles::default(), Effort::Thorough);
        assert_eq!(place(), place());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn nothing_ever_overlaps(
            markers in proptest::collection::vec((0.0_f64..250.0, 0.0_f64..230.0, 8.0_f64..80.0), 0..60),
            curve in proptest::collection::vec((0.0_f64..250.0, 0.0_f64..230.0), 0..6),
        ) {
            let requests: Vec<Request> = markers.iter().map(|&(x, y, width)| request(x, y, width)).collect();
            let curve: Vec<Point> = curve.iter().map(|&(x, y)| Point::new(x, y)).collect();
            let segments = curve.windows(2).map(|pair| Segment::new(pair[0], pair[1])).collect();
            check_with(Effort::Quick, &requests, &Obstacles { rects: Vec::new(), segments });
        }
    }
}
