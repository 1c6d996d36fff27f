//! The files that a record vouches for.

use std::{fs, path::Path};

use dataset::{FolderName, sha256_file};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, calibration::CALIBRATIONS, record::RECORD};

/// Larger files are compared by their size only: reading this much takes most of a second, and a router of such a size is not opened for one
/// prompt.
const MAX_HASHED_BYTES: u64 = 1 << 30;
/// Files for people, who may edit them: nothing is predicted from them.
const FOR_PEOPLE: &str = "README.md";

/// A file of a router's folder, as it was when the router was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SavedFile {
    /// Its path in the folder, with slashes on any system.
    pub name: String,
    /// Its size.
    pub n_bytes: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// The files of a folder that predictions depend on, in the order of their names.
pub(crate) fn of(folder: &Path) -> Result<Vec<SavedFile>> {
    let mut names = Vec::new();
    list(folder, "", &mut names)?;
    // The system lists a folder in any order.
    names.sort();
    let is_vouched_for =
        |name: &&String| *name != RECORD && name.rsplit('/').next() != Some(FOR_PEOPLE);
    let file = |name: &String| {
        let path = folder.join(name);
        Ok(SavedFile {
            name: name.clone(),
            n_bytes: n_bytes(&path)?,
            sha256: sha256_file(&path)?,
        })
    };
    names.iter().filter(is_vouched_for).map(file).collect()
}

/// Lists the files below a folder by their names from there, calibrations left out: they are made and changed while a router is in use.
pub(crate) fn list(folder: &Path, prefix: &str, names: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(dataset::Error::io("list", folder))? {
        let entry = entry.map_err(dataset::Error::io("list", folder))?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if name == CALIBRATIONS {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            list(&path, &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// Refuses names that lead out of the folder.
pub(crate) fn check_names(record: &Path, files: &[SavedFile]) -> Result<()> {
    let is_inside = |file: &SavedFile| {
        file.name
            .split('/')
            .all(|part| part.parse::<FolderName>().is_ok())
    };
    match files.iter().find(|file| !is_inside(file)) {
        None => Ok(()),
        Some(file) => Err(Error::BadRecord {
            path: record.to_owned(),
            key: "files",
            found: format!("with `{}`", file.name.escape_debug()),
            expected: "paths of files in the folder".to_owned(),
        }),
    }
}

/// Refuses files that have changed since. One that is missing is left to whoever needs it, and to [`check_all_there`].
pub(crate) fn check_contents(folder: &Path, files: &[SavedFile]) -> Result<()> {
    for file in files {
        let path = folder.join(&file.name);
        if !path.is_file() {
            continue;
        }
        let n_bytes = n_bytes(&path)?;
        if n_bytes != file.n_bytes {
            let what = format!("it has {n_bytes} bytes, expected {}", file.n_bytes);
            return Err(Error::OtherFile { path, what });
        }
        if n_bytes > MAX_HASHED_BYTES {
            continue;
        }
        let sha256 = sha256_file(&path)?;
        if sha256 != file.sha256 {
            let what = format!("its SHA-256 is {sha256}, expected {}", file.sha256);
            return Err(Error::OtherFile { path, what });
        }
    }
    Ok(())
}

/// Refuses a folder that lacks one of the files.
pub(crate) fn check_all_there(folder: &Path, files: &[SavedFile]) -> Result<()> {
    let mut paths = files.iter().map(|file| folder.join(&file.name));
    match paths.find(|path| !path.is_file()) {
        None => Ok(()),
        Some(path) => Err(Error::MissingFile { path }),
    }
}

fn n_bytes(path: &Path) -> Result<u64> {
    let metadata = path.metadata().map_err(dataset::Error::io("read", path))?;
    Ok(metadata.len())
}
