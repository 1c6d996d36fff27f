use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// Names that the hub keeps in large-file storage, as its stock `.gitattributes` has them.
const LARGE: [&str; 8] = [
    ".parquet",
    ".pkl",
    ".safetensors",
    ".bin",
    ".arrow",
    ".gz",
    ".zip",
    ".npy",
];

/// The files of one commit of a repository, by path with `/` between folders.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    pub(super) files: BTreeMap<String, StoredFile>,
}

#[derive(Debug, Clone)]
pub(super) struct StoredFile {
    pub(super) bytes: Arc<Vec<u8>>,
    /// SHA-1 of the git object: the ETag of a file that is kept in git itself.
    pub(super) blob_id: String,
    /// SHA-256, the ETag of a file in large-file storage; `None` for one in git.
    pub(super) sha256: Option<String>,
}

impl Tree {
    /// The same with one more file, or with new bytes for an existing one.
    #[must_use]
    pub fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        let git_object = Sha1::new()
            .chain_update(format!("blob {}\0", bytes.len()))
            .chain_update(&bytes);
        let is_large = LARGE.iter().any(|end| path.ends_with(end));
        let file = StoredFile {
            blob_id: hex(&git_object.finalize()),
            sha256: is_large.then(|| hex(&Sha256::digest(&bytes))),
            bytes: Arc::new(bytes),
        };
        self.files.insert(path.to_owned(), file);
        self
    }

    /// All files under a folder, read now.
    ///
    /// # Panics
    /// If the folder or a file in it cannot be read, or a name is not text.
    pub fn read(folder: &Path) -> Self {
        let mut tree = Self::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(current) = folders.pop() {
            for entry in fs::read_dir(&current).expect("a folder that can be read") {
                let path = entry.expect("a folder that can be read").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let inner = path.strip_prefix(folder).expect("it was found there");
                let parts: Vec<_> = inner
                    .iter()
                    .map(|part| part.to_str().expect("a name that is text"))
                    .collect();
                tree = tree.with(
                    &parts.join("/"),
                    fs::read(&path).expect("a file that can be read"),
                );
            }
        }
        tree
    }

    /// 40 hexadecimal digits that change with any name or byte.
    pub(super) fn commit(&self) -> String {
        let mut hash = Sha1::new();
        for (path, file) in &self.files {
            hash.update(format!("{path}\0{}\n", file.blob_id));
        }
        hex(&hash.finalize())
    }
}

impl From<&Path> for Tree {
    fn from(folder: &Path) -> Self {
        Self::read(folder)
    }
}

impl<B: Into<Vec<u8>>, const N: usize> From<[(&str, B); N]> for Tree {
    fn from(files: [(&str, B); N]) -> Self {
        let start = Self::default();
        files
            .into_iter()
            .fold(start, |tree, (path, bytes)| tree.with(path, bytes))
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
