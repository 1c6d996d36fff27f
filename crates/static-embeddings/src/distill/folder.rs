use std::{collections::HashMap, fs, path::Path};

use dataset::atomic;
use encoder::read_json;
use safetensors::{Dtype, tensor::TensorView};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    CheckedDistillParams, DistillParams, Distilled,
    error::{DistillError, Result},
};
use crate::{
    StaticFiles,
    files::{CONFIG, TOKENIZER, WEIGHTS},
    table::EMBEDDINGS,
};

/// The sentence embedder that static embeddings were distilled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceModel {
    /// Its folder's name, or its id on the hub.
    pub name: String,
    /// SHA-256 over the files that determine its vectors.
    pub sha256: String,
    /// The licence that its model card states.
    pub license: Option<String>,
}

impl CheckedDistillParams {
    /// The static embedder in a place, if it was distilled from a model with these parameters.
    ///
    /// # Errors
    /// As [`StaticFiles::find`].
    pub fn made(&self, place: &Path, source: &SourceModel) -> Result<Option<StaticFiles>> {
        #[derive(Deserialize)]
        struct Config {
            distilled_from: Option<Value>,
        }
        let (files, config) = (StaticFiles::find(place)?, place.join(CONFIG));
        if files.is_none() || !config.is_file() {
            return Ok(None);
        }
        let Config { distilled_from } = read_json(&config)?;
        Ok(files.filter(|_| distilled_from == Some(origin(&self.0, source))))
    }
}

impl StaticFiles {
    /// Refuses a place for a new static embedder that holds something else.
    ///
    /// # Errors
    /// [`DistillError::Taken`]; as [`StaticFiles::find`].
    pub fn check_place(place: &Path) -> Result<()> {
        let is_empty = |place: &Path| {
            let files = fs::read_dir(place);
            files.is_ok_and(|mut files| files.next().is_none())
        };
        match place.exists() && !is_empty(place) && Self::find(place)?.is_none() {
            true => Err(DistillError::Taken {
                place: place.to_owned(),
            }),
            false => Ok(()),
        }
    }
}

impl Distilled {
    /// Writes the folder in Model2Vec's layout, which sentence-transformers reads too, whole or not at all. The same embedder gives the same bytes.
    ///
    /// # Errors
    /// [`DistillError::Taken`] when the place is taken by something else, which would be lost; [`DistillError::Dataset`] when the disk is full, say.
    pub fn write(&self, place: &Path, source: &SourceModel) -> Result<()> {
        StaticFiles::check_place(place)?;
        let staging = atomic::temporary_folder(atomic::parent(place))?;
        let path = staging.path();
        let write = |name: &str, bytes: &[u8]| {
            let path = path.join(name);
            fs::write(&path, bytes).map_err(dataset::Error::io("write", &path))
        };
        write(WEIGHTS, &self.weights(place)?)?;
        write(TOKENIZER, self.tokenizer.as_bytes())?;
        let (config, modules) = (self.config(source), modules());
        write(CONFIG, format!("{config:#}\n").as_bytes())?;
        write("modules.json", format!("{modules:#}\n").as_bytes())?;
        write("README.md", self.card(source).as_bytes())?;
        atomic::sync_tree(path)?;
        Ok(atomic::replace_folder(path, place)?)
    }

    fn weights(&self, place: &Path) -> Result<Vec<u8>> {
        let bytes: Vec<u8> = self
            .vectors
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        let view = TensorView::new(Dtype::F32, self.vectors.shape().to_vec(), &bytes);
        let written =
            view.and_then(|it| safetensors::serialize([(EMBEDDINGS, it)], &Some(metadata)));
        written.map_err(|source| DistillError::Tensors {
            path: place.join(WEIGHTS),
            source,
        })
    }

    /// What model2vec 0.10 writes, and where the vectors come from.
    fn config(&self, source: &SourceModel) -> Value {
        json!({
            "model_type": "model2vec",
            "architectures": ["StaticModel"],
            "tokenizer_name": source.name,
            "apply_pca": self.params.dim,
            "sif_coefficient": self.params.sif_coefficient,
            "hidden_dim": self.vectors.ncols(),
            // Model2Vec's way to say that there is no limit, and its newer one.
            "seq_length": 1_000_000,
            "max_length": null,
            "normalize": true,
            "embedding_dtype": "float32",
            "distilled_from": origin(&self.params, source),
        })
    }

    fn card(&self, source: &SourceModel) -> String {
        let SourceModel {
            name,
            sha256,
            license,
        } = source;
        let license_line = license
            .as_ref()
            .map_or_else(String::new, |it| format!("license: {it}\n"));
        let license = license
            .as_deref()
            .unwrap_or("unknown; see where the model came from");
        let (n_tokens, dim) = self.vectors.dim();
        let a = self.params.sif_coefficient;
        format!(
            "---\nlibrary_name: model2vec\nbase_model: {name}\n{license_line}tags:\n- model2vec\n- static-embeddings\n---\n\n\
             # Static embeddings distilled from {name}\n\n\
             {n_tokens} token vectors of length {dim}: each token through the network alone, principal components, weights a / (a + p) with \
             a = {a} and p by Zipf's law over the vocabulary's order. A text is the mean over its tokens, of length 1.\n\n\
             - Distilled from: {name}, SHA-256 over its files {sha256}\n\
             - Licence of that model: {license}\n\n\
             Read by model2vec (`StaticModel.from_pretrained`) and sentence-transformers.\n"
        )
    }
}

/// What a folder says of its origin, in config.json.
fn origin(params: &DistillParams, source: &SourceModel) -> Value {
    json!({
        "name": source.name,
        "sha256": source.sha256,
        "license": source.license,
        "dim": params.dim,
        "sif_coefficient": params.sif_coefficient,
    })
}

fn modules() -> Value {
    json!([
        {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ])
}
