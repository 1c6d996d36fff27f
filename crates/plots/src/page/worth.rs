//! The page's opening: whether routing is worth it, as `carrot-router worth` has found it for each data set.

use dataset::{DatasetDir, WorthEstimate, WorthEvidence, WorthRecord, WorthTrade, WorthVerdict};
use maud::{Markup, html};
use tracing::warn;

use super::{
    embed,
    tables::{self, Column},
};

/// Draws a record's chart as SVG.
pub(crate) type DrawWorth<'a> = dyn Fn(&WorthRecord) -> anyhow::Result<String> + 'a;

/// Gains are shown in points of accuracy.
const POINTS: f64 = 100.0;

/// All verdicts; nothing where there is no data set.
pub(crate) fn all(verdicts: &[Markup]) -> Markup {
    html! {
        @if !verdicts.is_empty() {
            section.verdicts aria-labelledby="worth" {
                h2 id="worth" { "Is routing worth it?" }
                @for verdict in verdicts { (verdict) }
                p.note {
                    "A router's gain is the utility of its choices less that of the best single LLM for everything, where an answer's utility is \
                     its score less its cost over the dollars that a right answer is worth to you. Averaged over a grid of such worths it \
                     decides; 1 point is one right answer in a hundred."
                }
            }
        }
    }
}

/// A data set's verdict; else why it is not shown, and the command that finds it. What cannot be read must not cost the page of the rest.
pub(crate) fn card(dir: &DatasetDir, id: &str, draw: &DrawWorth<'_>) -> Markup {
    let name = html! { a href={ "#" (id) } { (embed::name(dir.name())) } };
    let path = dir.worth();
    if !path.is_file() {
        return html! {
            p.unmeasured { (name) ": not measured yet. " (command(dir)) " tells." }
        };
    }
    let record = WorthRecord::read(&path).and_then(|record| Ok((record.is_of(dir)?, record)));
    let file = html! { code { (dir.name()) "/worth.json" } };
    match record {
        Ok((true, record)) => match shown(&record, &name, draw) {
            Ok(card) => card,
            Err(error) => refused(&path, &file, dir, &format!("{error:#}")),
        },
        Ok((false, _)) => html! {
            p.stale {
                "Not shown: " (file) " is out of date: the train or the test part has changed since. Measure again with " (command(dir)) "."
            }
        },
        Err(error) => refused(&path, &file, dir, &error.to_string()),
    }
}

fn refused(path: &std::path::Path, file: &Markup, dir: &DatasetDir, why: &str) -> Markup {
    warn!("the report does not show `{}`: {why}", path.display());
    html! {
        p.stale { "Not shown: " (file) ": " (why) ". Measure again with " (command(dir)) "." }
    }
}

fn command(dir: &DatasetDir) -> Markup {
    html! { code { "cargo run -p carrot-router -- worth --dataset " (dir.name()) } }
}

fn shown(record: &WorthRecord, name: &Markup, draw: &DrawWorth<'_>) -> anyhow::Result<Markup> {
    let svg = draw(record)?;
    let (class, word) = match record.verdict {
        WorthVerdict::WorthIt => ("yes", "Worth it"),
        WorthVerdict::NotWorthIt => ("no", "Not worth it"),
        WorthVerdict::CannotTell => ("open", "Cannot tell"),
    };
    let alternative = format!(
        "Gain of {} over the best single LLM against dollars per right answer, data set {}; the numbers are in the table below",
        record.router, record.dataset
    );
    Ok(html! {
        article class={ "worth " (class) } {
            h3 { (name) " " span.badge { (word) } }
            div.worth-body {
                div {
                    p.sentence { (record.sentence) }
                    (facts(record))
                }
                img width="413" height="298" alt=(alternative) src=(embed::svg_uri(&svg));
            }
            details {
                summary { "By dollars per right answer" @if record.tasks.len() > 1 { ", and by task" } }
                (by_worth(record))
                @if record.tasks.len() > 1 { (by_task(record)) }
            }
            @if record.verdict != WorthVerdict::WorthIt && (record.equal_quality.is_some() || record.equal_cost.is_some()) {
                details {
                    summary { "Savings, not established" }
                    p.note { "Routing is not known to be worth it, and a router that knows nothing can save a little and lose a little." }
                    dl.run { (trades(record)) }
                }
            }
            @if !record.notes.is_empty() {
                details {
                    summary { "What the numbers are about" }
                    @for note in &record.notes { p.note { (note) } }
                }
            }
        }
    })
}

/// The numbers that decide.
fn facts(record: &WorthRecord) -> Markup {
    let level = format!("{:.0}%", 100.0 * record.settings.level);
    let counts = &record.counts;
    html! {
        dl.run {
            dt { "Mean gain, points" } dd { (points(&record.gain)) }
            @if record.verdict == WorthVerdict::WorthIt {
                (trades(record))
            }
            dt { "Best single LLM" }
            @match record.evidence.as_ref().is_some_and(WorthEvidence::is_blind) {
                true => dd { "unknown" },
                false => dd { (embed::name(&record.best_single)) },
            }
            dt { "Router" } dd { (embed::name(&record.router)) }
            dt { "Judged on" } dd {
                (counts.n_judged) " of " (counts.n_prompts) " prompts, " (counts.n_models) " LLMs"
            }
            @if let Some(evidence) = &record.evidence {
                dt { "Known scores" } dd { (format!("{:.1}%", 100.0 * counts.known_scores)) }
                dt { "Averaged" } dd { (evidence.method()) }
                dt { "Effective prompts" } dd {
                    (format!("{:.0}", evidence.effective_prompts)) "; " (format!("{:.1}%", 100.0 * evidence.low_propensity_share))
                    " of choices with a propensity below .01"
                }
            }
            @if let Some(null) = &record.null {
                dt { "Against permuted prompts" } dd {
                    "p = " (format!("{:.3}", null.over_all.p)) ", within tasks " (format!("{:.3}", null.within_tasks.p))
                }
            }
        }
        p.note { "In brackets: intervals of " (level) " confidence." }
    }
}

/// What is saved and what is gained, each beside what was to stay. Says something only where routing is worth it.
fn trades(record: &WorthRecord) -> Markup {
    let reference = |trade: &WorthTrade| match &trade.reference {
        Some(model) => embed::name(model),
        None => html! { "the best single LLM of each fold" },
    };
    html! {
        dt { "Saved at about equal score" }
        @match &record.equal_quality {
            Some(trade) if trade.reference_usd_per_1k == 0.0 => dd {
                "nothing: " (reference(trade)) " costs nothing"
            },
            Some(trade) => dd {
                (share(&trade.saving)) " of the cost of " (reference(trade)) ": $"
                (known(trade.usd_per_1k, &dollars)) " per 1,000 prompts instead of $"
                (known(trade.reference_usd_per_1k, &dollars)) ", with " (points(&trade.score_gain)) " points"
            },
            None => dd { "costs unknown" },
        }
        @if let Some(trade) = &record.equal_cost {
            dt { "Gained at about equal cost, points" }
            dd {
                (points(&trade.score_gain))
                @if trade.reference_usd_per_1k > 0.0 {
                    ", with " (share(&trade.saving)) " of the cost saved"
                }
            }
        }
    }
}

fn by_worth(record: &WorthRecord) -> Markup {
    let columns = [
        ("Dollars per right answer", true),
        ("Gain, points", true),
        ("Gain, $ per 1,000 prompts", true),
        ("Sent elsewhere", true),
        ("Best single LLM", false),
    ];
    let rows = record.curve.iter().map(|point| {
        let band = WorthEstimate {
            low: point.band_low,
            high: point.band_high,
            ..point.gain
        };
        let worth = match point.worth_usd.is_finite() {
            true => dollars(point.worth_usd),
            false => "any".to_owned(),
        };
        vec![
            html! { (worth) },
            html! { (points(&band)) },
            html! { (bracketed(&point.usd_per_1k, &dollars)) },
            html! { (known(point.moved_share, &|share| format!("{:.1}%", 100.0 * share))) },
            embed::name(&point.best_single),
        ]
    });
    let rows: Vec<_> = rows.collect();
    html! {
        (tables::table(&columns.map(column), &rows, "Gain by dollars per right answer"))
        p.note { "Brackets of gains in points are the band, which holds the whole curve." }
    }
}

fn by_task(record: &WorthRecord) -> Markup {
    let columns = [
        ("Task", false),
        ("Prompts", true),
        ("Mean gain, points", true),
    ];
    let rows = record.tasks.iter().map(|task| {
        vec![
            html! { (task.task) },
            html! { (task.n_prompts) },
            html! { (points(&task.gain)) },
        ]
    });
    let rows: Vec<_> = rows.collect();
    tables::table(&columns.map(column), &rows, "Mean gain by task")
}

fn column((name, is_number): (&str, bool)) -> Column {
    Column {
        name: name.to_owned(),
        is_number,
    }
}

/// In points of accuracy, with signs.
fn points(of: &WorthEstimate) -> String {
    bracketed(of, &|value| format!("{:+.2}", POINTS * value))
}

/// A share in percent.
fn share(of: &WorthEstimate) -> String {
    bracketed(of, &|value| format!("{:.0}%", 100.0 * value))
}

/// Dollars to three digits.
fn dollars(value: f64) -> String {
    let digits = if value == 0.0 {
        0
    } else {
        value.abs().log10().floor() as i32
    };
    format!("{value:.*}", usize::try_from(2 - digits).unwrap_or(0))
}

fn bracketed(of: &WorthEstimate, shown: &dyn Fn(f64) -> String) -> String {
    let [estimate, low, high] = [of.estimate, of.low, of.high].map(|value| known(value, shown));
    if of.low.is_nan() && of.high.is_nan() {
        return estimate;
    }
    format!("{estimate} [{low}, {high}]")
}

fn known(value: f64, shown: &dyn Fn(f64) -> String) -> String {
    match value.is_nan() {
        true => "unknown".to_owned(),
        false => shown(value),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use dataset::{Part, PartHashes};
    use test_support::worth_record;

    use super::*;

    fn draw(_: &WorthRecord) -> anyhow::Result<String> {
        Ok("<svg/>".to_owned())
    }

    #[test]
    fn a_card_is_of_the_parts_as_they_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = DatasetDir::new(folder.path(), "mine");
        fs::create_dir_all(dir.root()).expect("made");
        for part in Part::ALL {
            fs::write(dir.split(part), part.name()).expect("written");
        }
        let card = |draw: &DrawWorth<'_>| card(&dir, "dataset-1", draw).into_string();
        let command = "<code>cargo run -p carrot-router -- worth --dataset mine</code>";
        let missing = card(&draw);
        assert!(
            missing.contains("not measured yet") && missing.contains(command),
            "{missing}"
        );

        let mut record = worth_record("mine", PartHashes::of(&dir).expect("hashed"));
        record.sentence = "<b>Route.</b>".to_owned();
        record.equal_cost = None;
        record.tasks.truncate(1);
        record.write(&dir.worth()).expect("written");
        let shown = card(&draw);
        for expected in [
            "<article class=\"worth yes\">",
            "<span class=\"badge\">Worth it</span>",
            "&lt;b&gt;Route.&lt;/b&gt;",
            "<dd>+2.00 [+1.00, +3.00]</dd>",
            "<dd>31% [30%, 32%] of the cost of <bdi>owner/dear</bdi>: $1.38 per 1,000 prompts instead of $2.00, \
             with +0.10 [-0.90, +1.10] points</dd>",
            "<bdi>owner/dear</bdi>",
            "src=\"data:image/svg+xml,%3Csvg/%3E\"",
            "<bdi>0.00200</bdi>",
        ] {
            assert!(shown.contains(expected), "no {expected} in {shown}");
        }
        assert!(!shown.contains("by task"), "one task is all prompts");
        assert!(
            !shown.contains("Gained at about equal cost") && !shown.contains("not established")
        );
        // Where routing is not known to be worth it a saving is no headline.
        let mut open = record.clone();
        open.verdict = WorthVerdict::CannotTell;
        open.equal_cost = open.equal_quality.clone();
        if let Some(trade) = &mut open.equal_quality {
            trade.reference = None;
        }
        open.write(&dir.worth()).expect("written");
        let shown = card(&draw);
        let place = |part: &str| {
            shown
                .find(part)
                .unwrap_or_else(|| panic!("no {part} in {shown}"))
        };
        assert!(place("<details>") < place("Savings, not established"));
        assert!(place("Savings, not established") < place("Saved at about equal score"));
        assert!(shown.contains("of the cost of the best single LLM of each fold: $1.38"));
        assert!(
            shown.contains("<dd>+0.10 [-0.90, +1.10], with 31% [30%, 32%] of the cost saved</dd>")
        );
        record.write(&dir.worth()).expect("written");
        let failed = card(&|_: &WorthRecord| anyhow::bail!("no ink"));
        assert!(
            failed.contains("no ink") && failed.contains(command),
            "{failed}"
        );

        fs::write(dir.split(Part::Train), "other rows").expect("written");
        let stale = card(&draw);
        assert!(
            stale.contains("is out of date") && !stale.contains("Worth it"),
            "{stale}"
        );
        fs::write(dir.worth(), "{}").expect("written");
        let broken = card(&draw);
        assert!(
            broken.contains("Not shown") && broken.contains(command),
            "{broken}"
        );
    }

    #[test]
    fn numbers_are_readable_and_the_unknown_is_said() {
        let of = |estimate, low, high| WorthEstimate {
            estimate,
            standard_error: f64::NAN,
            low,
            high,
        };
        assert_eq!(points(&of(-0.0107, -0.02, 0.001)), "-1.07 [-2.00, +0.10]");
        assert_eq!(points(&of(0.5, f64::NAN, f64::NAN)), "+50.00");
        assert_eq!(share(&WorthEstimate::UNKNOWN), "unknown");
        for (value, expected) in [
            (0.002, "0.00200"),
            (12.345, "12.3"),
            (4567.8, "4568"),
            (0.0, "0.00"),
        ] {
            assert_eq!(dollars(value), expected);
        }
    }
}
