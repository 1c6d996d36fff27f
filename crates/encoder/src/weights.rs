use std::{collections::BTreeMap, path::PathBuf};

use crate::{Error, Result, safetensors::SafetensorsFile};

/// Files of weights, and how their names and a model's are brought together.
#[derive(Debug, Clone)]
pub struct WeightsFile {
    /// The safetensors files, by [`crate::weights_files`]; the first one stands for all in messages.
    pub paths: Vec<PathBuf>,
    /// What may stand before a weight's name, in the file and in the model, or in one of them only.
    pub prefix: String,
    /// How weights that the model does not ask for may begin, behind the prefix; `None`: in any way.
    pub skipped: Option<&'static [&'static str]>,
    /// How names of variables begin that keep the values they have.
    pub kept: &'static [&'static str],
}

/// Weights of which only names and shapes were read and found to be those that were expected.
#[derive(Debug)]
pub struct CheckedWeights {
    how: WeightsFile,
    files: Vec<SafetensorsFile>,
    /// For each weight by its canonical name, the file's position and the name there.
    places: BTreeMap<String, (usize, String)>,
}

impl WeightsFile {
    /// Compares the files' headers with the weights that a model will have, before any memory is taken for one.
    ///
    /// # Errors
    /// [`Error::Weights`] or [`Error::Mistaken`] for a file; [`Error::MissingWeight`], [`Error::ExtraWeight`] or [`Error::WeightShape`] for what it
    /// holds.
    pub fn check(
        self,
        expected: impl IntoIterator<Item = (String, Vec<i64>)>,
    ) -> Result<CheckedWeights> {
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
        let name = name.strip_prefix(&self.prefix).unwrap_or(name);
        match name.rsplit_once(".LayerNorm.") {
            Some((norm, "gamma")) => format!("{norm}.LayerNorm.weight"),
            Some((norm, "beta")) => format!("{norm}.LayerNorm.bias"),
            _ => name.to_owned(),
        }
    }
}

impl CheckedWeights {
    /// Whether a variable keeps the value that it has.
    pub fn is_kept(&self, name: &str) -> bool {
        self.how.is_kept(name)
    }

    /// One weight as float32, row by row. Half precision is widened.
    ///
    /// # Errors
    /// [`Error::Weights`]; [`Error::NotFinite`] for a weight that is no number; [`Error::MissingWeight`] for one that was not expected.
    pub fn values(&mut self, name: &str) -> Result<Vec<f32>> {
        let place = self.places.get(&self.how.canonical(name));
        let Some((file_idx, name_there)) = place else {
            return Err(Error::MissingWeight {
                path: self.how.paths.first().cloned().unwrap_or_default(),
                name: name.to_owned(),
            });
        };
        let file = &mut self.files[*file_idx];
        let values = file.values(name_there)?;
        // Without an early end, so that vectors of values are tested.
        let is_finite = values
            .iter()
            .fold(true, |all, value| all & value.is_finite());
        match is_finite {
            true => Ok(values),
            false => Err(Error::NotFinite {
                path: file.path().to_owned(),
                name: name.to_owned(),
            }),
        }
    }
}
