//! What fits a router: `recipe` says what its result depends on before anything is fitted, `fit` learns and saves.

use std::{collections::BTreeMap, path::Path};

use cli_support::Progress;
use dataset::{PartTable, Predictions, Source};
use ndarray::ArrayView2;
use saved_routers::{Base, Contents, NewFolder};
use serde_json::Value;

use crate::{on_embeddings, setup::Setup, stopwatch::Stopwatch};

/// A way to fit a router; each row of the table names one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Learner {
    /// On embeddings, by the crate `fitting`.
    OnEmbeddings(fitting::Learner),
    /// Networks that read prompts.
    // Function pointers rather than a trait, because a learner has no state and must be a constant in the table of routers.
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "networks need libtorch")
    )]
    Networks {
        /// What the result depends on besides the data.
        recipe: fn(&Setup) -> anyhow::Result<Recipe>,
        /// Learns from the train prompts and saves what it learned.
        fit: fn(&mut Fit<'_>) -> anyhow::Result<Outcome>,
    },
}

impl Learner {
    /// What the result depends on besides the data.
    pub(crate) fn recipe(self, setup: &Setup) -> anyhow::Result<Recipe> {
        match self {
            Self::OnEmbeddings(learner) => Ok(on_embeddings::recipe(setup, learner)),
            Self::Networks { recipe, .. } => recipe(setup),
        }
    }

    /// Learns from the train prompts and saves what it learned.
    pub(crate) fn fit(self, fit: &mut Fit<'_>) -> anyhow::Result<Outcome> {
        match self {
            Self::OnEmbeddings(learner) => on_embeddings::fit(fit, learner),
            Self::Networks { fit: train, .. } => train(fit),
        }
    }
}

/// What a router's result depends on besides splits, embeddings and the program.
pub(crate) struct Recipe {
    /// The parameters in force, defaults included.
    pub(crate) config: Value,
    /// Seed of everything random.
    pub(crate) seed: Option<u64>,
    /// Files that go in besides those of the data set.
    pub(crate) inputs: Vec<Source>,
    /// Whether anything is fitted, and therefore kept.
    pub(crate) is_fitted: bool,
}

/// A router that is being fitted.
pub(crate) struct Fit<'a> {
    pub(crate) setup: &'a Setup,
    /// The prompts to learn from.
    pub(crate) train: &'a PartTable,
    /// How many of them, at the end, the data set sets aside for validation, if any.
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks use it")
    )]
    pub(crate) n_validation: Option<usize>,
    /// Their embeddings, of shape `(n_prompts, dim)`, for routers that predict from embeddings.
    pub(crate) embeddings: Option<ArrayView2<'a, f32>>,
    /// Only for networks that were trained elsewhere: with nothing to save, they predict instead of learning.
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks use it")
    )]
    pub(crate) test: &'a PartTable,
    /// Where the fitted router will be. A long training keeps its checkpoints below it.
    pub(crate) place: &'a Path,
    pub(crate) stopwatch: &'a mut Stopwatch,
}

/// The result of a fit.
pub(crate) struct Outcome {
    pub(crate) product: Product,
    /// What was chosen or measured in the fit, for the manifest and the model card.
    pub(crate) results: Value,
    /// The same for people, a line each.
    pub(crate) summary: Vec<String>,
    /// What it ran on.
    pub(crate) environment: BTreeMap<String, String>,
}

/// What a learner produces.
pub(crate) enum Product {
    /// A fitted router; it predicts once it is in its place and reopened.
    Fitted(Fitted),
    /// Predictions of networks that were trained elsewhere, which are not copied.
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks give it")
    )]
    Predictions(Predictions),
}

/// A fitted router whose files are written beside their place.
pub(crate) struct Fitted {
    pub(crate) folder: NewFolder,
    pub(crate) contents: Contents,
    pub(crate) base: Option<Base>,
}

impl<'a> Fit<'a> {
    /// The embeddings of a router whose row says that it predicts from them.
    pub(crate) fn embeddings(&self) -> ArrayView2<'a, f32> {
        self.embeddings
            .expect("`Data::prompts` loads the embeddings that a row asks for")
    }

    /// A progress bar, unless the user asked for quiet.
    pub(crate) fn bar(&self, label: &str, total: u64) -> Progress {
        Progress::bar(label, total, self.setup.quiet)
    }

    /// An empty folder beside the router's place, to be filled.
    pub(crate) fn new_folder(&self) -> anyhow::Result<NewFolder> {
        Ok(NewFolder::create(self.place)?)
    }
}
