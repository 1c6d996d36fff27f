//! Files and folders that are whole or not there, and locks against a second writer.
//!
//! Holds what every writer of this workspace needs: temporary files and folders beside their final place ([`TemporaryFile`],
//! [`TemporaryFolder`]), the exchange of one folder for another ([`replace_folder`]), locks that die with their holder ([`Lock`]), the removal of
//! what killed programs left ([`sweep`]), and that of what this one has not finished when a signal ends it ([`remove_unfinished`]).
//! In come paths, out go errors of the operating system. Must not know what is in a file, nor any program.
//!
//! Nothing here trusts a process id or a time. A temporary file or folder is locked by the process that fills it, so whoever can lock it
//! knows that its process is gone; a lock file means nothing unless it is locked.

mod folder;
mod interruption;
mod lock;
mod sweep;
mod temporary;

pub use crate::{
    folder::{link_tree, move_missing, replace_folder, restore_replaced, set_aside},
    interruption::{is_interrupted, remove_unfinished},
    lock::{Lock, LockError},
    sweep::{sweep, sweep_tree},
    temporary::{TemporaryFile, TemporaryFolder},
};

use std::{fs::File, io, path::Path};

/// The folder that holds `path`; `.` for a bare name.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether an open file or folder is still the one at `path`, and not one that was removed or replaced since it was opened.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let there = match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        there => there?,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let open = file.metadata()?;
        Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
    }
    // Elsewhere a file that is open keeps its name.
    #[cfg(not(unix))]
    {
        let _ = (file, there);
        Ok(true)
    }
}
