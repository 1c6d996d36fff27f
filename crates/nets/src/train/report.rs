use std::{fmt::Write as _, path::Path, time::Instant};

use dataset::write_atomically;
use serde::{Deserialize, Serialize};
use tch::Device;

use crate::Result;

/// What came of a training.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrainReport {
    /// Prompts learned from.
    pub n_train: usize,
    /// Prompts validated on.
    pub n_validation: usize,
    /// Prompts left out because none of their targets is known.
    pub n_unknown: usize,
    /// Prompts that lost their end, of all.
    pub n_truncated: usize,
    /// Steps made, skipped ones included.
    pub n_steps: u64,
    /// Steps skipped because a loss or the gradient was not finite.
    pub n_skipped: u64,
    /// Whether training ended because validation had long not been better.
    pub stopped_early: bool,
    /// The validation whose weights the model has now; without validation it has the last ones.
    pub best: Option<Best>,
    /// The step, counted over all runs, at which a checkpoint was taken up.
    pub resumed_at: Option<u64>,
    /// Wall time of all runs together, up to each one's last checkpoint.
    pub seconds: f64,
    /// The metrics, as metrics.csv has them, and times.
    pub records: Vec<Record>,
}

/// The best validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Best {
    /// Steps made by then.
    pub step: u64,
    /// Its loss.
    pub val_loss: f32,
}

/// A row of metrics.csv, with times.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Record {
    /// Steps made.
    pub step: u64,
    /// Epochs begun.
    pub epoch: u64,
    /// Mean loss of the batches since the last row; `None` when all were left out.
    pub loss: Option<f32>,
    /// Loss on the validation rows, if they were looked at after this step and it is finite.
    pub val_loss: Option<f32>,
    /// Learning rate of the last step.
    pub learning_rate: f32,
    /// Euclidean norm of the last step's gradient, before it was clipped; `None` for a skipped step.
    pub gradient_norm: Option<f32>,
    /// Steps skipped so far.
    pub n_skipped: u64,
    /// Wall time so far.
    pub seconds: f64,
    /// Tokens learned from, without padding, a second since the last row.
    pub tokens_per_second: f64,
}

/// Writes metrics.csv, whole and atomically. Without times, so that the same training gives the same bytes.
///
/// # Errors
/// [`crate::Error::Dataset`] when the file cannot be written.
pub(super) fn write_csv(path: &Path, records: &[Record]) -> Result<()> {
    let mut csv = String::from("step,epoch,loss,val_loss,learning_rate,gradient_norm,n_skipped\n");
    for record in records {
        let number = |x: Option<f32>| x.map_or(String::new(), |x| x.to_string());
        let Record {
            step,
            epoch,
            learning_rate,
            n_skipped,
            ..
        } = record;
        let (loss, val_loss) = (number(record.loss), number(record.val_loss));
        let norm = number(record.gradient_norm);
        writeln!(
            csv,
            "{step},{epoch},{loss},{val_loss},{learning_rate:e},{norm},{n_skipped}"
        )
        .expect("a text takes all");
    }
    Ok(write_atomically(path, csv.as_bytes())?)
}

/// Wall time since it was last stopped.
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Adds the time since the last stop.
    pub(super) fn stop(&mut self, seconds: &mut f64, device: Device) {
        // A GPU is behind what it has been told to do.
        if let Device::Cuda(index) = device {
            tch::Cuda::synchronize(index as i64);
        }
        *seconds += self.0.elapsed().as_secs_f64();
        self.0 = Instant::now();
    }
}
