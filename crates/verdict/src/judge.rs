//! Claims against measurements.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    Error, Job, Result,
    claims::{Claim, Expect},
    measure::{Measured, measure},
    obstacle::Obstacle,
    subject::Subject,
};

/// What a double loses on the way from a decimal of a file, relative to the number: a difference of exactly the tolerance passes.
const ROUNDING: f64 = 1e-9;

/// How a claim ended, and by which number.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Verdict {
    /// What was claimed.
    pub claim: Claim,
    /// Whether it holds.
    pub status: Status,
    /// Our number, where there is one.
    pub ours: Option<f64>,
    /// What it counts.
    pub unit: Option<&'static str>,
    /// Lower end, estimate and upper end, where our number is one of them.
    pub interval: Option<[f64; 3]>,
    /// Why there is no number.
    pub reason: Option<String>,
}

/// How a claim ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Our number is what was expected.
    Passed,
    /// It is not.
    Failed,
    /// There is no number of ours.
    NotRun,
    /// There is one, and nothing to hold it against.
    Reported,
}

/// Judges all claims of a job, in their order.
///
/// # Errors
/// When a file that exists cannot be read or evaluated.
pub fn judge(job: &Job) -> Result<Vec<Verdict>> {
    let mut subjects: BTreeMap<&str, Result<Subject, String>> = BTreeMap::new();
    let mut verdicts = Vec::new();
    // Claims are in the order of their data sets, so one data set at a time is in memory.
    for claim in &job.claims {
        let name = claim.dataset.as_str();
        if !subjects.contains_key(name) {
            // The sets before are done with.
            subjects.clear();
            let reason = job.reasons.get(name).map(String::as_str);
            subjects.insert(name, Subject::read(&job.data_dir, name, reason)?);
        }
        let subject = subjects.get(name).expect("just read");
        let found = match subject {
            Ok(subject) => measure(subject, claim, &job.settings),
            Err(reason) => Err(Obstacle::NotRun(reason.clone())),
        };
        verdicts.push(Verdict::new(claim, found)?);
    }
    Ok(verdicts)
}

impl Verdict {
    fn new(claim: &Claim, found: Result<Measured, Obstacle>) -> Result<Self> {
        let claim = claim.clone();
        match found {
            // A number that is not defined is none.
            Ok(measured) if measured.value.is_nan() => Ok(Self::not_run(
                claim,
                "our number is not defined on these data".to_owned(),
            )),
            Ok(measured) => Ok(Self {
                status: match &claim.expect {
                    None => Status::Reported,
                    Some(expect) if expect.holds(measured.value) => Status::Passed,
                    Some(_) => Status::Failed,
                },
                claim,
                ours: Some(measured.value),
                unit: Some(measured.unit),
                interval: measured.interval,
                reason: None,
            }),
            Err(Obstacle::NotRun(reason)) => Ok(Self::not_run(claim, reason)),
            // A file that is broken must not look like a claim that was merely not run, so it ends the program.
            Err(Obstacle::Failed(error)) => Err(Error::Measure {
                id: claim.id,
                source: Box::new(error),
            }),
        }
    }

    fn not_run(claim: Claim, reason: String) -> Self {
        Self {
            claim,
            status: Status::NotRun,
            ours: None,
            unit: None,
            interval: None,
            reason: Some(reason),
        }
    }
}

impl Expect {
    /// Whether a number is what is expected; NaN never is.
    pub(crate) fn holds(self, ours: f64) -> bool {
        // Not of our number: an infinite one would be within any distance.
        let slack = |value: f64| ROUNDING * value.abs();
        match self {
            // The tolerance is decimal as it was typed, and the numbers are binary: without slack a difference of exactly the tolerance
            // would fail by rounding.
            Self::Equal { value, tolerance } => (ours - value).abs() <= tolerance + slack(value),
            Self::AtLeast { value } => ours >= value - slack(value),
            Self::AtMost { value } => ours <= value + slack(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expectations_hold_up_to_their_edge() {
        let equal = |value, tolerance| Expect::Equal { value, tolerance };
        for (expect, ours, expected) in [
            (equal(0.7851, 0.0001), 0.7851, true),
            // .7851 + .0001 is not a double; the edge belongs to the claim.
            (equal(0.7851, 0.0001), 0.7852, true),
            (equal(0.7851, 0.0001), 0.7850, true),
            (equal(0.7851, 0.0001), 0.785_201, false),
            (equal(0.7851, 0.0001), 0.784_999, false),
            (equal(7143.0, 0.0), 7143.0, true),
            (equal(7143.0, 0.0), 7144.0, false),
            (equal(0.0, 0.0), 1e-300, false),
            (equal(0.7851, 0.0001), f64::NAN, false),
            (equal(0.7851, 0.0001), f64::INFINITY, false),
            (Expect::AtLeast { value: 1.0 }, 1.0, true),
            (Expect::AtLeast { value: 1.0 }, 0.9999, false),
            (Expect::AtLeast { value: 1.0 }, f64::NAN, false),
            (Expect::AtMost { value: 0.0 }, 0.0, true),
            (Expect::AtMost { value: 0.0 }, -3.0, true),
            (Expect::AtMost { value: 0.0 }, 1e-6, false),
            (Expect::AtMost { value: 0.0 }, f64::NAN, false),
        ] {
            assert_eq!(expect.holds(ours), expected, "{expect:?} of {ours}");
        }
    }
}
