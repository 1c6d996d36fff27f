use std::path::Path;

use encoder::{Error, Result, WeightsError, read_model_file};
use half::{bf16, f16};
use ndarray::Array2;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

/// The matrix of token vectors by the name that Model2Vec gives it.
pub(crate) const EMBEDDINGS: &str = "embeddings";
/// The same by the name that sentence-transformers gives it.
const EMBEDDINGS_OF_ST: &str = "embedding.weight";
/// A factor for each token.
const WEIGHTS: &str = "weights";
/// For each token the row of its vector, where several share one.
const MAPPING: &str = "mapping";

/// The vectors of tokens, in float32 whatever the file has them in.
#[derive(Debug)]
pub(crate) struct Table {
    /// Shape `(n_rows, dim)`.
    vectors: Array2<f32>,
    /// For each token its row; without it, its own number.
    rows: Option<Vec<u32>>,
    weights: Option<Weights>,
}

/// A factor for each token, as wide as the file has it: sums are as wide as in model2vec, which matters for long prompts.
#[derive(Debug)]
enum Weights {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

/// A file of tensors, for messages.
struct Tensors<'a> {
    path: &'a Path,
    tensors: SafeTensors<'a>,
}

impl Table {
    /// Reads the vectors of a vocabulary.
    ///
    /// # Errors
    /// [`Error::Dataset`] or [`Error::Mistaken`] for the file; [`Error::Weights`] for what is in it, also when it does not belong to a vocabulary of
    /// `n_tokens`.
    pub(crate) fn read(path: &Path, n_tokens: usize) -> Result<Self> {
        let bytes = read_model_file(path)?;
        let tensors = SafeTensors::deserialize(&bytes)
            .map_err(|source| bad(path, format!("it is not a safetensors file: {source}")))?;
        let file = Tensors { path, tensors };
        let vectors = file.vectors()?;
        let rows = file.list(MAPPING, n_tokens, whole_numbers)?;
        let weights = file.weights(n_tokens)?;
        let (n_rows, _) = vectors.dim();
        if rows.is_none() && n_rows != n_tokens {
            let why = format!("it has {n_rows} vectors, and tokenizer.json {n_tokens} tokens");
            return Err(bad(path, why));
        }
        let last = rows.iter().flatten().max();
        if let Some(last) = last.filter(|&&row| row as usize >= n_rows) {
            let why = format!("`{MAPPING}` names vector {last}, but there are only {n_rows}");
            return Err(bad(path, why));
        }
        let is_finite = match &weights {
            None => true,
            Some(Weights::Single(weights)) => weights.iter().all(|it| it.is_finite()),
            Some(Weights::Double(weights)) => weights.iter().all(|it| it.is_finite()),
        };
        for (name, is_finite) in [
            (EMBEDDINGS, vectors.iter().all(|it| it.is_finite())),
            (WEIGHTS, is_finite),
        ] {
            if !is_finite {
                let why = format!("`{name}` holds a value that is not finite");
                return Err(bad(path, why));
            }
        }
        Ok(Self {
            vectors,
            rows,
            weights,
        })
    }

    /// Width of a vector.
    pub(crate) fn dim(&self) -> usize {
        self.vectors.ncols()
    }

    /// Adds the tokens' vectors up, one after the other, and scales the sum to length 1; without tokens, or where the sum is zero, it is zero.
    pub(crate) fn embed(&self, ids: &[u32], vector: &mut [f32]) {
        match &self.weights {
            None => {
                vector.fill(0.0);
                for &id in ids {
                    let values = vector.iter_mut().zip(self.row(id));
                    values.for_each(|(sum, &value)| *sum += value);
                }
            }
            Some(Weights::Single(weights)) => {
                vector.fill(0.0);
                for &id in ids {
                    let weight = weights[id as usize];
                    let values = vector.iter_mut().zip(self.row(id));
                    values.for_each(|(sum, &value)| *sum += weight * value);
                }
            }
            Some(Weights::Double(weights)) => {
                let mut sums = vec![0.0_f64; vector.len()];
                for &id in ids {
                    let weight = weights[id as usize];
                    let values = sums.iter_mut().zip(self.row(id));
                    values.for_each(|(sum, &value)| *sum += weight * f64::from(value));
                }
                let values = vector.iter_mut().zip(sums);
                values.for_each(|(value, sum)| *value = sum as f32);
            }
        }
        let squares: f64 = vector.iter().map(|&value| f64::from(value).powi(2)).sum();
        if squares > 0.0 {
            let scale = 1.0 / squares.sqrt();
            vector
                .iter_mut()
                .for_each(|value| *value = (f64::from(*value) * scale) as f32);
        }
    }

    /// A token's vector.
    fn row(&self, id: u32) -> &[f32] {
        let row = self.rows.as_ref().map_or(id, |rows| rows[id as usize]);
        let row = self.vectors.row(row as usize);
        row.to_slice().expect("read in standard order")
    }
}

impl Tensors<'_> {
    fn error(&self, what: String) -> Error {
        bad(self.path, what)
    }

    fn vectors(&self) -> Result<Array2<f32>> {
        let names = [EMBEDDINGS, EMBEDDINGS_OF_ST];
        let tensor = names.iter().find_map(|name| self.tensors.tensor(name).ok());
        let tensor = tensor.ok_or_else(|| {
            self.error(format!(
                "it has no tensor `{EMBEDDINGS}` (nor `{EMBEDDINGS_OF_ST}`)"
            ))
        })?;
        let &[n_rows, dim] = tensor.shape() else {
            return Err(self.error(format!(
                "tensor `{EMBEDDINGS}` has shape {:?}, expected a matrix",
                tensor.shape()
            )));
        };
        if n_rows == 0 || dim == 0 {
            return Err(self.error(format!("tensor `{EMBEDDINGS}` is empty: {n_rows} x {dim}")));
        }
        let values = numbers(&tensor).ok_or_else(|| self.unsupported(EMBEDDINGS, &tensor))?;
        Array2::from_shape_vec((n_rows, dim), values)
            .map_err(|source| self.error(format!("tensor `{EMBEDDINGS}`: {source}")))
    }

    fn weights(&self, n_tokens: usize) -> Result<Option<Weights>> {
        let tensor = self.tensors.tensor(WEIGHTS);
        if tensor.is_ok_and(|tensor| tensor.dtype() == Dtype::F64) {
            let doubles = |tensor: &TensorView<'_>| Some(each(tensor.data(), f64::from_le_bytes));
            let weights = self.list(WEIGHTS, n_tokens, doubles)?;
            return Ok(weights.map(Weights::Double));
        }
        let weights = self.list(WEIGHTS, n_tokens, numbers)?;
        Ok(weights.map(Weights::Single))
    }

    /// A tensor with a value for each token, if there is one.
    fn list<T>(
        &self,
        name: &str,
        n_tokens: usize,
        read: impl Fn(&TensorView<'_>) -> Option<Vec<T>>,
    ) -> Result<Option<Vec<T>>> {
        let Ok(tensor) = self.tensors.tensor(name) else {
            return Ok(None);
        };
        if tensor.shape() != [n_tokens] {
            return Err(self.error(format!(
                "tensor `{name}` has shape {:?}, expected [{n_tokens}], one for each token in tokenizer.json",
                tensor.shape()
            )));
        }
        let values = read(&tensor).ok_or_else(|| self.unsupported(name, &tensor))?;
        Ok(Some(values))
    }

    fn unsupported(&self, name: &str, tensor: &TensorView<'_>) -> Error {
        let what = match name {
            MAPPING => "supported: whole numbers, none below 0 or above 2^32 - 1",
            _ => "supported: `F64`, `F32`, `F16`, `BF16`, `I8`",
        };
        self.error(format!(
            "tensor `{name}` is of type `{:?}`, {what}",
            tensor.dtype()
        ))
    }
}

fn bad(path: &Path, why: String) -> Error {
    Error::Weights {
        path: path.to_owned(),
        source: WeightsError::Contradiction(why),
    }
}

/// Numbers as float32. Those of a byte have lost their common factor, which a vector of length 1 does not need.
fn numbers(tensor: &TensorView<'_>) -> Option<Vec<f32>> {
    let bytes = tensor.data();
    Some(match tensor.dtype() {
        Dtype::F32 => each(bytes, f32::from_le_bytes),
        Dtype::F64 => each(bytes, |it| f64::from_le_bytes(it) as f32),
        Dtype::F16 => each(bytes, |it| f16::from_le_bytes(it).to_f32()),
        Dtype::BF16 => each(bytes, |it| bf16::from_le_bytes(it).to_f32()),
        Dtype::I8 => each(bytes, |it| f32::from(i8::from_le_bytes(it))),
        _ => return None,
    })
}

fn whole_numbers(tensor: &TensorView<'_>) -> Option<Vec<u32>> {
    let bytes = tensor.data();
    let numbers: Vec<Option<u32>> = match tensor.dtype() {
        Dtype::I64 => each(bytes, |it| i64::from_le_bytes(it).try_into().ok()),
        Dtype::U64 => each(bytes, |it| u64::from_le_bytes(it).try_into().ok()),
        Dtype::I32 => each(bytes, |it| i32::from_le_bytes(it).try_into().ok()),
        Dtype::U32 => each(bytes, |it| Some(u32::from_le_bytes(it))),
        Dtype::U16 => each(bytes, |it| Some(u16::from_le_bytes(it).into())),
        _ => return None,
    };
    numbers.into_iter().collect()
}

fn each<const N: usize, T>(bytes: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks()
        .0
        .iter()
        .map(|&bytes| number(bytes))
        .collect()
}
