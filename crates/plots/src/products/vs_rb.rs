//! Per-LLM routers against the RouterBench rule with their scores, and against the zero router. The oracle is in neither figure, as in the
//! paper: the curves lie close together, and the room is theirs.

use super::{comparisons, evaluated::Evaluated, reference};
use crate::{
    data::{comparison::Comparison, contenders::Role, inputs},
    output::outcome::Outcome,
    settings::product::Product,
};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    draw(Product::VsRb, "RouterBench rule", of, outcome)
}

pub(super) fn make_with_zero_router(
    of: &Evaluated<'_>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let against = "RouterBench rule and zero router";
    draw(Product::VsRbZero, against, of, outcome)
}

fn draw(
    product: Product,
    against: &str,
    of: &Evaluated<'_>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let results = of.results;
    let dataset = &results.dataset;
    let stem = of.job.settings.stem(product, dataset);
    let has = |role: Role| results.methods.iter().any(|method| method.role == role);
    // Say what is missing: mean costs of the train part, or any router whose scores the rule could take.
    if !has(Role::RouterBenchRule) {
        let what = format!("{dataset}/{stem}");
        if has(Role::PerModelRouter) {
            outcome.skip(
                what,
                "the RouterBench rule needs mean costs from train.parquet, which is missing or has no costs",
                "regenerate the data set with the gen-* program that made it",
            );
        } else {
            outcome.skip(
                what,
                "no router predicts the score of each LLM",
                format!("create predictions with `{}`", inputs::command(dataset)),
            );
        }
        return Ok(());
    }
    let is_shown = |role: Role| match role {
        Role::PerModelRouter | Role::RouterBenchRule => true,
        Role::Zero => product == Product::VsRbZero,
        Role::PairRouter | Role::Bayes => false,
    };
    let title = format!("{dataset}: CARROT vs {against}");
    let comparison = Comparison {
        named_first: of.job.settings.named_first(dataset),
        ..results.comparison(title, |method| is_shown(method.role))
    };
    comparisons::draw(of.job, &stem, &[comparison], outcome)?;
    reference::draw(product, of, outcome)
}
