use serde::Deserialize;
use untrusted_files::Mistaken;

use crate::{
    cache::RepoCache,
    client::{Ask, Client},
    error::HubError,
    hub::Hub,
    needed::bytes_text,
    repo::{HubRepo, is_file_name, is_inner_path},
};

/// Bytes of a listing. Repositories of a hundred thousand files, the most that the hub advises, have some 20 MB.
const MAX_LISTING: u64 = 100_000_000;

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
    /// The name of its bytes in the cache, which is its ETag, where the hub gives it.
    pub(crate) blob: Option<String>,
}

/// What is used of the hub's answer about a repository.
#[derive(Deserialize)]
struct Info {
    sha: String,
    #[serde(default)]
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    blob_id: Option<String>,
    lfs: Option<LargeFile>,
}

/// Of a file in large-file storage.
#[derive(Deserialize)]
struct LargeFile {
    sha256: Option<String>,
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
        let url = repo.listing_url(&hub.endpoint);
        let response = client.ask(repo, &url, Ask::Listing)?;
        // In one go, to distinguish a body that broke off from one that is not JSON.
        let mut body = response.into_body();
        let body = body.with_config().limit(MAX_LISTING).read_to_vec();
        let body = body.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(limit) => client.malformed(
                repo,
                format!("a listing of more than {}", bytes_text(limit)),
            ),
            error => client.unreachable(repo, &url, error),
        })?;
        Self::parse(&body).map_err(|problem| client.malformed(repo, problem))
    }

    /// Reads the hub's answer about a repository; or says what is wrong with it.
    fn parse(body: &[u8]) -> Result<Self, String> {
        let info: Info = serde_json::from_slice(body).map_err(|error| {
            match Mistaken::recognize(body) {
                // A login of the network or of a mirror, which may answer anything with its page.
                Some(Mistaken::WebPage) => {
                    "a web page and no listing; look whether HF_ENDPOINT is right, and whether a proxy or a login page answers instead".to_owned()
                }
                _ => error.to_string(),
            }
        })?;
        if !is_file_name(&info.sha) {
            return Err(format!("the commit `{}`", info.sha));
        }
        let mut files = Vec::with_capacity(info.siblings.len());
        for file in info.siblings {
            if !is_inner_path(&file.rfilename) {
                return Err(format!("the path `{}` leaves the folder", file.rfilename));
            }
            let blob = file.lfs.and_then(|lfs| lfs.sha256).or(file.blob_id);
            files.push(HubFile {
                path: file.rfilename,
                size: file.size,
                blob: blob.filter(|blob| is_file_name(blob)),
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
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
                    blob: None,
                })
                .collect(),
            commit,
            is_cached: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use test_support::try_mutations;

    use super::*;

    const ANSWER: &str = r#"{
        "id": "owner/data", "gated": "auto", "sha": "0a1b", "lastModified": "2024-12-05T00:00:00.000Z", "cardData": {"license": ["mit"]},
        "siblings": [
            {"rfilename": "b/large.parquet", "size": 200003, "blobId": "12ab", "lfs": {"sha256": "34cd", "size": 200003, "pointerSize": 132}},
            {"rfilename": "a.md", "size": 7, "blobId": "56ef"},
            {"rfilename": "c"}
        ]
    }"#;

    #[test]
    fn a_listing_gives_paths_sizes_and_names_in_the_cache() {
        let listing = HubListing::parse(ANSWER.as_bytes()).expect("a listing");
        let file = |path: &str, size, blob: Option<&str>| HubFile {
            path: path.to_owned(),
            size,
            blob: blob.map(str::to_owned),
        };
        let expected = [
            file("a.md", Some(7), Some("56ef")),
            file("b/large.parquet", Some(200_003), Some("34cd")),
            file("c", None, None),
        ];
        assert_eq!(
            (listing.commit.as_str(), &*listing.files),
            ("0a1b", &expected[..])
        );
        // As a mirror may answer, which knows no sizes.
        let bare = br#"{"sha": "0a", "siblings": [{"rfilename": "x", "size": null, "lfs": null}]}"#;
        let listing = HubListing::parse(bare).expect("a listing");
        assert_eq!(listing.files, [file("x", None, None)]);
    }

    #[test]
    fn listings_that_cannot_be_used_are_refused() {
        for (from, to, expected) in [
            ("200003", "-1", "expected u64"),
            ("200003", "18446744073709551616", "expected u64"),
            ("200003", "1e300", "expected u64"),
            ("0a1b", "../0a1b", "the commit `../0a1b`"),
            ("\"0a1b\"", "null", "invalid type: null"),
            (
                "b/large",
                "../large",
                "the path `../large.parquet` leaves the folder",
            ),
            ("{\n", "<!doctype html>{\n", "a web page and no listing"),
            ("]\n", "", "expected `,` or `]`"),
        ] {
            let text = ANSWER.replacen(from, to, 1);
            assert_ne!(text, ANSWER, "{from}");
            let problem = HubListing::parse(text.as_bytes()).expect_err(to);
            assert!(problem.contains(expected), "{to}: {problem}");
        }
        assert!(HubListing::parse(b"").is_err());
    }

    #[test]
    fn mutations_of_listings_are_read_or_refused() {
        try_mutations(&[ANSWER.as_bytes().to_vec()], |bytes| {
            if let Ok(listing) = HubListing::parse(&bytes) {
                assert!(listing.paths().all(is_inner_path));
            }
        });
    }
}
