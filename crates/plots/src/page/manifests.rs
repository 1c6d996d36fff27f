//! How a data set and its predictions were made, as their manifests say.

use std::{fs, path::Path};

use anyhow::Context as _;
use dataset::{CostKind, DatasetDir, DatasetInfo, RunManifest, Source, SplitOrigin};

use super::html;
use crate::data::series::{Series, routers::rank};

/// A hash is known by its first digits; the manifest itself has all.
const HASH_DIGITS: usize = 12;

/// The manifest of a data set, and one of each router that has predictions; each can be opened. `left_out` names routers whose predictions
/// do not belong to the test split as it is now.
///
/// # Errors
/// When a manifest is there but cannot be read.
pub(crate) fn section(
    dir: &DatasetDir,
    info: &DatasetInfo,
    left_out: &[String],
) -> anyhow::Result<String> {
    let mut page = String::from("<h3>What was run</h3>\n");
    page += &opened(
        "The data set",
        &info.made_by,
        &dataset_facts(info),
        &dir.info(),
        "dataset.json",
    )?;
    let mut routers = dir.routers()?;
    routers.sort_by(|a, b| rank(a).cmp(&rank(b)));
    for router in routers {
        let path = dir.manifest(&router);
        let name = Series::Router(router.clone()).name();
        if path.is_file() {
            let manifest = RunManifest::read(&path)?;
            let mut short = run_summary(&manifest);
            if left_out.contains(&router) {
                short.insert_str(0, "left out: made from another version of the test split; ");
            }
            let file = format!("preds/{router}.json");
            page += &opened(&name, &short, &run_facts(&manifest), &path, &file)?;
        } else {
            page += &format!(
                "<p class=\"facts\">{}: predictions without a manifest, so made by another program.</p>\n",
                html::name(&name)
            );
        }
    }
    Ok(page)
}

type Facts = Vec<(&'static str, String)>;

fn opened(
    title: &str,
    short: &str,
    facts: &Facts,
    path: &Path,
    file: &str,
) -> anyhow::Result<String> {
    let manifest =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut page = format!(
        "<details><summary>{}<span class=\"facts\">{}</span></summary>\n<dl class=\"run\">",
        html::name(title),
        html::text(short)
    );
    for (term, value) in facts {
        page += &format!("<dt>{term}</dt><dd>{value}</dd>\n");
    }
    page += &format!(
        "</dl>\n<details><summary>{} in full</summary><pre tabindex=\"0\">{}</pre></details>\n</details>\n",
        html::name(file),
        html::text(manifest.trim_end())
    );
    Ok(page)
}

fn dataset_facts(info: &DatasetInfo) -> Facts {
    let split = match info.split {
        SplitOrigin::Random { test_size, seed } => {
            format!("at random: test share {test_size}, seed {seed}")
        }
        SplitOrigin::Given => "as the source has it".to_owned(),
    };
    let cost = match info.cost_kind {
        CostKind::OutputTokens => "true input tokens and predicted output tokens, at their prices",
        CostKind::Usd => "predicted in US dollars",
        CostKind::Known => "known beforehand, from the input tokens",
    };
    let mut facts = vec![
        ("Made by", html::text(&info.made_by)),
        (
            "Prompts",
            format!("{} to train on, {} to test on", info.n_train, info.n_test),
        ),
        ("Split", split),
        ("Cost of a call", cost.to_owned()),
    ];
    if let Some(pair) = &info.pair {
        let names = [&pair.small, &pair.large].map(|name| html::name(name));
        facts.push(("Small and large LLM", names.join(" and ")));
    }
    let options: Vec<String> = (info.options.iter())
        .map(|(option, value)| format!("{} = {}", html::text(option), html::text(value)))
        .collect();
    push_list(&mut facts, "Options", options);
    push_list(&mut facts, "Made from", sources(&info.sources));
    push_list(
        &mut facts,
        "Notes",
        info.notes.iter().map(|note| html::text(note)).collect(),
    );
    facts
}

/// What tells one run from another: seed, embedder, time.
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
    let mut facts = vec![("Made by", html::text(&manifest.made_by))];
    let embedder = manifest.embedder.as_ref();
    facts.extend(embedder.map(|name| ("Embedder", html::name(name))));
    facts.extend(manifest.seed.map(|seed| ("Seed", seed.to_string())));
    let stages: Vec<String> = (manifest.stages.iter())
        .map(|stage| format!("{}: {}", html::text(&stage.name), duration(stage.seconds)))
        .collect();
    push_list(&mut facts, "Time", stages);
    let memory = manifest.peak_memory_bytes;
    facts.extend(memory.map(|bytes| ("Peak memory", html_bytes(bytes))));
    let environment: Vec<String> = (manifest.environment.iter())
        .map(|(name, value)| format!("{}: {}", html::text(name), html::text(value)))
        .collect();
    push_list(&mut facts, "Ran on", environment);
    if !manifest.config.is_null() {
        let config = html::text(&manifest.config.to_string());
        facts.push(("Parameters", format!("<code>{config}</code>")));
    }
    push_list(&mut facts, "Made from", sources(&manifest.inputs));
    facts
}

fn sources(sources: &[Source]) -> Vec<String> {
    (sources.iter())
        .map(|source| {
            let hash: String = source.sha256.chars().take(HASH_DIGITS).collect();
            format!(
                "<bdi>{}</bdi>, {}, SHA-256 <code>{}</code>",
                html::text(&source.path.display().to_string()),
                html_bytes(source.n_bytes),
                html::text(&hash)
            )
        })
        .collect()
}

fn push_list(facts: &mut Facts, term: &'static str, items: Vec<String>) {
    if !items.is_empty() {
        facts.push((
            term,
            format!("<ul><li>{}</li></ul>", items.join("</li><li>")),
        ));
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s >= 5400.0 => format!("{:.1} h", s / 3600.0),
        s if s >= 100.0 => format!("{:.1} min", s / 60.0),
        s => format!("{s:.2} s"),
    }
}

fn html_bytes(n_bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (n_bytes as f64, "bytes");
    for larger in UNITS {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    if unit == "bytes" {
        format!("{n_bytes}&nbsp;bytes")
    } else {
        format!("{value:.1}&nbsp;{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_readable() {
        for (n_bytes, expected) in [
            (0, "0&nbsp;bytes"),
            (999, "999&nbsp;bytes"),
            (1500, "1.5&nbsp;kB"),
            (83_000_000, "83.0&nbsp;MB"),
        ] {
            assert_eq!(html_bytes(n_bytes), expected);
        }
        for (seconds, expected) in [(0.5, "0.50 s"), (126.0, "2.1 min"), (7200.0, "2.0 h")] {
            assert_eq!(duration(seconds), expected);
        }
    }
}
