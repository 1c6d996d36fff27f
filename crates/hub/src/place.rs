use std::{
    fmt,
    path::{Path, PathBuf},
};

use tracing::warn;

use crate::{
    error::HubError,
    hub::{Hub, WantedFile},
    needed::Needed,
    repo::HubRepo,
};

/// Where a model is: in a folder on this machine, or else in a repository of the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelPlace {
    /// A folder that exists.
    Folder(PathBuf),
    /// The id of a repository; nothing was asked of the hub yet.
    Hub(String),
}

/// A model that is neither a folder nor available from the hub.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is not a local folder and could not be fetched from the hub")]
pub struct PlaceError {
    /// The name that was given.
    pub name: String,
    /// What the hub said.
    pub source: HubError,
}

impl ModelPlace {
    /// What a name stands for: a folder where there is one, else an id on the hub.
    ///
    /// A folder comes first, so that a local copy `owner/name` is used without asking anyone, as transformers does.
    pub fn of(name: &str) -> Self {
        match Path::new(name).is_dir() {
            true => Self::Folder(name.into()),
            false => Self::Hub(name.to_owned()),
        }
    }

    /// The folder that holds the wanted files: the model's own, which is not looked into, or the hub's cache after what it lacks was
    /// downloaded.
    ///
    /// # Errors
    /// [`PlaceError`] when neither the hub nor the cache has a required file.
    pub fn folder(&self, hub: &Hub, wanted: &[WantedFile<'_>]) -> Result<PathBuf, PlaceError> {
        match self {
            Self::Folder(folder) => Ok(folder.clone()),
            Self::Hub(id) => hub.model_folder(id, wanted).map_err(|source| PlaceError {
                name: id.clone(),
                source,
            }),
        }
    }

    /// The same where files name others, as the index of a model's weights names its shards. `further` names what the files in a folder call
    /// for, and is asked again after each download until it names nothing else. A folder on this machine is taken as it is.
    ///
    /// # Errors
    /// [`PlaceError`], or what `further` refuses.
    pub fn folder_with<E: From<PlaceError>>(
        &self,
        hub: &Hub,
        wanted: &[WantedFile<'_>],
        further: impl Fn(&Path) -> Result<Vec<String>, E>,
    ) -> Result<PathBuf, E> {
        let mut folder = self.folder(hub, wanted)?;
        let mut known = Vec::new();
        while let Self::Hub(_) = self {
            let names = further(&folder)?;
            if names == known {
                break;
            }
            let more = names.iter().map(|name| WantedFile::optional(name));
            let all: Vec<WantedFile<'_>> = wanted.iter().copied().chain(more).collect();
            folder = self.folder(hub, &all)?;
            known = names;
        }
        Ok(folder)
    }
}

impl Hub {
    /// What the cache lacks of several models, of which each is a folder or a hub id, as [`ModelPlace::of`] tells. Nothing is downloaded: for
    /// whoever needs all of them, and would have the first in vain if another were not available.
    ///
    /// # Errors
    /// [`PlaceError`] for the first that is not available; a warning tells of each further one. [`HubError::NoSpace`] within it if the disk has
    /// no room for all.
    pub fn survey_models(
        &self,
        names: &[&str],
        wanted: &[WantedFile<'_>],
    ) -> Result<Needed, PlaceError> {
        let (mut needed, mut first) = (Needed::default(), None);
        for &name in names {
            let ModelPlace::Hub(id) = ModelPlace::of(name) else {
                continue;
            };
            match self.survey_model(&id, wanted) {
                Ok(more) => needed += more,
                Err(source) => {
                    let error = PlaceError { name: id, source };
                    match &first {
                        None => first = Some(error),
                        Some(_) => warn!("{error}: {}", error.source),
                    }
                }
            }
        }
        if let Some(error) = first {
            return Err(error);
        }
        match self.check_space(needed) {
            Ok(()) => Ok(needed),
            Err(source) => Err(PlaceError {
                name: names.join("`, `"),
                source,
            }),
        }
    }

    fn survey_model(&self, id: &str, wanted: &[WantedFile<'_>]) -> Result<Needed, HubError> {
        let repo = HubRepo::model(id);
        let listing = self.list(&repo)?;
        let paths: Vec<&str> = wanted
            .iter()
            .filter(|file| file.is_required || listing.file(file.name).is_some())
            .map(|file| file.name)
            .collect();
        self.survey(&repo, &listing, &paths)
    }
}

impl fmt::Display for ModelPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Hub(id) => f.write_str(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_folder_comes_before_a_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = folder.path().to_str().expect("text");
        let hub = Hub {
            cache_dir: folder.path().join("cache"),
            endpoint: "http://127.0.0.1:9".to_owned(),
            token: None,
            is_offline: true,
            progress: None,
            read_timeout: Duration::from_secs(1),
            first_wait: Duration::ZERO,
            network: crate::Network::default(),
        };
        let wanted = [WantedFile::required("config.json")];

        let place = ModelPlace::of(name);
        assert_eq!(place, ModelPlace::Folder(folder.path().to_owned()));
        assert_eq!(place.folder(&hub, &wanted).expect("there"), folder.path());

        let place = ModelPlace::of("owner/model");
        assert_eq!(place, ModelPlace::Hub("owner/model".to_owned()));
        let error = place.folder(&hub, &wanted).expect_err("nothing is cached");
        assert!(matches!(error.source, HubError::Offline { .. }), "{error}");
        assert!(error.to_string().contains("`owner/model`"), "{error}");
    }
}
