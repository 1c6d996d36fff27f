//! What a router can do: points of mean cost and mean accuracy as its setting moves from one end to the other.

pub(crate) mod calls;
pub(crate) mod events;
pub(crate) mod exact;
pub(crate) mod hull;
mod shares;
mod thresholds;

pub use self::{
    calls::{CallPoint, call_curve, small_preference},
    exact::{Grid, exact_curve, grid_curve, pair_curve},
    hull::hull,
    shares::{ShareCurve, pair_share_curve, share_curve},
    thresholds::{ThresholdGrid, threshold_grid_curve},
};
