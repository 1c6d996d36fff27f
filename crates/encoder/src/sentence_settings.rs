//! What a sentence-transformers model's settings say beside its steps: the longest text, what stands before each, the length of a vector.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::{Map, Number, Value};

use crate::{Error, ModelFiles, Result, json, tokenizer_files::TokenizerConfig};

/// config_sentence_transformers.json.
#[derive(Default, Deserialize)]
struct Settings {
    model_type: Option<String>,
    #[serde(default)]
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
    truncate_dim: Option<usize>,
}

/// sentence_bert_config.json, whatever it is called.
#[derive(Default, Deserialize)]
struct TransformerSettings {
    max_seq_length: Option<Number>,
    do_lower_case: Option<bool>,
    transformer_task: Option<String>,
    modality_config: Option<Map<String, Value>>,
    module_output_name: Option<String>,
    processing_kwargs: Option<Map<String, Value>>,
    #[serde(alias = "tokenizer_args")]
    processor_kwargs: Option<Map<String, Value>>,
    #[serde(alias = "config_args")]
    config_kwargs: Option<Map<String, Value>>,
}

/// What is put before and after the steps.
#[derive(Debug, Default)]
pub(crate) struct SentenceSettings {
    /// The text that stands before each text; often empty.
    pub(crate) prompt: String,
    /// Only so many values of a vector are used.
    pub(crate) truncate_dim: Option<usize>,
}

/// What is done to a text before it is split into tokens.
#[derive(Debug, Default)]
pub(crate) struct TextSettings {
    /// The longest text in tokens, with the file and the key that say so.
    pub(crate) max_tokens: Option<(Number, std::path::PathBuf, &'static str)>,
    pub(crate) lower_case: bool,
}

/// Keys for the tokenizer that change nothing for one text at a time.
const HARMLESS: [&str; 5] = [
    "use_fast",
    "padding_side",
    "trust_remote_code",
    "clean_up_tokenization_spaces",
    "revision",
];
/// The same for the encoder.
const HARMLESS_CONFIG: [&str; 6] = [
    "trust_remote_code",
    "use_cache",
    "revision",
    "attn_implementation",
    "torch_dtype",
    "dtype",
];

impl SentenceSettings {
    /// Reads config_sentence_transformers.json, if the model has it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what it says; [`Error::Mistaken`] or [`Error::Dataset`].
    pub(crate) fn read(files: &ModelFiles) -> Result<Self> {
        let Some(path) = files.settings() else {
            return Ok(Self::default());
        };
        let settings: Settings = json::read(&path)?;
        if let Some(found) = settings.model_type
            && found != "SentenceTransformer"
        {
            return Err(unsupported(
                &path,
                "model_type",
                found,
                "`SentenceTransformer`",
            ));
        }
        let prompt = match &settings.default_prompt_name {
            None => String::new(),
            // A prompt may be there and be null. Two names are always known: version 5 adds them, empty.
            Some(name) => match settings.prompts.get(name) {
                Some(prompt) => prompt.clone().unwrap_or_default(),
                None if ["query", "document"].contains(&name.as_str()) => String::new(),
                None => {
                    let known = settings.prompts.keys().map(|name| format!("`{name}`"));
                    let known: Vec<String> = known.collect();
                    let known = format!("a name of `prompts`: {}", known.join(", "));
                    return Err(unsupported(
                        &path,
                        "default_prompt_name",
                        name.clone(),
                        &known,
                    ));
                }
            },
        };
        if settings.truncate_dim == Some(0) {
            return Err(unsupported(
                &path,
                "truncate_dim",
                "0".to_owned(),
                "at least 1",
            ));
        }
        Ok(Self {
            prompt,
            truncate_dim: settings.truncate_dim,
        })
    }
}

impl TextSettings {
    /// Reads the Transformer's settings, and those of the tokenizer where the former say nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what they say; [`Error::Mistaken`] or [`Error::Dataset`].
    pub(crate) fn read(files: &ModelFiles, tokenizer: &TokenizerConfig) -> Result<Self> {
        let of_tokenizer = || {
            let (key, number) = tokenizer.max_tokens()?;
            Some((number.clone(), files.tokenizer_config()?, key))
        };
        let Some(path) = files.transformer() else {
            return Ok(Self {
                max_tokens: of_tokenizer(),
                lower_case: false,
            });
        };
        let settings: TransformerSettings = json::read(&path)?;
        settings.check(&path)?;
        let number = |number: &Number, key| Some((number.clone(), path.clone(), key));
        let by_kwargs = || match settings
            .processor_kwargs
            .as_ref()?
            .get("model_max_length")?
        {
            Value::Number(n) => number(n, "model_max_length"),
            _ => None,
        };
        let by_key = || number(settings.max_seq_length.as_ref()?, "max_seq_length");
        Ok(Self {
            max_tokens: by_kwargs().or_else(by_key).or_else(of_tokenizer),
            lower_case: settings.do_lower_case.unwrap_or(false),
        })
    }
}

impl TransformerSettings {
    /// Refuses what would make other vectors.
    fn check(&self, path: &Path) -> Result<()> {
        let refuse =
            |key, found: String, supported: &str| Err(unsupported(path, key, found, supported));
        if let Some(found) = &self.transformer_task
            && found != "feature-extraction"
        {
            return refuse("transformer_task", found.clone(), "`feature-extraction`");
        }
        if let Some(found) = &self.module_output_name
            && found != "token_embeddings"
        {
            return refuse("module_output_name", found.clone(), "`token_embeddings`");
        }
        if let Some(modalities) = &self.modality_config {
            let text = modalities.get("text");
            let says = |key: &str, value: &str| text.is_some_and(|text| text[key] == value);
            let is_plain = says("method", "forward")
                && says("method_output_name", "last_hidden_state")
                && !modalities.contains_key("message");
            if !is_plain {
                let found = Value::from(modalities.clone()).to_string();
                let supported =
                    "`text` by `forward` and its `last_hidden_state`, without `message`";
                return refuse("modality_config", found, supported);
            }
        }
        if let Some(found) = self.processing_kwargs.as_ref().filter(|it| !it.is_empty()) {
            let found = Value::from(found.clone()).to_string();
            return refuse("processing_kwargs", found, "none");
        }
        for (key, map, harmless) in [
            ("processor_kwargs", &self.processor_kwargs, &HARMLESS[..]),
            ("config_kwargs", &self.config_kwargs, &HARMLESS_CONFIG[..]),
        ] {
            let is_known = |name: &str, value: &Value| {
                harmless.contains(&name)
                    || value.is_null()
                    || (name == "model_max_length" && value.is_number())
            };
            let mut entries = map.iter().flatten();
            if let Some((name, value)) = entries.find(|(name, value)| !is_known(name, value)) {
                return refuse(key, format!("{name}: {value}"), "`model_max_length`");
            }
        }
        Ok(())
    }
}

fn unsupported(path: &Path, key: &'static str, found: String, supported: &str) -> Error {
    Error::Unsupported {
        path: path.to_owned(),
        key,
        found,
        supported: supported.to_owned(),
    }
}
