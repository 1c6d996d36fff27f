//! What every reader of files from elsewhere needs: files that people downloaded, copied or broke.
//!
//! - [`guard`] runs a third party's reader and turns its panic into an error, quietly.
//! - [`Budget`] is how much memory a reader may take for what a file *says* that it holds, asked before anything is allocated.
//! - [`Mistaken`] recognizes a file that is something else under the expected name: a Git LFS pointer, a web page, an archive.
//!
//! In come closures, sizes and first bytes; out come results and errors without a path: the caller knows the path, and adds it.
//! Must not know any format that this workspace reads on purpose.

mod budget;
mod guard;
mod mistaken;

pub use crate::{
    budget::{Budget, NoSize, OverBudget},
    guard::{Panicked, guard},
    mistaken::Mistaken,
};
