//! What has to be removed when a signal ends the process.

use std::{
    fs, mem,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Temporary files and folders and lock files, in the order of their creation.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A path that is removed if the process is interrupted; dropped, it is so no more.
#[derive(Debug)]
pub(crate) struct Listed(PathBuf);

impl Drop for Listed {
    fn drop(&mut self) {
        let mut paths = lock();
        if let Some(i) = paths.iter().rposition(|path| *path == self.0) {
            paths.remove(i);
        }
    }
}

/// Creates something and lists its path, so that no interruption comes between the two.
pub(crate) fn listed<T, E>(
    create: impl FnOnce() -> Result<T, E>,
    path: impl FnOnce(&T) -> &Path,
) -> Result<(T, Listed), E> {
    let mut paths = lock();
    let created = create()?;
    let path = path(&created).to_owned();
    paths.push(path.clone());
    Ok((created, Listed(path)))
}

/// Lists something that exists.
pub(crate) fn list(path: &Path) -> Listed {
    lock().push(path.to_owned());
    Listed(path.to_owned())
}

/// Does what an interruption must not meet half done. `action` must neither create nor drop anything that is listed.
pub(crate) fn uninterrupted<T>(action: impl FnOnce() -> T) -> T {
    let _paths = lock();
    action()
}

/// Removes everything that this process has not finished, and its lock files. From here on, no thread can create a temporary file or give one
/// its final name: each that tries waits for ever, so that nothing half removed is put in place. The caller has to end the process.
pub fn remove_unfinished() {
    INTERRUPTED.store(true, Ordering::SeqCst);
    let mut paths = lock();
    // The newest first: lock files are older than what was written under them.
    for path in mem::take(&mut *paths).into_iter().rev() {
        // Errors are ignored, here and below: the process ends, and the next one removes what is left.
        _ = match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
    }
    mem::forget(paths);
}

/// Whether [`remove_unfinished`] was called, so that an error may be its consequence and the process is about to end.
pub fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

fn lock() -> MutexGuard<'static, Vec<PathBuf>> {
    // A list of paths is as good as before, whatever panicked.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
