//! Reads safetensors files: a header in JSON, then the numbers.
//!
//! Ours rather than the library's, because a header is believed only as far as the file has bytes for what it says.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Map, Value};
use untrusted_files::Mistaken;

use crate::{Error, Result};

/// Key of the header under which texts stand.
pub const METADATA: &str = "__metadata__";
/// A header beyond this is none; the safetensors library has the same bound.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Why a file holds no weights.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The header is not JSON of the expected form.
    #[error("its header is not that of a safetensors file")]
    Header(#[from] serde_json::Error),
    /// The header contradicts itself or the file.
    #[error("{0}")]
    Contradiction(String),
}

/// The tensors of a safetensors file, of which only the header was read. What the header says was compared with the file's length, so that no
/// tensor takes more memory than it has bytes there.
#[derive(Debug)]
pub struct SafetensorsFile {
    path: PathBuf,
    file: File,
    /// Where the numbers begin.
    first_byte: u64,
    header: Header,
}

/// What the header says.
#[derive(Debug)]
struct Header {
    entries: BTreeMap<String, Entry>,
    texts: BTreeMap<String, String>,
}

/// What the header says of a tensor.
#[derive(Debug, Clone, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

impl SafetensorsFile {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// [`Error::Weights`], or [`Error::Mistaken`] for a file of another kind.
    pub fn open(path: &Path) -> Result<Self> {
        Self::try_open(path)?.map_err(|source| Error::Weights {
            path: path.to_owned(),
            source,
        })
    }

    fn try_open(path: &Path) -> Result<Result<Self, WeightsError>> {
        let (mut file, mut first_bytes) = match open(path) {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error.into())),
        };
        if let Some(found) = Mistaken::recognize(&first_bytes) {
            return Err(Error::Mistaken {
                path: path.to_owned(),
                found,
            });
        }
        first_bytes.truncate(8);
        Ok(
            read_header(&mut file, &first_bytes).map(|(first_byte, header)| Self {
                path: path.to_owned(),
                file,
                first_byte,
                header,
            }),
        )
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tensors with their shapes, by name.
    pub fn shapes(&self) -> impl Iterator<Item = (&str, Vec<i64>)> {
        let shape = |entry: &Entry| entry.shape.iter().map(|&n| n as i64).collect();
        self.header
            .entries
            .iter()
            .map(move |(name, entry)| (name.as_str(), shape(entry)))
    }

    /// The texts in the header, by name.
    pub fn texts(&self) -> &BTreeMap<String, String> {
        &self.header.texts
    }

    /// Reads a tensor as float32, row by row; other kinds of floating-point numbers are widened or rounded.
    ///
    /// # Errors
    /// [`Error::Weights`], also when there is no such tensor or its kind is not one of floating-point numbers.
    pub fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        self.read(name).map_err(|source| Error::Weights {
            path: self.path.clone(),
            source,
        })
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let contradiction = |what: String| WeightsError::Contradiction(what);
        let entry = self.header.entries.get(name);
        let entry = entry.ok_or_else(|| contradiction(format!("it has no tensor `{name}`")))?;
        let kind = Kind::named(&entry.dtype).ok_or_else(|| {
            contradiction(format!(
                "tensor `{name}` is of type `{}`, supported: `F64`, `F32`, `F16`, `BF16`",
                entry.dtype
            ))
        })?;
        let [begin, end] = entry.data_offsets;
        let n_values = usize::try_from((end - begin) / kind.width())
            .map_err(|_| contradiction(format!("tensor `{name}` is too large")))?;
        self.file.seek(SeekFrom::Start(self.first_byte + begin))?;
        Ok(kind.read(&mut self.file, n_values)?)
    }
}

fn open(path: &Path) -> std::io::Result<(File, Vec<u8>)> {
    let mut file = File::open(path)?;
    let mut first_bytes = Vec::new();
    (&mut file)
        .take(Mistaken::N_BYTES as u64)
        .read_to_end(&mut first_bytes)?;
    Ok((file, first_bytes))
}

/// Where the numbers begin, and what the header says of them.
fn read_header(file: &mut File, first_bytes: &[u8]) -> Result<(u64, Header), WeightsError> {
    let contradiction = |what: String| Err(WeightsError::Contradiction(what));
    let n_file_bytes = file.metadata()?.len();
    let Ok(n_header_bytes) = first_bytes.try_into().map(u64::from_le_bytes) else {
        return contradiction("it has fewer than 8 bytes".to_owned());
    };
    if n_header_bytes > MAX_HEADER_BYTES.min(n_file_bytes - 8) {
        return contradiction(format!(
            "its header should have {n_header_bytes} bytes, but the file has {n_file_bytes}"
        ));
    }
    let mut header = vec![0; n_header_bytes as usize];
    file.seek(SeekFrom::Start(8))?;
    file.read_exact(&mut header)?;
    let mut header: Map<String, Value> = serde_json::from_slice(&header)?;
    let texts = header.remove(METADATA);
    let texts = texts
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let texts = texts
        .filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned())))
        .collect();
    let first_byte = 8 + n_header_bytes;
    let n_data_bytes = n_file_bytes - first_byte;
    let mut entries = BTreeMap::new();
    for (name, entry) in header {
        let entry: Entry = serde_json::from_value(entry)?;
        let [begin, end] = entry.data_offsets;
        if begin > end || end > n_data_bytes {
            return contradiction(format!(
                "tensor `{name}` should lie in bytes {begin} to {end}, but there are {n_data_bytes}: the file may be cut off"
            ));
        }
        let n_values = entry
            .shape
            .iter()
            .try_fold(1_u64, |product, &n| product.checked_mul(n));
        // Of other kinds there may be constants, which nothing asks for.
        let is_whole = match (Kind::named(&entry.dtype), n_values) {
            (Some(kind), Some(n)) => n.checked_mul(kind.width()) == Some(end - begin),
            (None, Some(_)) => true,
            (_, None) => false,
        };
        // A shape with a 0 has no bytes, whatever its other sizes are.
        let is_sane = entry.shape.iter().all(|&n| i64::try_from(n).is_ok());
        if !is_whole || !is_sane {
            return contradiction(format!(
                "tensor `{name}` of type `{}` and shape {:?} should have {} bytes",
                entry.dtype,
                entry.shape,
                end - begin
            ));
        }
        entries.insert(name, entry);
    }
    Ok((first_byte, Header { entries, texts }))
}

/// Kinds of floating-point numbers.
#[derive(Debug, Clone, Copy)]
enum Kind {
    F64,
    F32,
    F16,
    Bf16,
}

/// Bytes that are converted at a time.
const PIECE: usize = 1 << 16;

impl Kind {
    fn named(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "F64" => Self::F64,
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            _ => return None,
        })
    }

    /// Bytes of one number.
    fn width(self) -> u64 {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
        }
    }

    /// Reads so many numbers as float32.
    fn read(self, file: &mut impl Read, n_values: usize) -> std::io::Result<Vec<f32>> {
        match self {
            Self::F64 => read(file, n_values, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::F32 => read(file, n_values, f32::from_le_bytes),
            Self::F16 => read(file, n_values, |bytes| {
                half::f16::from_le_bytes(bytes).to_f32()
            }),
            Self::Bf16 => read(file, n_values, |bytes| {
                half::bf16::from_le_bytes(bytes).to_f32()
            }),
        }
    }
}

fn read<const WIDTH: usize>(
    file: &mut impl Read,
    n_values: usize,
    number: impl Fn([u8; WIDTH]) -> f32,
) -> std::io::Result<Vec<f32>> {
    let mut values = Vec::with_capacity(n_values);
    let mut piece = vec![0; PIECE];
    while values.len() < n_values {
        let n_bytes = PIECE.min((n_values - values.len()) * WIDTH);
        file.read_exact(&mut piece[..n_bytes])?;
        let (numbers, _) = piece[..n_bytes].as_chunks();
        values.extend(numbers.iter().map(|bytes| number(*bytes)));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn open(header: &str, n_data_bytes: usize) -> Result<Vec<f32>> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.safetensors");
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend((0..n_data_bytes).map(|_| 0));
        std::fs::write(&path, bytes).expect("written");
        SafetensorsFile::open(&path)?.values("a")
    }

    #[test]
    fn what_the_header_says_is_compared_with_the_file() {
        let entry = |dtype: &str, shape: Value, offsets: [u64; 2]| {
            json!({"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).to_string()
        };
        for (dtype, width) in [("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2)] {
            let header = entry(dtype, json!([2, 3]), [0, 6 * width]);
            assert_eq!(open(&header, 6 * width as usize).expect("whole"), [0.; 6]);
        }
        let u64_max = u64::MAX;
        for (header, part) in [
            (entry("F32", json!([2, 3]), [0, 24]), "there are 20"),
            (entry("F32", json!([2, 3]), [0, 20]), "should have 20 bytes"),
            (
                entry("F32", json!([u64_max, 3]), [0, 20]),
                "should have 20 bytes",
            ),
            (
                entry("F32", json!([u64_max, 0]), [0, 0]),
                "should have 0 bytes",
            ),
            (
                entry("F32", json!([1_u64 << 62, 4]), [0, 0]),
                "should have 0 bytes",
            ),
            (entry("F32", json!([0]), [9, 3]), "bytes 9 to 3"),
            (entry("F8_E4M3", json!([2]), [0, 2]), "of type `F8_E4M3`"),
            (
                entry("F32", json!([-1]), [0, 4]),
                "not that of a safetensors file",
            ),
            ("{}".to_owned(), "no tensor `a`"),
            ("[]".to_owned(), "not that of a safetensors file"),
        ] {
            let Err(Error::Weights { source, .. }) = open(&header, 20) else {
                panic!("{header}");
            };
            assert!(source.to_string().contains(part), "{source}, {part}");
        }
    }

    #[test]
    fn another_file_is_told() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.safetensors");
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n";
        std::fs::write(&path, pointer).expect("written");
        let error = SafetensorsFile::open(&path).expect_err("a pointer");
        assert!(error.to_string().contains("Git LFS pointer"), "{error}");
        std::fs::write(&path, "short").expect("written");
        let error = SafetensorsFile::open(&path).expect_err("too short");
        assert!(matches!(error, Error::Weights { .. }), "{error}");
    }
}
