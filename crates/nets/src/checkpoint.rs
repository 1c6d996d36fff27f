use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;
use tch::{Device, Kind, TchError, Tensor, nn::VarStore};

use crate::{Error, Result, json, safetensors::SafetensorsFile};

pub(crate) const WEIGHTS: &str = "model.safetensors";
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

/// Files of weights, and how their names and a store's are brought together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightsFile<'a> {
    /// The safetensors files, by [`weights_files`]; the first one stands for all in messages.
    pub(crate) paths: &'a [PathBuf],
    /// What may stand before a weight's name, in the file and in the store, or in one of them only.
    pub(crate) prefix: &'a str,
    /// How weights that the store does not ask for may begin, behind the prefix; `None`: in any way.
    pub(crate) skipped: Option<&'a [&'a str]>,
    /// How names of variables begin that keep the values they have.
    pub(crate) kept: &'a [&'a str],
}

/// Weights of which only names and shapes were read and found to be those that were expected.
#[derive(Debug)]
pub(crate) struct CheckedWeights<'a> {
    how: WeightsFile<'a>,
    files: Vec<SafetensorsFile>,
    /// For each weight by its canonical name, the file's position and the name there.
    places: BTreeMap<String, (usize, String)>,
}

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
pub(crate) fn weights_files(folder: &Path) -> Result<Vec<PathBuf>> {
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

impl<'a> WeightsFile<'a> {
    /// Compares the files' headers with the weights that a model will have, before any memory is taken for one.
    ///
    /// # Errors
    /// [`Error::Weights`] or [`Error::Mistaken`] for a file; [`Error::MissingWeight`], [`Error::ExtraWeight`] or [`Error::WeightShape`] for what it
    /// holds.
    pub(crate) fn check(
        self,
        expected: impl IntoIterator<Item = (String, Vec<i64>)>,
    ) -> Result<CheckedWeights<'a>> {
        let files: Vec<SafetensorsFile> = self
            .paths
            .iter()
            .map(|path| SafetensorsFile::open(path))
            .collect::<Result<_>>()?;
        let mut places = BTreeMap::new();
        let mut shapes = BTreeMap::new();
        for (file_idx, file) in files.iter().enumerate() {
            for (name, shape) in file.shapes() {
                let canonical = self.canonical(name);
                places.insert(canonical.clone(), (file_idx, name.to_owned()));
                shapes.insert(canonical, shape);
            }
        }
        let path_of = |name: &str| {
            let file = places.get(name).map_or(0, |(file_idx, _)| *file_idx);
            self.paths.get(file).cloned().unwrap_or_default()
        };
        for (name, expected) in expected {
            if self.is_kept(&name) {
                continue;
            }
            let canonical = self.canonical(&name);
            let Some(found) = shapes.remove(&canonical) else {
                return Err(Error::MissingWeight {
                    path: path_of(&canonical),
                    name,
                });
            };
            if found != expected {
                return Err(Error::WeightShape {
                    path: path_of(&canonical),
                    name,
                    expected,
                    found,
                });
            }
        }
        let is_extra = |name: &&String| {
            self.skipped
                .is_some_and(|skipped| !skipped.iter().any(|start| name.starts_with(start)))
        };
        match shapes.keys().find(is_extra) {
            None => Ok(CheckedWeights {
                how: self,
                files,
                places,
            }),
            Some(name) => Err(Error::ExtraWeight {
                path: path_of(name),
                name: name.clone(),
            }),
        }
    }

    fn is_kept(&self, name: &str) -> bool {
        self.kept.iter().any(|start| name.starts_with(start))
    }

    /// A weight's name without the prefix. Checkpoints that were once converted from TensorFlow call a normalization's weights gamma and beta.
    fn canonical(&self, name: &str) -> String {
        let name = name.strip_prefix(self.prefix).unwrap_or(name);
        match name.rsplit_once(".LayerNorm.") {
            Some((norm, "gamma")) => format!("{norm}.LayerNorm.weight"),
            Some((norm, "beta")) => format!("{norm}.LayerNorm.bias"),
            _ => name.to_owned(),
        }
    }
}

impl CheckedWeights<'_> {
    /// Fills the variables of a store, one by one. Half precision is widened.
    ///
    /// # Errors
    /// As [`CheckedWeights::tensor`].
    pub(crate) fn load_into(mut self, variables: &VarStore) -> Result<()> {
        let mut variables: Vec<(String, Tensor)> = variables.variables().into_iter().collect();
        // So that of several faults the same one is told each time.
        variables.sort_by(|a, b| a.0.cmp(&b.0));
        let _no_grad = tch::no_grad_guard();
        for (name, mut variable) in variables {
            if !self.how.is_kept(&name) {
                let weight = self.tensor(&name, Device::Cpu)?;
                let copied = variable.f_copy_(&weight);
                copied.map_err(Error::torch("copy a weight to the device"))?;
            }
        }
        Ok(())
    }

    /// One weight as float32 on a device.
    ///
    /// # Errors
    /// [`Error::Weights`]; [`Error::NotFinite`] for a weight that is no number.
    pub(crate) fn tensor(&mut self, name: &str, device: Device) -> Result<Tensor> {
        let place = self.places.get(&self.how.canonical(name));
        let Some((file_idx, name_there)) = place else {
            return Err(Error::MissingWeight {
                path: self.how.paths.first().cloned().unwrap_or_default(),
                name: name.to_owned(),
            });
        };
        let file = &mut self.files[*file_idx];
        let weight = file.tensor(name_there)?;
        let prepared = (|| {
            // Widened first: a float64 may be beyond what float32 can hold.
            let weight = weight.f_to_kind(Kind::Float)?;
            let is_finite = bool::try_from(weight.f_isfinite()?.f_all()?)?;
            Ok((weight.f_to_device(device)?, is_finite))
        })();
        let (weight, is_finite) = prepared.map_err(|source: TchError| Error::Weights {
            path: file.path().to_owned(),
            source: source.into(),
        })?;
        match is_finite {
            true => Ok(weight),
            false => Err(Error::NotFinite {
                path: file.path().to_owned(),
                name: name.to_owned(),
            }),
        }
    }
}
