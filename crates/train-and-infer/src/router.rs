use std::fmt;

use clap::{ValueEnum, builder::PossibleValue};

/// The routers that can be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Router {
    CarrotKnn,
    CarrotKnnSbert,
    CarrotRoberta,
    Mf,
    Rorf,
    RobertaBinary,
}

impl Router {
    /// All of them, the quick ones first.
    pub(crate) const ALL: [Self; 6] = [
        Self::CarrotKnn,
        Self::CarrotKnnSbert,
        Self::Mf,
        Self::Rorf,
        Self::CarrotRoberta,
        Self::RobertaBinary,
    ];

    /// Its name on the command line and under `preds/`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CarrotKnn => "carrot-knn",
            Self::CarrotKnnSbert => "carrot-knn-sbert",
            Self::CarrotRoberta => "carrot-roberta",
            Self::Mf => "mf",
            Self::Rorf => "rorf",
            Self::RobertaBinary => "roberta-binary",
        }
    }

    /// Whether it chooses between the two LLMs of a pair.
    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Mf | Self::Rorf | Self::RobertaBinary)
    }

    /// Whether it cannot be fitted without libtorch, even on embeddings that are there.
    pub(crate) fn needs_torch(self) -> bool {
        matches!(self, Self::CarrotRoberta | Self::Mf | Self::RobertaBinary)
    }

    fn help(self) -> &'static str {
        match self {
            Self::CarrotKnn => "CARROT (KNN) on the chosen embedding",
            Self::CarrotKnnSbert => "CARROT (KNN) on the sentence embedding that the settings name",
            Self::CarrotRoberta => {
                "CARROT (RoBERTa): two networks that read prompts and predict scores and costs"
            }
            Self::Mf => {
                "A matrix factorization on the chosen embedding that chooses within the pair"
            }
            Self::Rorf => "A random forest on the chosen embedding that chooses within the pair",
            Self::RobertaBinary => "A RoBERTa that chooses within the pair",
        }
    }
}

impl fmt::Display for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value of `--routers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    One(Router),
    All,
}

impl ValueEnum for Wanted {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Wanted; Router::ALL.len() + 1] = {
            let mut wanted = [Wanted::All; Router::ALL.len() + 1];
            let mut i = 0;
            while i < Router::ALL.len() {
                wanted[i] = Wanted::One(Router::ALL[i]);
                i += 1;
            }
            wanted
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::One(router) => PossibleValue::new(router.name()).help(router.help()),
            Self::All => PossibleValue::new("all").help("All that the data set allows"),
        })
    }
}
