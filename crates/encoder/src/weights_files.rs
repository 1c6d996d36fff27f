use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;

use crate::{Error, Result, json};

/// A model's weights.
pub const WEIGHTS: &str = "model.safetensors";
/// The list of the files over which the weights of a large model are spread.
pub(crate) const WEIGHTS_INDEX: &str = "model.safetensors.index.json";
/// The older form of weights, a pickle, which could run code when it is read.
const PICKLES: [&str; 2] = ["pytorch_model.bin", "pytorch_model.bin.index.json"];
/// Names under which other programs keep weights, and folders of them.
const OTHER_WEIGHTS: [&str; 7] = [
    "onnx",
    "openvino",
    "model.onnx",
    "openvino_model.xml",
    "tf_model.h5",
    "flax_model.msgpack",
    "rust_model.ot",
];
const ADAPTER: &str = "adapter_config.json";

/// The index of a model whose weights are spread over several files.
#[derive(Deserialize)]
struct Index {
    /// The file of each weight.
    weight_map: BTreeMap<String, String>,
}

/// The files of a folder's weights: `model.safetensors`, or those that its index names.
///
/// # Errors
/// [`Error::MissingFile`]; [`Error::Adapter`], [`Error::OnlyPickle`] or [`Error::OtherWeights`] for a folder that has them in another form;
/// [`Error::Dataset`] or [`Error::OutsideFolder`] for the index.
pub fn weights_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let has = |file: &&str| folder.join(file).exists();
    if has(&ADAPTER) {
        return Err(Error::Adapter {
            folder: folder.to_owned(),
        });
    }
    let whole = folder.join(WEIGHTS);
    if whole.is_file() {
        return Ok(vec![whole]);
    }
    let mut shards = shard_names(folder)?;
    if shards.is_empty() {
        shards = numbered_shards(folder);
    }
    if !shards.is_empty() {
        let missing = shards.iter().find(|shard| !folder.join(shard).is_file());
        return match missing {
            None => Ok(shards.iter().map(|shard| folder.join(shard)).collect()),
            Some(shard) => Err(Error::MissingFile {
                folder: folder.to_owned(),
                file: format!("{shard}, which {WEIGHTS_INDEX} names"),
            }),
        };
    }
    if let Some(file) = PICKLES.into_iter().find(has) {
        return Err(Error::OnlyPickle {
            folder: folder.to_owned(),
            file,
        });
    }
    match other_weights(folder) {
        Some(file) => Err(Error::OtherWeights {
            folder: folder.to_owned(),
            file,
        }),
        None => Err(Error::MissingFile {
            folder: folder.to_owned(),
            file: WEIGHTS.to_owned(),
        }),
    }
}

/// A whole set of files that are numbered as parts of a model's weights: each says itself which weights it holds, so that an index that is empty or
/// was not copied along is no loss.
fn numbered_shards(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let n_shards = |name: &str| {
        let middle = name.strip_prefix("model-")?.strip_suffix(".safetensors")?;
        let (number, n) = middle.split_once("-of-")?;
        let is_number = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        (is_number(number) && is_number(n)).then(|| n.parse::<usize>().ok())?
    };
    let sets: BTreeSet<(usize, String)> = names
        .filter_map(|name| Some((n_shards(&name)?, name)))
        .collect();
    let is_one_set = |n: usize| {
        let expected = (1..=n).map(|i| (n, format!("model-{i:05}-of-{n:05}.safetensors")));
        n == sets.len() && expected.eq(sets.iter().cloned())
    };
    match sets.first() {
        Some(&(n, _)) if is_one_set(n) => sets.into_iter().map(|(_, name)| name).collect(),
        _ => BTreeSet::new(),
    }
}

/// The files that the folder's index of weights names, relative to the folder; none without an index.
///
/// # Errors
/// [`Error::Dataset`] or [`Error::OutsideFolder`] for the index.
pub(crate) fn shard_names(folder: &Path) -> Result<BTreeSet<String>> {
    let index = folder.join(WEIGHTS_INDEX);
    if !index.is_file() {
        return Ok(BTreeSet::new());
    }
    let Index { weight_map } = json::read(&index)?;
    let shards: BTreeSet<String> = weight_map.into_values().collect();
    match shards.iter().find(|shard| !is_inside(shard)) {
        None => Ok(shards),
        Some(shard) => Err(Error::OutsideFolder {
            path: index,
            found: shard.clone(),
        }),
    }
}

/// Whether a path that a file of a model names stays inside of the model's folder.
pub(crate) fn is_inside(path: &str) -> bool {
    // Windows' own forms too, on every system: a model is to be read alike everywhere.
    let is_plain = !path.contains(['\\', ':', '\0']);
    is_plain
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

fn other_weights(folder: &Path) -> Option<String> {
    let has = |file: &&str| folder.join(file).exists();
    let named = OTHER_WEIGHTS.into_iter().find(has).map(str::to_owned);
    let entries = fs::read_dir(folder).ok();
    let names = entries
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    // `model.fp16.safetensors` as well, of which nobody knows whether it is meant.
    let has_weights = |name: &String| {
        [".gguf", ".onnx", ".safetensors", ".bin", ".pt", ".ckpt"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    named.or_else(|| names.filter(has_weights).min())
}
