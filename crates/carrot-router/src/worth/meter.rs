use std::path::PathBuf;

use dataset::{
    DatasetDir, NullGains, OutOfFold, PartHashes, WORTH_FORMAT_VERSION, WholeSet, WorthFit,
    WorthNull, WorthRecord, WorthSettings, router_names, worth,
};
use fitting::{
    Folds, Learner, LearnerParams, LogPropensities, NullSettings, Subject, Together, cross_fit,
    log_propensities, null_gains,
};

use super::{
    EmbeddingPlace, WorthError, columns,
    embedded::Embedded,
    judge::{judge, own_cost},
    kept, time, words,
};

/// Each takes 8 bytes while the band is found; more would tell nothing.
const MOST_RESAMPLES: usize = 10_000_000;
/// The routers that may be judged, where this version fits them.
const ROUTERS: [&str; 5] = [
    router_names::CARROT_BLEND,
    router_names::CARROT_KNN,
    router_names::CARROT_LINEAR,
    router_names::CARROT_KERNEL,
    router_names::CARROT_CLUSTER,
];

/// What is asked: whether a router is worth it on a data set.
#[derive(Debug, Clone)]
pub struct WorthQuestion {
    /// Folder of the data sets.
    pub data_dir: PathBuf,
    /// The data set.
    pub dataset: String,
    /// The router, by its name in train-and-infer.
    pub router: String,
    /// The settings of all learners.
    pub learners: LearnerParams,
    /// What the router predicts from.
    pub embedding: EmbeddingPlace,
    /// How to measure.
    pub settings: WorthSettings,
    /// The least gain, in scores, that would be worth the effort.
    pub at_least: Option<f64>,
}

impl WorthQuestion {
    /// Refuses a router and settings that make no sense.
    ///
    /// # Errors
    /// [`WorthError::OtherRouter`], [`WorthError::BadSetting`].
    pub fn check(&self) -> Result<(), WorthError> {
        learner(&self.router)?;
        let settings = &self.settings;
        for (what, found, least) in [
            ("folds", settings.n_folds, 2),
            ("repeats", settings.n_repeats, 1),
            ("resamples", settings.n_resamples, 1),
        ] {
            if found < least {
                return Err(WorthError::BadSetting {
                    what,
                    found: found.to_string(),
                    expected: format!("at least {least}"),
                });
            }
        }
        if settings.n_resamples > MOST_RESAMPLES {
            return Err(WorthError::BadSetting {
                what: "resamples",
                found: settings.n_resamples.to_string(),
                expected: format!("at most {MOST_RESAMPLES}"),
            });
        }
        Ok(())
    }
}

/// Measures whether a router is worth it: tables and embeddings, then fits, then a record.
#[derive(Debug)]
pub struct WorthMeter {
    question: WorthQuestion,
    learner: Learner,
    whole: WholeSet,
    embedded: Embedded,
    /// Rows whose chance belongs together: of one group, or of one text.
    together: Together,
    /// One for each repeat.
    folds: Vec<Folds>,
    cross_fits: Vec<OutOfFold>,
    fits: Vec<WorthFit>,
    /// Of a log that does not say them, by the folds of the first repeat.
    propensities: Option<LogPropensities>,
    null: Option<WorthNull>,
}

impl WorthMeter {
    /// Reads both parts of the data set and their embeddings; those that are missing are computed. `on_progress` counts prompts that are
    /// embedded.
    ///
    /// # Errors
    /// [`WorthError`] for a router, a setting, a column or a file that cannot be used.
    pub fn open(
        question: WorthQuestion,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, WorthError> {
        question.check()?;
        let learner = learner(&question.router)?;
        let dir = DatasetDir::existing(&question.data_dir, &question.dataset)?;
        let whole = WholeSet::open(&dir)?;
        let table = whole.table();
        // Before the embeddings, which may take minutes.
        let groups = question.settings.group.as_deref();
        let groups = groups.map(|column| columns::values(&dir, table, column));
        let groups = groups.transpose()?;
        let times = question
            .settings
            .time
            .as_deref()
            .map(|column| time::parse(column, columns::values(&dir, table, column)?));
        let times = times.transpose()?;
        let mut grouped = Together::new(table.n_prompts());
        if let Some(values) = groups {
            grouped = grouped.join_values(values)?;
        }
        // Copies of a prompt say little more than one of them, in whatever order they were asked.
        let together = grouped.clone().join_prompts(&table.prompts)?;
        let folds = match times.as_deref() {
            // A prompt that is asked again may be judged by what its first answer taught, as it is in use.
            Some(times) => vec![in_order(&question.settings, times, &grouped)?],
            None => shuffled(&question.settings, &together)?,
        };
        let embedding = &question.embedding;
        let embedded = embedding.open(&whole, &question.router, on_progress)?;
        Ok(Self {
            question,
            learner,
            whole,
            embedded,
            together,
            folds,
            cross_fits: Vec::new(),
            fits: Vec::new(),
            propensities: None,
            null: None,
        })
    }

    /// How many fits there are to do, at most.
    pub fn n_fits(&self) -> u64 {
        self.folds
            .iter()
            .map(|folds| u64::from(folds.n_folds()))
            .sum()
    }

    /// How many fits so many permutations take.
    pub fn n_null_fits(&self, n_permutations: u32) -> u64 {
        let n_folds = self.folds.first().map_or(0, Folds::n_folds);
        2 * u64::from(n_permutations) * u64::from(n_folds)
    }

    /// Predicts every prompt by a router that was fitted without it, or takes what train-and-infer predicted with the same folds and settings.
    /// `on_progress` counts fits.
    ///
    /// # Errors
    /// [`WorthError::Fitting`].
    pub fn cross_fit(&mut self, on_progress: &(dyn Fn(u64) + Sync)) -> Result<(), WorthError> {
        let recipe = self.question.learners.recipe(self.learner);
        let router = &self.question.router;
        for (repeat, folds) in self.folds.iter().enumerate() {
            let kept = match folds.is_in_order() {
                true => None,
                false => kept::read(&self.whole, &self.embedded, router, &recipe, folds, repeat)?,
            };
            if let Some(kept) = kept {
                on_progress(folds.n_folds().into());
                self.fits.extend(kept.fits);
                self.cross_fits.push(kept.out_of_fold);
                continue;
            }
            let fitted = cross_fit(&self.subject(), folds, on_progress)?;
            if repeat == 0 {
                self.propensities = fitted.propensities;
            }
            let fits = fitted.fits.iter().enumerate();
            let fits = fits.filter_map(|(fold, fit)| kept::worth_fit(repeat, fold, &fit.results));
            self.fits.extend(fits);
            self.cross_fits.push(fitted.out_of_fold);
        }
        if self.propensities.is_none()
            && let Some(folds) = self.folds.first()
        {
            let params = &self.question.learners;
            let kept = kept::propensities(&self.whole, &self.embedded, params, folds)?;
            self.propensities = match kept {
                Some(kept) => Some(kept),
                // Of any other table than such a log this is nothing.
                None => log_propensities(&self.subject(), folds, &|_| {})?,
            };
        }
        Ok(())
    }

    /// Does the same on prompts that were permuted against their scores, so many times over all rows and as often within tasks, in the folds of
    /// the first repeat, whose gain p compares them with.
    /// Comes after [`WorthMeter::cross_fit`]. `on_progress` counts fits, of which there are `2 * n_permutations` for each
    /// fold.
    ///
    /// # Errors
    /// [`WorthError::Fitting`].
    pub fn permute(
        &mut self,
        n_permutations: u32,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), WorthError> {
        let (Some(folds), Some(observed)) = (self.folds.first(), self.cross_fits.first()) else {
            return Ok(());
        };
        let settings = NullSettings {
            n_permutations,
            seed: self.question.settings.seed,
        };
        let table = self.whole.table();
        let weighed = self.propensities.as_ref().map(|it| it.on(table));
        let subject = Subject {
            table: weighed.as_ref().unwrap_or(table),
            ..self.subject()
        };
        let null = null_gains(&subject, folds, observed, settings, on_progress)?;
        let (p_over_all, p_within_tasks) = (null.p_over_all(), null.p_within_tasks());
        // The same is taken off of all gains, so p is what it was.
        let own_cost = own_cost(subject.table, &self.question.settings);
        let less_own_cost = |gains: Vec<f64>, p| NullGains {
            gains: gains.into_iter().map(|gain| gain - own_cost).collect(),
            p,
        };
        self.null = Some(WorthNull {
            over_all: less_own_cost(null.over_all, p_over_all),
            within_tasks: less_own_cost(null.within_tasks, p_within_tasks),
        });
        Ok(())
    }

    /// The answer.
    ///
    /// # Errors
    /// [`WorthError::Evaluation`] where nothing can be judged.
    pub fn record(&self) -> Result<WorthRecord, WorthError> {
        let WorthQuestion {
            settings, at_least, ..
        } = &self.question;
        let judged = judge(
            &self.whole,
            (&self.cross_fits, self.propensities.as_ref()),
            self.together.groups(),
            &self.fits,
            settings,
            *at_least,
        )?;
        // Of what was read, whatever is there by now.
        let made_from = self.whole.made_from();
        let mut record = WorthRecord {
            format_version: WORTH_FORMAT_VERSION,
            dataset: self.question.dataset.clone(),
            router: self.question.router.clone(),
            embedder: Some(self.embedded.name.clone()),
            made_by: concat!("carrot-router ", env!("CARGO_PKG_VERSION")).to_owned(),
            parts: PartHashes {
                train: made_from.train_sha256.unwrap_or_default(),
                test: made_from.split_sha256,
            },
            verdict: judged.verdict,
            sentence: String::new(),
            best_single: judged.best_single,
            gain: judged.gain,
            p_gain: judged.p_gain,
            p_loss: judged.p_loss,
            curve: judged.curve,
            tasks: judged.tasks,
            equal_quality: judged.equal_quality,
            equal_cost: judged.equal_cost,
            null: self.null.clone(),
            prompts_needed: judged.prompts_needed,
            evidence: judged.evidence,
            fits: self.fits.clone(),
            counts: judged.counts,
            settings: settings.clone(),
            notes: Vec::new(),
        };
        record.sentence = words::sentence(&record);
        record.notes = words::notes(&record);
        let table = self.whole.table();
        let costs = worth::means(table.cost_usd.view(), |_| true);
        let unpriced = (table.models.iter().zip(costs)).filter(|(_, cost)| cost.is_nan());
        record
            .notes
            .extend(unpriced.map(|(model, _)| words::no_cost(model)));
        Ok(record)
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            learner: self.learner,
            params: &self.question.learners,
            info: self.whole.info(),
            table: self.whole.table(),
            embeddings: self.embedded.values.view(),
        }
    }
}

/// What fits a router that predicts every LLM's score and cost from embeddings.
fn per_llm(router: &str) -> Option<Learner> {
    Learner::of_router(router).filter(|learner| !learner.needs_pair())
}

fn learner(router: &str) -> Result<Learner, WorthError> {
    per_llm(router).ok_or_else(|| WorthError::OtherRouter {
        router: router.to_owned(),
        known: ROUTERS
            .into_iter()
            .filter(|name| per_llm(name).is_some())
            .collect(),
    })
}

/// The folds of each repeat.
fn shuffled(settings: &WorthSettings, together: &Together) -> Result<Vec<Folds>, WorthError> {
    let rows = together.groups();
    let repeats = 0..settings.n_repeats as u64;
    let folds = repeats.map(|repeat| {
        let seed = settings.seed + repeat;
        Folds::shuffled(rows.len(), n_folds(settings), seed, Some(rows))
    });
    Ok(folds.collect::<fitting::Result<_>>()?)
}

/// The blocks of rows in order of time.
fn in_order(
    settings: &WorthSettings,
    times: &[f64],
    together: &Together,
) -> Result<Folds, WorthError> {
    let rows = together.groups();
    Ok(Folds::in_order(times, n_folds(settings), Some(rows))?)
}

fn n_folds(settings: &WorthSettings) -> u32 {
    u32::try_from(settings.n_folds).unwrap_or(u32::MAX)
}
