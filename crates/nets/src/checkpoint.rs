use std::{collections::HashMap, path::Path};

use tch::{Tensor, nn::VarStore};

use crate::{Error, Result};

/// A file of weights, and how its names and a store's are brought together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightsFile<'a> {
    /// The safetensors file.
    pub(crate) path: &'a Path,
    /// What may stand before a weight's name, in the file and in the store, or in one of them only.
    pub(crate) prefix: &'a str,
    /// How weights that the store does not ask for may begin, behind the prefix; `None`: in any way.
    pub(crate) skipped: Option<&'a [&'a str]>,
    /// How names of variables begin that keep the values they have.
    pub(crate) kept: &'a [&'a str],
}

impl WeightsFile<'_> {
    /// Fills the variables of a store from the file. Half precision is widened.
    ///
    /// # Errors
    /// [`Error::Weights`] for the file; [`Error::MissingWeight`], [`Error::ExtraWeight`] or [`Error::WeightShape`] for what it holds.
    pub(crate) fn load_into(&self, variables: &VarStore) -> Result<()> {
        let weights_error = |source| Error::Weights {
            path: self.path.to_owned(),
            source,
        };
        let mut weights: HashMap<String, Tensor> = Tensor::read_safetensors(self.path)
            .map_err(weights_error)?
            .into_iter()
            .map(|(name, weight)| (self.canonical(&name), weight))
            .collect();
        let mut variables: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
        // So that of several faults the same one is told each time.
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let _no_grad = tch::no_grad_guard();
        for (name, mut variable) in variables {
            if self.kept.iter().any(|start| name.starts_with(start)) {
                continue;
            }
            let Some(weight) = weights.remove(&self.canonical(&name)) else {
                return Err(Error::MissingWeight {
                    path: self.path.to_owned(),
                    name,
                });
            };
            if weight.size() != variable.size() {
                return Err(Error::WeightShape {
                    path: self.path.to_owned(),
                    name,
                    expected: variable.size(),
                    found: weight.size(),
                });
            }
            variable.f_copy_(&weight).map_err(weights_error)?;
        }
        let is_extra = |name: &&String| {
            self.skipped
                .is_some_and(|skipped| !skipped.iter().any(|start| name.starts_with(start)))
        };
        match weights.keys().filter(is_extra).min() {
            None => Ok(()),
            Some(name) => Err(Error::ExtraWeight {
                path: self.path.to_owned(),
                name: name.clone(),
            }),
        }
    }

    /// A weight's name without the prefix. Checkpoints that were once converted from TensorFlow call a normalization's weights gamma and beta.
    fn canonical(&self, name: &str) -> String {
        let name = name.strip_prefix(self.prefix).unwrap_or(name);
        match name.rsplit_once(".LayerNorm.") {
            Some((norm, "gamma")) => format!("{norm}.LayerNorm.weight"),
            Some((norm, "beta")) => format!("{norm}.LayerNorm.bias"),
            _ => name.to_owned(),
        }
    }
}
