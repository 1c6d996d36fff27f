//! All routers and LLMs of a data set.

use super::{evaluated::Evaluated, scenes};
use crate::{
    data::contenders::Role, output::outcome::Outcome, scene::Scene, settings::product::Product,
};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let is_shown = |role: Role| match role {
        Role::PerModelRouter | Role::PairRouter | Role::Bayes => true,
        Role::RouterBenchRule => false,
        Role::Zero => of.job.settings.mixture,
    };
    let results = of.results;
    let scene = Scene {
        oracle: results.oracle,
        ..results.scene(results.dataset.clone(), |method| is_shown(method.role))
    };
    let stem = of
        .job
        .settings
        .stem(Product::AccuracyCost, &results.dataset);
    scenes::draw(of.job, &stem, &[scene], outcome)
}
