use encoder::RobertaConfig;
use rand::{SeedableRng, distr::Distribution};
use rand_chacha::ChaCha8Rng;
use rand_distr::Normal;
use tch::{TchError, Tensor, nn};

use crate::transformer::{Linear, dropout};

/// From the first token's vector to one output per label.
///
/// ```text
/// W_2 tanh(W_1 x)          both affine, each behind dropout in training
/// ```
///
/// Source: `RobertaClassificationHead` in transformers, `models/roberta/modeling_roberta.py`.
#[derive(Debug)]
pub(super) struct ClassificationHead {
    dense: Linear,
    out_proj: Linear,
}

impl ClassificationHead {
    /// Makes the variables `dense.*` and `out_proj.*`, all zero until weights are loaded or drawn.
    pub(super) fn new(path: &nn::Path<'_>, config: &RobertaConfig) -> Self {
        let dim = config.encoder.dim;
        Self {
            dense: Linear::new(&(path / "dense"), dim, dim),
            out_proj: Linear::new(&(path / "out_proj"), dim, config.labels.len()),
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            dense: self.dense.share(),
            out_proj: self.out_proj.share(),
        }
    }

    /// Outputs `(batch, labels)` from the first tokens' vectors `(batch, dim)`, all float32.
    pub(super) fn forward(&self, first: &Tensor, dropout_p: f64) -> Result<Tensor, TchError> {
        let first = dropout(first, dropout_p)?;
        let inner = self.dense.forward(&first)?.f_tanh()?;
        self.out_proj.forward(&dropout(&inner, dropout_p)?)
    }
}

/// Draws a new head's weights from N(0, `initializer_range`^2), biases being zero, as transformers does. One seed gives the same weights
/// on every device.
pub(super) fn draw_weights(
    variables: &nn::VarStore,
    prefix: &str,
    config: &RobertaConfig,
    seed: u64,
) -> Result<(), TchError> {
    let normal = Normal::new(0., config.initializer_range as f32)
        .map_err(|error| TchError::Convert(format!("initializer_range: {error}")))?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut named: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    let _no_grad = tch::no_grad_guard();
    for (name, mut weight) in named {
        if name.starts_with(prefix) && name.ends_with("weight") {
            let values: Vec<f32> = normal.sample_iter(&mut rng).take(weight.numel()).collect();
            weight.f_copy_(&Tensor::f_from_slice(&values)?.f_view_as(&weight)?)?;
        }
    }
    Ok(())
}
