use serde::Deserialize;
use serde_json::Value;
use tch::{Device, TchError, Tensor};

use crate::{
    Error, Result,
    checkpoint::{WeightsFile, weights_files},
    encoder::affine,
    json,
    model_files::StepFiles,
};

/// What becomes of a text's vector after pooling.
#[derive(Debug)]
pub(crate) enum Step {
    /// `activation(x W^T + b)`.
    Dense {
        weight: Tensor, // (out_dim, dim)
        bias: Option<Tensor>,
        activation: Activation,
    },
    /// Mean 0 and variance 1, then scaled and shifted.
    LayerNorm { weight: Tensor, bias: Tensor },
    /// Length 1.
    Normalize,
}

/// The activation of a dense step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    Identity,
    Tanh,
    Relu,
    Gelu,
    Sigmoid,
}

/// Keeps the division finite for a vector of zeros, as PyTorch's `normalize` does.
const MIN_NORM: f64 = 1e-12;
/// Added to the variance, as PyTorch's `LayerNorm` does where nothing else is said.
const LAYER_NORM_EPS: f64 = 1e-5;
/// What a step reads and writes.
const VECTOR: &str = "sentence_embedding";

/// The settings of any step.
#[derive(Default, Deserialize)]
struct StepConfig {
    in_features: Option<usize>,
    out_features: Option<usize>,
    bias: Option<bool>,
    activation_function: Option<String>,
    dimension: Option<usize>,
    module_input_name: Option<String>,
    module_output_name: Option<String>,
    use_residual: Option<bool>,
}

impl Step {
    /// Reads a step for vectors of `dim` values; none for one that only matters in training. Gives the new number of values with it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for what its settings say; any of its files.
    pub(crate) fn read(
        files: &StepFiles,
        dim: usize,
        device: Device,
    ) -> Result<(Option<Self>, usize)> {
        let config: StepConfig = match &files.config {
            Some(path) => json::read(path)?,
            None => StepConfig::default(),
        };
        let path = || files.path.join("config.json");
        let unsupported = |key, found: String, supported: &str| Error::Unsupported {
            path: path(),
            key,
            found,
            supported: supported.to_owned(),
        };
        for (key, name) in [
            ("module_input_name", &config.module_input_name),
            ("module_output_name", &config.module_output_name),
        ] {
            if let Some(found) = name.as_ref().filter(|name| *name != VECTOR) {
                return Err(unsupported(key, found.clone(), "`sentence_embedding`"));
            }
        }
        if config.use_residual == Some(true) {
            return Err(unsupported("use_residual", "true".to_owned(), "`false`"));
        }
        let check_dim = |key, found: Option<usize>| match found {
            Some(found) if found == dim => Ok(()),
            found => Err(unsupported(
                key,
                json_of(found),
                &format!("{dim}, the length of the vectors before this step"),
            )),
        };
        let load = |expected: Vec<(String, Vec<i64>)>| {
            let paths = weights_files(&files.path)?;
            let how = WeightsFile {
                paths: &paths,
                prefix: "",
                skipped: None,
                kept: &[],
            };
            let names: Vec<String> = expected.iter().map(|(name, _)| name.clone()).collect();
            let mut weights = how.check(expected)?;
            let tensor = |name: &String| weights.tensor(name, device);
            names.iter().map(tensor).collect::<Result<Vec<Tensor>>>()
        };
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        match files.class.as_str() {
            "Normalize" => Ok((Some(Self::Normalize), dim)),
            "Dropout" => Ok((None, dim)),
            "LayerNorm" => {
                check_dim("dimension", config.dimension)?;
                let expected = affine("norm".to_owned(), vec![size(dim)]);
                let mut tensors = load(expected.to_vec())?.into_iter();
                match (tensors.next(), tensors.next()) {
                    (Some(weight), Some(bias)) => Ok((Some(Self::LayerNorm { weight, bias }), dim)),
                    _ => unreachable!("as many tensors as names"),
                }
            }
            "Dense" => {
                check_dim("in_features", config.in_features)?;
                let Some(out_dim) = config.out_features.filter(|&n| n > 0) else {
                    let found = json_of(config.out_features);
                    return Err(unsupported("out_features", found, "at least 1"));
                };
                let activation = activation(config.activation_function.as_deref());
                let Some(activation) = activation else {
                    let found = config.activation_function.unwrap_or_default();
                    let supported =
                        "`Tanh`, `Identity`, `ReLU`, `GELU`, `Sigmoid` of torch.nn.modules";
                    return Err(unsupported("activation_function", found, supported));
                };
                let shape = vec![size(out_dim), size(dim)];
                let mut expected = affine("linear".to_owned(), shape).to_vec();
                if config.bias == Some(false) {
                    expected.truncate(1);
                }
                let mut tensors = load(expected)?.into_iter();
                let Some(weight) = tensors.next() else {
                    unreachable!("as many tensors as names");
                };
                let dense = Self::Dense {
                    weight,
                    bias: tensors.next(),
                    activation,
                };
                Ok((Some(dense), out_dim))
            }
            other => Err(Error::Unsupported {
                path: files.path.clone(),
                key: "type",
                found: other.to_owned(),
                supported: "one `Pooling`, first after the `Transformer`".to_owned(),
            }),
        }
    }

    /// The vectors after this step, `(batch, out_dim)`.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor, TchError> {
        match self {
            Self::Normalize => normalize(x),
            Self::LayerNorm { weight, bias } => x.f_layer_norm(
                weight.size(),
                Some(weight),
                Some(bias),
                LAYER_NORM_EPS,
                true,
            ),
            Self::Dense {
                weight,
                bias,
                activation,
            } => {
                let x = x.f_linear(weight, bias.as_ref())?;
                match activation {
                    Activation::Identity => Ok(x),
                    Activation::Tanh => x.f_tanh(),
                    Activation::Relu => x.f_relu(),
                    Activation::Gelu => x.f_gelu("none"),
                    Activation::Sigmoid => x.f_sigmoid(),
                }
            }
        }
    }

    /// A second handle on the same weights, for another thread.
    pub(crate) fn share(&self) -> Self {
        match self {
            Self::Normalize => Self::Normalize,
            Self::LayerNorm { weight, bias } => Self::LayerNorm {
                weight: weight.shallow_clone(),
                bias: bias.shallow_clone(),
            },
            Self::Dense {
                weight,
                bias,
                activation,
            } => Self::Dense {
                weight: weight.shallow_clone(),
                bias: bias.as_ref().map(Tensor::shallow_clone),
                activation: *activation,
            },
        }
    }
}

/// Vectors of length 1, `(batch, dim)`.
pub(crate) fn normalize(x: &Tensor) -> Result<Tensor, TchError> {
    let norms = x.f_norm_scalaropt_dim(2., 1, true)?.f_clamp_min(MIN_NORM)?; // (batch, 1)
    x.f_div(&norms)
}

fn activation(name: Option<&str>) -> Option<Activation> {
    // The default of sentence-transformers.
    let Some(name) = name else {
        return Some(Activation::Tanh);
    };
    // Any other module is code.
    let name = name.strip_prefix("torch.nn.")?.rsplit('.').next()?;
    Some(match name {
        "Identity" => Activation::Identity,
        "Tanh" => Activation::Tanh,
        "ReLU" => Activation::Relu,
        "GELU" => Activation::Gelu,
        "Sigmoid" => Activation::Sigmoid,
        _ => return None,
    })
}

fn json_of(n: Option<usize>) -> String {
    n.map_or(Value::Null, Value::from).to_string()
}
