//! What the command lines of all generators share: their arguments, and the way from a source's rows to a finished data set.
//!
//! In come a generator's arguments, a [`Recipe`] (what would be made, and of which files) and a function that reads the source. Out go the
//! files of `data/<name>/`, vectors of its prompts if a paid or local embedder was asked for, and a report on standard output. What is
//! there already, of the same recipe, is not made again.
//! Must not know any source's format (each generator does), nor how rows are checked, costed and split (`datagen` does).

mod args;
mod embed;
mod recipe;
mod run;

pub use crate::{
    args::GenArgs,
    embed::{Embedder, EmbeddingArgs},
    recipe::{Extra, Raw, Recipe},
    run::run,
};
