use std::collections::BTreeMap;

use fitting::{BUILT_IN, Learner, LearnerParams, Settings};
use pyo3::prelude::*;

use crate::error::{raise, refuse};

/// The settings that everything is fitted with where nothing else is said: configs/routers.toml, as JSON.
#[pyfunction]
pub(crate) fn default_settings() -> PyResult<String> {
    let settings: toml::Table = toml::from_str(BUILT_IN).map_err(raise)?;
    serde_json::to_string(&settings).map_err(raise)
}

/// The learners' settings: those built in, with what `changes` says in their place. `changes` is JSON, `{section: {key: value}}`, in the form of
/// configs/routers.toml.
pub(crate) fn learners(changes: &str) -> PyResult<LearnerParams> {
    let mut settings: toml::Table = toml::from_str(BUILT_IN).map_err(raise)?;
    let changes: BTreeMap<String, toml::Table> = serde_json::from_str(changes).map_err(raise)?;
    for (name, changed) in changes {
        match settings.get_mut(&name) {
            Some(toml::Value::Table(section)) => section.extend(changed),
            _ => return Err(refuse(format!("there are no settings of `{name}`"))),
        }
    }
    let settings: Settings = settings.try_into().map_err(raise)?;
    settings.learners().map_err(raise)
}

/// A learner by the name of its router, of those that predict every LLM's score and cost.
pub(crate) fn learner(router: &str) -> PyResult<Learner> {
    Learner::of_router(router)
        .filter(|learner| !learner.needs_pair())
        .ok_or_else(|| {
            refuse(format!(
                "`{router}` is not a router of all LLMs that is fitted on embeddings"
            ))
        })
}
