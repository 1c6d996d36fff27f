//! The one rule for what may be shown of addresses and secrets.
//!
//! - A [`Secret`] prints as `***`.
//! - [`Secrets`] are all that a run knows; [`Secrets::blot`] takes them out of what somebody else said, such as a server that echoes a key.
//! - [`shown_address`] is an address without what may be secret in it: scheme, host and port, however malformed the address is.
//!
//! In come keys, tokens, addresses, the environment, and texts of other people's; out come texts that may be logged.
//! Must not know any server, protocol or program.

mod address;
mod blot;
mod environment;
mod secret;

pub use crate::{
    address::{is_on_this_machine, shown_address, shown_address_and_path},
    blot::Secrets,
    secret::Secret,
};
