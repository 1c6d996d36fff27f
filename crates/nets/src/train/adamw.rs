use tch::{TchError, Tensor};

use super::params::{Decayed, TrainParams};

/// Deep copies of weights, by name.
pub(super) type Copies = Vec<(String, Tensor)>;

/// Adam with decoupled weight decay (Loshchilov and Hutter 2017, arXiv 1711.05101), in PyTorch's order of operations.
///
/// ```text
/// w <- w - lr decay w
/// m <- b1 m + (1 - b1) g        v <- b2 v + (1 - b2) g^2
/// w <- w - lr / (1 - b1^t) * m / ( sqrt(v) / sqrt(1 - b2^t) + eps )        t = 1, 2, ... counts updates
/// ```
///
/// Ours rather than tch's, which does not show its state: without `m` and `v` no training could be taken up again.
#[derive(Debug)]
pub(super) struct AdamW {
    parameters: Vec<Parameter>,
    betas: [f64; 2],
    epsilon: f64,
    pub(super) n_updates: u64,
}

/// One tensor of weights with its running means, all float32.
#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) weight: Tensor,
    pub(super) mean: Tensor,
    pub(super) mean_square: Tensor,
    decay: f64,
}

/// Gradients of one step, summed over its batches; empty before the first. They are kept here and not at the weights, which would keep
/// their memory after the training.
#[derive(Debug, Default)]
pub(super) struct Gradients(Vec<Tensor>);

impl AdamW {
    /// Takes handles on weights by name.
    ///
    /// # Errors
    /// When libtorch refuses, for want of memory.
    pub(super) fn new(
        weights: Vec<(String, Tensor)>,
        params: &TrainParams,
    ) -> Result<Self, TchError> {
        let parameter = |(name, weight): (String, Tensor)| {
            // Trainer's groups: no bias, and nothing of a layer normalization.
            let is_matrix = !name.ends_with(".bias") && !name.contains("LayerNorm");
            let is_decayed = match params.decayed {
                Decayed::All => true,
                Decayed::Matrices => is_matrix,
            };
            Ok(Parameter {
                mean: weight.f_zeros_like()?.f_detach()?,
                mean_square: weight.f_zeros_like()?.f_detach()?,
                decay: if is_decayed { params.weight_decay } else { 0. },
                name,
                weight,
            })
        };
        Ok(Self {
            parameters: weights
                .into_iter()
                .map(parameter)
                .collect::<Result<_, TchError>>()?,
            betas: params.betas,
            epsilon: params.epsilon,
            n_updates: 0,
        })
    }

    pub(super) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// One update from gradients, each of which is multiplied by `scale` first.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn update(
        &mut self,
        gradients: &Gradients,
        scale: f64,
        learning_rate: f64,
    ) -> Result<(), TchError> {
        let _no_grad = tch::no_grad_guard();
        self.n_updates += 1;
        let [beta1, beta2] = self.betas;
        let correction =
            |beta: f64| 1. - beta.powi(i32::try_from(self.n_updates).unwrap_or(i32::MAX));
        let step_size = learning_rate / correction(beta1);
        let root_correction = correction(beta2).sqrt();
        for (parameter, gradient) in self.parameters.iter().zip(&gradients.0) {
            let gradient = gradient.f_mul_scalar(scale)?;
            let mut weight = parameter.weight.shallow_clone();
            let (mut mean, mut mean_square) = (
                parameter.mean.shallow_clone(),
                parameter.mean_square.shallow_clone(),
            );
            let _ = weight.f_mul_scalar_(1. - learning_rate * parameter.decay)?;
            let _ = mean.f_lerp_(&gradient, 1. - beta1)?;
            let _ = mean_square.f_mul_scalar_(beta2)?;
            let _ = mean_square.f_addcmul_(&gradient, &gradient.f_mul_scalar(1. - beta2)?)?;
            let mut divisor = mean_square.f_sqrt()?;
            let _ = divisor
                .f_div_scalar_(root_correction)?
                .f_add_scalar_(self.epsilon)?;
            let _ = weight.f_addcdiv_(&mean.f_mul_scalar(-step_size)?, &divisor)?;
        }
        Ok(())
    }

    /// Deep copies of the weights.
    ///
    /// # Errors
    /// When libtorch refuses, for want of memory.
    pub(super) fn copies(&self) -> Result<Copies, TchError> {
        let _no_grad = tch::no_grad_guard();
        let copy = |parameter: &Parameter| {
            let mut copy = parameter.weight.f_empty_like()?;
            copy.f_copy_(&parameter.weight)?;
            Ok((parameter.name.clone(), copy))
        };
        self.parameters.iter().map(copy).collect()
    }

    /// Puts weights back of which there are copies.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn restore(&self, copies: &Copies) -> Result<(), TchError> {
        let _no_grad = tch::no_grad_guard();
        for (parameter, (_, weight)) in self.parameters.iter().zip(copies) {
            parameter.weight.shallow_clone().f_copy_(weight)?;
        }
        Ok(())
    }
}

impl Gradients {
    /// Adds the gradients of a loss, in the order of the optimizer's parameters.
    ///
    /// # Errors
    /// When libtorch refuses, for want of memory.
    pub(super) fn add(&mut self, loss: &Tensor, optimizer: &AdamW) -> Result<(), TchError> {
        let weights: Vec<&Tensor> = optimizer.parameters.iter().map(|p| &p.weight).collect();
        let (keep_graph, create_graph) = (false, false);
        let gradients = Tensor::f_run_backward(&[loss], &weights, keep_graph, create_graph)?;
        if self.0.is_empty() {
            self.0 = gradients;
        } else {
            let _no_grad = tch::no_grad_guard();
            for (sum, gradient) in self.0.iter_mut().zip(&gradients) {
                *sum = sum.f_add(gradient)?;
            }
        }
        Ok(())
    }

    /// Their common Euclidean norm, summed as in PyTorch's `clip_grad_norm_`: the norm of the tensors' norms.
    ///
    /// # Errors
    /// When libtorch refuses.
    pub(super) fn norm(&self) -> Result<f64, TchError> {
        let norms: Vec<Tensor> = self
            .0
            .iter()
            .map(Tensor::f_norm)
            .collect::<Result<_, _>>()?;
        f64::try_from(Tensor::f_stack(&norms, 0)?.f_norm()?)
    }
}
