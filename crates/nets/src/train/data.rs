use encoder::ProblemType;
use ndarray::{Array2, ArrayView2};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::params::{BatchOrder, TrainParams};
use crate::{Error, Result, RobertaModel};

/// Batches' worth of prompts among which like lengths are sought; Trainer's `LengthGroupedSampler` takes as many.
const BATCHES_PER_SORT: usize = 50;

const NOTHING_TO_LEARN: Error = Error::NoRows {
    purpose: "learn from",
};

/// Tokenized prompts with their targets.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) texts: Vec<Vec<u32>>,
    /// `(rows, labels)`, NaN where unknown; no row is unknown altogether.
    pub(super) targets: Array2<f32>,
}

/// What is learned from, and what decides which weights are best.
#[derive(Debug)]
pub(super) struct TrainData {
    pub(super) train: Rows,
    pub(super) validation: Rows,
    pub(super) problem_type: ProblemType,
    /// Prompts that lost their end.
    pub(super) n_truncated: usize,
    /// Prompts of whose targets none is known; they are in neither part.
    pub(super) n_unknown: usize,
}

impl TrainData {
    /// Checks targets, tokenizes prompts, and splits them.
    ///
    /// # Errors
    /// [`Error::NoProblemType`], [`Error::TargetShape`], [`Error::Target`], [`Error::NoSuchRow`], [`Error::NoRows`], [`encoder::Error::Tokenize`].
    pub(super) fn new(
        model: &RobertaModel,
        prompts: &[String],
        targets: ArrayView2<'_, f32>,
        validation_rows: Option<&[u32]>,
        params: &TrainParams,
    ) -> Result<Self> {
        let problem_type = model.problem_type().ok_or(Error::NoProblemType)?;
        check_targets(model, problem_type, prompts, targets)?;
        let prompts = model.tokenize(prompts, params.max_tokens)?;
        let n_truncated = prompts.iter().filter(|prompt| prompt.is_truncated).count();
        let is_known = |row: &u32| targets.row(*row as usize).iter().any(|x| !x.is_nan());
        let mut known: Vec<u32> = (0..prompts.len() as u32).filter(is_known).collect();
        let n_unknown = prompts.len() - known.len();
        if known.is_empty() {
            return Err(NOTHING_TO_LEARN);
        }

        let validation: Vec<u32> = match validation_rows {
            Some(rows) => {
                if let Some(row) = rows.iter().find(|row| **row as usize >= prompts.len()) {
                    return Err(Error::NoSuchRow {
                        row: *row,
                        n_rows: prompts.len(),
                    });
                }
                rows.iter().copied().filter(is_known).collect()
            }
            None if params.validation_share > 0. => {
                let split =
                    dataset::train_test_split(known.len(), params.validation_share, params.seed)?;
                split
                    .test
                    .iter()
                    .map(|position| known[*position as usize])
                    .collect()
            }
            None => Vec::new(),
        };
        let mut is_validation = vec![false; prompts.len()];
        for row in &validation {
            is_validation[*row as usize] = true;
        }
        known.retain(|row| !is_validation[*row as usize]);
        let rows = |rows: &[u32]| {
            let indices: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
            Rows {
                texts: indices
                    .iter()
                    .map(|row| prompts[*row].ids.clone())
                    .collect(),
                targets: targets.select(ndarray::Axis(0), &indices),
            }
        };
        let data = Self {
            train: rows(&known),
            validation: rows(&validation),
            problem_type,
            n_truncated,
            n_unknown,
        };
        if data.train.texts.is_empty() {
            return Err(NOTHING_TO_LEARN);
        }
        if validation_rows.is_some() && data.validation.texts.is_empty() {
            return Err(Error::NoRows {
                purpose: "validate on",
            });
        }
        Ok(data)
    }

    /// Rows of each batch of an epoch, which depend on nothing but the seed, the epoch, and the texts' lengths.
    pub(super) fn batches(&self, epoch: u64, params: &TrainParams) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(u64::from(params.seed));
        // A stream of random numbers of its own for each epoch.
        rng.set_stream(epoch);
        let mut rows: Vec<usize> = (0..self.train.texts.len()).collect();
        rows.shuffle(&mut rng);
        let n_rows = params.batch_size;
        if params.batch_order == BatchOrder::LikeLengths {
            for rows in rows.chunks_mut(n_rows * BATCHES_PER_SORT) {
                rows.sort_by_key(|row| self.train.texts[*row].len());
            }
        }
        let mut batches: Vec<Vec<usize>> = rows.chunks(n_rows).map(<[usize]>::to_vec).collect();
        if params.batch_order == BatchOrder::LikeLengths {
            batches.shuffle(&mut rng);
        }
        batches
    }

    /// One SHA-256 over all that is learned from and validated on.
    pub(super) fn sha256(&self) -> String {
        let mut bytes = Vec::new();
        for rows in [&self.train, &self.validation] {
            for text in &rows.texts {
                bytes.extend((text.len() as u64).to_le_bytes());
                bytes.extend(text.iter().flat_map(|id| id.to_le_bytes()));
            }
            bytes.extend(rows.targets.iter().flat_map(|target| target.to_le_bytes()));
        }
        dataset::sha256_bytes(&bytes)
    }
}

fn check_targets(
    model: &RobertaModel,
    problem_type: ProblemType,
    prompts: &[String],
    targets: ArrayView2<'_, f32>,
) -> Result<()> {
    let expected = (prompts.len(), model.labels().len());
    if targets.dim() != expected {
        return Err(Error::TargetShape {
            expected,
            found: targets.dim(),
        });
    }
    for ((row, column), target) in targets.indexed_iter() {
        let (is_good, expected) = match problem_type {
            ProblemType::MultiLabelClassification => ((0. ..=1.).contains(target), "in [0, 1]"),
            ProblemType::Regression => (target.is_finite(), "finite"),
        };
        if !is_good && !target.is_nan() {
            return Err(Error::Target {
                row: row + 1,
                label: model.labels()[column].clone(),
                found: *target,
                expected,
            });
        }
    }
    Ok(())
}
