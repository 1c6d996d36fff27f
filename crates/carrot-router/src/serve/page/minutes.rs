use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::serve::record::DecisionLine;

/// So many minutes are shown.
const N_MINUTES: u64 = 60;

/// The last hour, minute by minute.
#[derive(Debug, Default)]
pub(super) struct Minutes(VecDeque<Minute>);

/// A minute with at least one request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Minute {
    /// Since 1970.
    minute: u64,
    requests: u64,
    failed: u64,
    /// Of routed requests, by the LLM that they went to.
    routed: BTreeMap<String, u64>,
    predicted_usd: f64,
    actual_usd: f64,
}

impl Minutes {
    /// Counts a request that ended in a minute.
    pub(super) fn add(&mut self, minute: u64, line: &DecisionLine) {
        // The clock may be set back: what ends now counts for the latest minute.
        let minute = self.0.back().map_or(minute, |last| minute.max(last.minute));
        if self.0.back().is_none_or(|last| last.minute < minute) {
            self.0.push_back(Minute {
                minute,
                requests: 0,
                failed: 0,
                routed: BTreeMap::new(),
                predicted_usd: 0.0,
                actual_usd: 0.0,
            });
        }
        while (self.0.front()).is_some_and(|first| first.minute + N_MINUTES <= minute) {
            self.0.pop_front();
        }
        let last = self.0.back_mut().expect("pushed if there was none");
        last.requests += 1;
        last.failed += u64::from(line.outcome.is_failure());
        last.actual_usd += line.cost_usd.unwrap_or(0.0);
        if let Some(routed) = line.routed() {
            // Names of the router's LLMs: their number is bounded.
            *last.routed.entry(routed.name.clone()).or_default() += 1;
            last.predicted_usd += routed.cost_usd.unwrap_or(0.0);
        }
    }

    pub(super) fn shown(&self) -> Vec<&Minute> {
        self.0.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let mut minutes = Minutes::default();
        let line = DecisionLine::begin("dec_1".to_owned(), UNIX_EPOCH, "/x", "carrot");
        for minute in [1000, 1000, 1001, 999, 1030] {
            minutes.add(minute, &line);
        }
        let counts = |minutes: &Minutes| -> Vec<(u64, u64)> {
            let shown = minutes.shown();
            shown.iter().map(|it| (it.minute, it.requests)).collect()
        };
        assert_eq!(counts(&minutes), [(1000, 2), (1001, 2), (1030, 1)]);
        minutes.add(1060, &line);
        assert_eq!(counts(&minutes), [(1001, 2), (1030, 1), (1060, 1)]);
        for minute in 2000..5000 {
            minutes.add(minute, &line);
        }
        assert_eq!(minutes.0.len(), 60);
    }
}
