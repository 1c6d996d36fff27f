use std::path::Path;

use dataset::{Embeddings, EmbeddingsMeta, Part};
use tracing::{info, warn};

/// The flag, or the change to the data, that helps.
pub(super) fn hint(error: &embeddings::Error, part: Part) -> Option<String> {
    match error {
        embeddings::Error::NotEmbedded { .. } => Some(format!(
            "if these prompts are too long for the model, set `--max-tokens` to what it takes; otherwise change or remove them (text N is row N of `{}.parquet`)",
            part.name()
        )),
        embeddings::Error::Refused {
            status: 400 | 413 | 422,
            ..
        } => Some(
            "`--max-request-inputs` and `--max-request-tokens` make requests smaller, `--max-tokens` makes prompts shorter"
                .to_owned(),
        ),
        embeddings::Error::LongWait { .. } => {
            Some("`--max-wait SECONDS` allows longer waits".to_owned())
        }
        _ => None,
    }
}

/// Whether a file holds the wanted embeddings, whole. The hash of the split is part of what is wanted, so embeddings of another version of the
/// data set are not taken for these.
pub(super) fn is_made(path: &Path, wanted: &EmbeddingsMeta, ids: &[String]) -> bool {
    if !path.is_file() {
        return false;
    }
    let found = match Embeddings::read(path) {
        Ok(found) => found,
        Err(error) => {
            let error = anyhow::Error::new(error);
            warn!(
                "`{}` cannot be used and is replaced: {error:#}",
                path.display()
            );
            return false;
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
    meta == *wanted && found.ids == ids
}
