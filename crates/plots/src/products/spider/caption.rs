//! What the figure says of itself: whom it compares, how lambda was chosen, what is missing.

use std::collections::BTreeMap;

use super::numbers::{Cell, LambdaBy, Missing, Spider};
use crate::{data::series::Series, products::percent::percent};
use charts::draw::shorten;

/// Most names in one list.
const MAX_NAMES: usize = 5;

/// The line above the figure.
pub(super) fn title(spider: &Spider) -> String {
    format!(
        "{}: {} vs {}",
        spider.dataset,
        Series::Router(spider.router.clone()).name(),
        large(spider)
    )
}

/// A series' name in the legend.
pub(super) fn series(spider: &Spider, share: f64) -> String {
    format!("{} of {}\u{2019}s cost", percent(share), large(spider))
}

/// The large LLM's name.
pub(super) fn large(spider: &Spider) -> String {
    shorten::short_name(&spider.large)
}

/// The benchmarks' names: the part after the last slash, unless another benchmark ends the same way.
pub(super) fn benchmark_names(spider: &Spider) -> Vec<String> {
    let mut names = all_names(spider);
    names.truncate(spider.benchmarks.len());
    names
}

/// The names of those in the figure, then of those left out of it.
fn all_names(spider: &Spider) -> Vec<String> {
    // `bbh/navigate` is `navigate` in a figure, but two tasks `law` of different benchmarks need more than that.
    let shown = spider.benchmarks.iter();
    let shown = shown.map(|benchmark| &benchmark.name);
    let names: Vec<&str> = shown.chain(&spider.left_out).map(String::as_str).collect();
    shorten::model_labels(&names)
}

/// How lambda was chosen and what that came to.
pub(super) fn method(spider: &Spider) -> String {
    let method = match spider.lambda_by {
        LambdaBy::OtherFolds => format!(
            "Lambda is chosen by benchmark, for each of {} parts of its test prompts on the other parts.",
            spider.n_folds
        ),
        LambdaBy::Test => {
            "Lambda is chosen by benchmark in hindsight, on the very test prompts shown, as in the reference: an optimistic envelope that \
             nobody can know beforehand."
                .to_owned()
        }
    };
    // Lambda was chosen on other prompts and may miss its budget on these. An accuracy `at 10%` that
    // cost 14% would mislead without what was really spent.
    let spent: Vec<String> = (0..spider.shares.len())
        .filter_map(|i| spent(spider, i))
        .collect();
    format!("{method} Spent: {}.", spent.join(", "))
}

/// What is not in the figure, one sentence each; `number` is what is shown of a benchmark.
pub(super) fn missing(
    spider: &Spider,
    number: impl Fn(&Cell) -> Result<f64, Missing>,
) -> Vec<String> {
    let names = benchmark_names(spider);
    // Grouped by reason, because a sentence for each gap would be longer than the figure is high.
    let mut gaps: BTreeMap<(Missing, usize), Vec<&str>> = BTreeMap::new();
    for (benchmark, name) in spider.benchmarks.iter().zip(&names) {
        for (share_idx, cell) in benchmark.cells.iter().enumerate() {
            if let Err(missing) = number(cell) {
                gaps.entry((missing, share_idx)).or_default().push(name);
            }
        }
    }
    let mut sentences: Vec<String> = gaps
        .into_iter()
        .map(|((missing, share_idx), names)| {
            format!(
                "No {} for {} ({}).",
                percent(spider.shares[share_idx]),
                list(&names),
                why_missing(missing, &large(spider))
            )
        })
        .collect();
    if !spider.left_out.is_empty() {
        let names = all_names(spider);
        let names = names.iter().skip(spider.benchmarks.len());
        let names: Vec<&str> = names.map(String::as_str).collect();
        sentences.push(format!(
            "Left out: {} (nothing is known of {}).",
            list(&names),
            large(spider)
        ));
    }
    if let Some(known) = &spider.known {
        sentences.push(format!("{known}."));
    }
    if let Some(n_joined) = spider.n_joined {
        sentences.push(format!("The {n_joined} smallest tasks are joined."));
    }
    sentences
}

/// Why a number is missing.
pub(super) fn why_missing(missing: Missing, large: &str) -> String {
    match missing {
        Missing::OutOfReach => "no lambda is that cheap".to_owned(),
        Missing::Unknown => "too little is predicted or known".to_owned(),
        Missing::FreeLarge => format!("{large} costs nothing there"),
        Missing::ZeroLarge => format!("{large} is never right there"),
    }
}

/// What a part of the large LLM's cost came to on test prompts: `9-11% for 10%`.
fn spent(spider: &Spider, share_idx: usize) -> Option<String> {
    let ratios: Vec<f64> = spider
        .benchmarks
        .iter()
        .map(|benchmark| &benchmark.cells[share_idx])
        .filter(|cell| cell.accuracy().is_ok())
        .filter_map(|cell| Some(cell.point.router.as_ref().ok()?.cost_ratio))
        .collect();
    let low = ratios.iter().copied().reduce(f64::min)?;
    let high = ratios.iter().copied().reduce(f64::max)?;
    let (low, high) = (rounded(low), rounded(high));
    // Rounded before they are compared: a range from 9% to 9% would look like a mistake.
    let range = if low == high {
        high
    } else {
        format!("{low}\u{2013}{high}")
    };
    Some(format!(
        "{range}% for {}",
        percent(spider.shares[share_idx])
    ))
}

/// A share in percent, with a decimal only below 10%.
fn rounded(share: f64) -> String {
    let percent = 100.0 * share;
    let n_decimals = usize::from(percent < 9.95);
    format!("{percent:.n_decimals$}")
}

fn list(names: &[&str]) -> String {
    let shown = names.len().min(MAX_NAMES);
    let mut text = names[..shown].join(", ");
    if names.len() > shown {
        text += &format!(" and {} more", names.len() - shown);
    }
    text
}
