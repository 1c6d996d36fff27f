use std::path::{Component, Path, PathBuf};

use dataset::{ModelInfo, sha256_file};

use crate::{Error, Result, counter::Counter};

/// The file that holds a whole tokenizer.
const TOKENIZER: &str = "tokenizer.json";

/// The LLMs' own tokenizers, as far as they are available.
#[derive(Debug, Default)]
pub(crate) struct OwnTokenizers {
    folder: PathBuf,
    /// For each LLM the position of its counter; empty where no folder was given.
    of_model: Vec<Option<usize>>,
    /// One per distinct file.
    counters: Vec<Counter>,
}

impl OwnTokenizers {
    /// Looks for `<LLM>/tokenizer.json` in a folder; a `/` in an LLM's name is a folder in a folder, as on the hub.
    ///
    /// # Errors
    /// [`Error::NoTokenizers`] when there is none for any LLM, [`Error::Tokenizer`] for one that cannot be read.
    pub(crate) fn load(folder: &Path, models: &[ModelInfo]) -> Result<Self> {
        let (mut of_model, mut counters) = (Vec::new(), Vec::new());
        let mut hashes: Vec<String> = Vec::new();
        for model in models {
            let name = Path::new(&model.name);
            // A name such as `../other` must not lead out of the folder.
            let is_inside = name
                .components()
                .all(|part| matches!(part, Component::Normal(_)));
            let path = folder.join(name).join(TOKENIZER);
            if !is_inside || !path.is_file() {
                of_model.push(None);
                continue;
            }
            // LLMs of one family share a tokenizer, and loading one takes a second or so: each file is loaded once.
            let hash = sha256_file(&path)?;
            let known = hashes.iter().position(|known| *known == hash);
            if known.is_none() {
                counters.push(Counter::load(&path)?);
                hashes.push(hash);
            }
            of_model.push(known.or(Some(counters.len() - 1)));
        }
        // A folder without any is most likely the wrong one, which silently counting with the stand-in would hide.
        if counters.is_empty() {
            return Err(Error::NoTokenizers {
                folder: folder.to_owned(),
                model: models
                    .first()
                    .map_or_else(String::new, |it| it.name.clone()),
                n_models: models.len(),
            });
        }
        Ok(Self {
            folder: folder.to_owned(),
            of_model,
            counters,
        })
    }

    /// Where they are, if any were asked for.
    pub(crate) fn folder(&self) -> Option<&Path> {
        (!self.counters.is_empty()).then_some(&*self.folder)
    }

    /// For each LLM the tokens of a prompt by its own tokenizer; none for an LLM without one.
    pub(crate) fn count(
        &self,
        prompt: &str,
        n_models: usize,
    ) -> tokenizers::Result<Vec<Option<usize>>> {
        let counters = self.counters.iter();
        let counts: Vec<usize> = counters
            .map(|counter| counter.count(prompt))
            .collect::<tokenizers::Result<_>>()?;
        let of_model = |model_idx: usize| {
            let own = self.of_model.get(model_idx).copied().flatten();
            own.map(|own| counts[own])
        };
        Ok((0..n_models).map(of_model).collect())
    }

    /// What counts, in words; `stand_in` names the tokenizer that is used for LLMs without their own.
    pub(crate) fn describe(&self, models: &[ModelInfo], stand_in: &str) -> String {
        let with_own = models.iter().zip(&self.of_model);
        let with_own: Vec<String> = with_own
            .filter_map(|(model, own)| own.map(|_| format!("`{}`", model.name)))
            .collect();
        let n_others = models.len() - with_own.len();
        if with_own.is_empty() {
            return format!("{stand_in}, standing in for each LLM's own");
        }
        let folder = self.folder.display();
        if n_others == 0 {
            return format!("each LLM's own tokenizer under `{folder}`");
        }
        let own = with_own.join(", ");
        format!(
            "the tokenizers of {own} under `{folder}`, and for each of the other {n_others} by {stand_in}, standing in for its own"
        )
    }
}
