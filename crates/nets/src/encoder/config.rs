use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result, json};

/// The shape of a Transformer encoder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncoderConfig {
    /// Tokens that the table of words knows.
    pub(crate) vocab_size: usize,
    /// Width of a token's vector.
    pub(crate) dim: usize,
    /// Layers.
    pub(crate) n_layers: usize,
    /// Attention heads of one layer; they share `dim` evenly.
    pub(crate) n_heads: usize,
    /// Width of the feed-forward part.
    pub(crate) feed_forward_dim: usize,
    /// Activation of the feed-forward part.
    pub(crate) activation: Activation,
    /// Rows of the table of positions.
    pub(crate) n_positions: usize,
    /// The row of that table which belongs to a text's first token: 0 in BERT.
    pub(crate) first_position: usize,
    /// Rows of the table of token types. All tokens are taken to be of type 0.
    pub(crate) n_token_types: usize,
    /// Added to the variance in layer normalization.
    pub(crate) layer_norm_eps: f64,
}

/// The activation between the two linear maps of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `x * Phi(x)`, by the error function.
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// The keys of config.json that matter here.
#[derive(Deserialize)]
struct ConfigFile {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    hidden_act: String,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    layer_norm_eps: f64,
    position_embedding_type: Option<String>,
}

impl EncoderConfig {
    /// Reads config.json of a Hugging Face folder.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Json`], or [`Error::Unsupported`] and [`Error::Sizes`] for what it says.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        // The architecture is looked at first: a foreign one has other keys, and their absence would be the wrong complaint.
        #[derive(Deserialize)]
        struct Architecture {
            model_type: String,
        }
        let unsupported = |key, found: &str, supported| Error::Unsupported {
            path: path.to_owned(),
            key,
            found: found.to_owned(),
            supported,
        };
        let architecture: Architecture = json::read(path)?;
        if architecture.model_type != "bert" {
            return Err(unsupported(
                "model_type",
                &architecture.model_type,
                "`bert`",
            ));
        }
        let file: ConfigFile = json::read(path)?;
        if let Some(found) = &file.position_embedding_type
            && found != "absolute"
        {
            return Err(unsupported("position_embedding_type", found, "`absolute`"));
        }
        let activation = match file.hidden_act.as_str() {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            found => {
                let supported = "`gelu`, `gelu_new`, `gelu_pytorch_tanh`, `relu`";
                return Err(unsupported("hidden_act", found, supported));
            }
        };
        let head_dim = file.hidden_size.checked_div(file.num_attention_heads);
        if head_dim.is_none_or(|head_dim| head_dim * file.num_attention_heads != file.hidden_size) {
            return Err(Error::Sizes {
                path: path.to_owned(),
                what: "`hidden_size`",
                found: file.hidden_size,
                bound: "`num_attention_heads`, which must divide it,",
                limit: file.num_attention_heads,
            });
        }
        Ok(Self {
            vocab_size: file.vocab_size,
            dim: file.hidden_size,
            n_layers: file.num_hidden_layers,
            n_heads: file.num_attention_heads,
            feed_forward_dim: file.intermediate_size,
            activation,
            n_positions: file.max_position_embeddings,
            first_position: 0,
            n_token_types: file.type_vocab_size,
            layer_norm_eps: file.layer_norm_eps,
        })
    }

    /// The longest text in tokens, special ones included.
    pub(crate) fn max_tokens(&self) -> usize {
        self.n_positions.saturating_sub(self.first_position)
    }
}
