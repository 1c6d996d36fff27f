//! CARROT against routers that choose between two LLMs: the paper's five, and single LLMs.

use tracing::info;

use super::{Evaluated, Product};
use crate::{
    alignment::{self, RowOrder},
    contenders::Role,
    inputs::{Found, Inputs},
    outcome::Outcome,
    reference,
    results::{Method, Results},
    scene::Scene,
    theme::Series,
};

/// What makes data sets of the matrix whose rows come in two orders; as dataset.json has it.
const MATRIX_PROGRAM: &str = "gen-openllm";

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
    let order = RowOrder::of(of.inputs.info());
    let mut scenes = vec![scene(of, of.results, order)];
    if order != Some(RowOrder::AsPublished) && of.inputs.info().made_by.starts_with(MATRIX_PROGRAM)
    {
        match as_published(of)? {
            Ok(results) => {
                let title = |order: RowOrder| format!("{dataset}: {}", order.words());
                let other = scene(of, &results, Some(RowOrder::AsPublished));
                scenes[0].title = title(RowOrder::ByDocument);
                scenes.push(Scene {
                    title: title(RowOrder::AsPublished),
                    ..other
                });
            }
            Err(cure) => {
                info!("`{dataset}/{stem}` is without the rows as published beside it; {cure}");
            }
        }
    }
    outcome.draw(of.job, &stem, &scenes)?;
    reference::draw(Product::Binary, of, outcome)
}

/// The figure of a data set; LLMs are named as for the one that is drawn.
fn scene(of: &Evaluated<'_>, results: &Results, order: Option<RowOrder>) -> Scene {
    let dataset = &results.dataset;
    let order = order.map_or(String::new(), |order| format!(", {}", order.words()));
    let title = format!("{dataset}: CARROT vs binary routers{order}");
    Scene {
        named_first: of.job.settings.named_first(&of.results.dataset),
        ..results.scene(title, is_shown)
    }
}

/// The same data set with its rows in the published order; if there is none that can be drawn, what makes it.
fn as_published(of: &Evaluated<'_>) -> anyhow::Result<Result<Results, String>> {
    let Some(dir) = alignment::twin(&of.job.data_dir, of.inputs.info())? else {
        let how = "of the published matrix `cargo run -p gen-openllm -- --source-pickle PICKLE --questions TABLE` makes the one, and with \
                   --as-published the other";
        return Ok(Err(how.to_owned()));
    };
    match Inputs::read(&dir)? {
        Found::Inputs(inputs) => Ok(Ok(Results::new(&inputs)?)),
        Found::Nothing { why, cure } => Ok(Err(format!("of `{}`: {why}; {cure}", dir.name()))),
    }
}

/// Whether the paper shows a curve in its figures of binary routers.
pub(crate) fn is_of_paper(series: &Series) -> bool {
    matches!(series, Series::Router(router) if ROUTERS.contains(&router.as_str()))
}

fn is_shown(method: &Method) -> bool {
    is_of_paper(&method.series)
}
