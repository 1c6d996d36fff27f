//! The table of routers: everything that the rest of the program knows about a router is in its row.

use std::fmt;

use clap::{ValueEnum, builder::PossibleValue};
use dataset::{DatasetInfo, router_names as names};

use crate::{embedder::Input, learner::Learner, torch};

/// A router that can be fitted: a row of [`ROUTERS`].
#[derive(Debug)]
pub(crate) struct Router {
    /// Its name on the command line, under `preds/` and under `models/`.
    pub(crate) name: &'static str,
    /// What `--help` says about it.
    pub(crate) help: &'static str,
    /// What it predicts from.
    pub(crate) input: Input,
    /// Whether it chooses between the two LLMs of a pair, rather than among all.
    pub(crate) needs_pair: bool,
    /// What fits it; `None` for one that needs libtorch in a build without it.
    ///
    /// How it is saved, and therefore how it predicts, is not defined here: the learner writes one of the forms that `saved-routers` knows
    /// ([`saved_routers::Contents`]), and everything after the fit depends on that form alone.
    pub(crate) learner: Option<Learner>,
}

/// All routers, the quick ones first: the order in which `all` fits them and `--help` lists them.
pub(crate) static ROUTERS: [Router; 10] = [
    Router {
        name: names::CARROT_KNN,
        help: "CARROT (KNN) on the chosen embedding",
        input: Input::ChosenEmbedding,
        needs_pair: false,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Knn)),
    },
    Router {
        name: names::CARROT_KNN_SBERT,
        help: "CARROT (KNN) on the sentence embedding that the settings name",
        input: Input::SentenceEmbedding,
        needs_pair: false,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Knn)),
    },
    Router {
        name: names::CARROT_LINEAR,
        help: "Ridge regression on the chosen embedding",
        input: Input::ChosenEmbedding,
        needs_pair: false,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Linear)),
    },
    Router {
        name: names::CARROT_KERNEL,
        help: "Kernel ridge regression on the chosen embedding",
        input: Input::ChosenEmbedding,
        needs_pair: false,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Kernel)),
    },
    Router {
        name: names::CARROT_CLUSTER,
        help: "Means over clusters of the chosen embedding",
        input: Input::ChosenEmbedding,
        needs_pair: false,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Cluster)),
    },
    Router {
        name: names::CARROT_BLEND,
        help: "The blend of the four above, which does not route where that does not pay",
        input: Input::ChosenEmbedding,
        needs_pair: false,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Blend)),
    },
    Router {
        name: names::MF,
        help: "A matrix factorization on the chosen embedding that chooses within the pair",
        input: Input::ChosenEmbedding,
        needs_pair: true,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Mf)),
    },
    Router {
        name: names::RORF,
        help: "A random forest on the chosen embedding that chooses within the pair",
        input: Input::ChosenEmbedding,
        needs_pair: true,
        learner: Some(Learner::OnEmbeddings(fitting::Learner::Rorf)),
    },
    Router {
        name: names::CARROT_ROBERTA,
        help: "CARROT (RoBERTa): two networks that read prompts and predict scores and costs",
        input: Input::Prompts,
        needs_pair: false,
        learner: torch::CARROT_ROBERTA,
    },
    Router {
        name: names::ROBERTA_BINARY,
        help: "A RoBERTa that chooses within the pair",
        input: Input::Prompts,
        needs_pair: true,
        learner: torch::ROBERTA_BINARY,
    },
];

impl fmt::Display for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

// Names are unique, as a test below proves; a learner, being functions, has no equality of its own.
impl PartialEq for Router {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Router {}

/// A value of `--routers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RouterChoice {
    /// A router by its name.
    One(&'static Router),
    /// The one for this kind of data set.
    Default,
    /// All that the data set allows.
    All,
}

impl ValueEnum for RouterChoice {
    fn value_variants<'a>() -> &'a [Self] {
        static CHOICES: [RouterChoice; ROUTERS.len() + 2] = {
            let mut choices = [RouterChoice::All; ROUTERS.len() + 2];
            choices[ROUTERS.len()] = RouterChoice::Default;
            // A constant cannot use `for`, because iterators are not const.
            let mut i = 0;
            while i < ROUTERS.len() {
                choices[i] = RouterChoice::One(&ROUTERS[i]);
                i += 1;
            }
            choices
        };
        &CHOICES
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::One(router) => PossibleValue::new(router.name).help(router.help),
            Self::Default => PossibleValue::new("default").help(format!(
                "{} for data sets of gen-custom, {} for the paper's",
                names::CARROT_BLEND,
                names::CARROT_KNN
            )),
            Self::All => PossibleValue::new("all").help("All that the data set allows"),
        })
    }
}

/// The router of a data set for which none is named.
pub(crate) fn default_router(info: &DatasetInfo) -> &'static Router {
    let name = names::default_router(info);
    let mut routers = ROUTERS.iter();
    routers
        .find(|router| router.name == name)
        .expect("it is in the table, as a test proves")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (i, router) in ROUTERS.iter().enumerate() {
            assert!(!ROUTERS[..i].contains(router), "{router}");
        }
    }

    #[test]
    fn one_s_own_logs_have_the_blend() {
        for (made_by, expected) in [
            ("gen-custom 0.1.0", names::CARROT_BLEND),
            ("gen-routerbench 0.1.0", names::CARROT_KNN),
            ("a program", names::CARROT_KNN),
        ] {
            let mut info = test_support::dataset_info("tiny", &["m"], [1, 1]);
            info.made_by = made_by.to_owned();
            assert_eq!(default_router(&info).name, expected, "{made_by}");
        }
    }
}
