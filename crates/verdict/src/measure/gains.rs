//! Gains over the best single LLM, and what a known truth demands of them.

use dataset::{EqualPrompts, OutOfFold, Part, PartTable, PerModel, Predictions, WholeSet, worth};
use evaluation::{
    Interval, Predicted, Truth,
    worth::{
        Baseline, CrossFit, Estimate, GainReport, GainSettings, PromptGains, doubly_robust_gains,
        gain_difference, means_of, prompt_gains,
    },
};
use ndarray::{Array2, Axis, concatenate};

use crate::{
    claims::ClaimSettings,
    obstacle::Obstacle,
    subject::{Subject, per_model},
};

/// Gains of a data set's routers.
pub(super) struct Gains<'a> {
    pub(super) subject: &'a Subject,
    pub(super) settings: &'a ClaimSettings,
}

/// Predictions for some prompts with what has happened on them.
struct Case {
    /// Both parts; the judged prompts are all of them, or the test part.
    whole: WholeSet,
    judged: PartTable,
    /// Each pass of predictions.
    passes: Vec<Pass>,
    is_out_of_fold: bool,
}

struct Pass {
    predicted: PerModel,
    /// Of the judged prompts; all of fold 0 for predictions of the test part.
    folds: Vec<Option<u32>>,
}

impl Gains<'_> {
    /// The mean gain over the worths, on all prompts where out-of-fold predictions exist, else on the test part.
    pub(super) fn of(&self, router: &str) -> Result<Interval, Obstacle> {
        Ok(interval(self.report(&self.case(router)?)?.mean))
    }

    /// The gain by the known expectations less that of the Bayes router, both against the same best single LLMs.
    pub(super) fn over_bayes(&self, router: &str) -> Result<Interval, Obstacle> {
        let case = self.case(router)?;
        let expectations = self.expectations(&case)?;
        let truth = Truth::expected(&expectations)?;
        let worths_usd = case.worths_usd()?;
        let passes: Vec<&PerModel> = case.passes.iter().map(|pass| &pass.predicted).collect();
        let gains = |predicted: &[&PerModel]| -> Result<PromptGains, Obstacle> {
            let (scores, costs_usd) = case.train_means()?;
            let baseline = Baseline::Means {
                scores: &scores,
                costs_usd: &costs_usd,
            };
            let fits = predicted.iter().map(|predicted| {
                let predicted = Predicted::of(predicted)?;
                Ok(CrossFit {
                    predicted,
                    baseline,
                })
            });
            let fits = fits.collect::<evaluation::Result<Vec<_>>>()?;
            Ok(doubly_robust_gains(&truth, &fits, &worths_usd)?)
        };
        let (of_router, of_bayes) = (gains(&passes)?, gains(&[&expectations])?);
        let groups = case.groups();
        let settings = self.gain_settings();
        let found = gain_difference(&of_router, &of_bayes, Some(&groups), &settings)?;
        Ok(interval(found))
    }

    /// How far the gain that the expectations give the same choices lies outside the interval of the observed one; 0 within.
    pub(super) fn outside_interval(
        &self,
        router: &str,
    ) -> Result<(f64, Option<[f64; 3]>), Obstacle> {
        let case = self.case(router)?;
        let found = self.report(&case)?.mean;
        let expected = self.expected_gain(&case)?;
        let miss = [expected - found.high, found.low - expected];
        // Outside of an interval that is unknown nothing lies; `f64::max` would make 0 of it, and that would pass.
        let outside = match miss.iter().any(|miss| miss.is_nan()) {
            true => f64::NAN,
            false => miss[0].max(miss[1]).max(0.0),
        };
        Ok((outside, Some([found.low, found.value, found.high])))
    }

    fn report(&self, case: &Case) -> Result<GainReport, Obstacle> {
        let truth = Truth::of(&case.judged)?;
        let (scores, costs_usd) = case.train_means()?;
        let fits = case.passes.iter().map(|pass| {
            Ok(CrossFit {
                predicted: Predicted::of(&pass.predicted)?,
                baseline: match case.is_out_of_fold {
                    true => Baseline::Folds(&pass.folds),
                    false => Baseline::Means {
                        scores: &scores,
                        costs_usd: &costs_usd,
                    },
                },
            })
        });
        let fits = fits.collect::<evaluation::Result<Vec<_>>>()?;
        let gains = doubly_robust_gains(&truth, &fits, &case.worths_usd()?)?;
        let groups = case.groups();
        Ok(GainReport::new(
            &gains,
            Some(&groups),
            &self.gain_settings(),
        )?)
    }

    /// The mean over prompts and worths of what the expectations give the router's choices less what they give the best single LLM, which was chosen
    /// by what was observed on the other folds.
    fn expected_gain(&self, case: &Case) -> Result<f64, Obstacle> {
        let expectations = self.expectations(case)?;
        let truth = Truth::expected(&expectations)?;
        let observed = Truth::of(&case.judged)?;
        let worths_usd = case.worths_usd()?;
        let (mut sum, mut n_judged) = (0.0, 0_usize);
        for pass in &case.passes {
            let mut folds: Vec<u32> = pass.folds.iter().flatten().copied().collect();
            folds.sort_unstable();
            folds.dedup();
            for fold in folds {
                let is_judged = |row: usize| pass.folds[row] == Some(fold);
                let (scores, costs_usd) = match case.is_out_of_fold {
                    true => means_of(&observed, |row| !is_judged(row)),
                    false => case.train_means()?,
                };
                // A prompt without predictions is not judged.
                let mut predicted = pass.predicted.clone();
                for (row, mut scores) in predicted.scores.rows_mut().into_iter().enumerate() {
                    if !is_judged(row) {
                        scores.fill(f32::NAN);
                    }
                }
                let fit = CrossFit {
                    predicted: Predicted::of(&predicted)?,
                    baseline: Baseline::Means {
                        scores: &scores,
                        costs_usd: &costs_usd,
                    },
                };
                let gains = prompt_gains(&truth, &[fit], &worths_usd)?.over_worths();
                for gain in gains.into_iter().filter(|gain| !gain.is_nan()) {
                    sum += gain;
                    n_judged += 1;
                }
            }
        }
        Ok(sum / n_judged as f64)
    }

    fn gain_settings(&self) -> GainSettings {
        GainSettings {
            level: self.settings.level,
            n_resamples: self.settings.n_resamples,
            seed: self.settings.seed,
        }
    }

    fn case(&self, router: &str) -> Result<Case, Obstacle> {
        let dir = &self.subject.dir;
        if !dir.split(Part::Train).is_file() {
            return Err(Obstacle::NotRun(
                "without a train part nothing says which LLM is the best single one".to_owned(),
            ));
        }
        let whole = WholeSet::open(dir)?;
        let mut passes = Vec::new();
        // Those of another version of the parts are left out, as if they were not there.
        for cross_fit in whole.cross_fits(router)?.into_iter().flatten() {
            let OutOfFold { predictions, folds } = cross_fit.out_of_fold;
            if let Predictions::PerModel(predicted) = predictions {
                passes.push(Pass { predicted, folds });
            }
        }
        if !passes.is_empty() {
            return Ok(Case {
                judged: whole.table().clone(),
                whole,
                passes,
                is_out_of_fold: true,
            });
        }
        let found = self.subject.router(router, None)?;
        let predicted = per_model(&found)?.clone();
        let judged = self.subject.test()?.clone();
        let folds = vec![Some(0); judged.n_prompts()];
        Ok(Case {
            whole,
            judged,
            passes: vec![Pass { predicted, folds }],
            is_out_of_fold: false,
        })
    }

    /// What is expected of the judged prompts.
    fn expectations(&self, case: &Case) -> Result<PerModel, Obstacle> {
        let test = self.subject.expectations()?;
        if !case.is_out_of_fold {
            return Ok(test.clone());
        }
        let path = self.subject.dir.truth(Part::Train);
        if !path.is_file() {
            return Err(Obstacle::NotRun(
                "the train part has no true expectations".to_owned(),
            ));
        }
        let Predictions::PerModel(train) = Predictions::read(&path)? else {
            return Err(Obstacle::nothing_known(
                "the train part's expectations are of a pair",
            ));
        };
        let ids = [&train.ids[..], &test.ids].concat();
        if ids != case.whole.table().ids || train.models != test.models {
            return Err(Obstacle::NotRun(
                "the true expectations are of other prompts than the parts".to_owned(),
            ));
        }
        let stack = |a: &Array2<f64>, b: &Array2<f64>| {
            concatenate(Axis(0), &[a.view(), b.view()]).expect("one column per LLM in both")
        };
        let scores = concatenate(Axis(0), &[train.scores.view(), test.scores.view()]);
        Ok(PerModel {
            ids,
            models: train.models.clone(),
            scores: scores.expect("one column per LLM in both"),
            output_tokens: None,
            cost_usd: stack(&train.cost_usd, &test.cost_usd),
        })
    }
}

impl Case {
    fn worths_usd(&self) -> Result<Vec<f64>, Obstacle> {
        let truth = Truth::of(self.whole.table())?;
        Ok(worth::grid(&means_of(&truth, |_| true).1))
    }

    /// Mean scores and costs of the train part.
    fn train_means(&self) -> Result<(Vec<f64>, Vec<f64>), Obstacle> {
        let n_train = self.whole.n_train();
        Ok(means_of(&Truth::of(self.whole.table())?, |row| {
            row < n_train
        }))
    }

    /// Equal prompts belong together.
    fn groups(&self) -> Vec<usize> {
        EqualPrompts::groups(&self.judged.prompts)
    }
}

/// An estimate that no resampling has made.
fn interval(of: Estimate) -> Interval {
    Interval {
        estimate: of.value,
        low: of.low,
        high: of.high,
        n_defined: 0,
    }
}
