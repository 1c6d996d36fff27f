use encoder::{Activation, EncoderConfig};
use tch::{Kind, TchError, Tensor, nn};

use super::{
    attention::SelfAttention,
    linear::{LayerNorm, Linear, dropout, for_linear, plain},
    pass::View,
};

/// Attention and a feed-forward part, each added to its input and then normalized.
///
/// ```text
/// y = norm(x + W_o attention(x))
/// z = norm(y + W_2 activation(W_1 y))          every W is affine
/// ```
/// In training, dropout is applied to each sum's second term.
#[derive(Debug)]
pub(super) struct Layer {
    attention: SelfAttention,
    attention_output: Linear,
    attention_norm: LayerNorm,
    intermediate: Linear,
    activation: Activation,
    output: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    pub(super) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let attention = path / "attention";
        let attention_output = &attention / "output";
        let intermediate = path / "intermediate";
        let output = path / "output";
        let (dim, wide) = (config.dim, config.feed_forward_dim);
        Self {
            attention: SelfAttention::new(&(&attention / "self"), config),
            attention_output: Linear::new(&(&attention_output / "dense"), dim, dim),
            attention_norm: LayerNorm::new(&(&attention_output / "LayerNorm"), config),
            intermediate: Linear::new(&(&intermediate / "dense"), dim, wide),
            activation: config.activation,
            output: Linear::new(&(&output / "dense"), wide, dim),
            output_norm: LayerNorm::new(&(&output / "LayerNorm"), config),
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            attention: self.attention.share(),
            attention_output: self.attention_output.share(),
            attention_norm: self.attention_norm.share(),
            intermediate: self.intermediate.share(),
            activation: self.activation,
            output: self.output.share(),
            output_norm: self.output_norm.share(),
        }
    }

    /// The same with the weights of its products in another kind; normalizations keep theirs.
    pub(super) fn to_kind(&self, kind: Kind) -> Result<Self, TchError> {
        Ok(Self {
            attention: self.attention.to_kind(kind)?,
            attention_output: self.attention_output.to_kind(kind)?,
            intermediate: self.intermediate.to_kind(kind)?,
            output: self.output.to_kind(kind)?,
            ..self.share()
        })
    }

    /// Each text's first `n_queries` tokens, `(batch, n_queries, dim)`.
    pub(super) fn forward(&self, x: &Tensor, view: View<'_>) -> Result<Tensor, TchError> {
        let pass = view.pass;
        let mixed = for_linear(&self.attention.forward(x, view)?, pass)?;
        let mixed = plain(&self.attention_output.forward(&mixed)?)?;
        let mixed = dropout(&mixed, pass.hidden_dropout)?;
        let x =
            self.attention_norm
                .forward(&mixed.f_add(&x.f_narrow(1, 0, view.n_queries)?)?)?;

        let wide = self.intermediate.forward(&for_linear(&x, pass)?)?; // (batch, tokens, feed_forward_dim)
        let wide = for_linear(&activate(self.activation, &wide)?, pass)?;
        let narrow = plain(&self.output.forward(&wide)?)?;
        let narrow = dropout(&narrow, pass.hidden_dropout)?;
        self.output_norm.forward(&narrow.f_add(&x)?)
    }
}

/// Takes either layout; the result may have the other.
fn activate(activation: Activation, x: &Tensor) -> Result<Tensor, TchError> {
    match activation {
        Activation::Gelu => x.f_gelu("none"),
        // oneDNN under libtorch has no gelu by tanh.
        Activation::GeluTanh => plain(x)?.f_gelu("tanh"),
        Activation::Relu => x.f_relu(),
    }
}
