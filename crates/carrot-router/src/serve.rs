//! `carrot-router serve`: a router in the path of traffic.

mod caps;
mod explore;
mod feedback;
mod ledger;
mod metrics;
mod page;
mod record;
mod sessions;
