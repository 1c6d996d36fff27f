//! What sentence-transformers itself makes of folders; `golden/sentence/make.py` asked it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use encoder::{ModelFiles, PromptEmbedder, SentenceEmbedder};
use ndarray::Array2;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use test_support::{Weight, read_weights};

use crate::{
    common::{golden, max_difference},
    vectors::golden_prompts,
    weights,
};

/// float32 against float64 on values of at most 1; the smallest difference between two layouts' vectors is 1e-4.
const PARITY: f32 = 5e-6;

/// A folder, as what differs from a base.
#[derive(Deserialize)]
struct Case {
    name: String,
    base: String,
    write: BTreeMap<String, Value>,
    #[serde(default)]
    encoder: String,
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    drop: Vec<String>,
    tokenizer: Option<String>,
    #[serde(default)]
    cased: bool,
    dtype: Option<String>,
    n_shards: Option<usize>,
    #[serde(default)]
    copy: BTreeMap<String, String>,
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&fs::read(golden("sentence/cases.json")).unwrap()).unwrap()
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn write(path: PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

impl Case {
    /// Builds the folder, as make.py does.
    fn build(&self, folder: &Path) {
        let (base, encoder) = (golden(&self.base), folder.join(&self.encoder));
        let mut config = read_json(&base.join("config.json"));
        let config = config.as_object_mut().unwrap();
        config.extend(self.config.clone());
        config.retain(|key, _| !self.drop.contains(key));
        write(
            encoder.join("config.json"),
            json!(config).to_string().as_bytes(),
        );
        let mut tokenizer = read_json(&base.join("tokenizer.json"));
        if self.cased {
            tokenizer["normalizer"]["lowercase"] = json!(false);
        }
        match &self.tokenizer {
            None => {
                let tokenizer = tokenizer.to_string();
                write(encoder.join("tokenizer.json"), tokenizer.as_bytes());
            }
            Some(file) => {
                let vocabulary = tokenizer["model"]["vocab"].as_object().unwrap();
                let mut tokens: Vec<(&String, u64)> = vocabulary
                    .iter()
                    .map(|(token, id)| (token, id.as_u64().unwrap()))
                    .collect();
                tokens.sort_by_key(|(_, id)| *id);
                let lines: String = tokens
                    .iter()
                    .map(|(token, _)| format!("{token}\n"))
                    .collect();
                write(encoder.join(file), lines.as_bytes());
            }
        }
        self.write_weights(&base, &encoder);
        for (file, value) in &self.write {
            let is_of_encoder = ["sentence_", "tokenizer_"]
                .iter()
                .any(|start| file.starts_with(start));
            let folder = if is_of_encoder { &encoder } else { folder };
            write(folder.join(file), value.to_string().as_bytes());
        }
        for (file, source) in &self.copy {
            let bytes = fs::read(golden("sentence").join(source)).unwrap();
            write(folder.join(file), &bytes);
        }
    }
}

impl Case {
    fn write_weights(&self, base: &Path, encoder: &Path) {
        let all = read_weights(&base.join("model.safetensors"));
        let dtype = match self.dtype.as_deref() {
            None => "F32",
            Some("float16") => "F16",
            Some("bfloat16") => "BF16",
            Some(other) => panic!("{other}"),
        };
        let Some(n_shards) = self.n_shards else {
            return weights::write(&encoder.join("model.safetensors"), &all, dtype);
        };
        let mut files = Map::new();
        for shard_idx in 0..n_shards {
            let file = format!("model-{:05}-of-{n_shards:05}.safetensors", shard_idx + 1);
            let shard = all.iter().skip(shard_idx).step_by(n_shards);
            let shard: Vec<Weight> = shard.cloned().collect();
            weights::write(&encoder.join(&file), &shard, dtype);
            files.extend(shard.into_iter().map(|it| (it.name, json!(file))));
        }
        let index = json!({"metadata": {"total_size": 1}, "weight_map": files});
        let index = index.to_string();
        write(
            encoder.join("model.safetensors.index.json"),
            index.as_bytes(),
        );
    }
}

#[test]
fn matches_sentence_transformers_in_every_layout() {
    let expected: BTreeMap<String, Vec<Vec<f32>>> =
        serde_json::from_value(read_json(&golden("sentence/expected.json"))).unwrap();
    let (prompts, cases) = (golden_prompts(), cases());
    assert!(cases.len() > 50, "{}", cases.len());
    for case in cases {
        let name = &case.name;
        let folder = tempfile::tempdir().unwrap();
        case.build(folder.path());
        let files = ModelFiles::in_folder(folder.path()).unwrap();
        let embedder =
            SentenceEmbedder::load(&files).unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = &expected[name];
        let shape = (rows.len(), rows[0].len());
        let expected = Array2::from_shape_vec(shape, rows.concat()).unwrap();
        // Together, so that texts of different lengths are in one batch.
        let found = embedder.embed(&prompts, &|_| ()).unwrap().values;
        assert_eq!(found.dim(), shape, "{name}");
        let difference = max_difference(found.view(), expected.view());
        assert!(difference < PARITY, "{name}: {difference}");
    }
}
