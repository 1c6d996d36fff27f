use dataset::Quantity;
use routers::{Kernel, KernelFit, UnitRows};

use crate::{
    Contents, Error, KernelTarget, Result, SavedLearner,
    learner::{Outputs, group},
    ridge,
    tensors::{Tensor, TensorFile},
};

/// Kernel ridge regression that was opened in a folder.
pub type SavedKernel = SavedLearner<Kernel>;

const KERNEL: &str = "kernel";
const LANDMARKS: &str = "kernel/landmarks";

/// `kernel/landmarks` of shape `(n_landmarks, dim)`, unit vectors in float32, which all targets share, and for each target
/// `kernel/<target>/coefficients` and `kernel/<target>/intercepts`, see [`ridge::tensors`].
pub(crate) fn tensors<'a>(kernel: &'a Kernel, quantities: &[Quantity]) -> Vec<Tensor<'a>> {
    let mut tensors = vec![Tensor::matrix(LANDMARKS, kernel.landmarks().view())];
    for (weights, &quantity) in kernel.weights().iter().zip(quantities) {
        tensors.extend(ridge::tensors(weights, &|name| {
            group(KERNEL, quantity, name)
        }));
    }
    tensors
}

/// What the record says of it.
pub(crate) fn contents(kernel: &Kernel, quantities: &[Quantity]) -> Contents {
    let targets = kernel.fits().iter().zip(quantities);
    let target = |(fit, &quantity): (&KernelFit, &Quantity)| KernelTarget {
        quantity,
        gamma: fit.gamma,
        alpha: fit.alpha,
    };
    Contents::Kernel {
        targets: targets.map(target).collect(),
    }
}

/// # Errors
/// Those of a file, and [`Error::Router`] for numbers that make no regression.
pub(crate) fn read(
    file: &TensorFile,
    targets: &[KernelTarget],
    outputs: Outputs,
) -> Result<Kernel> {
    let Outputs { dim, n_models } = outputs;
    let (landmarks, shape) = file.mapped_matrix(LANDMARKS, (None, Some(dim)))?;
    let n_landmarks = shape.0;
    let landmarks = UnitRows::from_unit(landmarks, shape).map_err(Error::router(file.path()))?;
    let (mut fits, mut weights) = (Vec::new(), Vec::new());
    for target in targets {
        let name = |name: &str| group(KERNEL, target.quantity, name);
        weights.push(ridge::read(file, &name, Some(n_landmarks), n_models)?);
        fits.push(KernelFit {
            target: format!("{:?}", target.quantity),
            gamma: target.gamma,
            alpha: target.alpha,
            cross_validation: Vec::new(),
        });
    }
    Kernel::from_parts(landmarks, fits, weights).map_err(Error::router(file.path()))
}

/// The names of its tensors.
pub(crate) fn names(targets: &[KernelTarget]) -> Vec<String> {
    let names = |target: &KernelTarget| ridge::names(&|name| group(KERNEL, target.quantity, name));
    let landmarks = [LANDMARKS.to_owned()];
    landmarks
        .into_iter()
        .chain(targets.iter().flat_map(names))
        .collect()
}
