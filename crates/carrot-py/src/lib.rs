//! The learners and the measures for Python, on NumPy arrays.
//!
//! Holds what Python calls: fits, saved routers, local embedders, decisions, curves, metrics, whether routing is worth it, calibration, and the
//! parts of a data set. In come arrays, settings as JSON of the form of configs/routers.toml, and folders that the programs wrote; out go arrays that
//! own what Rust computed. Must not know scikit-learn, whose manners the Python files beside this crate have, nor a network.
//!
//! # Arrays
//! Matrices of scores are float32 and those of costs float64, of shape `(n_prompts, n_models)`, embeddings float32 of shape `(n_prompts, dim)`. They are
//! read where they lie, and what is computed becomes an array without a copy. NaN is unknown. While Rust computes, other threads of Python run.
//!
//! # Errors
//! A library's error becomes a `CarrotError`, a `ValueError` with the same words. What a library warns of becomes a `UserWarning`.

mod calibrate;
mod embedder;
mod error;
mod measure;
mod packed;
mod router;
mod settings;
mod split;
mod table;
mod warnings;
mod worth;

use pyo3::prelude::*;

use crate::{
    embedder::Embedder,
    error::CarrotError,
    router::Router,
    split::{Part, Split},
    worth::Gains,
};

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    warnings::collect();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("CarrotError", module.py().get_type::<CarrotError>())?;
    module.add_class::<Embedder>()?;
    module.add_class::<Router>()?;
    module.add_class::<Split>()?;
    module.add_class::<Part>()?;
    module.add_class::<Gains>()?;
    module.add_function(wrap_pyfunction!(settings::default_settings, module)?)?;
    module.add_function(wrap_pyfunction!(split::read_split, module)?)?;
    module.add_function(wrap_pyfunction!(measure::choose, module)?)?;
    module.add_function(wrap_pyfunction!(measure::curve, module)?)?;
    module.add_function(wrap_pyfunction!(measure::metrics, module)?)?;
    module.add_function(wrap_pyfunction!(worth::worth, module)?)?;
    module.add_function(wrap_pyfunction!(worth::judge, module)?)?;
    module.add_function(wrap_pyfunction!(worth::judge_pair, module)?)?;
    module.add_function(wrap_pyfunction!(worth::difference, module)?)?;
    module.add_function(wrap_pyfunction!(worth::folds, module)?)?;
    module.add_function(wrap_pyfunction!(calibrate::calibrate, module)?)?;
    Ok(())
}
