use dataset::Pair;

use crate::{Error, RawTable, Result};

/// The pair for binary routers, if the source has both of its LLMs.
///
/// # Errors
/// Otherwise a note for the data set, which says what is missing.
pub fn pair_among(pair: &Pair, models: &[String]) -> Result<Pair, String> {
    if models.contains(&pair.small) && models.contains(&pair.large) {
        return Ok(pair.clone());
    }
    Err(format!(
        "there is no pair for binary routers: the source lacks `{}` or `{}`; --config names another pair",
        pair.small, pair.large
    ))
}

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
