//! The leaderboard's own sample files: found, streamed, and joined on `doc_id`.

mod choice;
mod files;
mod found;
mod join;
mod latest;
mod on_hub;
mod question;
mod sample;
mod stream;

pub(crate) use self::{
    choice::incomplete_note, files::list_in_folder, found::Found, join::raw_table,
    on_hub::list_on_hub, stream::read,
};
