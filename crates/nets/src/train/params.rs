use serde::{Deserialize, Serialize};

use crate::Result;

/// Hyper-parameters of [`crate::fine_tune`], as configs/roberta.toml has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TrainParams {
    /// Seed of the split, the order of prompts, and dropout.
    pub seed: u32,
    /// Highest learning rate.
    pub learning_rate: f64,
    /// How long the learning rate rises linearly from 0; from there it falls linearly to 0.
    pub warm_up: WarmUp,
    /// Weight decay of AdamW.
    pub weight_decay: f64,
    /// The weights that decay.
    pub decayed: Decayed,
    /// AdamW's decays of the means of gradients and of their squares.
    pub betas: [f64; 2],
    /// Added to the root of the mean square in AdamW's division.
    pub epsilon: f64,
    /// The gradient of a step is scaled down to this Euclidean norm.
    pub max_gradient_norm: f64,
    /// Prompts in a batch.
    pub batch_size: usize,
    /// Batches whose gradients make one step.
    pub gradient_accumulation: usize,
    /// Passes over the train rows.
    pub n_epochs: u64,
    /// How prompts come together in batches.
    pub batch_order: BatchOrder,
    /// The longest prompt in training and validation, in tokens, special ones included.
    pub max_tokens: usize,
    /// Whether attention sees the padding.
    pub padding: TrainPadding,
    /// Share of the rows that validate, unless validation rows are given; 0 for none, and then the last weights are kept.
    pub validation_share: f64,
    /// Steps between validations; absent: only at the end of each epoch, where one is made in any case.
    pub validate_every_steps: Option<u64>,
    /// Validations without a better loss after which training stops; absent: never.
    pub patience: Option<u64>,
    /// Steps in a row with a loss or gradient that is not finite, and so is skipped, after which training fails.
    pub max_non_finite_in_a_row: u64,
    /// Steps between rows of the metrics.
    pub log_every_steps: u64,
    /// Steps between checkpoints, if there is a folder for them; one is also written at the end of each epoch.
    pub checkpoint_every_steps: u64,
    /// In what the products are taken on a GPU; on a CPU it is float32 always.
    pub gpu_precision: Precision,
    /// The GPU's peak in that precision, dense, in 10^12 operations a second, for the log to say what share is reached; absent: unknown.
    pub gpu_peak_tflops: Option<f64>,
}

/// How long the learning rate rises.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarmUp {
    /// For this share of all steps, rounded down.
    Ratio(f64),
    /// For so many steps.
    Steps(u64),
}

/// The weights that decay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decayed {
    /// All: PyTorch's `AdamW(model.parameters())`.
    All,
    /// All but biases and those of layer normalizations: Hugging Face's Trainer.
    Matrices,
}

/// How prompts are grouped into batches. Each epoch draws its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchOrder {
    /// At random.
    Shuffled,
    /// At random among those of like length: a random 50 batches' worth of prompts is sorted by length and cut into batches, which come in random order.
    LikeLengths,
}

/// Whether attention sees the padding in training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrainPadding {
    /// No.
    Masked,
    /// Yes, as in the reference's `--trainer hf`, which drops the attention mask.
    Attended,
}

/// In what the products are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 24 bits of precision.
    Float32,
    /// 8 bits; the weights themselves, normalizations, and the optimizer stay in float32.
    Bfloat16,
}

/// Hyper-parameters that can be trained with.
#[derive(Debug, Clone)]
pub struct CheckedTrainParams(TrainParams);

impl TrainParams {
    /// Refuses what no training can use.
    ///
    /// # Errors
    /// [`encoder::Error::BadParameter`] with the first that is out of bounds.
    pub fn check(self) -> Result<CheckedTrainParams> {
        let checks = self.optimizer_checks().into_iter();
        for (name, is_good, found, expected) in checks.chain(self.course_checks()) {
            if !is_good {
                let error = encoder::Error::BadParameter {
                    name,
                    found,
                    expected,
                };
                return Err(error.into());
            }
        }
        Ok(CheckedTrainParams(self))
    }

    fn optimizer_checks(&self) -> Vec<Check> {
        let [beta1, beta2] = self.betas;
        let (warm_up, warm_up_is_good) = match self.warm_up {
            WarmUp::Ratio(ratio) => (ratio.to_string(), is_share(ratio)),
            WarmUp::Steps(steps) => (steps.to_string(), true),
        };
        vec![
            positive("learning-rate", self.learning_rate),
            ("warm-up", warm_up_is_good, warm_up, "a ratio in [0, 1)"),
            (
                "weight-decay",
                self.weight_decay >= 0. && self.weight_decay.is_finite(),
                self.weight_decay.to_string(),
                "at least 0",
            ),
            (
                "betas",
                is_share(beta1) && is_share(beta2),
                format!("{:?}", self.betas),
                "two numbers in [0, 1)",
            ),
            positive("epsilon", self.epsilon),
            positive("max-gradient-norm", self.max_gradient_norm),
        ]
    }

    fn course_checks(&self) -> Vec<Check> {
        let is_validated = self.validation_share > 0.;
        let mut checks = vec![
            at_least_1("batch-size", self.batch_size as u64),
            at_least_1("gradient-accumulation", self.gradient_accumulation as u64),
            at_least_1("n-epochs", self.n_epochs),
            (
                "max-tokens",
                self.max_tokens >= 3,
                self.max_tokens.to_string(),
                "at least 3",
            ),
            (
                "validation-share",
                is_share(self.validation_share),
                self.validation_share.to_string(),
                "a share in [0, 1)",
            ),
            at_least_1("max-non-finite-in-a-row", self.max_non_finite_in_a_row),
            at_least_1("log-every-steps", self.log_every_steps),
            at_least_1("checkpoint-every-steps", self.checkpoint_every_steps),
        ];
        // Of those that may be absent, only what is given is checked.
        checks.extend(
            self.validate_every_steps
                .map(|n| at_least_1("validate-every-steps", n)),
        );
        checks.extend(self.patience.map(|n| {
            let expected = "at least 1, and none without validation";
            ("patience", n > 0 && is_validated, n.to_string(), expected)
        }));
        checks.extend(
            self.gpu_peak_tflops
                .map(|tflops| positive("gpu-peak-tflops", tflops)),
        );
        checks
    }
}

/// A parameter's name, whether it can be used, its value, and what it may be.
type Check = (&'static str, bool, String, &'static str);

fn positive(name: &'static str, x: f64) -> Check {
    let is_positive = x > 0. && x.is_finite();
    (name, is_positive, x.to_string(), "a positive number")
}

fn at_least_1(name: &'static str, n: u64) -> Check {
    (name, n > 0, n.to_string(), "at least 1")
}

fn is_share(x: f64) -> bool {
    (0. ..1.).contains(&x)
}

impl CheckedTrainParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &TrainParams {
        &self.0
    }
}
