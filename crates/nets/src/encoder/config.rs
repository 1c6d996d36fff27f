use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result};

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
    /// How the rows of that table are given to tokens.
    pub(crate) positions: Positions,
    /// The token that fills a batch up behind a text's end.
    pub(crate) pad_id: u32,
    /// Rows of the table of token types. All tokens are taken to be of type 0.
    pub(crate) n_token_types: usize,
    /// Added to the variance in layer normalization.
    pub(crate) layer_norm_eps: f64,
}

/// Kinds of encoders that share all but their keys in config.json and their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Devlin et al. 2018, arXiv 1810.04805.
    Bert,
    /// Liu et al. 2019, arXiv 1907.11692.
    Roberta,
}

/// How a text's tokens are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Positions {
    /// 0, 1, 2, ...: BERT.
    FromZero,
    /// From one after the id of padding on, which keeps that id itself as its position: RoBERTa, after fairseq.
    AfterPadId,
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
    pad_token_id: Option<u32>,
}

impl Family {
    fn model_type(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
        }
    }
}

impl EncoderConfig {
    /// Reads config.json of a Hugging Face folder.
    ///
    /// # Errors
    /// [`Error::Dataset`], or [`Error::Unsupported`] and [`Error::Sizes`] for what it says.
    pub(crate) fn read(path: &Path, family: Family) -> Result<Self> {
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
        let architecture: Architecture = dataset::json::read(path)?;
        if architecture.model_type != family.model_type() {
            let supported = match family {
                Family::Bert => "`bert`",
                Family::Roberta => "`roberta`",
            };
            return Err(unsupported(
                "model_type",
                &architecture.model_type,
                supported,
            ));
        }
        let file: ConfigFile = dataset::json::read(path)?;
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
        // The defaults of BertConfig and RobertaConfig in transformers.
        let (positions, default_pad_id) = match family {
            Family::Bert => (Positions::FromZero, 0),
            Family::Roberta => (Positions::AfterPadId, 1),
        };
        let pad_id = file.pad_token_id.unwrap_or(default_pad_id);
        if pad_id as usize >= file.vocab_size {
            return Err(Error::Sizes {
                path: path.to_owned(),
                what: "`pad_token_id`",
                found: pad_id as usize,
                bound: "`vocab_size`, which must be above it,",
                limit: file.vocab_size,
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
            positions,
            pad_id,
            n_token_types: file.type_vocab_size,
            layer_norm_eps: file.layer_norm_eps,
        })
    }

    /// The longest text in tokens, special ones included.
    pub(crate) fn max_tokens(&self) -> usize {
        match self.positions {
            Positions::FromZero => self.n_positions,
            Positions::AfterPadId => self.n_positions.saturating_sub(self.pad_id as usize + 1),
        }
    }
}
