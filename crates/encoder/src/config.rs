use std::path::Path;

use serde::Deserialize;

use crate::{Error, Result, json};

/// The shape of a Transformer encoder.
#[derive(Debug, Clone, PartialEq)]
pub struct EncoderConfig {
    /// Which kind of encoder it is.
    pub family: Family,
    /// Tokens that the table of words knows.
    pub vocab_size: usize,
    /// Width of a token's vector.
    pub dim: usize,
    /// Layers.
    pub n_layers: usize,
    /// Attention heads of one layer; they share `dim` evenly.
    pub n_heads: usize,
    /// Width of the feed-forward part.
    pub feed_forward_dim: usize,
    /// Activation of the feed-forward part.
    pub activation: Activation,
    /// Rows of the table of positions.
    pub n_positions: usize,
    /// How the rows of that table are given to tokens.
    pub positions: Positions,
    /// The token that fills a batch up behind a text's end.
    pub pad_id: u32,
    /// Rows of the table of token types. All tokens are taken to be of type 0.
    pub n_token_types: usize,
    /// Added to the variance in layer normalization.
    pub layer_norm_eps: f64,
}

/// Kinds of encoders that share all but their keys in config.json and their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Devlin et al. 2018, arXiv 1810.04805.
    Bert,
    /// Liu et al. 2019, arXiv 1907.11692.
    Roberta,
}

/// How a text's tokens are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// 0, 1, 2, ...: BERT.
    FromZero,
    /// From one after the id of padding on, which keeps that id itself as its position: RoBERTa, after fairseq.
    AfterPadId,
}

/// The activation between the two linear maps of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * Phi(x)`, by the error function.
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// The keys of config.json that matter here. Defaults are those of BertConfig and RobertaConfig in transformers: older files lack keys that
/// were added later.
#[derive(Deserialize)]
#[serde(default)]
struct ConfigFile {
    vocab_size: Option<usize>,
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
    is_decoder: bool,
}

impl Default for ConfigFile {
    fn default() -> Self {
        Self {
            vocab_size: None,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            hidden_act: "gelu".to_owned(),
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
            position_embedding_type: None,
            pad_token_id: None,
            is_decoder: false,
        }
    }
}

impl Family {
    /// What stands before the names of an encoder's weights in a model with a head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bert => "bert",
            Self::Roberta => "roberta",
        }
    }
}

/// The types of models that share BERT's layers, by their names in config.json.
const MODEL_TYPES: [(&str, Family); 4] = [
    ("bert", Family::Bert),
    ("roberta", Family::Roberta),
    ("xlm-roberta", Family::Roberta),
    ("camembert", Family::Roberta),
];

impl EncoderConfig {
    /// Reads config.json of a Hugging Face folder, of any of the given types of models.
    ///
    /// # Errors
    /// [`Error::Mistaken`] or [`Error::Dataset`], or [`Error::Unsupported`] and [`Error::Sizes`] for what it says.
    pub fn read(path: &Path, model_types: &[&str]) -> Result<Self> {
        // The architecture is looked at first: a foreign one has other keys, and their absence would be the wrong complaint.
        #[derive(Deserialize)]
        struct Architecture {
            model_type: Option<String>,
        }
        let unsupported = |key, found: &str, supported: &str| Error::Unsupported {
            path: path.to_owned(),
            key,
            found: found.to_owned(),
            supported: supported.to_owned(),
        };
        let Architecture { model_type } = json::read(path)?;
        let model_type = model_type.unwrap_or_else(|| "missing".to_owned());
        let family = MODEL_TYPES
            .iter()
            .find(|(name, _)| *name == model_type && model_types.contains(name));
        let Some((_, family)) = family else {
            let supported: Vec<String> = model_types.iter().map(|it| format!("`{it}`")).collect();
            return Err(unsupported(
                "model_type",
                &model_type,
                &supported.join(", "),
            ));
        };
        let file: ConfigFile = json::read(path)?;
        if let Some(found) = &file.position_embedding_type
            && found != "absolute"
        {
            return Err(unsupported("position_embedding_type", found, "`absolute`"));
        }
        // A decoder's tokens do not see those behind them.
        if file.is_decoder {
            return Err(unsupported("is_decoder", "true", "`false`"));
        }
        if !(file.layer_norm_eps >= 0. && file.layer_norm_eps < 1.) {
            let found = file.layer_norm_eps.to_string();
            return Err(unsupported("layer_norm_eps", &found, "at least 0, below 1"));
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
        for (key, found) in [
            ("hidden_size", file.hidden_size),
            ("intermediate_size", file.intermediate_size),
            ("type_vocab_size", file.type_vocab_size),
        ] {
            if found == 0 {
                return Err(unsupported(key, "0", "at least 1"));
            }
        }
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
        let (positions, default_pad_id, default_vocab_size) = match family {
            Family::Bert => (Positions::FromZero, 0, 30_522),
            Family::Roberta => (Positions::AfterPadId, 1, 50_265),
        };
        let vocab_size = file.vocab_size.unwrap_or(default_vocab_size);
        let pad_id = file.pad_token_id.unwrap_or(default_pad_id);
        if pad_id as usize >= vocab_size {
            return Err(Error::Sizes {
                path: path.to_owned(),
                what: "`pad_token_id`",
                found: pad_id as usize,
                bound: "`vocab_size`, which must be above it,",
                limit: vocab_size,
            });
        }
        Ok(Self {
            family: *family,
            vocab_size,
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

    /// An encoder's weights by name with their shapes, to be compared with a file before memory is taken for one.
    pub fn shapes(&self) -> impl Iterator<Item = (String, Vec<i64>)> {
        let [dim, wide, vocab_size, n_positions, n_token_types] = [
            self.dim,
            self.feed_forward_dim,
            self.vocab_size,
            self.n_positions,
            self.n_token_types,
        ]
        // What is larger fits no file, whose shapes are at most this.
        .map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let tables = [
            ("word", vocab_size),
            ("position", n_positions),
            ("token_type", n_token_types),
        ];
        let tables = tables.into_iter().map(move |(table, n_rows)| {
            let name = format!("embeddings.{table}_embeddings.weight");
            (name, vec![n_rows, dim])
        });
        let norm = affine("embeddings.LayerNorm".to_owned(), vec![dim]);
        let layers = (0..self.n_layers).flat_map(move |layer_idx| {
            let layer = format!("encoder.layer.{layer_idx}");
            [
                ("attention.self.query", vec![dim, dim]),
                ("attention.self.key", vec![dim, dim]),
                ("attention.self.value", vec![dim, dim]),
                ("attention.output.dense", vec![dim, dim]),
                ("attention.output.LayerNorm", vec![dim]),
                ("intermediate.dense", vec![wide, dim]),
                ("output.dense", vec![dim, wide]),
                ("output.LayerNorm", vec![dim]),
            ]
            .into_iter()
            .flat_map(move |(part, shape)| affine(format!("{layer}.{part}"), shape))
        });
        tables.chain(norm).chain(layers)
    }

    /// The longest text in tokens, special ones included.
    pub fn max_tokens(&self) -> usize {
        match self.positions {
            Positions::FromZero => self.n_positions,
            Positions::AfterPadId => self.n_positions.saturating_sub(self.pad_id as usize + 1),
        }
    }
}

/// The names and shapes of an affine map's weight and bias.
pub(crate) fn affine(name: String, weight: Vec<i64>) -> [(String, Vec<i64>); 2] {
    let bias = weight[..1].to_vec();
    [
        (format!("{name}.weight"), weight),
        (format!("{name}.bias"), bias),
    ]
}
