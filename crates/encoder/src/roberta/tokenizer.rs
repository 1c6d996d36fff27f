use std::{fs, path::Path};

use dataset::Truncate;
use tokenizers::{
    AddedToken, Tokenizer, models::bpe::BPE, pre_tokenizers::byte_level::ByteLevel,
    processors::roberta::RobertaProcessing,
};

use crate::{
    Error, Result,
    tokenizer_files::{
        NamedTokenizer, TOKENIZER, TOKENIZER_CONFIG as SETTINGS, TokenizerConfig, guarded,
        read_tokenizer,
    },
};

/// RoBERTa's tokenizer with the files that it came from.
#[derive(Debug, Clone)]
pub struct RobertaTokenizer {
    /// What splits prompts, with whatever truncation and padding its files ask for.
    pub named: NamedTokenizer,
    /// Which part of long prompts tokenizer_config.json says to cut off.
    pub truncate: Truncate,
    /// File names and contents, to be written beside a model that is saved.
    pub files: Vec<(&'static str, Vec<u8>)>,
}

const VOCABULARY: &str = "vocab.json";
const MERGES: &str = "merges.txt";
/// All that transformers may look for.
const FILES: [&str; 5] = [
    TOKENIZER,
    VOCABULARY,
    MERGES,
    SETTINGS,
    "special_tokens_map.json",
];

impl RobertaTokenizer {
    /// Reads tokenizer.json or, in older folders, vocab.json and merges.txt.
    ///
    /// # Errors
    /// [`Error::MissingFile`] when there is neither, [`Error::Tokenizer`] or [`Error::Mistaken`] for a file that is broken.
    pub fn load(folder: &Path) -> Result<Self> {
        let settings = Some(folder.join(SETTINGS)).filter(|path| path.is_file());
        let settings = TokenizerConfig::read(settings.as_deref())?;
        let path = folder.join(TOKENIZER);
        let (tokenizer, path) = if path.is_file() {
            (read_tokenizer(&path)?, path)
        } else {
            let (vocabulary, merges) = (folder.join(VOCABULARY), folder.join(MERGES));
            if !vocabulary.is_file() || !merges.is_file() {
                return Err(Error::MissingFile {
                    folder: folder.to_owned(),
                    file: "tokenizer.json (nor vocab.json with merges.txt)".to_owned(),
                });
            }
            let build = || build(&vocabulary, &merges, settings.add_prefix_space);
            (guarded(&vocabulary, build)?, vocabulary)
        };
        let mut files = Vec::new();
        for name in FILES {
            let path = folder.join(name);
            if path.is_file() {
                let bytes = fs::read(&path).map_err(dataset::Error::io("read", path))?;
                files.push((name, bytes));
            }
        }
        if files.iter().all(|(name, _)| *name != TOKENIZER) {
            let json = tokenizer
                .to_string(true)
                .map_err(|source| Error::Tokenizer {
                    path: path.clone(),
                    source,
                })?;
            files.push((TOKENIZER, json.into_bytes()));
        }
        Ok(Self {
            named: NamedTokenizer { tokenizer, path },
            truncate: settings.truncate(),
            files,
        })
    }
}

/// Byte-level byte-pair encoding between `<s>` and `</s>`, as `RobertaConverter` of transformers' `convert_slow_tokenizer.py` puts it together.
fn build(
    vocabulary: &Path,
    merges: &Path,
    add_prefix_space: bool,
) -> tokenizers::Result<Tokenizer> {
    let (vocabulary, merges) = (vocabulary.to_string_lossy(), merges.to_string_lossy());
    let mut tokenizer = Tokenizer::new(BPE::from_file(&vocabulary, &merges).build()?);
    let id = |token: &str| {
        tokenizer
            .token_to_id(token)
            .map(|id| (token.to_owned(), id))
            .ok_or_else(|| format!("it has no token `{token}`"))
    };
    let (begin, end) = (id("<s>")?, id("</s>")?);
    let trim_offsets = true;
    let byte_level = ByteLevel::default()
        .add_prefix_space(add_prefix_space)
        .trim_offsets(trim_offsets);
    let processing = RobertaProcessing::new(end, begin)
        .add_prefix_space(add_prefix_space)
        .trim_offsets(trim_offsets);
    tokenizer
        .with_pre_tokenizer(Some(byte_level))
        .with_decoder(Some(byte_level))
        .with_post_processor(Some(processing));
    let is_special = true;
    let special = |token: &str| AddedToken::from(token, is_special);
    // The mask swallows the space before it, as in transformers' RobertaTokenizer.
    let mask = special("<mask>").lstrip(true);
    tokenizer.add_special_tokens(&[
        special("<s>"),
        special("<pad>"),
        special("</s>"),
        special("<unk>"),
        mask,
    ]);
    Ok(tokenizer)
}
