use dataset::Quantity;
use routers::{Linear, LinearFit};

use crate::{
    Contents, Error, LinearTarget, Result, SavedLearner,
    learner::{Outputs, group},
    ridge,
    tensors::{Tensor, TensorFile},
};

/// Ridge regression that was opened in a folder.
pub type SavedLinear = SavedLearner<Linear>;

const LINEAR: &str = "linear";

/// `linear/<target>/coefficients` and `linear/<target>/intercepts`, see [`ridge::tensors`].
pub(crate) fn tensors<'a>(linear: &'a Linear, quantities: &[Quantity]) -> Vec<Tensor<'a>> {
    let targets = linear.weights().iter().zip(quantities);
    targets
        .flat_map(|(weights, &quantity)| {
            ridge::tensors(weights, &|name| group(LINEAR, quantity, name))
        })
        .collect()
}

/// What the record says of it.
pub(crate) fn contents(linear: &Linear, quantities: &[Quantity]) -> Contents {
    let targets = linear.fits().iter().zip(quantities);
    let target = |(fit, &quantity): (&LinearFit, &Quantity)| LinearTarget {
        quantity,
        alpha: fit.alpha,
    };
    Contents::Linear {
        targets: targets.map(target).collect(),
    }
}

/// # Errors
/// Those of a file, and [`Error::Router`] for numbers that make no regression.
pub(crate) fn read(
    file: &TensorFile,
    targets: &[LinearTarget],
    outputs: Outputs,
) -> Result<Linear> {
    let Outputs { dim, n_models } = outputs;
    let (mut fits, mut weights) = (Vec::new(), Vec::new());
    for target in targets {
        let name = |name: &str| group(LINEAR, target.quantity, name);
        weights.push(ridge::read(file, &name, Some(dim), n_models)?);
        fits.push(LinearFit {
            target: format!("{:?}", target.quantity),
            alpha: target.alpha,
            cross_validation: Vec::new(),
        });
    }
    Linear::from_parts(fits, weights).map_err(Error::router(file.path()))
}

/// The names of its tensors.
pub(crate) fn names(targets: &[LinearTarget]) -> Vec<String> {
    let names = |target: &LinearTarget| ridge::names(&|name| group(LINEAR, target.quantity, name));
    targets.iter().flat_map(names).collect()
}
