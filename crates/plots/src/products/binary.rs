//! CARROT against routers that choose between two LLMs: the paper's five, and single LLMs.

use tracing::info;

use super::{Evaluated, Product};
use crate::{
    contenders::Role, outcome::Outcome, reference, results::Method, scene::Scene, theme::Series,
};

/// The paper's routers, by their names on disk.
const ROUTERS: [&str; 5] = [
    "carrot-knn",
    "carrot-roberta",
    "mf",
    "rorf",
    "roberta-binary",
];

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let results = of.results;
    let dataset = &results.dataset;
    let stem = of.job.settings.stem(Product::Binary, dataset);
    let command = |routers: &str| {
        format!("cargo run -p train-and-infer -- --dataset {dataset} --routers {routers}")
    };
    let shown: Vec<&Method> = results.methods.iter().filter(|m| is_shown(m)).collect();
    if !shown.iter().any(|method| method.role == Role::PairRouter) {
        outcome.skip(
            format!("{dataset}/{stem}"),
            "no router that chooses between two LLMs was run",
            format!("`{}` runs two", command("mf rorf")),
        );
        return Ok(());
    }
    let missing: Vec<&str> = ROUTERS
        .into_iter()
        .filter(|router| shown.iter().all(|method| method.series.key() != *router))
        .collect();
    if !missing.is_empty() {
        info!(
            "`{dataset}/{stem}` is without {}; `{}` makes what is missing",
            missing.join(", "),
            command(&missing.join(" "))
        );
    }
    let scene = scene(of);
    outcome.draw(of.job, &stem, &[scene])?;
    reference::draw(Product::Binary, of, outcome)
}

fn scene(of: &Evaluated<'_>) -> Scene {
    let dataset = &of.results.dataset;
    let title = format!("{dataset}: CARROT vs binary routers");
    Scene {
        named_first: of.job.settings.named_first(dataset),
        ..of.results.scene(title, is_shown)
    }
}

/// Whether the paper shows a curve in its figures of binary routers.
pub(crate) fn is_of_paper(series: &Series) -> bool {
    matches!(series, Series::Router(router) if ROUTERS.contains(&router.as_str()))
}

fn is_shown(method: &Method) -> bool {
    is_of_paper(&method.series)
}
