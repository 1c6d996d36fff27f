use encoder::CheckedWeights;
use tch::{Tensor, nn::VarStore};

use crate::{Error, Result};

/// Fills the variables of a store with weights of their names, one by one.
///
/// # Errors
/// As [`CheckedWeights::values`].
pub(crate) fn load_into(mut weights: CheckedWeights, variables: &VarStore) -> Result<()> {
    let mut variables: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
    // So that of several faults the same one is told each time.
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    let _no_grad = tch::no_grad_guard();
    for (name, mut variable) in variables {
        if !weights.is_kept(&name) {
            let values = weights.values(&name)?;
            let weight = Tensor::f_from_slice(&values).and_then(|it| it.f_view_as(&variable));
            let copied = weight.and_then(|weight| variable.f_copy_(&weight));
            copied.map_err(Error::torch("copy a weight to the device"))?;
        }
    }
    Ok(())
}
