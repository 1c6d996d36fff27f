use std::path::{Path, PathBuf};

use dataset::{sha256_bytes, sha256_file};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Result, json,
    tokenizer_files::{TOKENIZER, TOKENIZER_CONFIG, VOCABULARY},
    weights_files::{WEIGHTS, WEIGHTS_INDEX, is_inside, shard_names, weights_files},
};

/// The files of a sentence-transformers model in one folder, whatever version of that library laid them out.
///
/// `modules.json` lists the steps and their folders: the Transformer in the model's own folder or, before 2020, in `0_Transformer`; then pooling
/// and what follows. A folder without it is a plain Transformer, whose pooling sentence-transformers takes to be the mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    pub(crate) folder: PathBuf,
    /// The folder with the encoder's files, relative to the model's.
    encoder: String,
    pub(crate) weights: Vec<PathBuf>,
    /// The steps after the encoder, in their order; none without modules.json.
    pub(crate) steps: Option<Vec<StepFiles>>,
}

/// A step after the encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepFiles {
    /// The last part of the class's name.
    pub(crate) class: String,
    /// Its folder relative to the model's.
    folder: String,
    /// The settings, if it has a file of them.
    pub(crate) config: Option<PathBuf>,
    /// The folder in which its weights would be.
    pub(crate) path: PathBuf,
}

/// Whether a model can do without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// There is no model without it.
    Required,
    /// It has a default, or another file may stand for it.
    Optional,
}

const CONFIG: &str = "config.json";
const MODULES: &str = "modules.json";
const POOLING: &str = "1_Pooling/config.json";
/// Prompts that stand before each text, and the kind of model.
const SETTINGS: &str = "config_sentence_transformers.json";
/// The Transformer's own settings, of which the first file that is there counts.
const TRANSFORMER: [&str; 7] = [
    "sentence_bert_config.json",
    "sentence_roberta_config.json",
    "sentence_distilbert_config.json",
    "sentence_camembert_config.json",
    "sentence_albert_config.json",
    "sentence_xlm-roberta_config.json",
    "sentence_xlnet_config.json",
];
/// Names that are looked for although they are not read, because they explain why others are missing.
const EXPLAINING: [&str; 2] = ["adapter_config.json", "pytorch_model.bin.index.json"];

/// An entry of modules.json.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    class: String,
    #[serde(default)]
    path: String,
}

impl ModelFiles {
    /// What a downloader must fetch first, by names relative to the model's folder; these files say what else there is, see
    /// [`ModelFiles::further`].
    pub const FILES: &[(&str, Need)] = &[
        (MODULES, Need::Optional),
        (CONFIG, Need::Optional),
        (WEIGHTS, Need::Optional),
        (WEIGHTS_INDEX, Need::Optional),
        (TOKENIZER, Need::Optional),
        (TOKENIZER_CONFIG, Need::Optional),
        (VOCABULARY, Need::Optional),
        (POOLING, Need::Optional),
        (SETTINGS, Need::Optional),
        (TRANSFORMER[0], Need::Optional),
        (TRANSFORMER[1], Need::Optional),
        (TRANSFORMER[2], Need::Optional),
        (TRANSFORMER[3], Need::Optional),
        (TRANSFORMER[4], Need::Optional),
        (TRANSFORMER[5], Need::Optional),
        (TRANSFORMER[6], Need::Optional),
        (EXPLAINING[0], Need::Optional),
        (EXPLAINING[1], Need::Optional),
    ];

    /// What the files in a folder say that there is besides [`ModelFiles::FILES`], by names relative to the folder: files of further steps, and
    /// of weights that are spread over several. A downloader fetches them, and asks again until nothing is added. All of them are optional, as
    /// [`ModelFiles::in_folder`] names what is missing.
    ///
    /// # Errors
    /// [`Error::Dataset`] for a file that cannot be read, [`Error::OutsideFolder`] for a name that leads out of the folder.
    pub fn further(folder: &Path) -> Result<Vec<String>> {
        let (encoder, steps) = modules(folder)?;
        let mut names: Vec<String> = Vec::new();
        if !encoder.is_empty() {
            let files = Self::FILES.iter().map(|(file, _)| *file);
            names.extend(files.map(|file| join(&encoder, file)));
        }
        for step in steps.iter().flatten().filter(|it| !it.folder.is_empty()) {
            names.extend([CONFIG, WEIGHTS].map(|file| join(&step.folder, file)));
        }
        let shards = shard_names(&below(folder, &encoder))?;
        names.extend(shards.iter().map(|shard| join(&encoder, shard)));
        Ok(names)
    }

    /// Finds a model's files.
    ///
    /// # Errors
    /// [`Error::MissingFile`] when a required one is not there; [`Error::OnlyPickle`], [`Error::OtherWeights`] or [`Error::Adapter`] for weights in
    /// another form; [`Error::Unsupported`] or [`Error::OutsideFolder`] for what modules.json says; [`Error::Dataset`] for a file that cannot be
    /// read.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let (encoder, steps) = modules(folder)?;
        let encoder_folder = below(folder, &encoder);
        // An adapter's folder often has no other file.
        let weights = weights_files(&encoder_folder);
        if !matches!(weights, Err(Error::Adapter { .. })) && !encoder_folder.join(CONFIG).is_file()
        {
            return Err(Error::MissingFile {
                folder: encoder_folder,
                file: CONFIG.to_owned(),
            });
        }
        let files = Self {
            folder: folder.to_owned(),
            weights: weights?,
            encoder,
            steps,
        };
        if files.tokenizer().is_none() && files.vocabulary().is_none() {
            return Err(Error::MissingFile {
                folder: encoder_folder,
                file: format!(
                    "{TOKENIZER}` (nor `{VOCABULARY}`), which `AutoTokenizer.from_pretrained(...).save_pretrained(...)` of transformers writes `{TOKENIZER}"
                ),
            });
        }
        Ok(files)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.encoder_folder().join(CONFIG)
    }

    pub(crate) fn modules(&self) -> PathBuf {
        self.folder.join(MODULES)
    }

    pub(crate) fn tokenizer(&self) -> Option<PathBuf> {
        self.in_encoder(TOKENIZER)
    }

    pub(crate) fn tokenizer_config(&self) -> Option<PathBuf> {
        self.in_encoder(TOKENIZER_CONFIG)
    }

    pub(crate) fn vocabulary(&self) -> Option<PathBuf> {
        self.in_encoder(VOCABULARY)
    }

    /// The Transformer's settings, which sentence-transformers reads only where there is a modules.json.
    pub(crate) fn transformer(&self) -> Option<PathBuf> {
        self.steps.as_ref()?;
        TRANSFORMER.iter().find_map(|file| self.in_encoder(file))
    }

    /// The model's settings, of which the same is true.
    pub(crate) fn settings(&self) -> Option<PathBuf> {
        self.steps.as_ref()?;
        Some(self.folder.join(SETTINGS)).filter(|path| path.is_file())
    }

    /// `1_Pooling/config.json` of a folder without modules.json, which nothing else leads to.
    pub(crate) fn stray_pooling(&self) -> Option<PathBuf> {
        let path = self.folder.join(POOLING);
        (self.steps.is_none() && path.is_file()).then_some(path)
    }

    fn encoder_folder(&self) -> PathBuf {
        below(&self.folder, &self.encoder)
    }

    fn in_encoder(&self, file: &str) -> Option<PathBuf> {
        Some(self.encoder_folder().join(file)).filter(|path| path.is_file())
    }

    /// One SHA-256 over all files that determine the vectors, in lower-case hexadecimal; where the model's folder lies does not matter.
    ///
    /// # Errors
    /// [`Error::Dataset`] when one cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let tokenizer = self.tokenizer().or_else(|| self.vocabulary());
        let mut files: Vec<PathBuf> = vec![self.config()];
        files.extend(self.weights.iter().cloned());
        files.extend(tokenizer);
        files.extend(self.tokenizer_config());
        files.extend(self.transformer());
        files.extend(self.settings());
        files.extend(self.steps.iter().map(|_| self.modules()));
        for step in self.steps.iter().flatten() {
            files.extend(step.config.clone());
            files.extend(weights_files(&step.path).into_iter().flatten());
        }
        let mut listing = String::new();
        for path in files {
            let name = path.strip_prefix(&self.folder).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            listing += &format!("{}  {name}\n", sha256_file(&path)?);
        }
        Ok(sha256_bytes(listing.as_bytes()))
    }
}

/// The encoder's folder and the steps after it, by modules.json; without that file the model's own folder and no steps.
fn modules(folder: &Path) -> Result<(String, Option<Vec<StepFiles>>)> {
    let path = folder.join(MODULES);
    if !path.is_file() {
        return Ok((String::new(), None));
    }
    let modules: Vec<Module> = json::read(&path)?;
    let mut encoder = None;
    let mut steps = Vec::new();
    for (module_idx, module) in modules.into_iter().enumerate() {
        if !is_inside(&module.path) {
            return Err(Error::OutsideFolder {
                path,
                found: module.path,
            });
        }
        let class = class(&module.class).filter(|class| {
            // The encoder is the first step and no other.
            (*class == "Transformer") == (module_idx == 0)
        });
        let Some(class) = class else {
            return Err(Error::Unsupported {
                path,
                key: "type",
                found: module.class,
                supported: "`Transformer`, and after it `Pooling`, `Dense`, `LayerNorm`, `Dropout`, `Normalize` of sentence_transformers".to_owned(),
            });
        };
        let class = class.to_owned();
        let module_path = module.path.trim_end_matches('/').to_owned();
        if module_idx == 0 {
            encoder = Some(module_path);
            continue;
        }
        let step = below(folder, &module_path);
        // A step in the model's own folder would have the encoder's config.json.
        let config = (!module_path.is_empty()).then(|| step.join(CONFIG));
        steps.push(StepFiles {
            class,
            config: config.filter(|path| path.is_file()),
            folder: module_path,
            path: step,
        });
    }
    match encoder {
        Some(encoder) => Ok((encoder, Some(steps))),
        None => Err(Error::Unsupported {
            path,
            key: "type",
            found: Value::Array(Vec::new()).to_string(),
            supported: "a list that begins with a `Transformer`".to_owned(),
        }),
    }
}

/// The name of a class of sentence-transformers that is known here. Others' classes are code, whatever they are called.
fn class(name: &str) -> Option<&str> {
    let name = name.strip_prefix("sentence_transformers.")?;
    let class = name.rsplit('.').next()?;
    [
        "Transformer",
        "Pooling",
        "Dense",
        "LayerNorm",
        "Dropout",
        "Normalize",
    ]
    .contains(&class)
    .then_some(class)
}

/// A folder below another, or that one itself, without a separator at its end.
fn below(folder: &Path, name: &str) -> PathBuf {
    match name {
        "" => folder.to_owned(),
        name => folder.join(name),
    }
}

fn join(folder: &str, file: &str) -> String {
    match folder {
        "" => file.to_owned(),
        folder => format!("{folder}/{file}"),
    }
}
