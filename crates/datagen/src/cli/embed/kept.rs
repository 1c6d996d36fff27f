use std::path::Path;

use dataset::{Embeddings, EmbeddingsMeta, PartTable};
use tracing::{info, warn};

/// Ids that a hint lists.
const MAX_NAMED: usize = 20;

/// The flag, or the change to the data, that helps.
pub(super) fn hint(error: &embeddings::Error, split: &PartTable) -> Option<String> {
    match error {
        embeddings::Error::NotEmbedded { texts } => {
            let ids = texts.iter().filter_map(|text| split.ids.get(text.row - 1));
            let named: Vec<String> = ids.take(MAX_NAMED).map(|id| format!("`{id}`")).collect();
            let more = if texts.len() > MAX_NAMED { ", ..." } else { "" };
            Some(format!(
                "if the prompts {}{more} (by id) are too long for the model, set `--max-tokens` to what it takes; otherwise change or remove them",
                named.join(", ")
            ))
        }
        embeddings::Error::Refused {
            status: 400 | 413 | 422,
            ..
        } => Some(
            "`--max-request-inputs` and `--max-request-tokens` make requests smaller, `--max-tokens` makes prompts shorter"
                .to_owned(),
        ),
        embeddings::Error::OtherLength { .. } | embeddings::Error::StoredVector { .. } => {
            Some("if the server computes other embeddings than before, `--refresh-embeddings` requests all of them".to_owned())
        }
        embeddings::Error::LongWait { .. } => {
            Some("`--max-wait SECONDS` allows longer waits".to_owned())
        }
        _ => None,
    }
}

/// The length of a file's embeddings, if they are the wanted ones, whole. The hash of the split is part of what is wanted, so embeddings of
/// another version of the data set are not taken for these.
pub(super) fn made_dim(path: &Path, wanted: &EmbeddingsMeta, ids: &[String]) -> Option<usize> {
    if !path.is_file() {
        return None;
    }
    let found = match Embeddings::read(path) {
        Ok(found) => found,
        Err(error) => {
            let error = anyhow::Error::new(error);
            warn!(
                "`{}` cannot be used and is replaced: {error:#}",
                path.display()
            );
            return None;
        }
    };
    // Counted, not asked for.
    let meta = EmbeddingsMeta {
        n_truncated: None,
        ..found.meta
    };
    let server = meta.server.clone();
    if server.is_none() && meta.split_sha256 == wanted.split_sha256 {
        warn!(
            "the embeddings in `{}` do not say which server computed them; `--refresh-embeddings` replaces them",
            path.display()
        );
    } else if let Some(server) = server.filter(|server| Some(server) != wanted.server.as_ref()) {
        info!(
            "the embeddings in `{}` are from another server, `{server}`, and are replaced",
            path.display()
        );
    }
    let meta = EmbeddingsMeta {
        server: meta.server.or_else(|| wanted.server.clone()),
        ..meta
    };
    (meta == *wanted && found.ids == ids).then(|| found.values.ncols())
}
