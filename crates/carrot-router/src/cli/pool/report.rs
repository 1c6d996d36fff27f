use std::path::Path;

use saved_routers::{AddedModel, EditedPool};
use serde::Serialize;

/// What was changed, as text or JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct PoolReport<'a> {
    folder: &'a Path,
    models: Vec<&'a str>,
    added: &'a [AddedModel],
}

impl<'a> PoolReport<'a> {
    pub(super) fn of(edited: &'a EditedPool, folder: &'a Path) -> Self {
        let models = edited.record().models.iter();
        Self {
            folder,
            models: models.map(|model| model.name.as_str()).collect(),
            added: edited.added(),
        }
    }

    pub(super) fn table(&self) -> String {
        let shown = |value: Option<f64>| {
            value.map_or_else(|| "unknown".to_owned(), |it| format!("{it:.4}"))
        };
        let mut text = String::new();
        for added in self.added {
            text += &format!(
                "added `{}`: scored on {} train prompts, {:.1} of a prompt's {} neighbors; held-out R2 {}, mean absolute error {}\n",
                added.name,
                added.n_scored,
                added.n_known_neighbors,
                added.n_neighbors,
                shown(added.r2),
                shown(added.mae)
            );
        }
        let folder = self.folder.display();
        text += &format!(
            "{} LLMs: {}\n{folder}\nnext: cargo run -p carrot-router -- route \"Why?\" --model {folder} --mu 0.3\n",
            self.models.len(),
            self.models.join(", "),
        );
        text
    }
}
