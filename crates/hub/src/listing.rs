use serde::Deserialize;

use crate::{
    cache::RepoCache,
    client::{Ask, Client, malformed, unreachable},
    error::HubError,
    hub::Hub,
    repo::{HubRepo, is_inner_path},
};

/// The files of a repository at one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubListing {
    /// The commit that the revision is.
    pub commit: String,
    /// By path.
    pub files: Vec<HubFile>,
    /// Whether this lists what the cache has, because the hub could not be asked.
    pub is_cached: bool,
}

/// A file of a [`HubListing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubFile {
    /// Its path, with `/` between folders.
    pub path: String,
    /// Bytes, where the hub gives them.
    pub size: Option<u64>,
}

impl HubListing {
    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.path.as_str())
    }

    /// A file, by its path.
    pub fn file(&self, path: &str) -> Option<&HubFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// One request to the hub.
    pub(crate) fn ask(hub: &Hub, client: &Client<'_>, repo: &HubRepo) -> Result<Self, HubError> {
        /// What is used of the hub's answer about a repository.
        #[derive(Deserialize)]
        struct Info {
            sha: String,
            #[serde(default)]
            siblings: Vec<Sibling>,
        }
        #[derive(Deserialize)]
        struct Sibling {
            rfilename: String,
            size: Option<u64>,
        }
        let url = repo.listing_url(&hub.endpoint);
        let response = client.ask(repo, &url, Ask::Get)?;
        // In one go, to distinguish a body that broke off from one that is not JSON.
        let mut body = response.into_body();
        let body = body.with_config().limit(u64::MAX).read_to_vec();
        let body = body.map_err(|source| unreachable(repo, &url, source))?;
        let info: Info =
            serde_json::from_slice(&body).map_err(|error| malformed(repo, error.to_string()))?;
        if !is_inner_path(&info.sha) || info.sha.contains('/') {
            return Err(malformed(repo, format!("the commit `{}`", info.sha)));
        }
        let mut files = Vec::with_capacity(info.siblings.len());
        for file in info.siblings {
            if !is_inner_path(&file.rfilename) {
                let problem = format!("the path `{}` leaves the folder", file.rfilename);
                return Err(malformed(repo, problem));
            }
            files.push(HubFile {
                path: file.rfilename,
                size: file.size,
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self {
            commit: info.sha,
            files,
            is_cached: false,
        })
    }

    /// What the cache has of the commit that was last downloaded.
    pub(crate) fn cached(cache: &RepoCache) -> Option<Self> {
        let commit = cache.commit()?;
        let files = cache.files(&commit).into_iter();
        Some(Self {
            files: files
                .map(|(path, size)| HubFile {
                    path,
                    size: Some(size),
                })
                .collect(),
            commit,
            is_cached: true,
        })
    }
}
