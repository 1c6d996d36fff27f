use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Result, WeightsFile,
    config::affine,
    forward::{Processor, dot, gelu, layer_norm, relu},
    json,
    model_files::StepFiles,
    weights_files::weights_files,
};

/// What becomes of a text's vector after pooling.
#[derive(Debug)]
pub(crate) enum Step {
    /// `activation(x W^T + b)`.
    Dense {
        weight: Vec<f32>, // (out_dim, dim)
        bias: Option<Vec<f32>>,
        activation: Activation,
    },
    /// Mean 0 and variance 1, then scaled and shifted.
    LayerNorm { weight: Vec<f32>, bias: Vec<f32> },
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
const MIN_NORM: f32 = 1e-12;
/// Added to the variance, as PyTorch's `LayerNorm` does where nothing else is said.
const LAYER_NORM_EPS: f32 = 1e-5;
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
    pub(crate) fn read(files: &StepFiles, dim: usize) -> Result<(Option<Self>, usize)> {
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
            let how = WeightsFile {
                paths: weights_files(&files.path)?,
                prefix: String::new(),
                skipped: None,
                kept: &[],
            };
            let names: Vec<String> = expected.iter().map(|(name, _)| name.clone()).collect();
            let mut weights = how.check(expected)?;
            let values = |name: &String| weights.values(name);
            names.iter().map(values).collect::<Result<Vec<Vec<f32>>>>()
        };
        let size = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        match files.class.as_str() {
            "Normalize" => Ok((Some(Self::Normalize), dim)),
            "Dropout" => Ok((None, dim)),
            "LayerNorm" => {
                check_dim("dimension", config.dimension)?;
                let expected = affine("norm".to_owned(), vec![size(dim)]);
                let mut values = load(expected.to_vec())?.into_iter();
                match (values.next(), values.next()) {
                    (Some(weight), Some(bias)) => Ok((Some(Self::LayerNorm { weight, bias }), dim)),
                    _ => unreachable!("as many weights as names"),
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
                let mut values = load(expected)?.into_iter();
                let Some(weight) = values.next() else {
                    unreachable!("as many weights as names");
                };
                let dense = Self::Dense {
                    weight,
                    bias: values.next(),
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

    /// A text's vector after this step.
    pub(crate) fn forward(&self, processor: Processor, mut vector: Vec<f32>) -> Vec<f32> {
        match self {
            Self::Normalize => normalize(processor, &mut vector),
            Self::LayerNorm { weight, bias } => {
                layer_norm(processor, &mut vector, weight, bias, LAYER_NORM_EPS);
            }
            Self::Dense {
                weight,
                bias,
                activation,
            } => {
                let rows = weight.chunks_exact(vector.len());
                let mut out: Vec<f32> = rows.map(|row| dot(processor, row, &vector)).collect();
                for (value, bias) in out.iter_mut().zip(bias.iter().flatten()) {
                    *value += bias;
                }
                activation.forward(processor, &mut out);
                return out;
            }
        }
        vector
    }
}

impl Activation {
    fn forward(self, processor: Processor, values: &mut [f32]) {
        let each = |values: &mut [f32], f: fn(f32) -> f32| {
            for value in values {
                *value = f(*value);
            }
        };
        match self {
            Self::Identity => (),
            Self::Tanh => each(values, f32::tanh),
            Self::Relu => relu(processor, values),
            Self::Gelu => gelu(processor, values),
            Self::Sigmoid => each(values, |x| 1. / (1. + (-x).exp())),
        }
    }
}

/// Brings a vector to length 1.
pub(crate) fn normalize(processor: Processor, vector: &mut [f32]) {
    let norm = dot(processor, vector, vector).sqrt().max(MIN_NORM);
    for value in vector {
        *value /= norm;
    }
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
