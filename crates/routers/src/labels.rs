//! What learners are fitted on. What a cost output means, and what it costs in dollars, is `dataset`'s to say.

mod pair;

pub use dataset::{CostTarget, Standardizer};

pub use self::pair::PairOutcome;
