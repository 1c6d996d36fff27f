//! CARROT against routers that choose between two LLMs: the paper's five, and single LLMs.

use dataset::router_names::{MF, RORF};
use tracing::info;

use super::{comparisons, evaluated::Evaluated, reference};
use crate::{
    data::{
        comparison::Comparison,
        contenders::Role,
        inputs::{Found, Inputs},
        results::{Method, Results},
        row_order::{self, RowOrder},
        series::{is_in_binary_figures, routers::IN_BINARY_FIGURES},
    },
    output::outcome::Outcome,
    settings::product::Product,
};

/// What makes data sets of the matrix whose rows come in two orders; as dataset.json has it.
const MATRIX_PROGRAM: &str = "gen-openllm";

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    let results = of.results;
    let dataset = &results.dataset;
    let stem = of.job.settings.stem(Product::Binary, dataset);
    let command = |routers: &str| {
        format!("cargo run -p train-and-infer -- --dataset {dataset} --routers {routers}")
    };
    let shown: Vec<&Method> = results.methods.iter().filter(|m| is_shown(m)).collect();
    // Without such a router the figure would be `accuracy_cost` once more, under a title that promises a comparison.
    if !shown.iter().any(|method| method.role == Role::PairRouter) {
        outcome.skip(
            format!("{dataset}/{stem}"),
            "no router that chooses between two LLMs has been run",
            format!("`{}` runs two", command(&format!("{MF} {RORF}"))),
        );
        return Ok(());
    }
    let missing: Vec<&str> = IN_BINARY_FIGURES
        .into_iter()
        .filter(|router| shown.iter().all(|method| method.series.key() != *router))
        .collect();
    // Not a warning: few data sets have all five routers, and the figure is right without the others.
    if !missing.is_empty() {
        info!(
            "`{dataset}/{stem}` lacks {}; `{}` adds what is missing",
            missing.join(", "),
            command(&missing.join(" "))
        );
    }
    let order = RowOrder::of(of.inputs.info());
    let mut comparisons = vec![comparison(of, of.results, order)];
    // Only the published matrix comes in two orders. Side by side they show what the mixed-up order of the publication is worth, which is
    // the point of drawing both.
    if order != Some(RowOrder::AsPublished) && of.inputs.info().made_by.starts_with(MATRIX_PROGRAM)
    {
        match as_published(of)? {
            Ok(results) => {
                let title = |order: RowOrder| format!("{dataset}: {}", order.words());
                let other = comparison(of, &results, Some(RowOrder::AsPublished));
                comparisons[0].title = title(RowOrder::ByDocument);
                comparisons.push(Comparison {
                    title: title(RowOrder::AsPublished),
                    ..other
                });
            }
            Err(cure) => {
                info!("`{dataset}/{stem}` has no second frame with the rows as published; {cure}");
            }
        }
    }
    comparisons::draw(of.job, &stem, &comparisons, outcome)?;
    reference::draw(Product::Binary, of, outcome)
}

/// The figure of a data set; LLMs are named as for the one that is drawn.
fn comparison(of: &Evaluated<'_>, results: &Results, order: Option<RowOrder>) -> Comparison {
    let dataset = &results.dataset;
    let order = order.map_or(String::new(), |order| format!(", {}", order.words()));
    let title = format!("{dataset}: CARROT vs binary routers{order}");
    Comparison {
        named_first: of.job.settings.named_first(&of.results.dataset),
        ..results.comparison(title, is_shown)
    }
}

/// The same data set with its rows in the published order; if there is none that can be drawn, what makes it.
fn as_published(of: &Evaluated<'_>) -> anyhow::Result<Result<Results, String>> {
    let Some(dir) = row_order::twin(&of.job.data_dir, of.inputs.info())? else {
        let how = "`cargo run -p gen-openllm -- --source-pickle PICKLE --questions TABLE` creates the data set by document, and --as-published the \
                   other one";
        return Ok(Err(how.to_owned()));
    };
    match Inputs::read(&dir)? {
        Found::Inputs(inputs) => Ok(Ok(Results::new(&inputs)?)),
        Found::Nothing { why, cure } => Ok(Err(format!("of `{}`: {why}; {cure}", dir.name()))),
    }
}

fn is_shown(method: &Method) -> bool {
    is_in_binary_figures(&method.series)
}
