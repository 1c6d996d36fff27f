//! Without the feature `index`.

use std::sync::Arc;

use routers::Neighbors;
use saved_routers::SavedIndex;

use super::{BuiltIndex, IndexPlace, IndexPlan};
use crate::{Error, Result};

pub(super) fn open(_: &SavedIndex, _: &IndexPlace) -> Result<Arc<dyn Neighbors>> {
    Err(Error::NoIndexSupport)
}

pub(super) fn build(_: &IndexPlan, _: &(dyn Fn(u64) + Sync)) -> Result<BuiltIndex> {
    Err(Error::NoIndexSupport)
}
