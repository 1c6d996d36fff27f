//! The training loop of [`RobertaModel`].

mod adamw;
mod data;
mod loss;
mod params;
mod report;
mod schedule;
mod setup;
mod state;
mod training;

use std::path::Path;

use ndarray::ArrayView2;

pub use self::{
    params::{
        BatchOrder, CheckedTrainParams, Decayed, Precision, TrainPadding, TrainParams, WarmUp,
    },
    report::{Best, Record, TrainReport},
    setup::TrainSetup,
};
use self::{setup::CHECKPOINT, training::Training};
use crate::{Result, RobertaModel};

/// Learns a model's weights, encoder and head, from prompts and their targets, and leaves it with the best ones by validation loss.
///
/// ```text
/// for each epoch, for each step of `gradient-accumulation` batches:
///     g <- mean over the batches of the gradient of the loss        the loss is a mean over known targets
///     w <- AdamW(w, g scaled down to norm `max-gradient-norm`, learning rate of the step)
///     now and then: validation, checkpoint, a row of metrics.csv
/// ```
///
/// Targets have shape `(n_prompts, n_labels)`, NaN where unknown: scores in `[0, 1]` for multi-label classification; for regression any
/// finite numbers, which are learned as they are. Scaling is the caller's: the learning rates of configs/roberta.toml suit targets of about
/// 1, thousands of output tokens or z-scored costs, not token counts.
///
/// A checkpoint in the folder that this very training wrote is taken up; killed and taken up, a training on a CPU gives the weights of one
/// that was not, to the bit. A training that is done leaves its checkpoint: [`forget_checkpoint`] once the model is saved.
///
/// The same seed gives the same weights on a CPU with the same number of threads and the same libtorch; another number of threads changes
/// the order of some sums, and so the rounding. libtorch's global random generator is seeded for each batch.
///
/// Source: somerstep/CARROT at 3e6acff, `--trainer custom` and `--trainer hf`, see configs/roberta.toml.
///
/// # Deviations
/// * Targets that are unknown have no part in the loss; the reference has none.
/// * The validation loss is a mean over targets, not over batches' means, of which the last batch is smaller.
/// * A step whose loss or gradient is not finite is left out whole, and the learning rate goes on; after too many in a row training fails.
///   The reference's loop leaves out batches, and no bound is known to us.
/// * bfloat16 on a GPU rather than float16, which would need scaled losses.
///
/// # Errors
/// [`crate::Error::NoProblemType`], and any that concerns prompts, targets, validation rows, or the folder; [`crate::Error::Diverged`]. The weights are
/// those of the last step then.
pub fn fine_tune(
    model: &mut RobertaModel,
    prompts: &[String],
    targets: ArrayView2<'_, f32>,
    params: &CheckedTrainParams,
    setup: &TrainSetup<'_>,
) -> Result<TrainReport> {
    model.set_trainable(true);
    let report =
        Training::new(model, prompts, targets, params.params(), setup).and_then(Training::run);
    model.set_trainable(false);
    report
}

/// Removes the checkpoint of a training that is done, if there is one; metrics.csv stays.
///
/// # Errors
/// [`crate::Error::Dataset`] when it cannot be removed.
pub fn forget_checkpoint(folder: &Path) -> Result<()> {
    let path = folder.join(CHECKPOINT);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(dataset::Error::io("remove", path)(source).into())
        }
        _ => Ok(()),
    }
}
