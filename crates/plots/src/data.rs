//! What a run reads and what its predictions are worth; nothing here draws or writes.

pub(crate) mod comparison;
pub(crate) mod contenders;
pub(crate) mod evidence;
pub(crate) mod folder;
pub(crate) mod gains;
pub(crate) mod inputs;
pub(crate) mod intervals;
pub(crate) mod results;
pub(crate) mod row_order;
pub(crate) mod series;
