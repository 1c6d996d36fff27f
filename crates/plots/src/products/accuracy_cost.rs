//! All routers and LLMs of a data set.

use super::{comparisons, evaluated::Evaluated};
use crate::{
    data::{comparison::Comparison, contenders::Role},
    output::outcome::Outcome,
    settings::product::Product,
};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    // Not the RouterBench rule: with a rule for each router the figure would have twice as many curves, most of them close to another one.
    // `vs_rb` is theirs.
    let is_shown = |role: Role| match role {
        Role::PerModelRouter | Role::PairRouter | Role::Bayes => true,
        Role::RouterBenchRule => false,
        Role::Zero => of.job.settings.mixture,
    };
    let results = of.results;
    let comparison = Comparison {
        oracle: results.oracle,
        ..results.comparison(results.dataset.clone(), |method| is_shown(method.role))
    };
    let stem = of
        .job
        .settings
        .stem(Product::AccuracyCost, &results.dataset);
    comparisons::draw(of.job, &stem, &[comparison], outcome)
}
