//! Where the labels of markers go: next to their marker if there is room, else farther off with a leader line, else nowhere.
//!
//! Each label has some hundred candidate boxes around its marker. Boxes that touch a marker, a curve, the legend or the frame are struck
//! off at once. Of the others one is chosen per label so that no two labels touch and the sum of the costs (distance, crossings,
//! ambiguity) is small: by simulated annealing from a greedy start, with fixed seeds, then by single best moves. What still touches is
//! dropped, so the result never overlaps.

mod candidates;
mod cells;
mod layout;
mod search;

pub(crate) use self::layout::{Layout, Obstacles, Request};
use self::{
    candidates::{Candidate, Surroundings},
    search::State,
};
use super::geometry::Rect;

/// How long to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// To compare places of the legend.
    Quick,
    /// For the final figure.
    Thorough,
}

/// More labels than this are a crowd, in which a few more or fewer with a place make no difference.
pub(crate) const CROWD: usize = 60;

impl Effort {
    /// How often annealing starts again for `n` labels, with another seed; the best layout counts.
    fn n_starts(self, n: usize) -> u64 {
        match self {
            Self::Thorough if n <= CROWD => 6,
            Self::Thorough | Self::Quick => 1,
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

/// Finds places for labels inside a frame, with the legend at one place or another.
pub(crate) struct Labeling<'a> {
    requests: &'a [Request],
    frame: Rect,
    /// Of each label, without a legend.
    candidates: Vec<Vec<Candidate>>,
}

impl<'a> Labeling<'a> {
    /// Looks for all boxes that labels may take inside `frame`.
    pub(crate) fn new(requests: &'a [Request], frame: Rect, obstacles: &Obstacles) -> Self {
        let surroundings = Surroundings::new(requests, frame, obstacles);
        let labels = 0..requests.len();
        Self {
            requests,
            frame,
            candidates: labels.map(|i| surroundings.candidates(i)).collect(),
        }
    }

    /// Places the labels, clear of the legend. The same input gives the same layout.
    pub(crate) fn place(&self, legend: Option<Rect>, effort: Effort) -> Layout {
        let clear: Vec<Vec<Candidate>>;
        let candidates = match legend {
            None => &self.candidates,
            Some(legend) => {
                let of_labels = self.requests.iter().zip(&self.candidates);
                clear = of_labels
                    .map(|(request, candidates)| {
                        let all = candidates.iter();
                        all.filter(|it| it.is_clear_of(request, legend))
                            .copied()
                            .collect()
                    })
                    .collect();
                &clear
            }
        };
        // Annealing may settle in a layout that is not the best one; several starts with fixed seeds rarely all do, and give the same bytes
        // in every run.
        let mut best: Option<Layout> = None;
        let mut n_pairs = 0;
        for seed in 0..effort.n_starts(self.requests.len()) {
            let mut state = State::new(candidates, self.requests, self.frame);
            state.start_greedily();
            state.anneal(seed, effort.n_moves(self.requests.len()));
            state.descend();
            state.drop_touching();
            // A dropped label may have made room for another one.
            state.descend();
            state.drop_touching();
            let layout = state.layout();
            n_pairs += layout.n_pairs;
            if best.as_ref().is_none_or(|best| layout.cost < best.cost) {
                best = Some(layout);
            }
        }
        Layout {
            n_pairs,
            ..best.expect("every effort starts at least once")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{layout::Placement, search::touch, *};
    use crate::draw::geometry::{Point, Segment};

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
            is_first: false,
        }
    }

    fn check(requests: &[Request], obstacles: &Obstacles) -> usize {
        check_with(Effort::Thorough, requests, obstacles)
    }

    fn check_with(effort: Effort, requests: &[Request], obstacles: &Obstacles) -> usize {
        let layout = Labeling::new(requests, FRAME, obstacles).place(None, effort);
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
        let requests = [request(100.0, 100.0, 40.0)];
        let labeling = Labeling::new(&requests, FRAME, &Obstacles::default());
        let layout = labeling.place(None, Effort::Thorough);
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
    fn three_hundred_labels_take_bounded_work() {
        // Numbers of three digits, most of them crowded at the left.
        let requests: Vec<Request> = (0..300)
            .map(|i| {
                let x = f64::from(i * 53 % 240) / 240.0;
                request(4.0 + 240.0 * x * x, f64::from(i * 29 % 220) + 5.0, 11.7)
            })
            .collect();
        let labeling = Labeling::new(&requests, FRAME, &Obstacles::default());
        let layout = labeling.place(None, Effort::Thorough);
        let n_placed = layout.placements.iter().flatten().count();
        assert!(n_placed > 150, "{n_placed}");
        // All with all would be 120,000 moves times 300 labels, and as much again for the descent.
        assert!(layout.n_pairs < 8_000_000, "{}", layout.n_pairs);
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
        let place = || {
            let labeling = Labeling::new(&requests, FRAME, &Obstacles::default());
            labeling.place(None, Effort::Thorough)
        };
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
