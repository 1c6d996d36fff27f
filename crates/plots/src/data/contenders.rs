//! Who is compared on a data set: routers, the RouterBench rule, the true expectations and the zero router, in the order of legends and
//! tables. Figures, tables and intervals all go through this one list.

use evaluation::{
    Curve, CurvePoint, Pair, Predicted, Router, Truth, exact_curve, pair_curve, zero_router,
};

use super::{
    inputs::{Inputs, RouterPredictions},
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
        let (role, router) = match &input.predicted {
            RouterPredictions::PerModel(per_model) => {
                let predicted = Predicted::of(per_model)?;
                if let Some(means) = &inputs.train_mean_costs {
                    rules.push(Contender {
                        series: Series::Rule(input.router.clone()),
                        role: Role::RouterBenchRule,
                        router: Router::PerModel {
                            predicted: predicted.with_mean_costs(means)?,
                            pair: inputs.pair,
                        },
                    });
                }
                let pair = inputs.pair;
                (Role::PerModelRouter, Router::PerModel { predicted, pair })
            }
            RouterPredictions::Pair {
                pair,
                small_win_probability,
            } => (
                Role::PairRouter,
                Router::Pair {
                    pair: *pair,
                    small_win_probability,
                },
            ),
        };
        routers.push(Contender {
            series: Series::Router(input.router.clone()),
            role,
            router,
        });
    }
    routers.append(&mut rules);
    if let Some(expectations) = &inputs.expectations {
        routers.push(Contender {
            series: Series::Bayes,
            role: Role::Bayes,
            router: Router::PerModel {
                predicted: Predicted::of(expectations)?,
                pair: inputs.pair,
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

impl Contender<'_> {
    /// The exact curve; without points for the zero router of LLMs of which nothing is known.
    ///
    /// # Errors
    /// When predictions leave nothing to choose.
    pub(crate) fn curve(&self, truth: &Truth<'_>) -> evaluation::Result<Curve> {
        match self.router {
            Router::PerModel { predicted, .. } => exact_curve(truth, predicted),
            Router::Pair {
                pair: Pair { small, large },
                small_win_probability,
            } => pair_curve(truth, small, large, small_win_probability),
            // A hull of points has no lambda.
            Router::Zero => Ok(Curve {
                points: zero_router(truth)
                    .into_iter()
                    .map(|point| CurvePoint {
                        lambda: f64::NAN,
                        cost_usd: point.cost_usd,
                        accuracy: point.accuracy,
                    })
                    .collect(),
                n_prompts: truth.n_scored_prompts(),
            }),
        }
    }
}
