use encoder::EncoderConfig;
use tch::{Device, Kind, TchError, Tensor, nn, nn::Init};

use super::pass::Pass;

/// An affine map of the last dimension, `x W^T + b`.
#[derive(Debug)]
pub(crate) struct Linear {
    weight: Tensor, // (out_dim, in_dim)
    bias: Tensor,   // (out_dim)
}

/// Normalizes the last dimension to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug)]
pub(super) struct LayerNorm {
    weight: Tensor, // (dim)
    bias: Tensor,   // (dim)
    eps: f64,
}

// Loaded weights overwrite the initial ones, so that no time goes into drawing random numbers.
const UNSET: Init = Init::Const(0.);

/// A variable `weight` of shape `(n_rows, dim)`.
pub(super) fn table(path: &nn::Path<'_>, n_rows: usize, dim: usize) -> Tensor {
    path.var("weight", &[n_rows as i64, dim as i64], UNSET)
}

/// Brings the input of one or several [`Linear`]s into the pass's kind, and into oneDNN's layout where that pays, so that oneDNN multiplies.
///
/// libtorch gives a float32 product to MKL, which does not use AVX-512 on AMD's processors; oneDNN does. On an EPYC 9005 the whole
/// embedder took .62 of the time (90 prompts a second for 57), and the vectors differed by 2e-7. It knows gradients too: a training step of
/// roberta-base on 8 x 128 tokens took 3.9 s of one core's time for 6.3 s. A copy of the input is the price.
pub(super) fn for_linear(x: &Tensor, pass: &Pass) -> Result<Tensor, TchError> {
    if pass.product_kind != Kind::Float {
        return x.f_to_kind(pass.product_kind);
    }
    let is_faster =
        x.device() == Device::Cpu && x.kind() == Kind::Float && tch::utils::has_mkldnn();
    if is_faster && !x.is_mkldnn() {
        x.f_to_mkldnn(Kind::Float)
    } else {
        Ok(x.shallow_clone())
    }
}

/// Undoes [`for_linear`], for what oneDNN cannot do.
pub(super) fn plain(x: &Tensor) -> Result<Tensor, TchError> {
    if x.is_mkldnn() {
        x.f_to_dense(None, false)
    } else {
        Ok(x.shallow_clone())
    }
}

/// Sets values to zero with a probability and scales up the others, so that their mean stays.
pub(crate) fn dropout(x: &Tensor, probability: f64) -> Result<Tensor, TchError> {
    if probability > 0. {
        let is_training = true;
        x.f_dropout(probability, is_training)
    } else {
        Ok(x.shallow_clone())
    }
}

impl Linear {
    /// Makes the variables `weight` and `bias`.
    pub(crate) fn new(path: &nn::Path<'_>, in_dim: usize, out_dim: usize) -> Self {
        Self {
            weight: table(path, out_dim, in_dim),
            bias: path.var("bias", &[out_dim as i64], UNSET),
        }
    }

    pub(crate) fn share(&self) -> Self {
        Self {
            weight: self.weight.shallow_clone(),
            bias: self.bias.shallow_clone(),
        }
    }

    /// The same with weights of the kind that it is given, so that no product converts them first.
    pub(crate) fn to_kind(&self, kind: Kind) -> Result<Self, TchError> {
        Ok(Self {
            weight: self.weight.f_to_kind(kind)?,
            bias: self.bias.f_to_kind(kind)?,
        })
    }

    /// One map whose result is that of several, side by side.
    pub(crate) fn side_by_side(maps: &[&Self]) -> Result<Self, TchError> {
        let cat = |part: fn(&Self) -> &Tensor| {
            let parts: Vec<&Tensor> = maps.iter().map(|map| part(map)).collect();
            Tensor::f_cat(&parts, 0)
        };
        Ok(Self {
            weight: cat(|map| &map.weight)?,
            bias: cat(|map| &map.bias)?,
        })
    }

    /// The result has the input's kind and layout, see [`for_linear`].
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        if x.is_mkldnn() {
            x.f_mkldnn_linear(&self.weight, Some(&self.bias))
        } else {
            // Of one kind already, these are no copies.
            let weight = self.weight.f_to_kind(x.kind())?;
            x.f_linear(&weight, Some(&self.bias.f_to_kind(x.kind())?))
        }
    }
}

impl LayerNorm {
    /// Makes the variables `weight` and `bias`.
    pub(super) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let dim = [config.dim as i64];
        Self {
            weight: path.var("weight", &dim, UNSET),
            bias: path.var("bias", &dim, UNSET),
            eps: config.layer_norm_eps,
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            weight: self.weight.shallow_clone(),
            bias: self.bias.shallow_clone(),
            eps: self.eps,
        }
    }

    pub(super) fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        let use_cudnn = true;
        x.f_layer_norm(
            self.weight.size(),
            Some(&self.weight),
            Some(&self.bias),
            self.eps,
            use_cudnn,
        )
    }
}
