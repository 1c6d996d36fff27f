use encoder::EncoderConfig;
use tch::{Kind, TchError, Tensor, nn};

use super::{
    linear::{Linear, for_linear, plain},
    pass::View,
};

/// Scaled dot-product attention of tokens to every token of their text, in several heads.
///
/// ```text
/// softmax(Q K^T / sqrt(head_dim) + bias) V       for each head, heads side by side in the result
///   Q, K, V  affine maps of the tokens           (tokens, head_dim)
/// ```
#[derive(Debug)]
pub(super) struct SelfAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    n_heads: i64,
}

impl SelfAttention {
    pub(super) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let linear = |name: &str| Linear::new(&(path / name), config.dim, config.dim);
        Self {
            query: linear("query"),
            key: linear("key"),
            value: linear("value"),
            n_heads: config.n_heads as i64,
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            query: self.query.share(),
            key: self.key.share(),
            value: self.value.share(),
            n_heads: self.n_heads,
        }
    }

    pub(super) fn to_kind(&self, kind: Kind) -> Result<Self, TchError> {
        Ok(Self {
            query: self.query.to_kind(kind)?,
            key: self.key.to_kind(kind)?,
            value: self.value.to_kind(kind)?,
            n_heads: self.n_heads,
        })
    }

    /// What each text's first `n_queries` tokens see, `(batch, n_queries, dim)`.
    pub(super) fn forward(&self, x: &Tensor, view: View<'_>) -> Result<Tensor, TchError> {
        let View {
            n_queries,
            bias,
            pass,
        } = view;
        let (n_texts, n_tokens, dim) = x.size3()?;
        let input = for_linear(x, pass)?;
        let heads = |linear: &Linear, input: &Tensor| {
            plain(&linear.forward(input)?)?
                .f_view([n_texts, -1, self.n_heads, dim / self.n_heads])?
                .f_transpose(1, 2)
        };
        // All from one input where possible: `for_linear` may copy it.
        let query = if n_queries == n_tokens {
            heads(&self.query, &input)?
        } else {
            heads(
                &self.query,
                &for_linear(&x.f_narrow(1, 0, n_queries)?, pass)?,
            )?
        }; // (batch, heads, n_queries, head_dim)
        let (key, value) = (heads(&self.key, &input)?, heads(&self.value, &input)?); // (batch, heads, tokens, head_dim)
        let (is_causal, scale, shares_keys) = (false, None, false);
        let mixed = Tensor::f_scaled_dot_product_attention(
            &query,
            &key,
            &value,
            bias,
            pass.attention_dropout,
            is_causal,
            scale,
            shares_keys,
        )?;
        mixed
            .f_transpose(1, 2)?
            .f_reshape([n_texts, n_queries, dim])
    }
}
