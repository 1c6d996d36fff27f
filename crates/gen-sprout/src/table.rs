use std::{collections::HashSet, path::Path};

use datagen::{RawModel, RawTable, SourcePart};
use dataset::KeptColumns;

use crate::{rows::Rows, shard::Shard};

/// All rows of all files, with notes on what had to be done to them. `place` is where the files are, for messages.
pub(crate) fn read(
    place: &Path,
    shards: Vec<(SourcePart, Shard)>,
    models: &[String],
) -> anyhow::Result<(RawTable, Vec<String>)> {
    let mut parts = Vec::new();
    let mut rows = Rows::new(models.len());
    for (part, shard) in shards {
        shard.read(models, &mut rows)?;
        parts.resize(rows.keys.len(), part);
    }

    let mut notes = Vec::new();
    let ids = ids(rows.keys, &parts, &mut notes);
    let models = models.iter().zip(rows.models).map(|(name, mut rows)| {
        // A router cannot weigh a score without a cost, and `datagen` would refuse the row: the score is dropped, not the prompt.
        let n_dropped = rows.drop_scores_without_cost();
        if n_dropped > 0 {
            notes.push(format!(
                "{n_dropped} scores of `{name}` were left out: the tokens of the call, and so its cost, are unknown"
            ));
        }
        RawModel {
            name: name.clone(),
            scores: rows.scores,
            input_tokens: Some(rows.input_tokens),
            output_tokens: Some(rows.output_tokens),
            cost_usd: None,
            propensities: None,
        }
    });
    let models = models.collect();
    let table = RawTable {
        path: place.to_owned(),
        row_numbers: (1..=ids.len()).collect(),
        models,
        ids,
        tasks: rows.datasets,
        prompts: rows.prompts,
        parts: Some(parts),
        kept: KeptColumns::default(),
    };
    Ok((table, notes))
}

/// The keys if they are unique, else with the part before them, else with the row's number in the part instead.
fn ids(mut keys: Vec<String>, parts: &[SourcePart], notes: &mut Vec<String>) -> Vec<String> {
    if are_unique(&keys) {
        return keys;
    }
    // Ids must be unique, because they join the prompts with embeddings and predictions. The key is kept as far as possible,
    // because other tools know the prompts by it.
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
        // All rows of a part come one after another, so a new part starts a new count.
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
    use crate::rows::ModelRows;
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
        let mut columns = ModelRows {
            scores: vec![1.0, 0.5, 0.2, nan],
            input_tokens: vec![1.0, nan, 3.0, nan],
            output_tokens: vec![1.0, 2.0, nan, nan],
        };
        assert_eq!(columns.drop_scores_without_cost(), 2);
        let known: Vec<bool> = columns.scores.iter().map(|score| !score.is_nan()).collect();
        assert_eq!(known, [true, false, false, false]);
    }
}
