//! A router's weight of cost, or threshold, chosen for a goal on some prompts, with what to expect of it on others.

mod answers;
mod goal;
mod limit;
mod promise;
mod refusal;
mod setting;
mod share_interval;
mod trace;
mod walk;

use ndarray::Array1;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use self::{
    answers::Answers,
    goal::Aim,
    limit::OneSided,
    promise::{Asked, Promiser, Walked},
    share_interval::share_interval,
    trace::Trace,
};
pub use self::{
    answers::standing_at,
    goal::{Goal, is_missed},
    promise::{Promise, check_confidence},
    refusal::Refusal,
    setting::{Setting, Standing},
};
use crate::{
    Error, Interval, Result, Router, Truth, curve::events::Events, interval::check_level, sum::mean,
};

/// How to calibrate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationParams {
    /// What the router is to be set to.
    pub goal: Goal,
    /// The probability, from .5 to below 1, with which new prompts are to keep the goal; an LLM's share is then a most. `None` meets the goal in
    /// the mean over the prompts given, and new ones miss it about as often as not.
    pub confidence: Option<f64>,
    /// The number of new prompts whose means the intervals and the promise are for; at least 1.
    pub n_new_prompts: usize,
    /// The intervals' level of confidence, .95 say.
    pub level: f64,
    /// How often to resample.
    pub n_resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
}

/// A setting that was chosen on some prompts, and what to expect of it on as many new ones as was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The setting, with a cost multiplier of 1; see [`Setting::with_multiplier`].
    pub setting: Setting,
    /// Where the router stands on the prompts that it was chosen on: optimistic, since they chose it.
    pub in_sample: Standing,
    /// Mean cost of new prompts in US dollars, with its prediction interval.
    pub cost_usd: Interval,
    /// Mean score of new prompts.
    pub accuracy: Interval,
    /// Which share of new prompts each LLM gets.
    pub shares: Vec<Interval>,
    /// The part of the resamples where the goal was out of reach and the nearest was taken: how shaky the choice is.
    pub out_of_reach: f64,
    /// The part of the resamples where the new prompts missed the goal: cost more, scored less, or called the LLM more often. Without a confidence
    /// it is near a half.
    pub missed: f64,
    /// What new prompts keep to, where a confidence was asked for.
    pub promise: Option<Promise>,
}

/// Chooses a router's setting for a goal, and predicts its mean cost, mean score and shares on new prompts.
///
/// ```text
/// lambda^ = the goal's choice on the prompts given                         m_S(lambda)   mean over prompts S at lambda
/// d_b     = m_Tb(lambda_b) - m_Sb(lambda_b)                                in resample b of n_resamples
///   S_b      as many prompts as were given, drawn with replacement; lambda_b is the goal's choice on them
///   T_b      n_new_prompts prompts, drawn with replacement and independently of S_b
/// expected = m_S(lambda^) + mean of d_b                                    the in-sample mean less its optimism
/// interval = m_S(lambda^) + the (1 - level) / 2 and (1 + level) / 2 percentiles of d_b
/// ```
///
/// The given prompts stand for all prompts, `S_b` for those given, and `T_b` for the new ones. So the interval holds both sources of chance:
/// which prompts chose the setting, and which ones it then meets. It is a prediction interval for the mean over `n_new_prompts` prompts of the
/// same kind, not a confidence interval for the mean over all; and with the first source alone it would be too short by a factor of 1.4 where
/// both are of one size. Ends are cut to what is possible: no cost below 0, no score outside [0, 1]. Shares have the same estimate and binomial
/// prediction intervals (Krishnamoorthy and Peng 2011): no resample calls an LLM that no prompt given called, and new prompts may.
///
/// With a confidence, lambda^ and lambda_b are chosen by fixed-sequence testing of one-sided prediction limits, and n_new_prompts new ones keep the goal
/// with that probability; more of them, as the limit falls with their number, do so all the more. Without, the goal is met in the
/// mean over the prompts given, and [`Calibration::missed`] says how often new ones miss it.
///
/// The router chooses among all LLMs that it predicts for, as it does in use. Where scores are missing, means are over the prompts whose choice
/// is known, weighted as [`crate::Propensities`] say; shares are over all.
///
/// The estimate of optimism is Efron's (1983, "Estimating the error rate of a prediction rule"). Costs three passes over the router's changes
/// for each resample; resamples run in parallel, each on its own stream of random numbers, so that the number of threads changes nothing.
///
/// # Errors
/// [`Error::OutOfReach`] for a goal that the router does not reach on these prompts, with the nearest that it does; [`Error::BadGoal`],
/// [`Error::BadLevel`], [`Error::NoResamples`] or [`Error::NoNewPrompts`] for parameters that mean nothing; [`Error::UnknownModel`] for an LLM
/// to compare costs with of which nothing is known. With a confidence, [`Error::BadConfidence`]; [`Error::NotPromised`] where not even the
/// safest setting keeps the goal with that probability, with what would help; [`Error::PartlyUnknown`]. Others as for the router's curve. [`Router::Zero`] has nothing to set:
/// [`Error::NothingToSet`].
pub fn calibrate(
    truth: &Truth<'_>,
    router: Router<'_>,
    params: &CalibrationParams,
) -> Result<Calibration> {
    check_level(params.level)?;
    params.goal.check(truth)?;
    if params.n_resamples == 0 {
        return Err(Error::NoResamples);
    }
    if params.n_new_prompts == 0 {
        return Err(Error::NoNewPrompts);
    }
    if let Some(confidence) = params.confidence {
        check_confidence(confidence)?;
    }
    let events = match router {
        Router::PerModel { predicted, .. } => Events::per_model(truth, &predicted)?,
        Router::Pair {
            pair,
            small_win_probability,
        } => Events::pair(truth, pair, small_win_probability)?,
        Router::Zero => return Err(Error::NothingToSet),
    };
    let answers = Answers::new(&events, truth.n_models());
    let aim = Aim::new(truth, &events, params.goal)?;

    let all = vec![1; truth.n_prompts()];
    let trace = Trace::over(&events, &aim, &all);
    let n_prompts = truth.n_prompts();
    let chosen = (trace.choose(&aim)).ok_or(Error::NothingToChoose { n_prompts })?;
    if !chosen.is_reached {
        return Err(trace.out_of_reach(&aim));
    }
    let promiser = match params.confidence {
        Some(confidence) => {
            let asked = Asked {
                confidence,
                n_new_prompts: params.n_new_prompts,
            };
            Some(Promiser::new(truth, &events, &aim, asked, params.seed)?)
        }
        None => None,
    };
    let (chosen, promise) = match &promiser {
        None => (chosen, None),
        Some(promiser) => match promiser.walk(&all) {
            Walked::Chosen(place) => {
                let promise = promiser.promise(&place, &all);
                (promiser.chosen(&Walked::Chosen(place)), Some(promise))
            }
            Walked::Stuck(safest) => {
                let refusal = Refusal::new(promiser, &safest, &all);
                return Err(Error::NotPromised(Box::new(refusal)));
            }
        },
    };
    let choose = |counts: &[u32]| match &promiser {
        None => Trace::over(&events, &aim, counts).choose(&aim),
        Some(promiser) => Some(promiser.chosen(&promiser.walk(counts))),
    };
    let in_sample = answers.standing(&chosen.setting, &all);
    let deviations: Vec<Option<Deviation>> = (0..params.n_resamples)
        .into_par_iter()
        .map_init(
            || [vec![0; truth.n_prompts()], vec![0; truth.n_prompts()]],
            |[given, new], resample_idx| {
                // A stream per resample: the intervals do not depend on the number of threads.
                let mut rng = ChaCha8Rng::seed_from_u64(params.seed);
                rng.set_stream(resample_idx as u64);
                draw(&mut rng, &answers, answers.n_prompts(), given);
                // New prompts are drawn from the same ones, apart from those that choose. The difference between the two is what a choice
                // in hindsight hides, and what chance adds.
                draw(&mut rng, &answers, params.n_new_prompts, new);
                let chosen = choose(given)?;
                let after = answers.standing(&chosen.setting, new);
                Some(Deviation {
                    is_reached: chosen.is_reached,
                    is_missed: aim.is_missed(&after, new),
                    before: answers.standing(&chosen.setting, given),
                    after,
                })
            },
        )
        .collect();

    let predicted = |in_sample: f64, most: f64, part: &dyn Fn(&Standing) -> f64| {
        let differences = deviations
            .iter()
            .flatten()
            .map(|it| part(&it.after) - part(&it.before));
        // Where scores are missing, a resample may hold none of the prompts whose choice is known.
        let known = differences.filter(|difference| !difference.is_nan());
        predict(in_sample, most, known.collect(), params.level)
    };
    // Where scores are missing, a resample may hold none of the prompts whose choice is known; then nothing is known of it.
    let part_of = |is_so: fn(&Deviation) -> bool| {
        let known = deviations.iter().flatten();
        mean(known.map(|it| f64::from(u8::from(is_so(it))))).unwrap_or(f64::NAN)
    };
    let z = OneSided::new(f64::midpoint(1.0, params.level)).z;
    let n_prompts = in_sample.n_prompts as f64;
    let share = |m: usize| {
        let share = in_sample.shares[m];
        let n_calls = (share * n_prompts).round();
        let (low, high) = share_interval(n_calls, n_prompts, params.n_new_prompts as f64, z);
        let resampled = predicted(share, 1.0, &|it| it.shares[m]);
        Interval {
            // Whole prompts may leave the estimate a part of one outside.
            low: low.min(resampled.estimate),
            high: high.max(resampled.estimate),
            ..resampled
        }
    };
    let is_reached = |it: &Option<Deviation>| it.as_ref().is_some_and(|it| it.is_reached);
    let n_out_of_reach = deviations.iter().filter(|&it| !is_reached(it)).count();
    Ok(Calibration {
        setting: chosen.setting,
        cost_usd: predicted(in_sample.point.cost_usd, f64::INFINITY, &|it| {
            it.point.cost_usd
        }),
        accuracy: predicted(in_sample.point.accuracy, 1.0, &|it| it.point.accuracy),
        shares: (0..truth.n_models()).map(share).collect(),
        out_of_reach: n_out_of_reach as f64 / params.n_resamples as f64,
        missed: part_of(|it| it.is_missed),
        in_sample,
        promise,
    })
}

/// One resample: where the choice made on the given prompts stands on them, and on the new ones.
struct Deviation {
    is_reached: bool,
    is_missed: bool,
    before: Standing,
    after: Standing,
}

/// Counts how often each prompt is among so many that are drawn with replacement from those with a choice.
fn draw(rng: &mut ChaCha8Rng, answers: &Answers, n_drawn: usize, counts: &mut [u32]) {
    counts.fill(0);
    for _ in 0..n_drawn {
        let position = rng.random_range(0..answers.n_prompts());
        counts[answers.prompt_idx(position)] += 1;
    }
}

fn predict(in_sample: f64, most: f64, differences: Vec<f64>, level: f64) -> Interval {
    // A setting chosen on some prompts looks better there than it is. The bootstrap shows by how much on average (Efron 1983), and the
    // estimate is corrected by it.
    let optimism = mean(differences.iter().copied()).unwrap_or(f64::NAN);
    let new = Array1::from(differences) + in_sample;
    let interval = Interval::new(in_sample + optimism, new.to_vec(), level);
    Interval {
        // The correction may lead out of what a mean score, a share or a cost can be.
        estimate: interval.estimate.clamp(0.0, most),
        low: interval.low.clamp(0.0, most),
        high: interval.high.clamp(0.0, most),
        n_defined: interval.n_defined,
    }
}
