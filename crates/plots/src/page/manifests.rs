//! How a data set and its predictions were made, according to their manifests.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use dataset::{CostKind, DatasetDir, DatasetInfo, RunManifest, Source, SplitOrigin};
use maud::{Markup, html};
use serde_json::Value;

use super::embed;
use crate::data::series::{Series, routers::rank};

/// The first digits are enough to distinguish hashes; the manifest itself has all of them.
const HASH_DIGITS: usize = 12;

/// Terms with what a manifest says of each.
type Facts = Vec<(&'static str, Markup)>;

/// The manifest of a data set, and one for each router that has predictions, all of them collapsed. `left_out` gives, by router, the reason
/// why its predictions cannot be used.
///
/// # Errors
/// When the folder cannot be listed, or dataset.json not be read.
pub(crate) fn section(
    dir: &DatasetDir,
    info: &DatasetInfo,
    left_out: &BTreeMap<String, String>,
) -> anyhow::Result<Markup> {
    let mut routers = dir.routers()?;
    routers.sort_by(|a, b| rank(a).cmp(&rank(b)));
    let facts = dataset_facts(info);
    Ok(html! {
        h3 { "What was run" }
        (opened("The data set", &info.made_by, &facts, ["dataset.json", "in full"], &read(&dir.info())?))
        @for router in &routers {
            (run(dir, router, left_out.get(router)).unwrap_or_else(|error| broken(router, &error)))
        }
    })
}

/// A notice in place of a manifest that cannot be read.
fn broken(router: &str, error: &anyhow::Error) -> Markup {
    let name = Series::Router(router.to_owned()).name();
    html! { p.stale { (embed::name(&name)) ": " (format!("{error:#}")) } }
}

/// The manifest of a router's run.
fn run(dir: &DatasetDir, router: &str, left_out: Option<&String>) -> anyhow::Result<Markup> {
    let path = dir.manifest(router);
    let name = Series::Router(router.to_owned()).name();
    let left_out = left_out.map_or_else(String::new, |why| format!("left out: {why}; "));
    // Predictions may come from any program that writes the Parquet file; a manifest is not required of
    // it.
    if !path.is_file() {
        return Ok(html! {
            p.facts { (embed::name(&name)) ": " (left_out) "predictions without a manifest" }
        });
    }
    let manifest = RunManifest::read(&path)?;
    let short = left_out + &run_summary(&manifest);
    let file = format!("preds/{router}.json");
    let text = without_timings(&read(&path)?)?;
    let file = [&*file, "without its timings"];
    Ok(opened(&name, &short, &run_facts(&manifest), file, &text))
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// A run's manifest without what another run on the same input would have otherwise: the same predictions give the same page, to the last
/// byte.
fn without_timings(manifest: &str) -> anyhow::Result<String> {
    let mut manifest: Value = serde_json::from_str(manifest)?;
    if let Some(manifest) = manifest.as_object_mut() {
        // Earlier versions had the parts of `timings` beside it.
        for key in ["timings", "stages", "peak-memory-bytes"] {
            manifest.remove(key);
        }
    }
    Ok(serde_json::to_string_pretty(&manifest)?)
}

/// A run or a data set with its facts, and the text of a file.
fn opened(
    title: &str,
    short: &str,
    facts: &Facts,
    [file, extent]: [&str; 2],
    text: &str,
) -> Markup {
    html! {
        details {
            summary { (embed::name(title)) span.facts { (short) } }
            dl.run {
                @for (term, value) in facts { dt { (term) } dd { (value) } }
            }
            details {
                summary { (embed::name(file)) " " (extent) }
                pre tabindex="0" { (text.trim_end()) }
            }
        }
    }
}

fn dataset_facts(info: &DatasetInfo) -> Facts {
    let split = match &info.split {
        SplitOrigin::Random { test_size, seed } => {
            format!("random: test share {test_size}, seed {seed}")
        }
        SplitOrigin::Grouped {
            test_size,
            seed,
            column,
        } => format!("random by {column}: test share {test_size}, seed {seed}"),
        SplitOrigin::Given => "as in the source".to_owned(),
    };
    let cost = match info.cost_kind {
        CostKind::OutputTokens => {
            "actual input tokens and predicted output tokens, times their prices"
        }
        CostKind::Usd => "predicted in US dollars",
        CostKind::Known => "known in advance from the input tokens",
    };
    let prompts = html! { (info.n_train) " for training, " (info.n_test) " for testing" };
    let mut facts = vec![
        ("Made by", html! { (info.made_by) }),
        ("Prompts", prompts),
        ("Split", html! { (split) }),
        ("Cost of a call", html! { (cost) }),
    ];
    if let Some(pair) = &info.pair {
        let names = html! { (embed::name(&pair.small)) " and " (embed::name(&pair.large)) };
        facts.push(("Small and large LLM", names));
    }
    let options = info.options.iter();
    facts.extend(list(
        "Options",
        options.map(|(option, value)| html! { (option) " = " (value) }),
    ));
    facts.extend(list("Made from", info.sources.iter().map(source)));
    facts.extend(list(
        "Notes",
        info.notes.iter().map(|note| html! { (note) }),
    ));
    facts
}

/// What distinguishes one run from another: seed, embedder.
fn run_summary(manifest: &RunManifest) -> String {
    let mut parts = vec![manifest.made_by.clone()];
    parts.extend(manifest.embedder.as_ref().map(|name| format!("on {name}")));
    parts.extend(manifest.seed.map(|seed| format!("seed {seed}")));
    parts.join(", ")
}

fn run_facts(manifest: &RunManifest) -> Facts {
    let mut facts = vec![("Made by", html! { (manifest.made_by) })];
    let embedder = manifest.embedder.as_ref();
    facts.extend(embedder.map(|name| ("Embedder", embed::name(name))));
    facts.extend(manifest.seed.map(|seed| ("Seed", html! { (seed) })));
    let environment = manifest.environment.iter();
    facts.extend(list(
        "Ran on",
        environment.map(|(name, value)| html! { (name) ": " (value) }),
    ));
    if !manifest.config.is_null() {
        let config = html! { code { (manifest.config.to_string()) } };
        facts.push(("Parameters", config));
    }
    facts.extend(list("Made from", manifest.inputs.iter().map(source)));
    facts
}

fn source(source: &Source) -> Markup {
    let hash: String = source.sha256.chars().take(HASH_DIGITS).collect();
    html! {
        bdi { (source.path.display()) } ", " (bytes(source.n_bytes)) ", SHA-256 " code { (hash) }
    }
}

/// A fact of several items; none where there is no item.
fn list(
    term: &'static str,
    items: impl ExactSizeIterator<Item = Markup>,
) -> Option<(&'static str, Markup)> {
    (items.len() > 0).then(|| (term, html! { ul { @for item in items { li { (item) } } } }))
}

/// A size with its unit, which no line break separates from it.
fn bytes(n_bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if n_bytes < 1000 {
        return format!("{n_bytes}\u{a0}bytes");
    }
    let (mut value, mut unit) = (n_bytes as f64, "");
    for larger in UNITS {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    format!("{value:.1}\u{a0}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_shown_without_their_timings() {
        let one = r#"{"router": "mf", "timings": {"stages": []}}"#;
        let earlier = r#"{"router": "mf", "stages": [], "peak-memory-bytes": 7}"#;
        for manifest in [one, earlier] {
            let shown = without_timings(manifest).expect("JSON");
            assert_eq!(shown, "{\n  \"router\": \"mf\"\n}");
        }
    }

    #[test]
    fn sizes_are_readable() {
        for (n_bytes, expected) in [
            (0, "0\u{a0}bytes"),
            (999, "999\u{a0}bytes"),
            (1500, "1.5\u{a0}kB"),
            (83_000_000, "83.0\u{a0}MB"),
        ] {
            assert_eq!(bytes(n_bytes), expected);
        }
    }
}
