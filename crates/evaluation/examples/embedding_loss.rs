//! What routing loses when prompts are embedded in another way, as a row of docs/speed.md's table:
//!
//! ```text
//! cargo run -p evaluation --example embedding_loss -- DATA_DIR DATASET ROUTER FIRST OTHER...
//! ```
//!
//! FIRST and the OTHERs are copies of the data set's folder `cross-fit/`, each made after `train-and-infer --cross-fit` with other embeddings;
//! `scripts/embedding_loss.sh` makes them. Of each it prints the mean gain over the best single LLM, in points; of each OTHER how much lower that is
//! than FIRST's, prompt by prompt, with an interval, and how many choices are the same, over all prompts, worths and repeats.
#![expect(clippy::print_stdout, reason = "the figures are what this is for")]

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
};

use dataset::{DatasetDir, OutOfFold, PerModel, Predictions, WholeSet, worth};
use evaluation::{
    Predicted, Truth,
    choice::choose,
    worth::{
        Baseline, CrossFit, Estimate, GainReport, GainSettings, PromptGains, doubly_robust_gains,
        gain_difference, lambda_of_worth, means_of,
    },
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Any: the choices at a worth are the same whatever unit costs have.
const COST_MULTIPLIER: f64 = 100.0;

/// What a router of one kind of embeddings predicts, and what comes of it.
struct Judged {
    predictions: Vec<PerModel>,
    gains: PromptGains,
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [data_dir, dataset, router, first, others @ ..] = &args[..] else {
        return Err("expected DATA_DIR DATASET ROUTER FIRST OTHER...".into());
    };
    let whole = WholeSet::open(&DatasetDir::new(Path::new(data_dir), dataset))?;
    let truth = Truth::of(whole.table())?;
    let worths_usd = worth::grid(&means_of(&truth, |_| true).1);
    let groups = dataset::EqualPrompts::groups(&whole.table().prompts);
    let groups = Some(&groups[..]);
    let settings = GainSettings {
        level: 0.95,
        n_resamples: 1_000,
        seed: 0,
    };
    let judge = |folder: &str| judge(&whole, &truth, &worths_usd, &Path::new(folder).join(router));
    let report = |judged: &Judged| GainReport::new(&judged.gains, groups, &settings);
    let base = judge(first)?;
    println!("{dataset}, {router}: gain {}", points(report(&base)?.mean));
    for other in others {
        let judged = judge(other)?;
        let loss = gain_difference(&base.gains, &judged.gains, groups, &settings)?;
        println!(
            "  {other}: gain {}, lost {}, equal choices {:.1}%",
            points(report(&judged)?.mean),
            points(loss),
            100.0 * equal_choices(&base, &judged, &worths_usd)?
        );
    }
    Ok(())
}

fn judge(whole: &WholeSet, truth: &Truth<'_>, worths_usd: &[f64], folder: &Path) -> Result<Judged> {
    let mut repeats: Vec<(PerModel, Vec<Option<u32>>)> = Vec::new();
    for path in (0..).map(|repeat| folder.join(format!("{repeat}.parquet"))) {
        if !path.is_file() {
            break;
        }
        repeats.push(read(whole, path)?);
    }
    if repeats.is_empty() {
        return Err(format!("`{}` has no predictions", folder.display()).into());
    }
    let fits = repeats.iter().map(|(predicted, folds)| {
        Ok(CrossFit {
            predicted: Predicted::of(predicted)?,
            baseline: Baseline::Folds(folds),
        })
    });
    let fits = fits.collect::<evaluation::Result<Vec<_>>>()?;
    let gains = doubly_robust_gains(truth, &fits, worths_usd)?;
    drop(fits);
    Ok(Judged {
        predictions: repeats.into_iter().map(|(it, _)| it).collect(),
        gains,
    })
}

/// A repeat's predictions and folds, if they are of the data set as it is.
fn read(whole: &WholeSet, path: PathBuf) -> Result<(PerModel, Vec<Option<u32>>)> {
    let (found, expected) = (Predictions::read_made_from(&path)?, whole.made_from());
    let is_of_it = found.is_some_and(|it| {
        (it.split_sha256, it.train_sha256) == (expected.split_sha256, expected.train_sha256)
    });
    let OutOfFold { predictions, folds } = OutOfFold::read(&path)?;
    match predictions {
        Predictions::PerModel(predicted) if is_of_it => Ok((predicted, folds)),
        Predictions::PerModel(_) => Err(format!("`{}` is of other data", path.display()).into()),
        Predictions::SmallWins(_) => {
            Err(format!("`{}` chooses within a pair", path.display()).into())
        }
    }
}

/// The share of choices in which two agree.
fn equal_choices(a: &Judged, b: &Judged, worths_usd: &[f64]) -> Result<f64> {
    if a.predictions.len() != b.predictions.len() {
        return Err("cross-fits with other numbers of repeats".into());
    }
    let (mut n_equal, mut n) = (0_usize, 0_usize);
    for (a, b) in a.predictions.iter().zip(&b.predictions) {
        if (&a.ids, &a.models) != (&b.ids, &b.models) {
            return Err("predictions of other prompts or LLMs".into());
        }
        for worth_usd in worths_usd {
            let lambda = lambda_of_worth(*worth_usd, COST_MULTIPLIER);
            for row in 0..a.ids.len() {
                let [a, b] = [a, b].map(|it| {
                    let (scores, costs) = (it.scores.row(row), it.cost_usd.row(row));
                    choose(&scores.to_vec(), &costs.to_vec(), lambda, COST_MULTIPLIER)
                });
                n_equal += usize::from(a == b);
                n += 1;
            }
        }
    }
    Ok(n_equal as f64 / n as f64)
}

/// Points of accuracy, with the standard error or the interval.
fn points(estimate: Estimate) -> String {
    let Estimate {
        value, low, high, ..
    } = estimate;
    let [value, low, high] = [value, low, high].map(|it| 100.0 * it);
    format!("{value:+.2} [{low:+.2}, {high:+.2}]")
}
