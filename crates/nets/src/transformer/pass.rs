use tch::{Kind, Tensor};

/// How a forward pass is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pass {
    /// Probability that a value of a token's vector is set to zero; 0 outside of training.
    pub(crate) hidden_dropout: f64,
    /// The same for the weights of attention.
    pub(crate) attention_dropout: f64,
    /// The kind in which attention, linear maps and activations compute: float32, or bfloat16 where the machine is much faster at it. The weights, the
    /// sums along layers and the normalizations are float32 in any case; who only predicts may have the weights of products in bfloat16
    /// (`Encoder::to_kind`).
    pub(crate) product_kind: Kind,
}

/// What a layer computes of its input, and what its tokens see there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// Only each text's first tokens are computed; they attend to all tokens.
    pub(crate) n_queries: i64,
    /// Added to the scores of the attention, and broadcast to `(batch, heads, queries, keys)`.
    pub(crate) bias: Option<&'a Tensor>,
    pub(crate) pass: &'a Pass,
}

impl Pass {
    /// No dropout.
    pub(crate) fn inference(product_kind: Kind) -> Self {
        Self {
            product_kind,
            ..Self::INFERENCE
        }
    }

    /// No dropout, float32.
    pub(crate) const INFERENCE: Self = Self {
        hidden_dropout: 0.,
        attention_dropout: 0.,
        product_kind: Kind::Float,
    };
}
