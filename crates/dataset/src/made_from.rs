use crate::{
    RunManifest,
    table::{TableReader, TableWriter},
};

/// The key that says which table the predictions are for. Embeddings use the same one.
pub(crate) const SPLIT_SHA256: &str = "carrot.split-sha256";
const MADE_BY: &str = "carrot.made-by";
const ROUTER: &str = "carrot.router";
const EMBEDDER: &str = "carrot.embedder";
const TRAIN_SHA256: &str = "carrot.train-sha256";
const OTHER_SHA256: &str = "carrot.other-inputs-sha256";

/// What predictions were made from, in the key-value metadata of their Parquet file.
///
/// It is in the file itself rather than only in the manifest beside it, because two files can part: a program that is killed between the
/// two, or a file that is copied alone, must not leave predictions that look as if they were made from something else.
///
/// ```text
/// carrot.split-sha256           SHA-256 of the table that the predictions are for; the only key that every file needs
/// carrot.made-by                program and version
/// carrot.router                 the router
/// carrot.embedder               the embedder, for routers that use one
/// carrot.train-sha256           SHA-256 of train.parquet, for routers that were fitted
/// carrot.other-inputs-sha256    SHA-256 of all other inputs, such as embeddings, separated by spaces
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFrom {
    /// SHA-256 of the table whose prompts the predictions are for: test.parquet as a rule.
    pub split_sha256: String,
    /// Program and version.
    pub made_by: Option<String>,
    /// The router.
    pub router: Option<String>,
    /// The embedder, for routers that use one.
    pub embedder: Option<String>,
    /// SHA-256 of train.parquet, for routers that were fitted on it or on a part of it.
    pub train_sha256: Option<String>,
    /// SHA-256 of all other inputs, such as embeddings and networks.
    pub other_sha256: Vec<String>,
}

impl MadeFrom {
    /// Says only which table the predictions are for.
    pub fn split(split_sha256: impl Into<String>) -> Self {
        Self {
            split_sha256: split_sha256.into(),
            made_by: None,
            router: None,
            embedder: None,
            train_sha256: None,
            other_sha256: Vec::new(),
        }
    }

    /// What a manifest says that lists `split_sha256` among its inputs: for files that were written before they held it themselves.
    /// `None` where it does not list it.
    pub(crate) fn of_manifest(manifest: RunManifest, split_sha256: &str) -> Option<Self> {
        let inputs = manifest.inputs.into_iter().map(|input| input.sha256);
        let (this, other_sha256): (Vec<_>, Vec<_>) =
            inputs.partition(|sha256| sha256 == split_sha256);
        Some(Self {
            split_sha256: this.into_iter().next()?,
            made_by: Some(manifest.made_by),
            router: Some(manifest.router),
            embedder: manifest.embedder,
            // A manifest lists hashes without saying which of them is the train part's.
            train_sha256: None,
            other_sha256,
        })
    }

    /// What a file says of itself; `None` where it does not even say which table it is for.
    pub(crate) fn of_file(reader: &TableReader) -> Option<Self> {
        let get = |key| reader.key_value(key).map(str::to_owned);
        Some(Self {
            split_sha256: get(SPLIT_SHA256)?,
            made_by: get(MADE_BY),
            router: get(ROUTER),
            embedder: get(EMBEDDER),
            train_sha256: get(TRAIN_SHA256),
            other_sha256: get(OTHER_SHA256)
                .map(|hashes| hashes.split_whitespace().map(str::to_owned).collect())
                .unwrap_or_default(),
        })
    }

    /// Puts it into a file's footer.
    pub(crate) fn add_to(&self, table: &mut TableWriter) {
        let others = (!self.other_sha256.is_empty()).then(|| self.other_sha256.join(" "));
        for (key, value) in [
            (SPLIT_SHA256, Some(&self.split_sha256)),
            (MADE_BY, self.made_by.as_ref()),
            (ROUTER, self.router.as_ref()),
            (EMBEDDER, self.embedder.as_ref()),
            (TRAIN_SHA256, self.train_sha256.as_ref()),
            (OTHER_SHA256, others.as_ref()),
        ] {
            // Left out rather than empty, so that a reader can tell unknown from known.
            if let Some(value) = value {
                table.add_key_value(key, value.clone());
            }
        }
    }
}
