//! A Transformer encoder of the BERT family (Devlin et al. 2018, arXiv 1810.04805): post-norm layers over learned positions.
//!
//! Variables are named as in Hugging Face checkpoints. Every part takes and gives `(batch, tokens, dim)`.

mod attention;
mod embeddings;
mod layer;
mod linear;
mod pass;

use encoder::EncoderConfig;
use tch::{Device, Kind, TchError, Tensor, nn};

use self::{embeddings::Embeddings, layer::Layer, pass::View};
pub(crate) use self::{
    linear::{Linear, dropout},
    pass::Pass,
};

/// Token ids of several texts as one tensor.
#[derive(Debug)]
pub(crate) struct Batch {
    /// int64, `(batch, tokens)`; behind a text's end stands the id of padding.
    pub(crate) ids: Tensor,
    /// bool, `(batch, tokens)`, true for a text's own tokens; `None` when all texts are equally long, or when attention shall see the
    /// padding too.
    pub(crate) mask: Option<Tensor>,
}

/// A table of embeddings and a stack of layers.
#[derive(Debug)]
pub(crate) struct Encoder {
    embeddings: Embeddings,
    layers: Vec<Layer>,
}

impl Batch {
    /// Puts texts side by side on a device. None may be empty.
    ///
    /// # Errors
    /// When libtorch refuses, for want of memory.
    pub(crate) fn new(texts: &[&[u32]], pad_id: u32, device: Device) -> Result<Self, TchError> {
        Self::padded_to(longest(texts), texts, pad_id, device)
    }

    /// The same, padded to a number of tokens that is no less than the longest text's.
    ///
    /// # Errors
    /// As [`Batch::new`].
    pub(crate) fn padded_to(
        n_tokens: usize,
        texts: &[&[u32]],
        pad_id: u32,
        device: Device,
    ) -> Result<Self, TchError> {
        let mut ids = vec![i64::from(pad_id); texts.len() * n_tokens];
        let mut mask = vec![false; ids.len()];
        for (text_idx, text) in texts.iter().enumerate() {
            let first = text_idx * n_tokens;
            for (slot, id) in ids[first..].iter_mut().zip(*text) {
                *slot = i64::from(*id);
            }
            mask[first..first + text.len()].fill(true);
        }
        let shape = [texts.len() as i64, n_tokens as i64];
        let mask = match mask.contains(&false) {
            true => Some(
                Tensor::f_from_slice(&mask)?
                    .f_view(shape)?
                    .f_to_device(device)?,
            ),
            false => None,
        };
        let ids = Tensor::f_from_slice(&ids)?
            .f_view(shape)?
            .f_to_device(device)?;
        Ok(Self { ids, mask })
    }

    /// What the mask adds to the scores of an attention, `(batch, 1, 1, tokens)`: minus infinity for keys behind a text's end.
    fn attention_bias(&self, kind: Kind) -> Result<Option<Tensor>, TchError> {
        let Some(mask) = &self.mask else {
            return Ok(None);
        };
        // Added and not multiplied: softmax turns minus infinity into a weight of exactly 0, so padding cannot leak in by rounding.
        let zeros = Tensor::f_zeros(mask.size(), (kind, mask.device()))?;
        let bias = zeros.f_masked_fill(&mask.f_logical_not()?, f64::NEG_INFINITY)?;
        bias.f_unsqueeze(1)?.f_unsqueeze(1).map(Some)
    }
}

/// The longest text's tokens.
pub(crate) fn longest(texts: &[&[u32]]) -> usize {
    texts.iter().map(|ids| ids.len()).max().unwrap_or(0)
}

impl Encoder {
    /// Makes the variables `embeddings.*` and `encoder.layer.*` under a path, all zero until weights are loaded.
    pub(crate) fn new(path: &nn::Path<'_>, config: &EncoderConfig) -> Self {
        let layers = path / "encoder" / "layer";
        Self {
            embeddings: Embeddings::new(&(path / "embeddings"), config),
            layers: (0..config.n_layers)
                .map(|layer_idx| Layer::new(&(&layers / layer_idx), config))
                .collect(),
        }
    }

    /// A second handle on the same variables, for another thread.
    pub(crate) fn share(&self) -> Self {
        Self {
            embeddings: self.embeddings.share(),
            layers: self.layers.iter().map(Layer::share).collect(),
        }
    }

    /// The same for passes whose products are of this kind: what multiplies has it already.
    ///
    /// # Errors
    /// When libtorch refuses, for want of memory.
    pub(crate) fn to_kind(&self, kind: Kind) -> Result<Self, TchError> {
        let layers = self.layers.iter().map(|layer| layer.to_kind(kind));
        Ok(Self {
            embeddings: self.embeddings.share(),
            layers: layers.collect::<Result<_, _>>()?,
        })
    }

    /// The last layer's vectors, float32, `(batch, tokens, dim)`; those behind a text's end mean nothing.
    ///
    /// # Errors
    /// When libtorch refuses: for want of memory, or because an id or a position is not in its table.
    pub(crate) fn forward(&self, batch: &Batch, pass: &Pass) -> Result<Tensor, TchError> {
        let (_, n_tokens) = batch.ids.size2()?;
        self.first_tokens(batch, n_tokens, pass)
    }

    /// The last layer's vector of each text's first token, float32, `(batch, dim)`: what [`Encoder::forward`] has there. No other token goes through
    /// the last layer but as a key and a value.
    ///
    /// # Errors
    /// As [`Encoder::forward`].
    pub(crate) fn forward_first(&self, batch: &Batch, pass: &Pass) -> Result<Tensor, TchError> {
        self.first_tokens(batch, 1, pass)?.f_select(1, 0)
    }

    fn first_tokens(&self, batch: &Batch, n: i64, pass: &Pass) -> Result<Tensor, TchError> {
        let (_, n_tokens) = batch.ids.size2()?;
        let mut hidden = self.embeddings.forward(&batch.ids, pass)?;
        let bias = batch.attention_bias(pass.product_kind)?;
        for (layer, n_layers_left) in self.layers.iter().zip((0..self.layers.len()).rev()) {
            // Every layer but the last needs all tokens, as keys of the next. Of the last one a classifier reads the first token only,
            // which saves most of a layer.
            let n_queries = if n_layers_left == 0 { n } else { n_tokens };
            let view = View {
                n_queries,
                bias: bias.as_ref(),
                pass,
            };
            hidden = layer.forward(&hidden, view)?;
        }
        Ok(hidden)
    }
}

#[cfg(test)]
mod tests {
    use tch::nn::VarStore;

    use encoder::{Activation, Family, Positions};

    use super::*;

    fn config(activation: Activation) -> EncoderConfig {
        EncoderConfig {
            family: Family::Roberta,
            vocab_size: 9,
            dim: 8,
            n_layers: 2,
            n_heads: 2,
            feed_forward_dim: 12,
            activation,
            n_positions: 8,
            positions: Positions::AfterPadId,
            pad_id: 1,
            n_token_types: 1,
            layer_norm_eps: 1e-5,
        }
    }

    /// An encoder whose weights are digits of a sine.
    fn encoder(activation: Activation) -> (VarStore, Encoder) {
        let variables = VarStore::new(Device::Cpu);
        let encoder = Encoder::new(&variables.root(), &config(activation));
        let mut named: Vec<_> = variables.variables().into_iter().collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        tch::no_grad(|| {
            for ((_, variable), name_idx) in named.iter_mut().zip(1..) {
                let n = variable.numel() as i64;
                let values = Tensor::arange(n, (Kind::Double, Device::Cpu)) + f64::from(name_idx);
                let values: Tensor = (values * 78.233).sin() * 43_758.545_3;
                variable.copy_(&values.frac().view_as(&*variable));
            }
        });
        (variables, encoder)
    }

    #[test]
    fn the_shapes_are_those_of_the_variables() {
        let (variables, _) = encoder(Activation::Gelu);
        let mut found: Vec<(String, Vec<i64>)> = variables
            .variables()
            .into_iter()
            .map(|(name, variable)| (name, variable.size()))
            .collect();
        let mut expected: Vec<_> = config(Activation::Gelu).shapes().collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    fn batch() -> Batch {
        Batch::new(&[&[0, 5, 7, 2], &[0, 2]], 1, Device::Cpu).expect("made")
    }

    /// The gradients by name, in order, of a sum over the first tokens' vectors that tells their places apart.
    fn gradients(pass: &Pass, activation: Activation) -> Vec<(String, Tensor)> {
        let (variables, encoder) = encoder(activation);
        let first = encoder.forward(&batch(), pass).expect("ran").select(1, 0);
        assert_eq!(first.kind(), Kind::Float);
        let weights = Tensor::arange(16, (Kind::Float, Device::Cpu))
            .view([2, 8])
            .sin();
        (first * weights).sum(Kind::Float).backward();
        let mut named: Vec<_> = variables.variables().into_iter().collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        named
            .into_iter()
            .map(|(name, weight)| (name, weight.grad()))
            .collect()
    }

    #[test]
    fn the_first_token_alone_is_what_it_is_among_all() {
        let dim = 8;
        for texts in [&[&[0, 5, 7, 2][..], &[0, 2]][..], &[&[0, 5, 7, 2]], &[&[2]]] {
            let batch = Batch::new(texts, 1, Device::Cpu).expect("made");
            let run = |is_alone: bool| {
                let (variables, encoder) = encoder(Activation::Gelu);
                let first = match is_alone {
                    true => encoder
                        .forward_first(&batch, &Pass::INFERENCE)
                        .expect("ran"),
                    false => encoder
                        .forward(&batch, &Pass::INFERENCE)
                        .expect("ran")
                        .select(1, 0),
                };
                assert_eq!(first.size(), [texts.len() as i64, dim]);
                let weights = Tensor::arange(dim, (Kind::Float, Device::Cpu)).sin();
                (&first * weights).sum(Kind::Float).backward();
                let mut named: Vec<_> = variables.variables().into_iter().collect();
                named.sort_by(|a, b| a.0.cmp(&b.0));
                let gradients = named
                    .into_iter()
                    .map(|(name, weight)| (name, weight.grad()));
                let outputs = ("outputs".to_owned(), first.detach());
                gradients.chain([outputs]).collect::<Vec<_>>()
            };
            for ((name, alone), (_, among)) in run(true).iter().zip(&run(false)) {
                assert!(alone.allclose(among, 1e-4, 1e-5, false), "{name}");
            }
        }
    }

    #[test]
    fn products_in_half_precision_are_near_and_gradients_float32() {
        let half = Pass {
            product_kind: Kind::BFloat16,
            ..Pass::INFERENCE
        };
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
            let exact = gradients(&Pass::INFERENCE, activation);
            let near = gradients(&half, activation);
            let norm = |tensor: &Tensor| tensor.norm().double_value(&[]);
            let mut all = (0., 0.);
            for ((name, exact), (_, near)) in exact.iter().zip(&near) {
                assert_eq!(near.kind(), Kind::Float, "{name}");
                all.0 += norm(&(exact - near)).powi(2);
                all.1 += norm(exact).powi(2);
            }
            // bfloat16 keeps 8 bits, .4%, and errors add up over two layers.
            let difference = (all.0 / all.1).sqrt();
            assert!(
                difference > 0. && difference < 0.1,
                "{activation:?} {difference}"
            );
        }
    }

    #[test]
    fn gradients_are_the_slopes_of_finite_differences() {
        for activation in [Activation::Gelu, Activation::GeluTanh, Activation::Relu] {
            let loss = |name: &str, step: f64| {
                let (variables, encoder) = encoder(activation);
                let weight = variables.variables().remove(name).expect("it is there");
                tch::no_grad(|| {
                    let _ = weight.view(-1).get(3).f_add_scalar_(step).expect("added");
                    let first = encoder.forward(&batch(), &Pass::INFERENCE).expect("ran");
                    let weights = Tensor::arange(16, (Kind::Float, Device::Cpu)).view([2, 8]);
                    let first = first.select(1, 0).to_kind(Kind::Double);
                    (first * weights.sin()).sum(Kind::Double).double_value(&[])
                })
            };
            let gradients = gradients(&Pass::INFERENCE, activation);
            for name in [
                "encoder.layer.0.intermediate.dense.weight",
                "encoder.layer.0.output.dense.bias",
                "encoder.layer.1.attention.self.value.weight",
                "embeddings.LayerNorm.weight",
            ] {
                let (_, gradient) = gradients
                    .iter()
                    .find(|(n, _)| n == name)
                    .expect("it is there");
                let slope = (loss(name, 1e-2) - loss(name, -1e-2)) / 2e-2;
                let found = gradient.view(-1).double_value(&[3]);
                // The third derivative times 1e-4, and float32's rounding over 2e-2.
                assert!(
                    (found - slope).abs() < 5e-3 * (1. + slope.abs()),
                    "{name}: {found} {slope}"
                );
            }
        }
    }

    #[test]
    fn padding_is_never_learned() {
        for (name, gradient) in gradients(&Pass::INFERENCE, Activation::Gelu) {
            if name == "embeddings.word_embeddings.weight"
                || name == "embeddings.position_embeddings.weight"
            {
                assert_eq!(gradient.get(1).abs().max().double_value(&[]), 0., "{name}");
                assert!(gradient.get(2).abs().max().double_value(&[]) > 0., "{name}");
            }
        }
    }
}
