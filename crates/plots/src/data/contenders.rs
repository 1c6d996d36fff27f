//! Who is compared on a data set: routers, the RouterBench rule, the true expectations and the zero router, in the order of legends and
//! tables. Figures, tables and intervals all go through this one list.

use evaluation::{Predicted, Router};

use super::{
    inputs::Inputs,
    series::{Series, routers::rank},
};

/// What someone is compared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Predicts all scores and costs.
    PerModelRouter,
    /// Predicts which of two LLMs wins.
    PairRouter,
    /// A per-LLM router's scores with each LLM's mean cost in the training split.
    RouterBenchRule,
    /// Knows the expected scores and costs.
    Bayes,
    /// Does not look at the prompt.
    Zero,
}

/// Someone with a curve.
#[derive(Debug, Clone)]
pub(crate) struct Contender<'a> {
    /// Has its names.
    pub(crate) series: Series,
    pub(crate) role: Role,
    pub(crate) router: Router<'a>,
}

/// All contenders of a data set.
///
/// # Errors
/// When predictions have no prompt or no LLM.
pub(crate) fn contenders(inputs: &Inputs) -> anyhow::Result<Vec<Contender<'_>>> {
    let mut sorted: Vec<_> = inputs.routers.iter().collect();
    sorted.sort_by(|a, b| rank(&a.router).cmp(&rank(&b.router)));
    let (mut routers, mut rules) = (Vec::new(), Vec::new());
    for input in sorted {
        let router = inputs.router(&input.predictions)?;
        let role = match router {
            Router::PerModel { predicted, pair } => {
                if let Some(means) = &inputs.train_mean_costs {
                    // A rule follows from a router's scores, so there is one for each router; it needs mean costs from the train part,
                    // since a router that knew those of the test part would be no baseline.
                    rules.push(Contender {
                        series: Series::Rule(input.router.clone()),
                        role: Role::RouterBenchRule,
                        router: Router::PerModel {
                            predicted: predicted.with_mean_costs(means)?,
                            pair,
                        },
                    });
                }
                Role::PerModelRouter
            }
            Router::Pair { .. } => Role::PairRouter,
            Router::Zero => unreachable!("predictions are of either kind"),
        };
        routers.push(Contender {
            series: Series::Router(input.router.clone()),
            role,
            router,
        });
    }
    // After all routers, not each after its own: in a legend the two kinds stay apart.
    routers.append(&mut rules);
    // References come last: readers compare what they could deploy, and then hold it against the
    // bounds.
    if let Some(expectations) = &inputs.expectations {
        routers.push(Contender {
            series: Series::Bayes,
            role: Role::Bayes,
            router: Router::PerModel {
                predicted: Predicted::of(expectations)?,
                pair: inputs.pair(),
            },
        });
    }
    routers.push(Contender {
        series: Series::Zero,
        role: Role::Zero,
        router: Router::Zero,
    });
    Ok(routers)
}
