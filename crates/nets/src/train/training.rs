use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use encoder::Padding;
use ndarray::ArrayView2;
use tch::{Device, Kind, TchError, Tensor};

use super::{
    adamw::{AdamW, Copies, Gradients},
    data::TrainData,
    loss::{Targets, mean_loss},
    params::{Precision, TrainPadding, TrainParams},
    report::{Best, Clock, TrainReport, write_csv},
    schedule::Schedule,
    setup::{CHECKPOINT, TrainSetup},
    state::{State, fingerprint},
};
use crate::{Error, Result, RobertaModel, roberta::TrainingPass};

/// libtorch has one random generator for the whole process; between its seeding and the last dropout of a pass no other training may draw.
static RANDOM_GENERATOR: Mutex<()> = Mutex::new(());

const METRICS: &str = "metrics.csv";
const TRAIN: &str = "train";

/// A training on its way: what it was told, and where it stands.
pub(super) struct Training<'a> {
    model: &'a RobertaModel,
    params: &'a TrainParams,
    setup: &'a TrainSetup<'a>,
    data: TrainData,
    schedule: Schedule,
    pass: TrainingPass,
    optimizer: AdamW,
    state: State,
    /// The best weights so far, by name; empty before the first validation.
    best: Copies,
    checkpoint: Option<PathBuf>,
    resumed_at: Option<u64>,
    clock: Clock,
}

/// The gradient of one step.
struct StepGradient {
    gradients: Gradients,
    /// Whether every loss was finite.
    is_finite: bool,
}

/// An update of the weights, for the metrics.
struct Update {
    learning_rate: f64,
    /// NaN when a loss was not finite.
    gradient_norm: f64,
}

impl<'a> Training<'a> {
    /// Prepares a training, from its checkpoint if there is one.
    pub(super) fn new(
        model: &'a RobertaModel,
        prompts: &[String],
        targets: ArrayView2<'_, f32>,
        params: &'a TrainParams,
        setup: &'a TrainSetup<'a>,
    ) -> Result<Self> {
        let data = TrainData::new(model, prompts, targets, setup.validation_rows, params)?;
        let n_batches = data.train.texts.len().div_ceil(params.batch_size);
        // Rounded up in each epoch: no step takes batches of two epochs, as their orders are drawn apart.
        let n_steps = params.n_epochs * n_batches.div_ceil(params.gradient_accumulation) as u64;
        let mut optimizer = AdamW::new(model.weights(), params).map_err(Error::torch(TRAIN))?;
        let mut state = State::new(fingerprint(model, &data, params)?);
        let mut best = Copies::new();
        let mut resumed_at = None;
        let checkpoint = setup.folder.map(|folder| folder.join(CHECKPOINT));
        // The fingerprint covers data, parameters and base: going on with anything else would give weights that no single run could give.
        if let Some(path) = checkpoint.as_ref().filter(|path| path.is_file()) {
            (state, best) = State::read(path, &state.fingerprint, &mut optimizer)?;
            resumed_at = Some(state.n_steps);
            tracing::info!(step = state.n_steps, n_steps, path = %path.display(), "took up a checkpoint");
        }
        Ok(Self {
            schedule: Schedule::new(params, n_steps),
            pass: model.training_pass(product_kind(params, model.device())),
            model,
            params,
            setup,
            data,
            optimizer,
            state,
            best,
            checkpoint,
            resumed_at,
            clock: Clock::start(),
        })
    }

    /// Makes the steps that remain, and leaves the model with the best weights.
    pub(super) fn run(mut self) -> Result<TrainReport> {
        (self.setup.on_progress)(self.n_prompts_seen());
        while self.state.epoch < self.params.n_epochs && !self.state.stopped_early {
            self.run_epoch()?;
        }
        self.optimizer
            .restore(&self.best)
            .map_err(Error::torch("restore the best weights"))?;
        Ok(TrainReport {
            n_train: self.data.train.texts.len(),
            n_validation: self.data.validation.texts.len(),
            n_unknown: self.data.n_unknown,
            n_truncated: self.data.n_truncated,
            n_steps: self.state.n_steps,
            n_skipped: self.state.n_skipped,
            stopped_early: self.state.stopped_early,
            best: self.state.best,
            resumed_at: self.resumed_at,
            seconds: self.state.seconds,
            records: self.state.records,
        })
    }

    /// The epoch's steps from where the training stands, until its end or until training stops early.
    fn run_epoch(&mut self) -> Result<()> {
        let batches = self.data.batches(self.state.epoch, self.params);
        let steps: Vec<&[Vec<usize>]> = batches.chunks(self.params.gradient_accumulation).collect();
        let n_steps = steps.len() as u64;
        // The order of an epoch comes from its number and the seed alone, so a resumed run finds its place by counting.
        for batches in steps.into_iter().skip(self.state.step_in_epoch as usize) {
            let gradient = self.gradient(batches)?;
            let update = self.update(gradient)?;
            let n_prompts: usize = batches.iter().map(Vec::len).sum();
            (self.setup.on_progress)(n_prompts as u64);
            self.keep_books(n_steps, &update)?;
            if self.state.stopped_early {
                tracing::info!(
                    step = self.state.n_steps,
                    "stopped early: validation has not improved for too long"
                );
                break;
            }
        }
        Ok(())
    }

    /// The gradient of one step, summed over its batches; it ends at the first loss that is not finite.
    fn gradient(&mut self, batches: &[Vec<usize>]) -> Result<StepGradient> {
        let mut gradients = Gradients::default();
        for (batch_idx, rows) in (0..).zip(batches) {
            let seed = batch_seed(self.params.seed, self.state.n_steps, batch_idx);
            let loss = loss(self.model, &self.data, rows, seed, self.params, &self.pass)
                .map_err(Error::torch(TRAIN))?;
            let value = loss.double_value(&[]);
            // One bad batch spoils the sum, and going on would only cost time.
            if !value.is_finite() {
                return Ok(StepGradient {
                    gradients,
                    is_finite: false,
                });
            }
            // The mean over the step's batches, so that accumulation does not change the size of a step.
            loss.f_div_scalar(batches.len() as f64)
                .and_then(|loss| gradients.add(&loss, &self.optimizer))
                .map_err(Error::torch(TRAIN))?;
            let lengths = rows.iter().map(|row| self.data.train.texts[*row].len());
            let sums = &mut self.state.since_record;
            sums.loss_sum += value;
            sums.n_batches += 1;
            sums.n_tokens += lengths.clone().sum::<usize>() as u64;
            sums.n_flops += lengths
                .map(|n_tokens| self.model.training_flops(n_tokens))
                .sum::<f64>();
        }
        Ok(StepGradient {
            gradients,
            is_finite: true,
        })
    }

    /// Updates the weights, unless the gradient is not finite, and counts the step.
    fn update(&mut self, gradient: StepGradient) -> Result<Update> {
        let StepGradient {
            gradients,
            mut is_finite,
        } = gradient;
        let learning_rate = self.schedule.learning_rate(self.state.n_steps);
        let mut gradient_norm = f64::NAN;
        if is_finite {
            gradient_norm = gradients.norm().map_err(Error::torch(TRAIN))?;
            is_finite = gradient_norm.is_finite();
        }
        if is_finite {
            // 1e-6 as in PyTorch's clip_grad_norm_.
            let scale = (self.params.max_gradient_norm / (gradient_norm + 1e-6)).min(1.);
            self.optimizer
                .update(&gradients, scale, learning_rate)
                .map_err(Error::torch(TRAIN))?;
        }
        // A skipped step counts: the schedule and the order of batches go by steps, with or without an update.
        self.state.n_steps += 1;
        self.state.step_in_epoch += 1;
        self.state.n_updates = self.optimizer.n_updates;
        self.state.count_skipped(is_finite, self.params)?;
        Ok(Update {
            learning_rate,
            gradient_norm,
        })
    }

    /// Validation, metrics and checkpoint, where they are due after a step of an epoch with so many steps.
    fn keep_books(&mut self, n_steps_of_epoch: u64, update: &Update) -> Result<()> {
        let device = self.model.device();
        let is_epochs_end = self.state.step_in_epoch == n_steps_of_epoch;
        let n_steps = self.state.n_steps;
        let is_due = |every: u64| is_epochs_end || n_steps.is_multiple_of(every);
        let is_validation_due =
            is_epochs_end || self.params.validate_every_steps.is_some_and(is_due);
        let mut val_loss = None;
        if is_validation_due && !self.data.validation.texts.is_empty() {
            val_loss = Some(self.validate()?);
        }
        if is_due(self.params.log_every_steps) || val_loss.is_some() {
            self.clock
                .stop(&mut self.state.since_record.seconds, device);
            self.state.record(
                self.params,
                val_loss,
                update.learning_rate,
                update.gradient_norm,
            );
            if let Some(folder) = self.setup.folder {
                write_csv(&folder.join(METRICS), &self.state.records)?;
            }
        }
        // Before the checkpoint is written, so that it points at the beginning of the next epoch and not at the end of a finished one.
        if is_epochs_end || self.state.stopped_early {
            self.state.epoch += 1;
            self.state.step_in_epoch = 0;
        }
        let is_checkpoint_due =
            is_due(self.params.checkpoint_every_steps) || self.state.stopped_early;
        if let (Some(path), true) = (&self.checkpoint, is_checkpoint_due) {
            self.clock
                .stop(&mut self.state.since_record.seconds, device);
            // Writing takes seconds on a slow disk. They count as the run's, not as training's, or tokens per second would depend on how
            // often checkpoints are due.
            self.state.write(path, &self.optimizer, &self.best)?;
            self.clock.stop(&mut self.state.seconds, device);
        }
        Ok(())
    }

    /// The loss on the validation rows. Keeps the weights if they are the best, and stops the training if they have not been for long.
    fn validate(&mut self) -> Result<f32> {
        let device = self.model.device();
        self.clock
            .stop(&mut self.state.since_record.seconds, device);
        // The clock of training stands still meanwhile.
        let loss = validate(self.model, &self.data, self.params)?;
        self.clock.stop(&mut self.state.seconds, device);
        // A loss that is not a number is not better.
        if self.state.best.is_none_or(|best| loss < best.val_loss) && loss.is_finite() {
            self.state.best = Some(Best {
                step: self.state.n_steps,
                val_loss: loss,
            });
            self.state.n_validations_since_best = 0;
            self.best = self
                .optimizer
                .copies()
                .map_err(Error::torch("keep the best weights"))?;
        } else {
            self.state.n_validations_since_best += 1;
            let patience = self.params.patience.unwrap_or(u64::MAX);
            self.state.stopped_early = self.state.n_validations_since_best >= patience;
        }
        Ok(loss)
    }

    fn n_prompts_seen(&self) -> u64 {
        let n_train = self.data.train.texts.len() as u64;
        let per_step = (self.params.batch_size * self.params.gradient_accumulation) as u64;
        self.state.epoch * n_train + (self.state.step_in_epoch * per_step).min(n_train)
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
        // Seeded for each batch rather than once: dropout is then the same after a resume, which cannot restore libtorch's generator.
        tch::manual_seed(seed);
        net.forward(&batch, pass)? // (batch, labels)
    };
    targets.loss(&outputs, data.problem_type)
}

/// The loss on the validation rows, without dropout.
fn validate(model: &RobertaModel, data: &TrainData, params: &TrainParams) -> Result<f32> {
    let texts: Vec<&[u32]> = data.validation.texts.iter().map(|ids| &**ids).collect();
    let outputs = model.outputs(&texts, padding(params))?;
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
