//! Writes safetensors files: a header in JSON, then the numbers.
//!
//! Ours rather than the library's under tch, because that one knows no metadata (without `format` transformers refuses a file), and
//! because tensors are written one by one into a file that gets its name only when it is whole.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
};

use dataset::AtomicFile;
use encoder::METADATA;
use serde_json::{Map, Value, json};
use tch::{Device, Kind, TchError, Tensor};

use crate::Result;

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

        let file = encoder::SafetensorsFile::open(&path).expect("read");
        let texts = file.texts();
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
}
