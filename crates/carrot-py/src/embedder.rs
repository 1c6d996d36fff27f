use std::path::PathBuf;

use dataset::{Precision, Truncate};
use encoder::{DeviceChoice, PromptEmbedder, Runtime, TokenCounter, load_embedder};
use numpy::{IntoPyArray as _, PyArray1, PyArray2};
use pyo3::prelude::*;
use static_embeddings::EmbedderFiles;

use crate::{
    error::{raise, refuse},
    warnings::detached,
};

/// What turns prompts into embeddings, on the CPU: a sentence embedder's folder, or a static embedder's, as train-and-infer uses them.
#[pyclass(frozen, module = "carrot_router._native")]
pub(crate) struct Embedder(Box<dyn PromptEmbedder>);

#[pymethods]
impl Embedder {
    /// Reads a folder in sentence-transformers' layout, or of token vectors. `truncate` says which part of prompts that are too long is cut off:
    /// `left`, `right` or `middle`; without, the model's files do.
    #[new]
    #[pyo3(signature = (folder, *, truncate=None))]
    fn new(py: Python<'_>, folder: PathBuf, truncate: Option<&str>) -> PyResult<Self> {
        let truncate =
            match truncate {
                None => None,
                Some(name) => Some(Truncate::named(name).ok_or_else(|| {
                    refuse(format!("`{name}` is not `left`, `right` or `middle`"))
                })?),
            };
        detached(py, || {
            let files = EmbedderFiles::in_folder(&folder).map_err(raise)?;
            let runtime = Runtime {
                device: DeviceChoice::Cpu,
                precision: Precision::default(),
            };
            let embedder = files.load(|network| load_embedder(network, truncate, runtime));
            Ok(Self(embedder.map_err(raise)?))
        })
    }

    /// One embedding per prompt, of shape `(n_prompts, dim)`. Its bits do not depend on the other prompts.
    fn embed<'py>(
        &self,
        py: Python<'py>,
        prompts: Vec<String>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let embedded = detached(py, || self.0.embed(&prompts, &|_| {}).map_err(raise))?;
        Ok(embedded.values.into_pyarray(py))
    }

    /// How many tokens each prompt's text has by the embedder's tokenizer, as `carrot-router` counts them.
    fn count<'py>(
        &self,
        py: Python<'py>,
        prompts: Vec<String>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let counted = detached(py, || {
            let counter = TokenCounter::new(self.0.tokenizer().clone())
                .map_err(|error| refuse(format!("cannot count tokens: {error}")))?;
            counter.count_all(&prompts).map_err(raise)
        })?;
        let counted: Vec<f64> = counted.into_iter().map(|n| n as f64).collect();
        Ok(counted.into_pyarray(py))
    }

    /// Length of an embedding.
    #[getter]
    fn dim(&self) -> usize {
        self.0.dim()
    }
}
