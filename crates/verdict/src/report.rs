//! Verdicts as Markdown, as JSON, and for a terminal.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;

use crate::{
    Result,
    claims::{Expect, Unit},
    judge::{Status, Verdict},
};

/// All verdicts, and how many there are of each kind.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Report {
    counts: Counts,
    verdicts: Vec<Verdict>,
}

/// How many claims ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Our number is what was expected.
    pub passed: usize,
    /// It is not.
    pub failed: usize,
    /// There is no number of ours.
    pub not_run: usize,
    /// There is one, and nothing to hold it against.
    pub reported: usize,
}

impl Report {
    /// Counts verdicts, which are in the order of their claims.
    pub fn new(verdicts: Vec<Verdict>) -> Self {
        let n_of = |status| {
            verdicts
                .iter()
                .filter(|verdict| verdict.status == status)
                .count()
        };
        Self {
            counts: Counts {
                passed: n_of(Status::Passed),
                failed: n_of(Status::Failed),
                not_run: n_of(Status::NotRun),
                reported: n_of(Status::Reported),
            },
            verdicts,
        }
    }

    /// How many claims ended how.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The ids of the claims that failed.
    pub fn failed(&self) -> Vec<&str> {
        let failed = self
            .verdicts
            .iter()
            .filter(|verdict| verdict.status == Status::Failed);
        failed.map(|verdict| verdict.claim.id.as_str()).collect()
    }

    /// The report as indented JSON.
    ///
    /// # Errors
    /// [`crate::Error::Json`], which no report gives as far as the serializer is concerned.
    pub fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// A table for each data set: what was computed, then what was not run by its reason.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Verdict\n\n{}\n", self.line());
        for verdicts in self.by_dataset() {
            _ = write!(text, "\n## {}\n", verdicts[0].claim.dataset);
            let computed = verdicts.iter().filter(|verdict| verdict.ours.is_some());
            let computed: Vec<&Verdict> = computed.collect();
            if !computed.is_empty() {
                text += "\n| | claim | expected | ours | 95% interval | source |\n| --- | --- | ---: | ---: | ---: | --- |\n";
            }
            for verdict in computed {
                _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} | {} |",
                    verdict.status.name(),
                    cell(&verdict.claim.id),
                    verdict.expected(),
                    verdict.ours(),
                    verdict.interval(),
                    cell(&verdict.claim.source)
                );
            }
            // Grouped by reason: a data set that was not made leaves dozens of claims with one and the same.
            for (reason, verdicts) in not_run(verdicts) {
                _ = write!(text, "\nNot run, since {reason}:\n\n");
                for verdict in verdicts {
                    let expected = verdict.expected();
                    let expected = if expected.is_empty() {
                        expected
                    } else {
                        format!(" ({expected})")
                    };
                    _ = writeln!(
                        text,
                        "- {}{expected}; {}",
                        verdict.claim.id, verdict.claim.source
                    );
                }
            }
        }
        text
    }

    /// A line for each claim that was computed, and one for each reason why others were not.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for verdicts in self.by_dataset() {
            for verdict in verdicts.iter().filter(|verdict| verdict.ours.is_some()) {
                let expected = match verdict.expected() {
                    expected if expected.is_empty() => String::new(),
                    expected => format!(", expected {expected}"),
                };
                _ = writeln!(
                    text,
                    "{:<9} {}: {}{expected}",
                    verdict.status.name(),
                    verdict.claim.id,
                    verdict.ours()
                );
            }
            for (reason, not_run) in not_run(verdicts) {
                let (name, n) = (&verdicts[0].claim.dataset, not_run.len());
                _ = writeln!(
                    text,
                    "{:<9} {n} of `{name}`, since {reason}",
                    Status::NotRun.name()
                );
            }
        }
        text + &self.line()
    }

    fn line(&self) -> String {
        let Counts {
            passed,
            failed,
            not_run,
            reported,
        } = self.counts;
        format!("{passed} passed, {failed} failed, {not_run} not run, {reported} reported only")
    }

    fn by_dataset(&self) -> impl Iterator<Item = &[Verdict]> {
        self.verdicts
            .chunk_by(|a, b| a.claim.dataset == b.claim.dataset)
    }
}

/// Verdicts without a number, by reason.
fn not_run(verdicts: &[Verdict]) -> BTreeMap<&str, Vec<&Verdict>> {
    let mut by_reason = BTreeMap::<_, Vec<_>>::new();
    for verdict in verdicts {
        if let Some(reason) = &verdict.reason {
            by_reason.entry(reason.as_str()).or_default().push(verdict);
        }
    }
    by_reason
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotRun => "not run",
            Self::Reported => "reported",
        }
    }
}

impl Verdict {
    fn expected(&self) -> String {
        let number = |value| self.number(value);
        match self.claim.expect {
            None => String::new(),
            Some(Expect::Equal {
                value,
                tolerance: 0.0,
            }) => number(value),
            Some(Expect::Equal { value, tolerance }) => {
                format!("{} \u{b1} {tolerance}", number(value))
            }
            Some(Expect::AtLeast { value }) => format!("at least {value}"),
            Some(Expect::AtMost { value }) => format!("at most {value}"),
        }
    }

    fn ours(&self) -> String {
        self.ours
            .map_or_else(String::new, |value| self.number(value))
    }

    fn interval(&self) -> String {
        self.interval.map_or_else(String::new, |[low, _, high]| {
            format!("{} to {}", self.number(low), self.number(high))
        })
    }

    fn number(&self, value: f64) -> String {
        match self.claim.metric.unit() {
            Unit::Count => value.to_string(),
            Unit::Score => format!("{value:.5}"),
            Unit::UsdPerQuery => format!("${value:.6}"),
            Unit::Cost if value.abs() < 1.0 => format!("{value:.6}"),
            Unit::Cost => format!("{value:.4}"),
        }
    }
}
