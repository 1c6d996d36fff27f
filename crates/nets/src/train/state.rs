use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use dataset::sha256_bytes;
use encoder::SafetensorsFile;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{
    adamw::{AdamW, Copies},
    data::TrainData,
    params::TrainParams,
    report::{Best, Record},
};
use crate::{Error, Result, RobertaModel, safetensors};

/// Where a training stands, but for tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Hash over parameters, data and model: another training's checkpoint is not taken up.
    pub(super) fingerprint: String,
    pub(super) epoch: u64,
    pub(super) step_in_epoch: u64,
    pub(super) n_steps: u64,
    pub(super) n_updates: u64,
    pub(super) n_skipped: u64,
    pub(super) n_skipped_in_a_row: u64,
    pub(super) best: Option<Best>,
    pub(super) n_validations_since_best: u64,
    pub(super) stopped_early: bool,
    pub(super) seconds: f64,
    pub(super) since_record: SinceRecord,
    pub(super) records: Vec<Record>,
}

/// Sums since the last row of the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct SinceRecord {
    #[serde(with = "bits")]
    pub(super) loss_sum: f64,
    pub(super) n_batches: u64,
    pub(super) n_tokens: u64,
    pub(super) n_flops: f64,
    pub(super) seconds: f64,
}

/// Key of the state in the file's header.
const STATE: &str = "state";
/// What stands before a weight's name for each of the four tensors that belong to it.
const WEIGHT: &str = "weight/";
const MEAN: &str = "mean/";
const MEAN_SQUARE: &str = "mean-square/";
const BEST: &str = "best/";

impl State {
    pub(super) fn new(fingerprint: String) -> Self {
        Self {
            fingerprint,
            epoch: 0,
            step_in_epoch: 0,
            n_steps: 0,
            n_updates: 0,
            n_skipped: 0,
            n_skipped_in_a_row: 0,
            best: None,
            n_validations_since_best: 0,
            stopped_early: false,
            seconds: 0.,
            since_record: SinceRecord::default(),
            records: Vec::new(),
        }
    }

    /// Counts a step that was left out, or not.
    ///
    /// # Errors
    /// [`Error::Diverged`] when there were too many in a row.
    pub(super) fn count_skipped(&mut self, is_finite: bool, params: &TrainParams) -> Result<()> {
        if is_finite {
            self.n_skipped_in_a_row = 0;
            return Ok(());
        }
        self.n_skipped += 1;
        self.n_skipped_in_a_row += 1;
        tracing::warn!(
            step = self.n_steps,
            "left out a step whose loss or gradient is not finite"
        );
        if self.n_skipped_in_a_row >= params.max_non_finite_in_a_row {
            return Err(Error::Diverged {
                n_in_a_row: self.n_skipped_in_a_row,
                step: self.n_steps,
            });
        }
        Ok(())
    }

    /// Adds a row to the metrics, and says it.
    pub(super) fn record(
        &mut self,
        params: &TrainParams,
        val_loss: Option<f32>,
        learning_rate: f64,
        gradient_norm: f64,
    ) {
        let sums = std::mem::take(&mut self.since_record);
        self.seconds += sums.seconds;
        // JSON knows no other numbers.
        let finite = |x: f64| Some(x as f32).filter(|x| x.is_finite());
        let record = Record {
            step: self.n_steps,
            epoch: self.epoch + 1,
            loss: finite(sums.loss_sum / sums.n_batches as f64),
            val_loss: val_loss.filter(|loss| loss.is_finite()),
            learning_rate: learning_rate as f32,
            gradient_norm: finite(gradient_norm),
            n_skipped: self.n_skipped,
            seconds: self.seconds,
            tokens_per_second: sums.n_tokens as f64 / sums.seconds.max(1e-9),
        };
        let share_of_peak = params
            .gpu_peak_tflops
            .map(|tflops| sums.n_flops / sums.seconds / (tflops * 1e12));
        tracing::info!(
            step = record.step,
            epoch = record.epoch,
            loss = record.loss,
            val_loss,
            learning_rate,
            seconds = record.seconds,
            tokens_per_second = record.tokens_per_second,
            share_of_peak,
            "training"
        );
        self.records.push(record);
    }

    /// Writes one file with everything that training goes on from, atomically: a full disk leaves the older checkpoint as it was.
    ///
    /// # Errors
    /// [`Error::Dataset`] when the file cannot be written.
    pub(super) fn write(&self, path: &Path, optimizer: &AdamW, best: &Copies) -> Result<()> {
        let mut tensors = Vec::new();
        for parameter in optimizer.parameters() {
            for (kind, tensor) in [
                (WEIGHT, &parameter.weight),
                (MEAN, &parameter.mean),
                (MEAN_SQUARE, &parameter.mean_square),
            ] {
                tensors.push((format!("{kind}{}", parameter.name), tensor.shallow_clone()));
            }
        }
        for (name, tensor) in best {
            tensors.push((format!("{BEST}{name}"), tensor.shallow_clone()));
        }
        let state = serde_json::to_string(self).map_err(dataset::Error::json(path))?;
        safetensors::write(path, &tensors, &BTreeMap::from([(STATE, state)]))
    }

    /// Reads a checkpoint into the optimizer and its weights, and gives the state and the best weights.
    ///
    /// # Errors
    /// [`Error::OtherCheckpoint`] when it belongs to another training; as for any weights, when it is broken.
    pub(super) fn read(
        path: &Path,
        fingerprint: &str,
        optimizer: &mut AdamW,
    ) -> Result<(Self, Copies)> {
        let other = || Error::OtherCheckpoint {
            path: path.to_owned(),
        };
        let mut file = SafetensorsFile::open(path)?;
        let state = file.texts().get(STATE).ok_or_else(other)?;
        let state: Self = serde_json::from_str(state).map_err(dataset::Error::json(path))?;
        if state.fingerprint != fingerprint || !state.is_plausible() {
            return Err(other());
        }
        let shapes: HashMap<String, Vec<i64>> = file
            .shapes()
            .map(|(name, shape)| (name.to_owned(), shape))
            .collect();
        let mut tensor = |kind: &str, name: &str, expected: &Tensor| {
            let name = format!("{kind}{name}");
            match shapes.get(&name) {
                Some(found) if *found == expected.size() => {
                    let values = file.values(&name)?;
                    let tensor = Tensor::f_from_slice(&values)
                        .and_then(|tensor| tensor.f_view_as(expected))
                        .and_then(|tensor| tensor.f_to_device(expected.device()));
                    tensor.map_err(Error::torch("read a checkpoint"))
                }
                Some(found) => Err(encoder::Error::WeightShape {
                    path: path.to_owned(),
                    name,
                    expected: expected.size(),
                    found: found.clone(),
                }
                .into()),
                None => Err(encoder::Error::MissingWeight {
                    path: path.to_owned(),
                    name,
                }
                .into()),
            }
        };
        let _no_grad = tch::no_grad_guard();
        let mut best = Copies::new();
        for parameter in optimizer.parameters() {
            let (name, weight) = (&parameter.name, &parameter.weight);
            for (kind, target) in [
                (WEIGHT, weight),
                (MEAN, &parameter.mean),
                (MEAN_SQUARE, &parameter.mean_square),
            ] {
                let found = tensor(kind, name, target)?;
                let copied = target.shallow_clone().f_copy_(&found);
                copied.map_err(Error::torch("read a checkpoint"))?;
            }
            if state.best.is_some() {
                best.push((name.clone(), tensor(BEST, name, weight)?));
            }
        }
        optimizer.n_updates = state.n_updates;
        Ok((state, best))
    }
}

impl State {
    /// Whether its numbers are those of a training, and not of a damaged file: sums of them must not overflow.
    fn is_plausible(&self) -> bool {
        let counts = [
            self.epoch,
            self.step_in_epoch,
            self.n_steps,
            self.n_updates,
            self.n_skipped,
            self.n_skipped_in_a_row,
            self.n_validations_since_best,
            self.since_record.n_batches,
            self.since_record.n_tokens,
        ];
        counts.iter().all(|count| *count < MAX_COUNT)
    }
}

/// More than any training has.
const MAX_COUNT: u64 = 1 << 48;

/// What must be the same for a checkpoint to be taken up.
pub(super) fn fingerprint(
    model: &RobertaModel,
    data: &TrainData,
    params: &TrainParams,
) -> Result<String> {
    let mut text = format!("{params:?}\n{:?}\n", data.problem_type);
    text += &data.sha256();
    for (name, weight) in model.weights() {
        let bytes = safetensors::bytes(&weight).map_err(Error::torch("read weights"))?;
        text += &format!("\n{name} {:?} {}", weight.size(), sha256_bytes(&bytes));
    }
    Ok(sha256_bytes(text.as_bytes()))
}

/// A number as its bits: JSON's digits may lose the last one, and have no infinity.
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(x: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(x.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}
