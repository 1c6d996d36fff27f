use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use ndarray::{Array1, Array2};
use tch::{Kind, Tensor};

use super::model::{Mf, MfWeights};
use crate::{Error, Result, safetensors};

const FILE: &str = "model.safetensors";
// RouteLLM's names. Its embedding and its classifier are matrices of one row here.
const PROJECTION: &str = "text_proj.weight";
const MODEL: &str = "P.weight";
const CLASSIFIER: &str = "classifier.weight";

impl Mf {
    /// Writes `model.safetensors` into a folder, which is made if it is not there: `text_proj.weight` of shape `(dim, text_dim)`, `P.weight`
    /// and `classifier.weight` of shape `(1, dim)`.
    ///
    /// # Errors
    /// [`Error::Dataset`] or [`Error::Io`] when it cannot be written; an older file is then as it was.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let weights = self.weights();
        let (dim, text_dim) = (weights.dim() as i64, weights.text_dim() as i64);
        let tensor = |name: &str, values: &[f32], shape: [i64; 2]| {
            let tensor = Tensor::f_from_slice(values).and_then(|tensor| tensor.f_reshape(shape));
            let tensor = tensor.map_err(Error::torch("store the weights"))?;
            Ok::<_, Error>((name.to_owned(), tensor))
        };
        let flat = "weights lie row by row";
        let tensors = [
            tensor(
                PROJECTION,
                weights.projection.as_slice().expect(flat),
                [dim, text_dim],
            )?,
            tensor(MODEL, weights.model.as_slice().expect(flat), [1, dim])?,
            tensor(
                CLASSIFIER,
                weights.classifier.as_slice().expect(flat),
                [1, dim],
            )?,
        ];
        // Without it, Python's libraries refuse the file.
        let metadata = BTreeMap::from([("format", "pt".to_owned())]);
        safetensors::write(&folder.join(FILE), &tensors, &metadata)
    }

    /// Reads what [`Mf::save`] wrote.
    ///
    /// # Errors
    /// [`Error::MissingFile`]; [`Error::Weights`] when it is no safetensors file; [`Error::MissingWeight`], [`Error::ExtraWeight`],
    /// [`Error::WeightShape`] or [`Error::UnusableWeights`] when it holds other weights.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Err(Error::MissingFile {
                folder: folder.to_owned(),
                file: FILE,
            });
        }
        let weights_error = |source| Error::Weights {
            path: path.clone(),
            source,
        };
        let tensors = Tensor::read_safetensors(&path).map_err(weights_error)?;
        let mut tensors: HashMap<String, Tensor> = tensors.into_iter().collect();
        let mut take = |name: &str| {
            let tensor = tensors.remove(name);
            tensor.ok_or_else(|| Error::MissingWeight {
                path: path.clone(),
                name: name.to_owned(),
            })
        };
        let (projection, model, classifier) = (take(PROJECTION)?, take(MODEL)?, take(CLASSIFIER)?);
        if let Some(name) = tensors.into_keys().min() {
            return Err(Error::ExtraWeight { path, name });
        }
        let dim = match projection.size()[..] {
            [dim, _] => dim,
            // Some shape that does not fit, to tell what was expected.
            _ => model.size().last().copied().unwrap_or(1),
        };
        let text_dim = projection.size().last().copied().unwrap_or(1);
        let values = |name: &str, tensor: Tensor, shape: [i64; 2]| {
            if tensor.size() != shape {
                return Err(Error::WeightShape {
                    path: path.clone(),
                    name: name.to_owned(),
                    expected: shape.to_vec(),
                    found: tensor.size(),
                });
            }
            let flat = tensor
                .f_to_kind(Kind::Float)
                .and_then(|t| t.f_reshape([-1]));
            flat.and_then(Vec::<f32>::try_from).map_err(weights_error)
        };
        let projection = values(PROJECTION, projection, [dim, text_dim])?;
        let shape = (dim as usize, text_dim as usize);
        let weights = MfWeights::new(
            Array2::from_shape_vec(shape, projection).expect("the shape was compared"),
            Array1::from_vec(values(MODEL, model, [1, dim])?),
            Array1::from_vec(values(CLASSIFIER, classifier, [1, dim])?),
        );
        match weights {
            Ok(weights) => Ok(Self::from_weights(weights)),
            Err(source) => Err(Error::UnusableWeights {
                path,
                source: Box::new(source),
            }),
        }
    }
}
