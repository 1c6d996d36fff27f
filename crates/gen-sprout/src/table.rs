use std::{collections::HashSet, path::Path};

use datagen::{RawModel, RawTable, SourcePart};

use crate::shard::Shard;

/// All rows of all files, with notes on what had to be done to them. `place` is where the files are, for messages.
pub(crate) fn read(
    place: &Path,
    shards: Vec<(SourcePart, Shard)>,
    models: &[String],
) -> anyhow::Result<(RawTable, Vec<String>)> {
    let mut parts = Vec::new();
    let (mut keys, mut tasks, mut prompts) = (Vec::new(), Vec::new(), Vec::new());
    let mut columns: Vec<Columns> = models.iter().map(|_| Columns::default()).collect();
    for (part, shard) in shards {
        let rows = shard.read(models)?;
        parts.resize(parts.len() + rows.keys.len(), part);
        keys.extend(rows.keys);
        tasks.extend(rows.datasets);
        prompts.extend(rows.prompts);
        for (columns, rows) in columns.iter_mut().zip(rows.models) {
            columns.scores.extend(rows.scores);
            columns.input_tokens.extend(rows.input_tokens);
            columns.output_tokens.extend(rows.output_tokens);
        }
    }

    let mut notes = Vec::new();
    let ids = ids(keys, &parts, &mut notes);
    for (model, columns) in models.iter().zip(&mut columns) {
        // A router cannot weigh a score without a cost, and `datagen` would refuse the row: the score is dropped, not the prompt.
        let n_dropped = columns.drop_scores_without_cost();
        if n_dropped > 0 {
            notes.push(format!(
                "{n_dropped} scores of `{model}` were left out: the tokens of the call, and so its cost, are unknown"
            ));
        }
    }
    let models = models.iter().zip(columns).map(|(name, columns)| RawModel {
        name: name.clone(),
        scores: columns.scores,
        input_tokens: Some(columns.input_tokens),
        output_tokens: Some(columns.output_tokens),
        cost_usd: None,
    });
    let table = RawTable {
        path: place.to_owned(),
        row_numbers: (1..=ids.len()).collect(),
        models: models.collect(),
        ids,
        tasks,
        prompts,
        parts: Some(parts),
    };
    Ok((table, notes))
}

/// One LLM in all rows.
#[derive(Default)]
struct Columns {
    scores: Vec<f64>,
    input_tokens: Vec<f64>,
    output_tokens: Vec<f64>,
}

impl Columns {
    /// Forgets scores that no cost can be set against; returns how many.
    fn drop_scores_without_cost(&mut self) -> usize {
        let mut n_dropped = 0;
        let tokens = self.input_tokens.iter().zip(&self.output_tokens);
        for (score, (n_in, n_out)) in self.scores.iter_mut().zip(tokens) {
            if !score.is_nan() && (n_in.is_nan() || n_out.is_nan()) {
                *score = f64::NAN;
                n_dropped += 1;
            }
        }
        n_dropped
    }
}

/// The keys if they are unique, else with the part before them, else with the row's number in the part instead.
fn ids(mut keys: Vec<String>, parts: &[SourcePart], notes: &mut Vec<String>) -> Vec<String> {
    if are_unique(&keys) {
        return keys;
    }
    for (key, part) in keys.iter_mut().zip(parts) {
        *key = format!("{}/{key}", part.name());
    }
    if are_unique(&keys) {
        notes.push("`key` is unique within each part only: an id is `part/key`".to_owned());
        return keys;
    }
    let mut part_before = None;
    let mut row = 0;
    for (key, &part) in keys.iter_mut().zip(parts) {
        if part_before.replace(part) != Some(part) {
            row = 0;
        }
        row += 1;
        *key = format!("{}/{row}", part.name());
    }
    notes.push(
        "`key` is not unique: an id is `part/row`, the row counted from 1 in the part".to_owned(),
    );
    keys
}

fn are_unique(ids: &[String]) -> bool {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.iter().all(|id| seen.insert(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use SourcePart::{Test, Train, Validation};

    #[test]
    fn ids_are_unique_whatever_the_keys_are() {
        let parts = [Train, Train, Validation, Test];
        for (keys, expected, n_notes) in [
            (["a", "b", "c", "d"], ["a", "b", "c", "d"], 0),
            (
                ["a", "b", "a", "a"],
                ["train/a", "train/b", "validation/a", "test/a"],
                1,
            ),
            (
                ["a", "a", "b", "c"],
                ["train/1", "train/2", "validation/1", "test/1"],
                1,
            ),
        ] {
            let mut notes = Vec::new();
            let keys: Vec<String> = keys.map(str::to_owned).into();
            assert_eq!(ids(keys, &parts, &mut notes), expected);
            assert_eq!(notes.len(), n_notes);
        }
    }

    #[test]
    fn a_score_without_tokens_is_left_out() {
        let nan = f64::NAN;
        let mut columns = Columns {
            scores: vec![1.0, 0.5, 0.2, nan],
            input_tokens: vec![1.0, nan, 3.0, nan],
            output_tokens: vec![1.0, 2.0, nan, nan],
        };
        assert_eq!(columns.drop_scores_without_cost(), 2);
        let known: Vec<bool> = columns.scores.iter().map(|score| !score.is_nan()).collect();
        assert_eq!(known, [true, false, false, false]);
    }
}
