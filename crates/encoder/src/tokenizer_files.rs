//! Tokenizers from files: as the tokenizers library writes them, or as BERT's first models had them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dataset::Truncate;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};
use tokenizers::{
    AddedToken, NormalizerWrapper, Tokenizer,
    models::wordpiece::WordPiece,
    normalizers::{BertNormalizer, Lowercase, Sequence},
    pre_tokenizers::bert::BertPreTokenizer,
    processors::bert::BertProcessing,
};
use untrusted_files::guard;

use crate::{Error, Result, json, model_file::read_model_file};

pub(crate) const TOKENIZER: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
/// A WordPiece vocabulary, a token on each line.
pub(crate) const VOCABULARY: &str = "vocab.txt";

/// What tokenizer_config.json says. A key that is missing has transformers' default.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TokenizerConfig {
    pub(crate) model_max_length: Option<Number>,
    /// The name of the same in the first versions.
    max_len: Option<Number>,
    truncation_side: Option<Truncate>,
    tokenizer_class: Option<String>,
    do_lower_case: Option<bool>,
    strip_accents: Option<bool>,
    tokenize_chinese_chars: Option<bool>,
    #[serde(default)]
    pub(crate) add_prefix_space: bool,
    #[serde(default, deserialize_with = "token")]
    unk_token: Option<String>,
    #[serde(default, deserialize_with = "token")]
    sep_token: Option<String>,
    #[serde(default, deserialize_with = "token")]
    pad_token: Option<String>,
    #[serde(default, deserialize_with = "token")]
    cls_token: Option<String>,
    #[serde(default, deserialize_with = "token")]
    mask_token: Option<String>,
    #[serde(default)]
    added_tokens_decoder: BTreeMap<String, Value>,
}

/// A special token: its text, or an object with that as `content`.
fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let content = value.get("content").unwrap_or(&value);
    Ok(content.as_str().map(str::to_owned))
}

impl TokenizerConfig {
    /// Reads the file, if there is one.
    ///
    /// # Errors
    /// [`Error::Mistaken`] or [`Error::Dataset`].
    pub(crate) fn read(path: Option<&Path>) -> Result<Self> {
        path.map_or_else(|| Ok(Self::default()), json::read)
    }

    /// The longest text in tokens, and the key that says so.
    pub(crate) fn max_tokens(&self) -> Option<(&'static str, &Number)> {
        let older = self.max_len.as_ref().map(|n| ("max_len", n));
        let current = self.model_max_length.as_ref();
        current.map(|n| ("model_max_length", n)).or(older)
    }

    /// Which part of a text that is too long is cut off.
    pub(crate) fn truncate(&self) -> Truncate {
        self.truncation_side.unwrap_or(Truncate::Right)
    }

    /// Whether transformers takes BERT's own tokenizer for a model of the type `bert`.
    fn is_bert(&self, class_by_config: Option<&str>) -> bool {
        let class = self.tokenizer_class.as_deref().or(class_by_config);
        class.is_none_or(|class| ["BertTokenizer", "BertTokenizerFast"].contains(&class))
    }

    /// The tokens that stand at the beginning and at the end of each text.
    fn around(&self) -> [String; 2] {
        let name = |token: &Option<String>, default: &str| {
            token.clone().unwrap_or_else(|| default.to_owned())
        };
        [
            name(&self.cls_token, "[CLS]"),
            name(&self.sep_token, "[SEP]"),
        ]
    }

    fn normalizer(&self) -> BertNormalizer {
        let clean_text = true;
        BertNormalizer::new(
            clean_text,
            self.tokenize_chinese_chars.unwrap_or(true),
            self.strip_accents,
            self.do_lower_case.unwrap_or(true),
        )
    }
}

/// Reads a tokenizer.json of any model. A file that the tokenizers library would panic on is an error like others.
///
/// # Errors
/// [`Error::Mistaken`] for a file of another kind, else [`Error::Tokenizer`].
pub fn read_tokenizer(path: &Path) -> Result<Tokenizer> {
    let bytes = read_model_file(path)?;
    guarded(path, || Tokenizer::from_bytes(&bytes))
}

/// Runs a part of the tokenizers library that may panic on a broken file.
///
/// # Errors
/// [`Error::Tokenizer`].
pub(crate) fn guarded<T>(path: &Path, read: impl FnOnce() -> tokenizers::Result<T>) -> Result<T> {
    let tokenizer_error = |source| Error::Tokenizer {
        path: path.to_owned(),
        source,
    };
    match guard(read) {
        Ok(outcome) => outcome.map_err(tokenizer_error),
        Err(panicked) => Err(tokenizer_error(panicked.into())),
    }
}

/// The tokenizer that transformers takes for a BERT: by tokenizer.json or, in a folder of 2019, by vocab.txt. How letters are normalized is said by
/// tokenizer_config.json and not by tokenizer.json, unless the former names another class of tokenizers.
///
/// # Errors
/// [`Error::Tokenizer`], [`Error::Mistaken`] or [`Error::Dataset`]; [`Error::Unsupported`] for tokens that are not in vocab.txt.
pub(crate) fn bert_tokenizer(
    path: &Path,
    config_path: Option<&Path>,
    config: &TokenizerConfig,
    class_by_config: Option<&str>,
) -> Result<Tokenizer> {
    let is_bert = config.is_bert(class_by_config);
    if path.file_name().is_some_and(|name| name == TOKENIZER) {
        let mut tokenizer = read_tokenizer(path)?;
        let has_own = matches!(
            tokenizer.get_normalizer(),
            Some(NormalizerWrapper::BertNormalizer(_))
        );
        if is_bert && has_own {
            tokenizer.with_normalizer(Some(config.normalizer()));
        }
        // A file that lost it: transformers puts the two tokens around each text all the same.
        if is_bert && tokenizer.get_post_processor().is_none() {
            let [begin, end] = config.around();
            let id = |token: String| tokenizer.token_to_id(&token).map(|id| (token, id));
            if let (Some(begin), Some(end)) = (id(begin), id(end)) {
                tokenizer.with_post_processor(Some(BertProcessing::new(end, begin)));
            }
        }
        return Ok(tokenizer);
    }
    let unsupported = |key, found: String, supported: &str| {
        Err(Error::Unsupported {
            path: config_path.unwrap_or(path).to_owned(),
            key,
            found,
            supported: supported.to_owned(),
        })
    };
    if !is_bert {
        let class = config.tokenizer_class.as_deref().or(class_by_config);
        let found = class.unwrap_or_default().to_owned();
        let supported = "`BertTokenizer` where there is no tokenizer.json";
        return unsupported("tokenizer_class", found, supported);
    }
    let tokenizer = from_vocabulary(path, config)?;
    for token in config.added_tokens_decoder.values() {
        let content = token.get("content").and_then(Value::as_str);
        if content.is_none_or(|content| tokenizer.token_to_id(content).is_none()) {
            let supported = "tokens of vocab.txt where there is no tokenizer.json";
            return unsupported("added_tokens_decoder", token.to_string(), supported);
        }
    }
    Ok(tokenizer)
}

/// WordPiece between `[CLS]` and `[SEP]`, as `BertTokenizer` of transformers puts it together.
fn from_vocabulary(path: &Path, config: &TokenizerConfig) -> Result<Tokenizer> {
    let bytes = read_model_file(path)?;
    let name =
        |token: &Option<String>, default: &str| token.clone().unwrap_or_else(|| default.to_owned());
    let unknown = name(&config.unk_token, "[UNK]");
    let [begin, end] = config.around();
    let (padding, mask) = (
        name(&config.pad_token, "[PAD]"),
        name(&config.mask_token, "[MASK]"),
    );
    guarded(path, || {
        let vocabulary = WordPiece::read_bytes(&bytes)?;
        let id = |token: &str| {
            let id = vocabulary.get(token).copied();
            id.map(|id| (token.to_owned(), id))
                .ok_or_else(|| tokenizers::Error::from(format!("it has no token `{token}`")))
        };
        let processing = BertProcessing::new(id(&end)?, id(&begin)?);
        id(&unknown)?;
        let special: Vec<AddedToken> = [&unknown, &end, &padding, &begin, &mask]
            .into_iter()
            .filter(|token| vocabulary.contains_key(*token))
            .map(|token| AddedToken::from(token.as_str(), true))
            .collect();
        let model = WordPiece::builder()
            .vocab(vocabulary)
            .unk_token(unknown)
            .build()?;
        let mut tokenizer = Tokenizer::new(model);
        tokenizer
            .with_normalizer(Some(config.normalizer()))
            .with_pre_tokenizer(Some(BertPreTokenizer))
            .with_post_processor(Some(processing));
        tokenizer.add_special_tokens(&special);
        Ok(tokenizer)
    })
}

/// Makes a tokenizer lowercase texts first, unless it does already: what `do_lower_case` in sentence_bert_config.json means.
pub(crate) fn lower_case(tokenizer: &mut Tokenizer) {
    let found = tokenizer.get_normalizer().cloned();
    let is_there = match &found {
        Some(NormalizerWrapper::Lowercase(_)) => true,
        Some(NormalizerWrapper::Sequence(sequence)) => sequence
            .as_ref()
            .iter()
            .any(|it| matches!(it, NormalizerWrapper::Lowercase(_))),
        _ => false,
    };
    if !is_there {
        let steps = [NormalizerWrapper::Lowercase(Lowercase)];
        let steps = steps.into_iter().chain(found).collect();
        tokenizer.with_normalizer(Some(Sequence::new(steps)));
    }
}

/// A length as files say it: any number, as one that means none is 10^30.
pub(crate) fn length(number: &Number) -> usize {
    let whole = number.as_u64().and_then(|n| usize::try_from(n).ok());
    // A cast saturates: what is below 0 becomes 0.
    whole.unwrap_or_else(|| number.as_f64().unwrap_or(0.) as usize)
}

/// A tokenizer and the file that it came from, for messages.
#[derive(Debug, Clone)]
pub struct NamedTokenizer {
    /// What splits texts.
    pub tokenizer: Tokenizer,
    /// Its file.
    pub path: PathBuf,
}
