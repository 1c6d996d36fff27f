//! The numbers of the figure, for programs and for readers.

use evaluation::Interval;

use super::numbers::{ByLambda, Regrets};
use crate::{
    data::series::Series,
    output::tables::{Document, Header, Kind, Prose, Rows, csv_of},
    products::percent::percent,
};

const CSV_COLUMNS: [&str; 7] = [
    "name",
    "n_train",
    "lambda",
    "regret",
    "low",
    "high",
    "n_prompts",
];

/// All numbers. Without a lambda a regret is the integral over all of them; without a number of train prompts the router was not fitted.
pub(super) fn csv(regrets: &Regrets) -> String {
    let named = &regrets.settings.lambdas;
    let mut records = vec![CSV_COLUMNS.map(str::to_owned).to_vec()];
    let mut add = |series: &Series,
                   n_train: Option<usize>,
                   lambda: Option<f64>,
                   found: &Interval,
                   n_prompts: usize| {
        records.push(vec![
            series.key(),
            n_train.map_or_else(String::new, |n_train| n_train.to_string()),
            lambda.map_or_else(String::new, |lambda| lambda.to_string()),
            found.estimate.to_string(),
            found.low.to_string(),
            found.high.to_string(),
            n_prompts.to_string(),
        ]);
    };
    for of in &regrets.by_size {
        for (n_train, found) in &of.sizes {
            let (n_train, n_prompts) = (Some(*n_train), found.n_prompts);
            add(&of.series, n_train, None, &found.integrated, n_prompts);
            for (&lambda, at) in named.iter().zip(&found.at) {
                add(&of.series, n_train, Some(lambda), at, n_prompts);
            }
        }
    }
    for of in &regrets.by_lambda {
        let n_train = regrets.n_train(&of.series);
        if n_train.is_none() {
            add(&of.series, None, None, &of.integrated, of.n_prompts);
        }
        for (&lambda, at) in regrets.grid.iter().zip(&of.at) {
            // The named lambdas of a router that was fitted are among its sizes, above.
            if n_train.is_none() || !named.contains(&lambda) {
                add(&of.series, n_train, Some(lambda), at, of.n_prompts);
            }
        }
    }
    csv_of(records)
}

/// A row for each router and number of train prompts.
pub(super) fn document(regrets: &Regrets) -> Document {
    let number = |name: String| Header {
        name,
        kind: Kind::Number,
    };
    let mut header = vec![
        Header {
            name: "Router".to_owned(),
            kind: Kind::Text,
        },
        number("Train prompts".to_owned()),
        number("Regret".to_owned()),
        number(format!("{} interval", percent(regrets.level))),
    ];
    let lambdas = regrets.settings.lambdas.iter();
    header.extend(lambdas.map(|lambda| number(format!("at lambda {lambda}"))));

    let row = |series: &Series, n_train: String, integrated: &Interval, at: &[Interval]| {
        let Interval { low, high, .. } = integrated;
        let shown = |value: f64| format!("{value:.4}");
        let mut row = vec![
            series.name(),
            n_train,
            shown(integrated.estimate),
            format!("{} to {}", shown(*low), shown(*high)),
        ];
        row.extend(at.iter().map(|found| shown(found.estimate)));
        row
    };
    let mut cells = Vec::new();
    for of in &regrets.by_size {
        for (n_train, found) in &of.sizes {
            let n_train = n_train.to_string();
            cells.push(row(&of.series, n_train, &found.integrated, &found.at));
        }
    }
    let is_not_fitted = |of: &&ByLambda| regrets.n_train(&of.series).is_none();
    for of in regrets.by_lambda.iter().filter(is_not_fitted) {
        cells.push(row(&of.series, String::new(), &of.integrated, &of.named));
    }
    let note = Prose::default()
        .text("Regret is the mean over test prompts of the utility ")
        .code(format!(
            "(1 - lambda) * score - lambda * {} * cost_usd",
            regrets.settings.cost_multiplier
        ))
        .text(
            " that is expected of the Bayes router's choice, less that of the router's; integrated over lambda from 0 to 1, exactly, and at \
             single lambdas. A router of two LLMs has the best threshold for each lambda in hindsight, the zero router the best LLM. Intervals \
             are percentiles over resampled test prompts.",
        );
    Document::new().rows(Rows { header, cells }).paragraph(note)
}
