use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use cli_support::usage_error;
use dataset::Source;
use hub::{Hub, HubError, HubRepo, ModelPlace, WantedFile, is_hub_id};
use tracing::warn;

use crate::{args::StandInFor, config::Model, preflight::Preflight};

/// The file that has all of a tokenizer.
const TOKENIZER_FILE: &str = "tokenizer.json";

/// What counts tokens where an LLM's own tokenizer is not available.
#[derive(Debug, Clone)]
pub(crate) struct StandIn {
    /// A file, a folder, or a repository.
    pub(crate) name: String,
    pub(crate) of: StandInFor,
}

/// The tokenizer of each LLM, as a file.
#[derive(Debug, Default)]
pub(crate) struct TokenizerFiles {
    /// Of each LLM the number of its file.
    pub(super) of_model: Vec<usize>,
    /// Files that differ in their bytes.
    pub(super) paths: Vec<PathBuf>,
    /// The same as a data set records them.
    pub(crate) sources: Vec<Source>,
    /// LLMs whose tokens the stand-in counts.
    pub(crate) stood_in: Vec<String>,
}

impl TokenizerFiles {
    /// Asks whether the hub would send every LLM's tokenizer; what would be missing is for [`Preflight::check`] to report.
    ///
    /// # Errors
    /// When the hub cannot be reached and nothing would stand in.
    pub(crate) fn survey(
        models: &[&Model],
        preflight: &mut Preflight,
        stand_in: Option<&StandIn>,
    ) -> anyhow::Result<()> {
        if let Some(StandIn { name, .. }) = stand_in {
            // Counted if it is on the hub; whether it can be used is found out when it is needed.
            if !Path::new(name).exists() && is_hub_id(name) {
                _ = survey_one(&HubRepo::model(name), preflight);
            }
        }
        if stand_in.is_some_and(|stand_in| stand_in.of == StandInFor::All) {
            return Ok(());
        }
        let mut known = HashSet::new();
        for &model in models {
            // LLMs share tokenizers, but each whose one is missing is to be named.
            let is_known = known.contains(model.tokenizer.as_str());
            let Err(error) = (match is_known {
                true => Ok(()),
                false => survey_one(&HubRepo::model(&model.tokenizer), preflight),
            }) else {
                known.insert(model.tokenizer.as_str());
                continue;
            };
            match stand_in {
                Some(_) if is_out_of_reach(&error) => break,
                Some(_) => {}
                None if is_out_of_reach(&error) => return Err(unreachable(model, error)),
                None => preflight.refuse_tokenizer(model, error),
            }
        }
        Ok(())
    }

    /// Finds every LLM's tokenizer, or what stands in for it.
    ///
    /// # Errors
    /// One error that names all LLMs whose tokenizer is not available, with the page where each one's license is accepted.
    pub(crate) fn find(
        models: &[&Model],
        hub: &Hub,
        stand_in: Option<&StandIn>,
    ) -> anyhow::Result<Self> {
        let own = match stand_in {
            Some(StandIn {
                of: StandInFor::All,
                ..
            }) => OwnFiles {
                paths: vec![None; models.len()],
                reasons: String::new(),
            },
            _ => OwnFiles::find(models, hub, stand_in.is_some())?,
        };
        let n_missing = own.paths.iter().filter(|path| path.is_none()).count();
        let replacement = match stand_in {
            _ if n_missing == 0 => None,
            None => bail!(
                "the tokenizers of {n_missing} LLMs are not available; use --token-counter to count their tokens with another one:{}",
                own.reasons
            ),
            Some(StandIn { name, of }) => {
                if *of == StandInFor::Missing {
                    let reasons = &own.reasons;
                    warn!(
                        "`{name}` counts the tokens of {n_missing} LLMs whose own tokenizers are not available:{reasons}"
                    );
                }
                Some(resolve(name, hub)?)
            }
        };
        let mut files = Self::default();
        for (model, path) in models.iter().zip(own.paths) {
            let own = path.map(|path| (path, Path::new(&model.tokenizer).join(TOKENIZER_FILE)));
            if own.is_none() {
                files.stood_in.push(model.name.clone());
            }
            let file = own.or_else(|| replacement.clone());
            let (path, name) =
                file.expect("where a tokenizer is missing there is a stand-in, or an error above");
            files.add(path, name)?;
        }
        Ok(files)
    }

    fn add(&mut self, path: PathBuf, name: PathBuf) -> anyhow::Result<()> {
        // LLMs of one family share a tokenizer. Equal bytes are loaded once, and their counts are shared.
        let mut source = Source::of(&path)?;
        source.path = name;
        let known = self
            .sources
            .iter()
            .position(|known| known.sha256 == source.sha256);
        self.of_model.push(known.unwrap_or(self.sources.len()));
        if known.is_none() {
            self.sources.push(source);
            self.paths.push(path);
        }
        Ok(())
    }
}

/// The LLMs' own tokenizers, as far as the hub and the cache have them.
struct OwnFiles {
    paths: Vec<Option<PathBuf>>,
    /// Why the others are not available, a line for each.
    reasons: String,
}

impl OwnFiles {
    /// A hub that cannot be reached is an error, or, where there is a stand-in, not asked again.
    fn find(models: &[&Model], hub: &Hub, has_stand_in: bool) -> anyhow::Result<Self> {
        // A copy, so that going offline after a failure lasts for these files only.
        let mut hub = hub.clone();
        let mut was_out_of_reach = false;
        let (mut paths, mut reasons) = (Vec::new(), String::new());
        let mut known: HashMap<&str, PathBuf> = HashMap::new();
        for &model in models {
            if let Some(path) = known.get(model.tokenizer.as_str()) {
                paths.push(Some(path.clone()));
                continue;
            }
            let error = match hub.file(&HubRepo::model(&model.tokenizer), TOKENIZER_FILE) {
                Ok(path) => {
                    known.insert(&model.tokenizer, path.clone());
                    paths.push(Some(path));
                    continue;
                }
                Err(error) => error,
            };
            let is_out_of_reach = is_out_of_reach(&error);
            if is_out_of_reach && !has_stand_in {
                return Err(unreachable(model, error));
            }
            // The user did not ask for the cache alone, so the error's own words would mislead.
            let reason = match &error {
                HubError::Offline { what, .. } if was_out_of_reach => {
                    format!("{what} of `{}` is not in the cache either", model.tokenizer)
                }
                error => error.to_string(),
            };
            // A hub that did not answer once would keep every further LLM waiting for the same time-out.
            hub.is_offline |= is_out_of_reach;
            was_out_of_reach |= is_out_of_reach;
            paths.push(None);
            reasons.push_str(&format!("\n  `{}`: {reason}", model.name));
        }
        Ok(Self { paths, reasons })
    }
}

fn survey_one(repo: &HubRepo, preflight: &mut Preflight) -> Result<(), HubError> {
    let listing = preflight.list(repo)?;
    preflight.survey(repo, &listing, &[TOKENIZER_FILE])
}

/// Whether the hub would not answer for another repository either.
fn is_out_of_reach(error: &HubError) -> bool {
    matches!(
        error,
        HubError::Unreachable { .. }
            | HubError::Certificate { .. }
            | HubError::NoCertificates { .. }
            | HubError::BadProxy { .. }
            | HubError::BadEndpoint { .. }
            | HubError::Busy { .. }
            | HubError::BadToken
    )
}

fn unreachable(model: &Model, error: HubError) -> anyhow::Error {
    anyhow::Error::new(error).context(format!(
        "cannot get the tokenizer of `{}` (use --token-counter to count with another one)",
        model.name
    ))
}

/// The stand-in's file, and what a data set records as its path.
fn resolve(name: &str, hub: &Hub) -> anyhow::Result<(PathBuf, PathBuf)> {
    let path = Path::new(name);
    let inside = path.join(TOKENIZER_FILE);
    if path.is_file() {
        return Ok((path.to_owned(), path.to_owned()));
    }
    match ModelPlace::of(name) {
        ModelPlace::Folder(_) if inside.is_file() => Ok((inside.clone(), inside)),
        place @ ModelPlace::Hub(_) if is_hub_id(name) => {
            let folder = place
                .folder(hub, &[WantedFile::required(TOKENIZER_FILE)])
                .context("cannot use --token-counter")?;
            Ok((folder.join(TOKENIZER_FILE), inside))
        }
        _ => Err(usage_error(format!(
            "--token-counter: `{name}` is not a `{TOKENIZER_FILE}`, a folder with one, or a repository of the hub"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_files_are_one_tokenizer() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut files = TokenizerFiles::default();
        for (name, text) in [("a", "x"), ("b", "y"), ("c", "x")] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            files.add(path, PathBuf::from(name)).expect("readable");
        }
        assert_eq!(files.of_model, [0, 1, 0]);
        let names: Vec<&Path> = files
            .sources
            .iter()
            .map(|source| source.path.as_path())
            .collect();
        assert_eq!(names, [Path::new("a"), Path::new("b")]);
    }
}
