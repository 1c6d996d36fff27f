use std::{collections::HashMap, path::Path};

use tch::{Tensor, nn::VarStore};

use crate::{Error, Result};

/// Fills all variables of a store from a safetensors file, in which their names may stand behind `prefix`.
///
/// Weights that the store does not ask for (a pooler, a language-model head) are skipped, and half precision is widened.
///
/// # Errors
/// [`Error::Weights`] for the file; [`Error::MissingWeight`] or [`Error::WeightShape`] for what it holds.
pub(crate) fn load_weights(variables: &VarStore, path: &Path, prefix: &str) -> Result<()> {
    let weights_error = |source| Error::Weights {
        path: path.to_owned(),
        source,
    };
    let weights: HashMap<String, Tensor> = Tensor::read_safetensors(path)
        .map_err(weights_error)?
        .into_iter()
        .collect();
    let _no_grad = tch::no_grad_guard();
    for (name, mut variable) in variables.variables() {
        let Some(weight) = weights
            .get(&name)
            .or_else(|| weights.get(&format!("{prefix}{name}")))
        else {
            return Err(Error::MissingWeight {
                path: path.to_owned(),
                name,
            });
        };
        if weight.size() != variable.size() {
            return Err(Error::WeightShape {
                path: path.to_owned(),
                name,
                expected: variable.size(),
                found: weight.size(),
            });
        }
        variable.f_copy_(weight).map_err(weights_error)?;
    }
    Ok(())
}
