//! Routers are written and read back, those of older versions too; broken ones are refused; a crash leaves the older one whole.
#![expect(clippy::unwrap_used, reason = "tests")]

mod blend;
mod crashes;
mod files;
mod fixtures;
mod formats;
mod learners;
mod mf;
mod mutations;
mod pool;
mod pool_world;
mod refusals;
mod round_trips;
