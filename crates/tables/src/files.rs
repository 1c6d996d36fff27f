//! The files of a table: one, or the part files of a folder.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};

use untrusted_files::Mistaken;

use crate::{Error, Format, Result};

/// What Hive, Spark and those that copy them call the folder of rows without a value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// What table formats with versions keep their history in. It says which of the part files count: those that were deleted or replaced lie
/// among the others.
const HISTORIES: [(&str, &str); 2] = [("_delta_log", "Delta Lake"), (".hoodie", "Hudi")];

/// The files that a table is in.
#[derive(Debug, Clone)]
pub struct Files {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) parts: Vec<Part>,
}

/// One file of a table.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) path: PathBuf,
    /// The columns that the names of its folders give, `key=value`.
    pub(crate) partitions: Vec<(String, Option<String>)>,
}

impl Files {
    /// Finds the files of a table: the file itself, or in a folder, as Spark, Dask, DuckDB and pandas write them, its part files, in the order
    /// of their paths. Names that begin with `_` or `.` are notes of the writer. Without a `format` the extension names it.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotAFile`] for a pipe or a device; [`Error::UnknownFormat`]; [`Error::NoParts`] for a folder without part files,
    /// [`Error::StrayFile`] for one with other files among them, [`Error::Versioned`] for one with old versions of rows; [`Error::Mistaken`].
    pub fn find(path: &Path, format: Option<Format>) -> Result<Self> {
        let mut named = format.or_else(|| Format::of(path));
        let is_folder = fs::metadata(path)
            .map_err(Error::io("read", path))?
            .is_dir();
        let mut parts = Vec::new();
        if is_folder {
            walk(path, &mut Vec::new(), &mut parts)?;
            parts.sort_by(|a, b| a.path.cmp(&b.path));
        } else {
            // Also says what lies under a name that tells nothing, an Excel sheet say.
            let (_, start) = open(path)?;
            named = named.or_else(|| start.starts_with(b"PAR1").then_some(Format::Parquet));
            parts.push(Part {
                path: path.to_owned(),
                partitions: Vec::new(),
            });
        }
        let of_parts = || parts.iter().find_map(|part| Format::of(&part.path));
        let Some(format) = named.or_else(of_parts) else {
            return Err(Error::UnknownFormat {
                path: path.to_owned(),
            });
        };
        if is_folder {
            check_parts(path, format, &parts)?;
        }
        Ok(Self {
            path: path.to_owned(),
            format,
            parts,
        })
    }

    /// The paths of the files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.parts.iter().map(|part| part.path.as_path())
    }

    /// The format of the files.
    pub fn format(&self) -> Format {
        self.format
    }
}

fn walk(
    folder: &Path,
    partitions: &mut Vec<(String, Option<String>)>,
    parts: &mut Vec<Part>,
) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let entry = entry.map_err(Error::io("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some((_, kind)) = HISTORIES.into_iter().find(|(history, _)| *history == name) {
            return Err(Error::Versioned {
                path: folder.to_owned(),
                kind,
            });
        }
        // `_SUCCESS`, `_metadata`, `.part-0.parquet.crc`, `.DS_Store`.
        if name.starts_with(['_', '.']) && !name.contains('=') {
            continue;
        }
        let path = entry.path();
        let ty = entry.file_type().map_err(Error::io("read", &path))?;
        // A link to a folder counts as a file, and is refused as one: followed upwards it would have no end.
        if !ty.is_dir() {
            parts.push(Part {
                path,
                partitions: partitions.clone(),
            });
        } else {
            let pair = name.split_once('=').map(|(key, value)| {
                let value = (value != NO_VALUE).then(|| unescaped(value));
                (unescaped(key), value)
            });
            let n = partitions.len();
            partitions.extend(pair);
            walk(&path, partitions, parts)?;
            partitions.truncate(n);
        }
    }
    Ok(())
}

/// Refuses what would be left out without a word, or taken for what it is not.
fn check_parts(folder: &Path, format: Format, parts: &[Part]) -> Result<()> {
    if parts.is_empty() {
        return Err(Error::NoParts {
            path: folder.to_owned(),
            format: format.name(),
        });
    }
    for part in parts {
        let is_part = match Format::of(&part.path) {
            Some(other) => other.is_like(format),
            // Hive and Athena write parts without an extension.
            None => part.path.extension().is_none(),
        };
        if !is_part {
            return Err(Error::StrayFile {
                path: folder.to_owned(),
                file: part.path.clone(),
                format: format.name(),
            });
        }
    }
    Ok(())
}

/// A name in which Hive wrote characters that a file's name may not have as `%2F`.
fn unescaped(text: &str) -> String {
    let (bytes, mut out) = (text.as_bytes(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3));
        match hex
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Opens a file, with its first bytes.
pub(crate) fn open(path: &Path) -> Result<(File, Vec<u8>)> {
    // Before it is opened: a pipe waits for its writer, and what is read once from it is gone.
    check_is_file(path)?;
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut start = Vec::new();
    let mut first = (&mut file).take(Mistaken::N_BYTES as u64);
    first
        .read_to_end(&mut start)
        .map_err(Error::io("read", path))?;
    file.seek(SeekFrom::Start(0))
        .map_err(Error::io("read", path))?;
    match Mistaken::recognize(&start) {
        Some(found) => Err(Error::Mistaken {
            path: path.to_owned(),
            found,
        }),
        None => Ok((file, start)),
    }
}

/// Refuses what is no regular file.
fn check_is_file(path: &Path) -> Result<()> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    if metadata.is_file() {
        return Ok(());
    }
    let found = if metadata.is_dir() {
        "a folder"
    } else {
        "a pipe or a device, which can be read only once; write it to a file first"
    };
    Err(Error::NotAFile {
        path: path.to_owned(),
        found,
    })
}
