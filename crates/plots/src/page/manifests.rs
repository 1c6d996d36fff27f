//! How a data set and its predictions were made, according to their manifests.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use dataset::{CostKind, DatasetDir, DatasetInfo, RunManifest, Source, SplitOrigin};
use maud::{Markup, html};

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
        (opened("The data set", &info.made_by, &facts, &dir.info(), "dataset.json")?)
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
    opened(&name, &short, &run_facts(&manifest), &path, &file)
}

fn opened(
    title: &str,
    short: &str,
    facts: &Facts,
    path: &Path,
    file: &str,
) -> anyhow::Result<Markup> {
    let manifest =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(html! {
        details {
            summary { (embed::name(title)) span.facts { (short) } }
            dl.run {
                @for (term, value) in facts { dt { (term) } dd { (value) } }
            }
            details {
                summary { (embed::name(file)) " in full" }
                pre tabindex="0" { (manifest.trim_end()) }
            }
        }
    })
}

fn dataset_facts(info: &DatasetInfo) -> Facts {
    let split = match info.split {
        SplitOrigin::Random { test_size, seed } => {
            format!("random: test share {test_size}, seed {seed}")
        }
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

/// What distinguishes one run from another: seed, embedder, time.
fn run_summary(manifest: &RunManifest) -> String {
    let mut parts = vec![manifest.made_by.clone()];
    parts.extend(manifest.embedder.as_ref().map(|name| format!("on {name}")));
    parts.extend(manifest.seed.map(|seed| format!("seed {seed}")));
    let seconds: f64 = manifest.stages.iter().map(|stage| stage.seconds).sum();
    if !manifest.stages.is_empty() {
        parts.push(duration(seconds));
    }
    parts.join(", ")
}

fn run_facts(manifest: &RunManifest) -> Facts {
    let mut facts = vec![("Made by", html! { (manifest.made_by) })];
    let embedder = manifest.embedder.as_ref();
    facts.extend(embedder.map(|name| ("Embedder", embed::name(name))));
    facts.extend(manifest.seed.map(|seed| ("Seed", html! { (seed) })));
    let stages = manifest.stages.iter();
    facts.extend(list(
        "Time",
        stages.map(|stage| html! { (stage.name) ": " (duration(stage.seconds)) }),
    ));
    let memory = manifest.peak_memory_bytes;
    facts.extend(memory.map(|n| ("Peak memory", html! { (bytes(n)) })));
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

fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 5400.0 => format!("{:.1} h", s / 3600.0),
        s if s >= 100.0 => format!("{:.1} min", s / 60.0),
        s => format!("{s:.2} s"),
    }
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
    fn sizes_and_times_are_readable() {
        for (n_bytes, expected) in [
            (0, "0\u{a0}bytes"),
            (999, "999\u{a0}bytes"),
            (1500, "1.5\u{a0}kB"),
            (83_000_000, "83.0\u{a0}MB"),
        ] {
            assert_eq!(bytes(n_bytes), expected);
        }
        for (seconds, expected) in [(0.5, "0.50 s"), (126.0, "2.1 min"), (7200.0, "2.0 h")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
