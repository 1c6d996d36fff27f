/// Scores above this count as right, as in the reference's RoRF (somerstep/CARROT at 3e6acff).
const RIGHT_ABOVE: f32 = 0.5;

/// Which LLM of a pair answers a prompt right. The numbers are the class labels of RoRF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PairOutcome {
    /// Only the large one.
    LargeOnly = 0,
    /// Neither.
    Neither = 1,
    /// Both.
    Both = 2,
    /// Only the small one.
    SmallOnly = 3,
}

impl PairOutcome {
    /// All outcomes, in the order of their labels.
    pub const ALL: [Self; 4] = [Self::LargeOnly, Self::Neither, Self::Both, Self::SmallOnly];

    /// The outcome of two true scores; none where one of them is unknown (NaN).
    pub fn of(small: f32, large: f32) -> Option<Self> {
        if small.is_nan() || large.is_nan() {
            return None;
        }
        Some(match (small > RIGHT_ABOVE, large > RIGHT_ABOVE) {
            (false, true) => Self::LargeOnly,
            (false, false) => Self::Neither,
            (true, true) => Self::Both,
            (true, false) => Self::SmallOnly,
        })
    }

    /// The class label.
    pub fn label(self) -> u8 {
        self as u8
    }

    /// Whether the small LLM is right.
    pub fn is_small_right(self) -> bool {
        matches!(self, Self::Both | Self::SmallOnly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_have_the_labels_of_rorf() {
        for (small, large, label, is_small_right) in [
            (0.0, 1.0, Some(0), false),
            (0.5, 0.51, Some(0), false),
            (0.0, 0.0, Some(1), false),
            (0.5, 0.5, Some(1), false),
            (1.0, 0.6, Some(2), true),
            (0.75, 0.25, Some(3), true),
            (f32::NAN, 1.0, None, false),
            (1.0, f32::NAN, None, false),
        ] {
            let outcome = PairOutcome::of(small, large);
            assert_eq!(outcome.map(PairOutcome::label), label, "{small}, {large}");
            let is_right = outcome.is_some_and(PairOutcome::is_small_right);
            assert_eq!(is_right, is_small_right, "{small}, {large}");
        }
        for (label, outcome) in PairOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome.label() as usize, label);
        }
    }
}
