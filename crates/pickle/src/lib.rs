//! Reads pandas and NumPy pickles (`DataFrame.to_pickle`, `pickle.dump` of arrays) without executing anything.
//!
//! Holds a machine for the opcodes of protocols 2 to 5 that builds an inert tree, an allow-list of the names that such pickles mention, and the
//! readings of that tree as [`Array`] and [`Frame`]. In comes a file of pandas 1.x, 2.x or 3.x, out go `&str` views into it and numbers.
//! Must not know what the columns mean. A name that is not on the list is refused by that name; none is ever looked up or called.
//!
//! ```text
//! bytes --Pickle::parse--> Value --Pickle::frame--> Frame --column--> Column --as_text, as_f64--> Vec
//!                            |----array-----------> Array --to_array2_f64--> ndarray
//! ```
//!
//! A hostile file costs an error. No function recurses, whatever the nesting; shared and cyclic values are references by number, never expanded;
//! no length is trusted before its bytes have been seen. What would take more than the memory budget is refused. Memory is the file, 24 bytes for a value in it and some 60 for a list, tuple or dictionary
//! (twice that while a vector grows), and what the caller asks to be copied. Text is never copied.
//!
//! ```no_run
//! # fn main() -> pickle::Result<()> {
//! let pickle = pickle::Pickle::read("routerbench_0shot.pkl".as_ref())?;
//! let frame = pickle.frame()?;
//! let prompts: Vec<Option<&str>> = frame.column("prompt")?.as_text()?;
//! let costs: Vec<f64> = frame.column("gpt-4-1106-preview|total_cost")?.as_f64()?;
//! # Ok(())
//! # }
//! ```
//!
//! # Deviations
//! Python stops at the first `STOP` and so does this; what follows is not looked at. Integers beyond 64 bits with sign, sets, Python 2 strings, persistent
//! ids, extension codes and out-of-band buffers are refused; no pickle of a frame or an array that `to_pickle` writes has them.

mod arena;
mod array;
mod column;
mod error;
mod frame;
mod globals;
mod machine;
mod opcodes;
mod value;

use std::{fs, path::Path};

use untrusted_files::Budget;

use crate::arena::{Arena, Id};
pub use crate::{
    array::Array,
    column::{Column, ColumnKind},
    error::{Error, Result},
    frame::Frame,
    value::Value,
};

/// A pickle that was taken apart: the file's bytes, and an inert tree that points into them.
pub struct Pickle {
    arena: Arena,
    root: Id,
    budget: Budget,
}

impl Pickle {
    /// Reads a file whole and takes it apart.
    ///
    /// # Errors
    /// If the file cannot be read or is larger than the memory budget, and all that [`Pickle::parse`] refuses.
    pub fn read(path: &Path) -> Result<Self> {
        let io = |source| Error::Io {
            path: path.to_path_buf(),
            source,
        };
        let n_bytes = fs::metadata(path).map_err(io)?.len();
        Budget::get().check("the pickle", n_bytes)?;
        Self::parse(fs::read(path).map_err(io)?)
    }

    /// Takes the bytes of a pickle apart, within the memory budget.
    ///
    /// # Errors
    /// If that takes more memory than the budget, if they are not a pickle of protocol 2 to 5, if they end early or contradict themselves, or if they name anything that is not NumPy or
    /// pandas data. Each error has the offset of the byte.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        Self::parse_within(bytes, Budget::get())
    }

    /// As [`Pickle::parse`], with a budget of the caller's.
    ///
    /// # Errors
    /// As for [`Pickle::parse`].
    pub fn parse_within(bytes: Vec<u8>, budget: Budget) -> Result<Self> {
        let (arena, root) = machine::run(bytes, budget)?;
        Ok(Self {
            arena,
            root,
            budget,
        })
    }

    /// What was pickled.
    pub fn value(&self) -> Value<'_> {
        Value {
            arena: &self.arena,
            id: self.root,
        }
    }

    /// The pickled `DataFrame`.
    ///
    /// # Errors
    /// If something else was pickled, the columns have several levels, the parts do not fit together, or all cells together would take more
    /// memory than the budget.
    pub fn frame(&self) -> Result<Frame<'_>> {
        Frame::new(self.value(), self.budget)
    }
}

impl std::fmt::Debug for Pickle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pickle")
            .field("root", &self.value())
            .finish_non_exhaustive()
    }
}
