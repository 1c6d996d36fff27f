use dataset::Pair;

use crate::{Error, RawTable, Result};

/// Refuses a pair of one LLM, or of LLMs that the table lacks.
pub(crate) fn check_pair(table: &RawTable, pair: &Pair) -> Result<()> {
    for model in [&pair.small, &pair.large] {
        if !table.models.iter().any(|known| known.name == *model) {
            return Err(Error::UnknownPairModel {
                path: table.path.clone(),
                model: model.clone(),
            });
        }
    }
    if pair.small == pair.large {
        return Err(Error::PairOfOne {
            model: pair.small.clone(),
        });
    }
    Ok(())
}
