use dataset::Pair;

/// The pair for binary routers, if the source has both of its LLMs.
///
/// # Errors
/// Otherwise a note for the data set that says what is missing, and how to name another pair.
pub fn pair_among(pair: &Pair, models: &[String]) -> Result<Pair, String> {
    if models.contains(&pair.small) && models.contains(&pair.large) {
        return Ok(pair.clone());
    }
    Err(format!(
        "there is no pair for binary routers: the source lacks `{}` or `{}`; --config names another pair",
        pair.small, pair.large
    ))
}
