use std::fmt;

use hf_hub::{Repo, RepoType};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrets::shown_address;

use crate::environment::PUBLIC_ENDPOINT;

/// What is not escaped in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What a repository of the hub holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RepoKind {
    /// A model, tokenizers included.
    Model,
    /// A data set.
    Dataset,
}

/// A repository of the hub at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HubRepo {
    /// What it holds.
    pub kind: RepoKind,
    /// `owner/name`.
    pub id: String,
    /// A branch, a tag, or a commit.
    pub revision: String,
}

impl HubRepo {
    /// A model repository, at `main`.
    pub fn model(id: impl Into<String>) -> Self {
        Self::new(RepoKind::Model, id)
    }

    /// A data-set repository, at `main`.
    pub fn dataset(id: impl Into<String>) -> Self {
        Self::new(RepoKind::Dataset, id)
    }

    /// A repository of either kind, at `main`.
    pub fn new(kind: RepoKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
            revision: "main".to_owned(),
        }
    }

    /// The same at another branch or tag, or at a commit.
    #[must_use]
    pub fn at(mut self, revision: impl Into<String>) -> Self {
        self.revision = revision.into();
        self
    }

    /// Where people read about it, and accept its license. A mirror below a path passes files on and has no pages.
    pub(crate) fn page(&self, endpoint: &str) -> String {
        let shown = shown_address(endpoint);
        let has_pages = endpoint
            .rsplit_once("//")
            .is_some_and(|(_, rest)| !rest.contains('/'));
        let shown = if has_pages {
            shown.as_str()
        } else {
            PUBLIC_ENDPOINT
        };
        format!("{shown}/{}", self.layout().url())
    }

    pub(crate) fn listing_url(&self, endpoint: &str) -> String {
        // Sizes come with `blobs`.
        let path = self.layout().api_url();
        let path = path.strip_suffix(&self.layout().url_revision());
        let path = path.expect("the address of a listing ends in the revision");
        format!(
            "{endpoint}/api/{path}{}?blobs=true",
            segment(&self.revision)
        )
    }

    pub(crate) fn file_url(&self, endpoint: &str, commit: &str, path: &str) -> String {
        let path: Vec<String> = path.split('/').map(segment).collect();
        let repo = self.layout().url();
        format!(
            "{endpoint}/{repo}/resolve/{}/{}",
            segment(commit),
            path.join("/")
        )
    }

    /// The repository as hf-hub names its folders and addresses.
    pub(crate) fn layout(&self) -> Repo {
        let kind = match self.kind {
            RepoKind::Model => RepoType::Model,
            RepoKind::Dataset => RepoType::Dataset,
        };
        Repo::with_revision(self.id.clone(), kind, self.revision.clone())
    }

    /// Whether a repository can have these names, which become parts of paths.
    pub(crate) fn is_valid(&self) -> bool {
        // A few old repositories have no owner.
        let is_id = is_hub_id(&self.id) || is_id_part(&self.id);
        is_id && is_inner_path(&self.revision)
    }
}

impl fmt::Display for RepoKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Model => "model",
            Self::Dataset => "data set",
        })
    }
}

impl fmt::Display for HubRepo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.id)?;
        match self.revision.as_str() {
            "main" => Ok(()),
            revision => write!(f, " at `{revision}`"),
        }
    }
}

/// Whether a name has the form of a hub id, `owner/name`, and so may be looked for on the hub when no such folder exists.
pub fn is_hub_id(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(owner, name)| is_id_part(owner) && is_id_part(name))
}

fn is_id_part(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with(['.', '-'])
        && part
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
}

/// Whether a path with `/` stays inside the folder that it is joined to, on any system.
pub(crate) fn is_inner_path(path: &str) -> bool {
    path.split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']))
}

/// Whether a hash or a tag can be the name of a file in the cache. File systems end at 255 bytes, and the cache adds an ending.
pub(crate) fn is_file_name(name: &str) -> bool {
    name.len() <= 200
        && name.bytes().all(|byte| byte.is_ascii_graphic())
        && !name.contains('/')
        && is_inner_path(name)
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_ids_are_owner_and_name() {
        for (name, expected) in [
            ("sentence-transformers/all-MiniLM-L6-v2", true),
            ("minilm", false),
            ("models/a/b", false),
            ("../x", false),
            ("./x", false),
            ("/x", false),
            ("x/", false),
        ] {
            assert_eq!(is_hub_id(name), expected, "{name}");
        }
    }

    #[test]
    fn names_that_leave_the_cache_are_refused() {
        for (id, revision, expected) in [
            ("owner/name", "main", true),
            ("squad", "main", true),
            ("owner/name", "refs/convert/parquet", true),
            ("owner/name", "../../x", false),
            ("owner/name", "", false),
            ("owner/..", "main", false),
            ("a/b/c", "main", false),
        ] {
            let repo = HubRepo::dataset(id).at(revision);
            assert_eq!(repo.is_valid(), expected, "{repo}");
        }
        for name in [
            "",
            "..",
            "a/b",
            "a b",
            "a\n",
            "a:b",
            "\u{e9}",
            &"a".repeat(201),
        ] {
            assert!(!is_file_name(name), "{name}");
        }
        assert!(is_file_name("0a1b-2.c"));
        for path in ["../x", "a/../x", "/x", "a//b", "a\\b", "c:x", ""] {
            assert!(!is_inner_path(path), "{path}");
        }
    }

    #[test]
    fn addresses_are_encoded_segment_by_segment() {
        let repo = HubRepo::dataset("owner/name").at("refs/convert/parquet");
        assert_eq!(
            repo.listing_url("http://hub"),
            "http://hub/api/datasets/owner/name/revision/refs%2Fconvert%2Fparquet?blobs=true"
        );
        assert_eq!(
            HubRepo::model("owner/name").file_url("http://hub", "0a", "a b/c#1?.json"),
            "http://hub/owner/name/resolve/0a/a%20b/c%231%3F.json"
        );
        // A mirror below a path.
        let mirror = "https://me:secret@mirror.corp:8443/company/hf";
        assert_eq!(
            HubRepo::model("owner/name").listing_url(mirror),
            format!("{mirror}/api/models/owner/name/revision/main?blobs=true")
        );
        assert_eq!(
            HubRepo::dataset("owner/name").file_url(mirror, "0a", "x.json"),
            format!("{mirror}/datasets/owner/name/resolve/0a/x.json")
        );
    }

    #[test]
    fn pages_are_shown_without_what_may_be_secret() {
        let repo = HubRepo::dataset("owner/name");
        for (endpoint, expected) in [
            ("https://hub:1", "https://hub:1/datasets/owner/name"),
            ("https://me:pw@hub", "https://hub/datasets/owner/name"),
            (
                "https://hub/company/hf",
                "https://huggingface.co/datasets/owner/name",
            ),
        ] {
            assert_eq!(repo.page(endpoint), expected);
        }
    }
}
