//! The parts of a sentence-transformers model around its encoder, as that library puts them together from a folder.

use serde::Deserialize;

use crate::{
    Error, ModelFiles, Result,
    config::{EncoderConfig, Family},
    json,
    pooling::Pooling,
    sentence_settings::TextSettings,
    steps::Step,
    tokenizer_files::{
        NamedTokenizer, TokenizerConfig, bert_tokenizer, length, lower_case, read_tokenizer,
    },
    tokens::PromptTokenizer,
};

/// The pooling by the step that modules.json lists, or what sentence-transformers takes without that file: the mean, whatever the model was
/// trained for.
pub(crate) fn pooling(files: &ModelFiles) -> Result<Pooling> {
    if let Some(step) = files.steps.as_ref().and_then(|steps| steps.first())
        && step.class == "Pooling"
    {
        let missing = || Error::MissingFile {
            folder: step.path.clone(),
            file: "config.json".to_owned(),
        };
        return Pooling::read(step.config.as_ref().ok_or_else(missing)?);
    }
    if files.steps.is_some() {
        return Err(Error::Unsupported {
            path: files.modules(),
            key: "type",
            found: "missing".to_owned(),
            supported: "a `Pooling` after the `Transformer`".to_owned(),
        });
    }
    if let Some(path) = files.stray_pooling()
        && Pooling::read(&path)? != Pooling::mean()
    {
        return Err(Error::NoModules {
            folder: files.folder.clone(),
        });
    }
    let folder = files.folder.display();
    tracing::warn!(
        "`{folder}` has no modules.json, so its pooling is a guess: the mean of all tokens, as sentence-transformers takes it; if the model was \
         trained for another one, get modules.json and 1_Pooling/config.json from where it came from"
    );
    Ok(Pooling::mean())
}

/// The steps after pooling, and the length of the vectors after them.
pub(crate) fn steps(
    files: &ModelFiles,
    pooling: &Pooling,
    dim: usize,
) -> Result<(Vec<Step>, usize)> {
    let mut dim = dim.saturating_mul(pooling.n_modes());
    let mut steps = Vec::new();
    for step in files.steps.iter().flatten().skip(1) {
        let (step, new_dim) = Step::read(step, dim)?;
        steps.extend(step);
        dim = new_dim;
    }
    Ok((steps, dim))
}

/// The tokenizer that sentence-transformers would take, cutting where it would.
pub(crate) fn tokenizer(files: &ModelFiles, encoder: &EncoderConfig) -> Result<PromptTokenizer> {
    #[derive(Deserialize)]
    struct Class {
        tokenizer_class: Option<String>,
    }
    let config_path = files.tokenizer_config();
    let config = TokenizerConfig::read(config_path.as_deref())?;
    let texts = TextSettings::read(files, &config)?;
    let path = files.tokenizer().or_else(|| files.vocabulary());
    let Some(path) = path else {
        return Err(Error::MissingFile {
            folder: files.folder.clone(),
            file: "tokenizer.json".to_owned(),
        });
    };
    let mut tokenizer = match encoder.family {
        Family::Bert => {
            let Class { tokenizer_class } = json::read(&files.config())?;
            let class = tokenizer_class.as_deref();
            bert_tokenizer(&path, config_path.as_deref(), &config, class)?
        }
        Family::Roberta => read_tokenizer(&path)?,
    };
    if texts.lower_case {
        lower_case(&mut tokenizer);
    }
    let (max_tokens, place) = match texts.max_tokens {
        Some((number, path, key)) => (length(&number), Some((path, key))),
        None => (usize::MAX, None),
    };
    let limit = encoder.max_tokens();
    let named = NamedTokenizer { tokenizer, path };
    let max_tokens_found = max_tokens.min(limit);
    let tokenizer = PromptTokenizer::new(named, encoder, max_tokens_found, config.truncate())?;
    if max_tokens_found <= tokenizer.n_special() {
        let by_config = || (files.config(), "max_position_embeddings");
        let (path, key) = match place {
            Some(place) if max_tokens <= limit => place,
            _ => by_config(),
        };
        return Err(Error::NoRoom {
            path,
            key,
            found: max_tokens_found,
            n_special: tokenizer.n_special(),
        });
    }
    Ok(tokenizer)
}

/// How many of a text's tokens belong to the prompt before it: its own and the special one at the beginning.
pub(crate) fn n_prompt_tokens(tokenizer: &PromptTokenizer, prompt: &str) -> Result<usize> {
    let prompts = tokenizer.tokenize(&[prompt.to_owned()])?;
    let n_tokens = prompts.first().map_or(0, |prompt| prompt.ids.len());
    // The one at the end follows the whole text.
    Ok(n_tokens.saturating_sub(usize::from(tokenizer.ends_in_special())))
}
