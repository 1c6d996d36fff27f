use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    Error, Result,
    config::{EncoderConfig, affine},
    json,
};

/// What a classifier's outputs are, as transformers' `problem_type` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemType {
    /// Each output is the logit of a probability; learned by binary cross-entropy from targets in `[0, 1]`.
    MultiLabelClassification,
    /// Each output is the value itself; learned by squared error.
    Regression,
}

/// What config.json says of a classifier.
#[derive(Debug, Clone)]
pub struct RobertaConfig {
    /// The encoder's shape.
    pub encoder: EncoderConfig,
    /// What the outputs are called, in their order.
    pub labels: Vec<String>,
    /// `None` when the file does not say, which only training needs.
    pub problem_type: Option<ProblemType>,
    /// In training, the probability that a value of a token's vector is set to zero.
    pub hidden_dropout: f64,
    /// The same for the weights of attention.
    pub attention_dropout: f64,
    /// The same for what the head reads.
    pub head_dropout: f64,
    /// Standard deviation of new weights.
    pub initializer_range: f64,
    /// The file, all keys included.
    keys: Map<String, Value>,
}

/// The keys that matter here and not to the encoder. Defaults are those of RobertaConfig in transformers.
#[derive(Deserialize)]
struct ConfigFile {
    problem_type: Option<Value>,
    id2label: Option<Map<String, Value>>,
    num_labels: Option<usize>,
    #[serde(default = "dropout")]
    hidden_dropout_prob: f64,
    #[serde(default = "dropout")]
    attention_probs_dropout_prob: f64,
    classifier_dropout: Option<f64>,
    #[serde(default = "initializer_range")]
    initializer_range: f64,
}

/// More outputs than any router has; a number from a broken file is not believed.
const MAX_LABELS: usize = 1_000_000;

fn dropout() -> f64 {
    0.1
}

fn initializer_range() -> f64 {
    0.02
}

impl RobertaConfig {
    /// What stands before the names of the encoder's weights.
    pub const ENCODER: &str = "roberta";
    /// What stands before those of the head.
    pub const HEAD: &str = "classifier";

    /// Reads a classifier's config.json.
    ///
    /// # Errors
    /// [`Error::Dataset`], or [`Error::Unsupported`], [`Error::Sizes`] and [`Error::Labels`] for what it says.
    pub fn read(path: &Path) -> Result<Self> {
        let encoder = EncoderConfig::read(path, &["roberta"])?;
        let file: ConfigFile = json::read(path)?;
        let problem_type = match file.problem_type {
            None | Some(Value::Null) => None,
            Some(found) => {
                Some(
                    serde_json::from_value(found.clone()).map_err(|_| Error::Unsupported {
                        path: path.to_owned(),
                        key: "problem_type",
                        found: found.to_string().trim_matches('"').to_owned(),
                        supported: "`multi_label_classification`, `regression`".to_owned(),
                    })?,
                )
            }
        };
        let labels = match file.id2label {
            Some(labels) => read_labels(&labels).ok_or_else(|| Error::Labels {
                path: path.to_owned(),
                why: "`id2label` must name the outputs 0, 1, 2, ... without a gap",
            })?,
            // As transformers does.
            None => {
                let n_labels = file.num_labels.unwrap_or(2);
                if n_labels == 0 || n_labels > MAX_LABELS {
                    return Err(Error::Labels {
                        path: path.to_owned(),
                        why: "`num_labels` must be between 1 and a million",
                    });
                }
                (0..n_labels)
                    .map(|label| format!("LABEL_{label}"))
                    .collect()
            }
        };
        Ok(Self {
            encoder,
            labels,
            problem_type,
            hidden_dropout: file.hidden_dropout_prob,
            attention_dropout: file.attention_probs_dropout_prob,
            head_dropout: file.classifier_dropout.unwrap_or(file.hidden_dropout_prob),
            initializer_range: file.initializer_range,
            keys: json::read(path)?,
        })
    }

    /// The weights of the encoder and of the head by name, with their shapes.
    pub fn shapes(&self) -> impl Iterator<Item = (String, Vec<i64>)> {
        let (encoder, head) = (Self::ENCODER, Self::HEAD);
        let dim = i64::try_from(self.encoder.dim).unwrap_or(i64::MAX);
        let n_labels = self.labels.len() as i64;
        let of_encoder = self.encoder.shapes();
        let of_encoder = of_encoder.map(move |(name, shape)| (format!("{encoder}.{name}"), shape));
        let of_head = [("dense", dim), ("out_proj", n_labels)];
        let of_head = of_head
            .into_iter()
            .flat_map(move |(part, n_rows)| affine(format!("{head}.{part}"), vec![n_rows, dim]));
        of_encoder.chain(of_head)
    }

    /// The same encoder under a new head.
    ///
    /// # Errors
    /// [`Error::Labels`] when there are none, or two of one name: transformers keeps them in a dictionary.
    pub fn with_head(mut self, labels: &[String], problem_type: ProblemType) -> Result<Self> {
        let labels_error = |why| Error::Labels {
            path: PathBuf::from("config.json"),
            why,
        };
        let mut names: Vec<&String> = labels.iter().collect();
        names.sort();
        if names.is_empty() {
            return Err(labels_error("a classifier needs at least one label"));
        }
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(labels_error("two labels have the same name"));
        }
        self.labels = labels.to_vec();
        self.problem_type = Some(problem_type);
        Ok(self)
    }

    /// config.json in transformers' form: what was read, and the head that the model has now.
    pub fn to_json(&self) -> Value {
        let mut keys = self.keys.clone();
        let id_to_label: Map<String, Value> = (0..)
            .zip(&self.labels)
            .map(|(id, label): (usize, _)| (id.to_string(), json!(label)))
            .collect();
        let label_to_id: Map<String, Value> = (0..)
            .zip(&self.labels)
            .map(|(id, label): (usize, _)| (label.clone(), json!(id)))
            .collect();
        for (key, value) in [
            ("architectures", json!(["RobertaForSequenceClassification"])),
            ("id2label", Value::Object(id_to_label)),
            ("label2id", Value::Object(label_to_id)),
            ("problem_type", json!(self.problem_type)),
        ] {
            keys.insert(key.to_owned(), value);
        }
        // Where the base lay, and the kind of its weights; ours are float32.
        for key in ["_name_or_path", "num_labels", "torch_dtype", "dtype"] {
            keys.remove(key);
        }
        keys.insert("dtype".to_owned(), json!("float32"));
        Value::Object(keys)
    }
}

/// Labels by their numbers, if these run from 0 without a gap.
fn read_labels(labels: &Map<String, Value>) -> Option<Vec<String>> {
    let label = |id: usize| Some(labels.get(&id.to_string())?.as_str()?.to_owned());
    let labels: Option<Vec<String>> = (0..labels.len()).map(label).collect();
    labels.filter(|labels| !labels.is_empty())
}
