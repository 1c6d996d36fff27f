//! The leaderboard's own sample files: found, streamed, and joined on `doc_id`.

mod choice;
mod files;
mod found;
mod join;
mod latest;
mod question;
mod sample;
mod stream;

pub(crate) use self::{
    choice::incomplete_note,
    files::{find_in_folder, find_on_hub},
    found::Found,
    join::raw_table,
    stream::read,
};
