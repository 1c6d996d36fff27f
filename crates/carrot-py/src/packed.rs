//! A router's folder as bytes, so that it can be pickled.
//!
//! ```text
//! b"carrot-router 1\n"
//! for each file, in the order of names:
//!   u32 little-endian, the length of the name; the name, with slashes, in UTF-8
//!   u64 little-endian, the length of the file; its bytes
//! ```
//!
//! Nothing in them is executed: they are written to a folder, which is then opened and checked as any other.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::Path,
};

use dataset::FolderName;
use pyo3::prelude::*;

use crate::error::refuse;

const MAGIC: &[u8] = b"carrot-router 1\n";

/// The files of a folder by their names in it, in order, with their sizes.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    list(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

fn list(folder: &Path, prefix: &str, found: &mut Vec<(String, u64)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let metadata = entry.metadata()?;
        if metadata.is_dir() {
            list(&entry.path(), &format!("{name}/"), found)?;
        } else {
            found.push((name, metadata.len()));
        }
    }
    Ok(())
}

/// How many bytes these files take.
pub(crate) fn n_bytes(files: &[(String, u64)]) -> usize {
    let of_file = |(name, n_bytes): &(String, u64)| 4 + name.len() + 8 + *n_bytes as usize;
    MAGIC.len() + files.iter().map(of_file).sum::<usize>()
}

/// Packs the files of a folder into bytes of just that length.
pub(crate) fn pack(folder: &Path, files: &[(String, u64)], mut bytes: &mut [u8]) -> io::Result<()> {
    bytes.write_all(MAGIC)?;
    for (name, n_bytes) in files {
        bytes.write_all(&(name.len() as u32).to_le_bytes())?;
        bytes.write_all(name.as_bytes())?;
        bytes.write_all(&n_bytes.to_le_bytes())?;
        let (of_file, rest) = std::mem::take(&mut bytes).split_at_mut(*n_bytes as usize);
        File::open(folder.join(name))?.read_exact(of_file)?;
        bytes = rest;
    }
    Ok(())
}

/// Writes packed files into a folder.
pub(crate) fn unpack(bytes: &[u8], folder: &Path) -> PyResult<()> {
    let mut rest = bytes
        .strip_prefix(MAGIC)
        .ok_or_else(|| refuse("these bytes are not a packed router"))?;
    while !rest.is_empty() {
        let name_len = u32::from_le_bytes(array(take(&mut rest, 4)?));
        let name = std::str::from_utf8(take(&mut rest, name_len as usize)?)
            .map_err(|_| refuse("a file's name in the packed router is not UTF-8"))?;
        // Names that lead out of the folder are not folder names.
        if !name
            .split('/')
            .all(|part| part.parse::<FolderName>().is_ok())
        {
            let shown = name.escape_debug();
            return Err(refuse(format!(
                "`{shown}` in the packed router is not a path of a file in its folder"
            )));
        }
        let n_bytes = u64::from_le_bytes(array(take(&mut rest, 8)?));
        let n_bytes = usize::try_from(n_bytes).unwrap_or(usize::MAX);
        let path = folder.join(name);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::write(path, take(&mut rest, n_bytes)?)?;
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], n_bytes: usize) -> PyResult<&'a [u8]> {
    let (taken, left) = rest
        .split_at_checked(n_bytes)
        .ok_or_else(|| refuse("the packed router ends too early"))?;
    *rest = left;
    Ok(taken)
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("as many were taken")
}
