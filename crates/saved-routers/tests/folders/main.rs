//! Routers are written and read back; what is broken is refused; a crash leaves the older one whole.
#![expect(clippy::unwrap_used, reason = "tests")]

mod crashes;
mod fixtures;
mod mf;
mod refusals;
mod round_trips;
