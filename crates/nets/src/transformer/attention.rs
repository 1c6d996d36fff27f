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
    /// All three as one map, where only predictions are made: one product of three times the width takes less than three.
    joint: Option<Linear>,
    n_heads: i64,
}

impl SelfAttention {
    pub(super) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let linear = |name: &str| Linear::new(&(path / name), config.dim, config.dim);
        Self {
            query: linear("query"),
            key: linear("key"),
            value: linear("value"),
            joint: None,
            n_heads: config.n_heads as i64,
        }
    }

    pub(super) fn share(&self) -> Self {
        Self {
            query: self.query.share(),
            key: self.key.share(),
            value: self.value.share(),
            joint: self.joint.as_ref().map(Linear::share),
            n_heads: self.n_heads,
        }
    }

    pub(super) fn to_kind(&self, kind: Kind) -> Result<Self, TchError> {
        let [query, key, value] = [
            self.query.to_kind(kind)?,
            self.key.to_kind(kind)?,
            self.value.to_kind(kind)?,
        ];
        Ok(Self {
            // In float32 oneDNN's layout comes out of a product, of which no part can be taken.
            joint: match kind {
                Kind::Float => None,
                _ => Some(Linear::side_by_side(&[&query, &key, &value])?),
            },
            query,
            key,
            value,
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
        let is_whole = n_queries == n_tokens;
        let [query, key, value] = match &self.joint {
            Some(joint) if is_whole => {
                let all = joint.forward(&input)?; // (batch, tokens, 3 dim)
                [0, 1, 2].map(|part| all.f_narrow(2, part * dim, dim))
            }
            _ => {
                let of = |linear: &Linear, input: &Tensor| plain(&linear.forward(input)?);
                // All from one input where possible: `for_linear` may copy it.
                let query = match is_whole {
                    true => of(&self.query, &input),
                    false => of(
                        &self.query,
                        &for_linear(&x.f_narrow(1, 0, n_queries)?, pass)?,
                    ),
                };
                [query, of(&self.key, &input), of(&self.value, &input)]
            }
        };
        let heads = |x: Tensor| {
            x.f_view([n_texts, -1, self.n_heads, dim / self.n_heads])?
                .f_transpose(1, 2)
        };
        let query = heads(query?)?; // (batch, heads, n_queries, head_dim)
        let (key, value) = (heads(key?)?, heads(value?)?); // (batch, heads, tokens, head_dim)
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
