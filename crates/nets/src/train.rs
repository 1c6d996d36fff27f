//! The training loop of [`RobertaModel`].

mod adamw;
mod data;
mod loss;
mod params;
mod report;
mod schedule;
mod state;

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use ndarray::ArrayView2;
use tch::{Device, Kind, TchError, Tensor};

use self::{
    adamw::{AdamW, Copies, Gradients},
    data::TrainData,
    loss::{Targets, mean_loss},
    report::{Clock, write_csv},
    schedule::Schedule,
    state::{State, fingerprint},
};
pub use self::{
    params::{
        BatchOrder, CheckedTrainParams, Decayed, Precision, TrainPadding, TrainParams, WarmUp,
    },
    report::{Best, Record, TrainReport},
};
use crate::{Error, Padding, Result, RobertaModel, roberta::TrainingPass};

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

/// libtorch has one random generator for the whole process; between its seeding and the last dropout of a pass no other training may draw.
static RANDOM_GENERATOR: Mutex<()> = Mutex::new(());

const CHECKPOINT: &str = "checkpoint.safetensors";
const METRICS: &str = "metrics.csv";
const TRAIN: &str = "train";

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
/// the order of some sums, and so the rounding. libtorch's global random generator is seeded anew for each batch.
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
/// [`Error::NoProblemType`], and any that concerns prompts, targets, validation rows, or the folder; [`Error::Diverged`]. The weights are
/// those of the last step then.
pub fn fine_tune(
    model: &mut RobertaModel,
    prompts: &[String],
    targets: ArrayView2<'_, f32>,
    params: &CheckedTrainParams,
    setup: &TrainSetup<'_>,
) -> Result<TrainReport> {
    model.set_trainable(true);
    let report = run(model, prompts, targets, params.params(), setup);
    model.set_trainable(false);
    report
}

fn run(
    model: &RobertaModel,
    prompts: &[String],
    targets: ArrayView2<'_, f32>,
    params: &TrainParams,
    setup: &TrainSetup<'_>,
) -> Result<TrainReport> {
    let data = TrainData::new(model, prompts, targets, setup.validation_rows, params)?;
    let n_batches = data.train.texts.len().div_ceil(params.batch_size);
    let n_steps = params.n_epochs * n_batches.div_ceil(params.gradient_accumulation) as u64;
    let schedule = Schedule::new(params, n_steps);
    let pass = model.training_pass(product_kind(params, model.device()));
    let mut optimizer = AdamW::new(model.weights(), params).map_err(Error::torch(TRAIN))?;

    let mut state = State::new(fingerprint(model, &data, params)?);
    let mut best = Copies::new();
    let mut resumed_at = None;
    let checkpoint = setup.folder.map(|folder| folder.join(CHECKPOINT));
    if let Some(path) = checkpoint.as_ref().filter(|path| path.is_file()) {
        (state, best) = State::read(path, &state.fingerprint, &mut optimizer)?;
        resumed_at = Some(state.n_steps);
        tracing::info!(step = state.n_steps, n_steps, path = %path.display(), "took up a checkpoint");
    }
    let mut clock = Clock::start();
    (setup.on_progress)(n_prompts_seen(&data, params, &state));

    while state.epoch < params.n_epochs && !state.stopped_early {
        let batches = data.batches(state.epoch, params);
        let steps: Vec<&[Vec<usize>]> = batches.chunks(params.gradient_accumulation).collect();
        for (step, batches) in (0..).zip(&steps).skip(state.step_in_epoch as usize) {
            // The gradient, summed over the step's batches.
            let mut gradients = Gradients::default();
            let mut is_finite = true;
            for (batch_idx, rows) in (0..).zip(*batches) {
                let seed = batch_seed(params.seed, state.n_steps, batch_idx);
                let loss =
                    loss(model, &data, rows, seed, params, &pass).map_err(Error::torch(TRAIN))?;
                let value = loss.double_value(&[]);
                if !value.is_finite() {
                    is_finite = false;
                    break;
                }
                loss.f_div_scalar(batches.len() as f64)
                    .and_then(|loss| gradients.add(&loss, &optimizer))
                    .map_err(Error::torch(TRAIN))?;
                let lengths = rows.iter().map(|row| data.train.texts[*row].len());
                let sums = &mut state.since_record;
                sums.loss_sum += value;
                sums.n_batches += 1;
                sums.n_tokens += lengths.clone().sum::<usize>() as u64;
                sums.n_flops += lengths
                    .map(|n_tokens| model.training_flops(n_tokens))
                    .sum::<f64>();
            }

            // The update.
            let learning_rate = schedule.learning_rate(state.n_steps);
            let mut gradient_norm = f64::NAN;
            if is_finite {
                gradient_norm = gradients.norm().map_err(Error::torch(TRAIN))?;
                is_finite = gradient_norm.is_finite();
            }
            if is_finite {
                // 1e-6 as in PyTorch's clip_grad_norm_.
                let scale = (params.max_gradient_norm / (gradient_norm + 1e-6)).min(1.);
                optimizer
                    .update(&gradients, scale, learning_rate)
                    .map_err(Error::torch(TRAIN))?;
            }
            state.n_steps += 1;
            state.step_in_epoch = step + 1;
            state.n_updates = optimizer.n_updates;
            state.count_skipped(is_finite, params)?;
            let n_prompts: usize = batches.iter().map(Vec::len).sum();
            (setup.on_progress)(n_prompts as u64);

            // Validation, metrics, checkpoint.
            let is_epochs_end = state.step_in_epoch == steps.len() as u64;
            let is_due = |every: u64| state.n_steps.is_multiple_of(every);
            let is_checkpoint_due = is_epochs_end || is_due(params.checkpoint_every_steps);
            let is_validation_due =
                is_epochs_end || params.validate_every_steps.is_some_and(is_due);
            let is_record_due = is_epochs_end || is_due(params.log_every_steps);
            let mut val_loss = None;
            if is_validation_due && !data.validation.texts.is_empty() {
                clock.stop(&mut state.since_record.seconds, model.device());
                let loss = validate(model, &data, params)?;
                clock.stop(&mut state.seconds, model.device());
                val_loss = Some(loss);
                // A loss that is not a number is not better.
                if state.best.is_none_or(|best| loss < best.val_loss) && loss.is_finite() {
                    let step = state.n_steps;
                    state.best = Some(Best {
                        step,
                        val_loss: loss,
                    });
                    state.n_validations_since_best = 0;
                    best = optimizer
                        .copies()
                        .map_err(Error::torch("keep the best weights"))?;
                } else {
                    state.n_validations_since_best += 1;
                    let patience = params.patience.unwrap_or(u64::MAX);
                    state.stopped_early = state.n_validations_since_best >= patience;
                }
            }
            if is_record_due || val_loss.is_some() {
                clock.stop(&mut state.since_record.seconds, model.device());
                state.record(params, val_loss, learning_rate, gradient_norm);
                if let Some(folder) = setup.folder {
                    write_csv(&folder.join(METRICS), &state.records)?;
                }
            }
            if is_epochs_end || state.stopped_early {
                state.epoch += 1;
                state.step_in_epoch = 0;
            }
            if let Some(path) = checkpoint
                .as_ref()
                .filter(|_| is_checkpoint_due || state.stopped_early)
            {
                clock.stop(&mut state.since_record.seconds, model.device());
                state.write(path, &optimizer, &best)?;
                clock.stop(&mut state.seconds, model.device());
            }
            if state.stopped_early {
                tracing::info!(
                    step = state.n_steps,
                    "stopped early: validation has long not been better"
                );
                break;
            }
        }
    }
    optimizer
        .restore(&best)
        .map_err(Error::torch("restore the best weights"))?;
    Ok(TrainReport {
        n_train: data.train.texts.len(),
        n_validation: data.validation.texts.len(),
        n_unknown: data.n_unknown,
        n_truncated: data.n_truncated,
        n_steps: state.n_steps,
        n_skipped: state.n_skipped,
        stopped_early: state.stopped_early,
        best: state.best,
        resumed_at,
        seconds: state.seconds,
        records: state.records,
    })
}

/// Removes the checkpoint of a training that is done, if there is one; metrics.csv stays.
///
/// # Errors
/// [`Error::Io`] when it cannot be removed.
pub fn forget_checkpoint(folder: &Path) -> Result<()> {
    let path = folder.join(CHECKPOINT);
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::Io {
            action: "remove",
            path,
            source,
        }),
        _ => Ok(()),
    }
}

/// The loss of one batch, from which gradients flow. The seed is that of its dropout, so that this is the same whether or not the
/// training was taken up in between.
fn loss(
    model: &RobertaModel,
    data: &TrainData,
    rows: &[usize],
    seed: i64,
    params: &TrainParams,
    pass: &TrainingPass,
) -> Result<Tensor, TchError> {
    let texts: Vec<&[u32]> = rows.iter().map(|row| &*data.train.texts[*row]).collect();
    let values: Vec<f32> = rows
        .iter()
        .flat_map(|row| data.train.targets.row(*row))
        .copied()
        .collect();
    let targets = Targets::new(&values, model.labels().len(), model.device())?;
    let net = model.net();
    let batch = net.batch(&texts, padding(params))?;
    let outputs = {
        let _alone = RANDOM_GENERATOR
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        tch::manual_seed(seed);
        net.forward(&batch, pass)? // (batch, labels)
    };
    targets.loss(&outputs, data.problem_type)
}

/// The loss on the validation rows, without dropout.
fn validate(model: &RobertaModel, data: &TrainData, params: &TrainParams) -> Result<f32> {
    let texts: Vec<&[u32]> = data.validation.texts.iter().map(|ids| &**ids).collect();
    let outputs = model.outputs(&texts, padding(params), &|_| ())?;
    let targets = data.validation.targets.view();
    Ok(mean_loss(outputs.view(), targets, data.problem_type) as f32)
}

fn padding(params: &TrainParams) -> Padding {
    match params.padding {
        TrainPadding::Masked => Padding::Masked,
        TrainPadding::Attended => Padding::Attended {
            prompts_per_batch: params.batch_size,
        },
    }
}

fn product_kind(params: &TrainParams, device: Device) -> Kind {
    match (params.gpu_precision, device) {
        (Precision::Bfloat16, Device::Cuda(_)) => Kind::BFloat16,
        _ => Kind::Float,
    }
}

/// Seeds of neighboring steps and batches have nothing in common: they are spread by the multipliers of SplitMix64 (Steele et al. 2014).
fn batch_seed(seed: u32, step: u64, batch_idx: u64) -> i64 {
    let mut x = u64::from(seed);
    for part in [step, batch_idx] {
        x = (x ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^= x >> 31;
    }
    x as i64
}

fn n_prompts_seen(data: &TrainData, params: &TrainParams, state: &State) -> u64 {
    let n_train = data.train.texts.len() as u64;
    let per_step = (params.batch_size * params.gradient_accumulation) as u64;
    state.epoch * n_train + (state.step_in_epoch * per_step).min(n_train)
}
