use std::path::Path;

/// The file in the folder that a training goes on from.
pub(super) const CHECKPOINT: &str = "checkpoint.safetensors";

/// What a training is told besides its parameters.
#[derive(Clone, Copy)]
pub struct TrainSetup<'a> {
    /// Rows of the prompts to validate on, from 0; without them, `validation-share` of the rows is drawn.
    pub validation_rows: Option<&'a [u32]>,
    /// Where `checkpoint.safetensors` and `metrics.csv` are written, and a checkpoint is taken up from; without it nothing is written.
    pub folder: Option<&'a Path>,
    /// Is told of prompts as they are learned from; those of a checkpoint at once.
    pub on_progress: &'a (dyn Fn(u64) + Sync),
}
