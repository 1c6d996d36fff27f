use std::{
    borrow::Cow,
    fs::File,
    path::{Path, PathBuf},
};

use half::f16;
use memmap2::Mmap;
use ndarray::{Array2, ArrayView2};
use safetensors::{Dtype, SafeTensors, View};

use crate::{Error, Result};

/// A number as a file holds it.
pub(crate) trait Number: Copy {
    const DTYPE: Dtype;

    /// The bytes of some numbers, lowest byte first.
    fn to_bytes(numbers: impl Iterator<Item = Self>) -> Vec<u8>;

    /// The other way round. A rest that is shorter than a number is left out.
    fn from_bytes(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($type:ty, $dtype:expr) => {
        impl Number for $type {
            const DTYPE: Dtype = $dtype;

            fn to_bytes(numbers: impl Iterator<Item = Self>) -> Vec<u8> {
                numbers.flat_map(|number| number.to_le_bytes()).collect()
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
pub(crate) struct Tensor {
    name: &'static str,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    pub(crate) fn list<T: Number>(name: &'static str, numbers: &[T]) -> Self {
        Self {
            name,
            dtype: T::DTYPE,
            shape: vec![numbers.len()],
            bytes: T::to_bytes(numbers.iter().copied()),
        }
    }

    /// Row by row.
    pub(crate) fn matrix<T: Number>(name: &'static str, numbers: ArrayView2<'_, T>) -> Self {
        Self {
            name,
            dtype: T::DTYPE,
            shape: numbers.shape().to_vec(),
            bytes: T::to_bytes(numbers.iter().copied()),
        }
    }
}

impl View for &Tensor {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        (&self.bytes).into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// Writes tensors, and makes them durable.
///
/// # Errors
/// [`Error::Tensors`] or [`Error::Io`], when the disk is full, say.
pub(crate) fn write(path: &Path, tensors: &[Tensor]) -> Result<()> {
    let named = tensors.iter().map(|tensor| (tensor.name, tensor));
    safetensors::serialize_to_file(named, &None, path).map_err(|error| match error {
        safetensors::SafeTensorError::IoError(source) => Error::io("write", path)(source),
        source => Error::Tensors {
            path: path.to_owned(),
            source,
        },
    })
}

/// A file of tensors in memory as the system maps it: only what is looked at is read.
pub(crate) struct TensorFile {
    path: PathBuf,
    map: Mmap,
}

impl TensorFile {
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        // SAFETY: the map is only read. A finished file is never written to again: NewFolder writes others and renames. If someone cuts it
        // off all the same, the process ends by a signal; nothing wrong is read.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io("map", path))?;
        Ok(Self {
            path: path.to_owned(),
            map,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A list of so many numbers, or of any number of them.
    ///
    /// # Errors
    /// [`Error::Tensors`], [`Error::MissingTensor`], [`Error::TensorType`] or [`Error::TensorShape`].
    pub(crate) fn list<T: Number>(&self, name: &'static str, n: Option<usize>) -> Result<Vec<T>> {
        let (shape, numbers) = self.numbers(name)?;
        match shape[..] {
            [found] if n.is_none_or(|n| n == found) => Ok(numbers),
            _ => Err(self.shape_error(name, shape, &[n])),
        }
    }

    /// A matrix whose sizes are given, or may be any.
    ///
    /// # Errors
    /// [`Error::Tensors`], [`Error::MissingTensor`], [`Error::TensorType`] or [`Error::TensorShape`].
    pub(crate) fn matrix<T: Number>(
        &self,
        name: &'static str,
        expected: (Option<usize>, Option<usize>),
    ) -> Result<Array2<T>> {
        let (shape, numbers) = self.numbers(name)?;
        let fits = |expected: Option<usize>, found| expected.is_none_or(|n| n == found);
        match shape[..] {
            [n_rows, n_columns] if fits(expected.0, n_rows) && fits(expected.1, n_columns) => {
                Ok(Array2::from_shape_vec((n_rows, n_columns), numbers)
                    .expect("safetensors checks that the bytes fill the shape"))
            }
            _ => Err(self.shape_error(name, shape, &[expected.0, expected.1])),
        }
    }

    fn numbers<T: Number>(&self, name: &'static str) -> Result<(Vec<usize>, Vec<T>)> {
        let tensors = SafeTensors::deserialize(&self.map).map_err(|source| Error::Tensors {
            path: self.path.clone(),
            source,
        })?;
        let tensor = tensors.tensor(name).map_err(|_| Error::MissingTensor {
            path: self.path.clone(),
            name,
        })?;
        if tensor.dtype() != T::DTYPE {
            return Err(Error::TensorType {
                path: self.path.clone(),
                name,
                found: format!("{:?}", tensor.dtype()),
                expected: format!("{:?}", T::DTYPE),
            });
        }
        Ok((tensor.shape().to_vec(), T::from_bytes(tensor.data())))
    }

    fn shape_error(
        &self,
        name: &'static str,
        found: Vec<usize>,
        expected: &[Option<usize>],
    ) -> Error {
        let sizes = expected
            .iter()
            .map(|size| size.map_or_else(|| "any".to_owned(), |size| size.to_string()));
        Error::TensorShape {
            path: self.path.clone(),
            name,
            found,
            expected: format!("[{}]", sizes.collect::<Vec<_>>().join(", ")),
        }
    }
}
