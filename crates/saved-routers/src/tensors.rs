use std::{
    borrow::Cow,
    collections::HashMap,
    fs::File,
    marker::PhantomData,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use half::f16;
use memmap2::Mmap;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use safetensors::{Dtype, SafeTensors, View};

use crate::{Error, Result};

/// A number as a file holds it.
pub(crate) trait Number: Copy {
    const DTYPE: Dtype;

    /// The bytes of some numbers, lowest byte first: a copy only where the machine has them otherwise.
    fn to_bytes(numbers: &[Self]) -> Cow<'_, [u8]>;

    /// The other way round. A rest that is shorter than a number is left out.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($type:ty, $dtype:expr) => {
        impl Number for $type {
            const DTYPE: Dtype = $dtype;

            fn to_bytes(numbers: &[Self]) -> Cow<'_, [u8]> {
                if cfg!(target_endian = "little") {
                    // SAFETY: these numbers have no padding, so all of it is bytes, which may stand anywhere.
                    let (_, bytes, _) = unsafe { numbers.align_to() };
                    bytes.into()
                } else {
                    numbers
                        .iter()
                        .flat_map(|number| number.to_le_bytes())
                        .collect()
                }
            }

            fn from_bytes(bytes: &[u8]) -> Vec<Self> {
                let (numbers, _) = bytes.as_chunks();
                numbers
                    .iter()
                    .map(|&bytes| Self::from_le_bytes(bytes))
                    .collect()
            }
        }
    };
}

number!(f32, Dtype::F32);
number!(f64, Dtype::F64);
number!(u32, Dtype::U32);
number!(f16, Dtype::F16);

/// A tensor to be written.
pub(crate) struct Tensor<'a> {
    name: Cow<'static, str>,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Cow<'a, [u8]>,
}

impl<'a> Tensor<'a> {
    pub(crate) fn list<T: Number>(name: impl Into<Cow<'static, str>>, numbers: &'a [T]) -> Self {
        Self {
            name: name.into(),
            dtype: T::DTYPE,
            shape: vec![numbers.len()],
            bytes: T::to_bytes(numbers),
        }
    }

    /// The same of an array, wherever its numbers lie.
    pub(crate) fn vector<T: Number>(
        name: impl Into<Cow<'static, str>>,
        numbers: ArrayView1<'a, T>,
    ) -> Self {
        let n = numbers.len();
        Self {
            shape: vec![n],
            ..Self::matrix(name, numbers.insert_axis(Axis(0)))
        }
    }

    /// Row by row.
    pub(crate) fn matrix<T: Number>(
        name: impl Into<Cow<'static, str>>,
        numbers: ArrayView2<'a, T>,
    ) -> Self {
        let bytes = match numbers.to_slice() {
            Some(numbers) => T::to_bytes(numbers),
            None => T::to_bytes(&numbers.iter().copied().collect::<Vec<T>>())
                .into_owned()
                .into(),
        };
        Self {
            name: name.into(),
            dtype: T::DTYPE,
            shape: numbers.shape().to_vec(),
            bytes,
        }
    }
}

impl Tensor<'_> {
    /// The same of a matrix that nobody else keeps.
    pub(crate) fn of_matrix<T: Number>(
        name: impl Into<Cow<'static, str>>,
        numbers: Array2<T>,
    ) -> Self {
        let Tensor {
            name,
            dtype,
            shape,
            bytes,
        } = Tensor::matrix(name, numbers.view());
        let bytes = bytes.into_owned().into();
        Self {
            name,
            dtype,
            shape,
            bytes,
        }
    }
}

impl View for &Tensor<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes tensors, and makes them durable.
///
/// # Errors
/// [`Error::Tensors`] or [`Error::Dataset`], when the disk is full, say.
pub(crate) fn write(path: &Path, tensors: &[Tensor<'_>]) -> Result<()> {
    serialize(path, tensors, None)
}

/// The same for files that PyTorch users open too: without the key `format` some Python libraries refuse a file of weights.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_for_pytorch(path: &Path, tensors: &[Tensor<'_>]) -> Result<()> {
    let format = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    serialize(path, tensors, Some(format))
}

fn serialize(
    path: &Path,
    tensors: &[Tensor<'_>],
    metadata: Option<HashMap<String, String>>,
) -> Result<()> {
    let named = tensors.iter().map(|tensor| (&*tensor.name, tensor));
    safetensors::serialize_to_file(named, &metadata, path).map_err(|error| match error {
        safetensors::SafeTensorError::IoError(source) => {
            dataset::Error::io("write", path)(source).into()
        }
        source => Error::Tensors {
            path: path.to_owned(),
            source,
        },
    })
}

/// A file of tensors in memory as the system maps it: only what is looked at is read.
pub(crate) struct TensorFile {
    path: PathBuf,
    map: Arc<Mmap>,
}

/// Numbers that lie elsewhere and are shared.
pub(crate) type Shared<T> = Arc<dyn AsRef<[T]> + Send + Sync>;

/// Numbers that stay in a mapped file.
struct MappedNumbers<T> {
    map: Arc<Mmap>,
    bytes: Range<usize>,
    is_of: PhantomData<fn() -> T>,
}

impl<T: Number> AsRef<[T]> for MappedNumbers<T> {
    fn as_ref(&self) -> &[T] {
        in_place(&self.map[self.bytes.clone()]).expect("they were looked at before")
    }
}

/// The numbers that bytes are, unless they stand at an address where no such number may stand, or the machine has the highest byte first.
fn in_place<T: Number>(bytes: &[u8]) -> Option<&[T]> {
    // SAFETY: any bytes, as many as a `Number` has, are one.
    let (before, numbers, after) = unsafe { bytes.align_to() };
    let is_whole = before.is_empty() && after.is_empty();
    (is_whole && cfg!(target_endian = "little")).then_some(numbers)
}

impl TensorFile {
    /// # Errors
    /// [`Error::Dataset`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(dataset::Error::io("open", path))?;
        // SAFETY: the map is only read. A finished file is never written to again: NewFolder writes others and renames. What happens if
        // someone does so all the same stands at SavedRouter::open.
        let map = unsafe { Mmap::map(&file) }.map_err(dataset::Error::io("map", path))?;
        Ok(Self {
            path: path.to_owned(),
            map: Arc::new(map),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a file with tensors that are not among the expected ones: it belongs to another model.
    ///
    /// # Errors
    /// [`Error::Tensors`] or [`Error::ExtraTensor`].
    pub(crate) fn has_only(&self, expected: &[impl AsRef<str>]) -> Result<()> {
        let tensors = self.tensors()?;
        let extra = tensors
            .names()
            .into_iter()
            .find(|name| !expected.iter().any(|it| it.as_ref() == name.as_str()));
        match extra {
            Some(name) => Err(Error::ExtraTensor {
                path: self.path.clone(),
                name: name.clone(),
            }),
            None => Ok(()),
        }
    }

    /// A list of so many numbers, or of any number of them.
    ///
    /// # Errors
    /// [`Error::Tensors`], [`Error::MissingTensor`], [`Error::TensorType`] or [`Error::TensorShape`].
    pub(crate) fn list<T: Number>(&self, name: &str, n: Option<usize>) -> Result<Vec<T>> {
        let (shape, bytes) = self.bytes(name, T::DTYPE)?;
        match shape[..] {
            [found] if n.is_none_or(|n| n == found) => Ok(T::from_bytes(&self.map[bytes])),
            _ => Err(self.shape_error(name, shape, &[n])),
        }
    }

    /// A matrix whose sizes are given, or may be any.
    ///
    /// # Errors
    /// [`Error::Tensors`], [`Error::MissingTensor`], [`Error::TensorType`] or [`Error::TensorShape`].
    pub(crate) fn matrix<T: Number>(
        &self,
        name: &str,
        expected: (Option<usize>, Option<usize>),
    ) -> Result<Array2<T>> {
        let (shape, bytes) = self.matrix_bytes(name, T::DTYPE, expected)?;
        Ok(
            Array2::from_shape_vec(shape, T::from_bytes(&self.map[bytes]))
                .expect("safetensors checks that the bytes fill the shape"),
        )
    }

    /// A matrix, row after row, with its shape. It stays in the file; if the header's length lets the numbers begin where none may,
    /// which no safetensors library does today, it is copied.
    ///
    /// # Errors
    /// [`Error::Tensors`], [`Error::MissingTensor`], [`Error::TensorType`] or [`Error::TensorShape`].
    pub(crate) fn mapped_matrix<T: Number + Send + Sync + 'static>(
        &self,
        name: &str,
        expected: (Option<usize>, Option<usize>),
    ) -> Result<(Shared<T>, (usize, usize))> {
        let (shape, bytes) = self.matrix_bytes(name, T::DTYPE, expected)?;
        if in_place::<T>(&self.map[bytes.clone()]).is_none() {
            let copy: Vec<T> = Number::from_bytes(&self.map[bytes]);
            return Ok((Arc::new(copy), shape));
        }
        let numbers = MappedNumbers {
            map: Arc::clone(&self.map),
            bytes,
            is_of: PhantomData,
        };
        Ok((Arc::new(numbers), shape))
    }

    fn matrix_bytes(
        &self,
        name: &str,
        dtype: Dtype,
        expected: (Option<usize>, Option<usize>),
    ) -> Result<((usize, usize), Range<usize>)> {
        let (shape, bytes) = self.bytes(name, dtype)?;
        let fits = |expected: Option<usize>, found| expected.is_none_or(|n| n == found);
        match shape[..] {
            [n_rows, n_columns] if fits(expected.0, n_rows) && fits(expected.1, n_columns) => {
                Ok(((n_rows, n_columns), bytes))
            }
            _ => Err(self.shape_error(name, shape, &[expected.0, expected.1])),
        }
    }

    /// A tensor's shape, and where in the file it stands.
    fn bytes(&self, name: &str, dtype: Dtype) -> Result<(Vec<usize>, Range<usize>)> {
        let tensors = self.tensors()?;
        let tensor = tensors.tensor(name).map_err(|_| Error::MissingTensor {
            path: self.path.clone(),
            name: name.to_owned(),
        })?;
        if tensor.dtype() != dtype {
            return Err(Error::TensorType {
                path: self.path.clone(),
                name: name.to_owned(),
                found: format!("{:?}", tensor.dtype()),
                expected: format!("{dtype:?}"),
            });
        }
        let bytes = tensor.data();
        let start = bytes.as_ptr().addr() - self.map.as_ptr().addr();
        Ok((tensor.shape().to_vec(), start..start + bytes.len()))
    }

    fn tensors(&self) -> Result<SafeTensors<'_>> {
        SafeTensors::deserialize(&self.map).map_err(|source| Error::Tensors {
            path: self.path.clone(),
            source,
        })
    }

    fn shape_error(&self, name: &str, found: Vec<usize>, expected: &[Option<usize>]) -> Error {
        let sizes = expected
            .iter()
            .map(|size| size.map_or_else(|| "any".to_owned(), |size| size.to_string()));
        Error::TensorShape {
            path: self.path.clone(),
            name: name.to_owned(),
            found,
            expected: format!("[{}]", sizes.collect::<Vec<_>>().join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matrix in a file whose header is longer by some spaces, as the format allows.
    fn check_mapped<T: Number + PartialEq + std::fmt::Debug + Send + Sync + 'static>(
        values: &Array2<T>,
    ) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.safetensors");
        write(&path, &[Tensor::matrix("a", values.view())]).expect("written");
        let whole = std::fs::read(&path).expect("read");
        for n_spaces in 0..8_u64 {
            let n_header = u64::from_le_bytes(whole[..8].try_into().expect("eight bytes"));
            let end = 8 + n_header as usize;
            let mut bytes = (n_header + n_spaces).to_le_bytes().to_vec();
            bytes.extend(&whole[8..end]);
            bytes.extend(vec![b' '; n_spaces as usize]);
            bytes.extend(&whole[end..]);
            std::fs::write(&path, bytes).expect("written");
            let file = TensorFile::open(&path).expect("opened");
            let (found, shape) = (file.mapped_matrix::<T>("a", (None, Some(2)))).expect("read");
            assert_eq!(shape, (3, 2));
            let found: &[T] = (*found).as_ref();
            assert_eq!(Some(found), values.as_slice());
            let is_mapped = file.map.as_ptr_range().contains(&found.as_ptr().cast());
            let is_little = cfg!(target_endian = "little");
            let is_aligned = n_spaces as usize % size_of::<T>() == 0;
            assert_eq!(is_mapped, is_little && is_aligned, "{n_spaces}");
        }
    }

    #[test]
    fn a_matrix_stays_in_the_file_where_it_can() {
        let values = Array2::from_shape_fn((3, 2), |(row, column)| (row * 2 + column) as f32 - 2.5);
        check_mapped(&values);
        check_mapped(&values.mapv(f16::from_f32));
    }

    #[test]
    fn a_turned_matrix_is_written_row_by_row() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a.safetensors");
        let values = ndarray::array![[1.0_f64, 2.0], [3.0, 4.0], [5.0, 6.0]];
        write(&path, &[Tensor::matrix("a", values.t())]).expect("written");
        let file = TensorFile::open(&path).expect("opened");
        let found = file.matrix::<f64>("a", (None, None)).expect("read");
        assert_eq!(found, values.t());
    }
}
