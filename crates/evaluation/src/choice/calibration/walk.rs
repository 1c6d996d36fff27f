use super::setting::Setting;
use crate::{
    candidates::Answer,
    curve::events::{Change, Events},
};

/// A router's settings that make a difference, in order: from the most accurate by its predictions to the cheapest.
pub(super) struct Walk<'a> {
    firsts: Vec<(usize, Answer)>,
    steps: Vec<&'a [Change]>,
    first_at: f64,
    is_threshold: bool,
}

/// Where to start, and in which direction to go.
pub(super) struct Order {
    pub(super) start: usize,
    pub(super) toward: Toward,
    /// Row and answer of each prompt at the start.
    pub(super) answers: Vec<(usize, Answer)>,
}

/// To which end of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    Accurate,
    Cheap,
}

impl<'a> Walk<'a> {
    pub(super) fn new(events: &'a Events) -> Self {
        Self {
            firsts: events.starts().collect(),
            steps: events.steps().collect(),
            first_at: events.first_at(),
            is_threshold: events.is_threshold(),
        }
    }

    /// The whole walk from one end to the other.
    pub(super) fn order(&self, toward: Toward) -> Order {
        let start = match toward {
            Toward::Cheap => 0,
            Toward::Accurate => self.steps.len(),
        };
        Order {
            start,
            toward,
            answers: self.answers_at(start),
        }
    }

    /// Row and answer of each prompt at a setting.
    pub(super) fn answers_at(&self, position: usize) -> Vec<(usize, Answer)> {
        let mut answers = self.firsts.clone();
        let n_rows = answers.last().map_or(0, |&(row, _)| row + 1);
        let mut place = vec![usize::MAX; n_rows];
        for (i, &(row, _)) in answers.iter().enumerate() {
            place[row] = i;
        }
        for change in self.steps[..position].iter().copied().flatten() {
            answers[place[change.prompt_idx]].1 = change.to;
        }
        answers
    }

    /// The setting after this one, and by which changes it differs: row, old answer, new answer.
    pub(super) fn next(
        &self,
        position: usize,
        toward: Toward,
    ) -> Option<(usize, impl Iterator<Item = (usize, &'a Answer, &'a Answer)>)> {
        let (next, changes) = match toward {
            Toward::Cheap => (position + 1, self.steps.get(position)?),
            Toward::Accurate => {
                let next = position.checked_sub(1)?;
                (next, &self.steps[next])
            }
        };
        let moves = changes.iter().map(move |change| match toward {
            Toward::Cheap => (change.prompt_idx, &change.from, &change.to),
            Toward::Accurate => (change.prompt_idx, &change.to, &change.from),
        });
        Some((next, moves))
    }

    pub(super) fn setting(&self, position: usize) -> Setting {
        let at = match position {
            0 => self.first_at,
            _ => self.steps[position - 1][0].at,
        };
        let next = self.steps.get(position).map(|step| step[0].at);
        Setting::between(at, next, self.is_threshold)
    }
}
