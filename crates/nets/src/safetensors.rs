//! Reads and writes safetensors files: a header in JSON, then the numbers.
//!
//! Ours rather than the library's under tch, because that one knows no metadata (without `format` transformers refuses a file), and
//! because tensors are written one by one into a file that gets its name only when it is whole. Read, a header is believed only as far as the
//! file has bytes for what it says.

mod read;

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use dataset::AtomicFile;
use serde_json::{Map, Value, json};
use tch::{Device, Kind, TchError, Tensor};

pub(crate) use self::read::SafetensorsFile;
pub use self::read::WeightsError;
use crate::Result;

/// Key of the header under which texts stand.
const METADATA: &str = "__metadata__";
/// A header beyond this is none; the library under tch has the same bound.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Writes float32 tensors by name, atomically: on any failure an older file stays as it was.
///
/// # Errors
/// [`Error::Dataset`] when the disk is full, say.
pub(crate) fn write(
    path: &Path,
    tensors: &[(String, Tensor)],
    metadata: &BTreeMap<&str, String>,
) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    write_to(&mut file, tensors, metadata).map_err(dataset::Error::io("write", path))?;
    Ok(file.commit()?)
}

fn write_to(
    file: &mut impl Write,
    tensors: &[(String, Tensor)],
    metadata: &BTreeMap<&str, String>,
) -> io::Result<()> {
    let mut header = Map::new();
    header.insert(METADATA.to_owned(), json!(metadata));
    let mut begin = 0;
    for (name, tensor) in tensors {
        let end = begin + 4 * tensor.numel();
        let entry = json!({"dtype": "F32", "shape": tensor.size(), "data_offsets": [begin, end]});
        header.insert(name.clone(), entry);
        begin = end;
    }
    let mut header = serde_json::to_vec(&Value::Object(header))?;
    // The numbers shall start at a multiple of 8.
    header.resize(header.len().next_multiple_of(8), b' ');
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for (_, tensor) in tensors {
        file.write_all(&bytes(tensor).map_err(io::Error::other)?)?;
    }
    Ok(())
}

/// A tensor's float32 numbers, row by row.
pub(crate) fn bytes(tensor: &Tensor) -> Result<Vec<u8>, TchError> {
    let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?;
    let tensor = tensor.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut bytes = vec![0; 4 * tensor.numel()];
    tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
    Ok(bytes)
}

/// The texts in a file's header.
///
/// # Errors
/// [`Error::Dataset`], also when there is no header.
pub(crate) fn read_metadata(path: &Path) -> Result<BTreeMap<String, String>> {
    let header = read_header(path).map_err(dataset::Error::io("read", path))?;
    let metadata = parse_metadata(&header).map_err(dataset::Error::json(path))?;
    Ok(metadata)
}

fn read_header(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut n_bytes = [0; 8];
    file.read_exact(&mut n_bytes)?;
    let n_bytes = u64::from_le_bytes(n_bytes).min(MAX_HEADER_BYTES);
    let mut header = Vec::new();
    file.take(n_bytes).read_to_end(&mut header)?;
    Ok(header)
}

fn parse_metadata(header: &[u8]) -> serde_json::Result<BTreeMap<String, String>> {
    let mut header: Map<String, Value> = serde_json::from_slice(header)?;
    let metadata = header.remove(METADATA).unwrap_or_else(|| json!({}));
    serde_json::from_value(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match self.0.min(bytes.len()) {
                0 => Err(io::ErrorKind::StorageFull.into()),
                n_bytes => {
                    self.0 -= n_bytes;
                    Ok(n_bytes)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn tensors_and_texts_come_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.safetensors");
        let tensors = [
            (
                "b".to_owned(),
                Tensor::from_slice(&[1_f32, -2.5, f32::MIN_POSITIVE]),
            ),
            (
                "a.x".to_owned(),
                Tensor::from_slice2(&[[1_f32, 2.], [3., 4.]]).transpose(0, 1),
            ),
            (
                "none".to_owned(),
                Tensor::zeros([0, 3], (Kind::Float, Device::Cpu)),
            ),
        ];
        let metadata = BTreeMap::from([("format", "pt".to_owned()), ("quote", "\"é".to_owned())]);
        write(&path, &tensors, &metadata).expect("written");

        let texts = read_metadata(&path).expect("read");
        assert_eq!(texts.len(), 2);
        assert_eq!(texts["quote"], "\"é");
        let mut found = Tensor::read_safetensors(&path).expect("read");
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let names: Vec<&str> = found.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["a.x", "b", "none"]);
        for ((_, found), expected) in
            found
                .iter()
                .zip([&tensors[1].1, &tensors[0].1, &tensors[2].1])
        {
            assert_eq!(*found, *expected);
        }
    }

    #[test]
    fn a_full_disk_is_told() {
        let tensors = [(
            "a".to_owned(),
            Tensor::zeros([100], (Kind::Float, Device::Cpu)),
        )];
        for room in [0, 4, 8, 50, 400] {
            let error = write_to(&mut Disk(room), &tensors, &BTreeMap::new()).expect_err("full");
            assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{room}");
        }
        assert!(write_to(&mut Disk(1_000), &tensors, &BTreeMap::new()).is_ok());
    }

    #[test]
    fn a_file_without_a_header_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, bytes) in [
            ("empty", &b""[..]),
            ("short", b"abc"),
            ("long", b"no header at all"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            assert!(read_metadata(&path).is_err(), "{name}");
        }
    }
}
