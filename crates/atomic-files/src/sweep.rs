use std::{
    fs::{self, File},
    io::Read as _,
    path::Path,
};

use crate::{
    is_at,
    lock::{FIRST_WORD, is_lock_name},
    temporary::{N_RANDOM, PREFIX},
};

/// Removes from a folder the temporary files and folders, and the lock files, of processes that are gone. What a live process holds stays,
/// and so does what cannot be locked or removed: another run may have more luck, and leftovers harm no one.
pub fn sweep(folder: &Path) {
    visit(folder, false);
}

/// The same for a folder and all folders in it; links are not followed.
pub fn sweep_tree(folder: &Path) {
    visit(folder, true);
}

fn visit(folder: &Path, is_deep: bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        let name = entry.file_name();
        let (name, path) = (name.to_string_lossy(), entry.path());
        if kind.is_symlink() {
        } else if is_temporary_name(&name) {
            remove_if_dead(&path, |_| true);
        } else if kind.is_file() && is_lock_name(&name) {
            remove_if_dead(&path, is_ours);
        } else if kind.is_dir() && is_deep {
            visit(&path, true);
        }
    }
}

/// Only names as [`crate::TemporaryFile`] makes them: what a user or another program keeps under a similar name is none of ours.
fn is_temporary_name(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|random| {
        random.len() == N_RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Whether a file of a lock's name is one: those of other programs stay. It is empty if its process was killed before writing.
fn is_ours(mut file: &File) -> bool {
    let mut start = [0; FIRST_WORD.len()];
    match file.read(&mut start) {
        Ok(n_read) => n_read == 0 || start == *FIRST_WORD.as_bytes(),
        Err(_) => false,
    }
}

/// Removes a file or folder that no process has locked. It stays locked meanwhile, so that no process takes it for its own.
fn remove_if_dead(path: &Path, is_removable: impl FnOnce(&File) -> bool) {
    let Ok(file) = File::open(path) else {
        return;
    };
    if file.try_lock().is_ok() && is_at(&file, path).unwrap_or(false) && is_removable(&file) {
        _ = match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        };
    }
}
