use std::path::Path;

use arrow_schema::Field;
use ndarray::Array2;
use untrusted_files::Budget;

use crate::{
    Error, Precision, Result, Truncate,
    made_from::SPLIT_SHA256,
    model_columns::check_shapes,
    table::{
        MAX_TEXT_BYTES, TableReader, TableWriter, list_array, list_type, schema, text_array,
        text_blocks, text_field,
    },
};

const EMBEDDER: &str = "carrot.embedder";
const EMBEDDER_SHA256: &str = "carrot.embedder-sha256";
const SERVER: &str = "carrot.embedder-server";
const TRUNCATE: &str = "carrot.truncate";
const PRECISION: &str = "carrot.precision";
const N_TRUNCATED: &str = "carrot.n-truncated";
/// Rows that are handed to the Parquet writer at a time.
const ROWS_PER_BATCH: usize = 8_192;

/// One embedding per prompt of a split, in the split's order.
///
/// ```text
/// id          string, not null
/// embedding   FixedSizeList<float32, dim>, not null
/// ```
///
/// Files made elsewhere are read too: with ids as whole numbers, and with vectors as lists of any kind, of floats of 16, 32 or 64 bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// The prompts' ids.
    pub ids: Vec<String>,
    /// Shape `(n_prompts, dim)`.
    pub values: Array2<f32>,
    /// Where the embeddings came from.
    pub meta: EmbeddingsMeta,
}

/// Where embeddings came from, kept in the Parquet file's key-value metadata. A file made elsewhere may lack the hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingsMeta {
    /// The embedding model's name.
    pub embedder: String,
    /// SHA-256 over the embedding model's files.
    pub embedder_sha256: Option<String>,
    /// The server that computed them, if one did: two servers may know different models by one name.
    pub server: Option<String>,
    /// SHA-256 of the split that was embedded.
    pub split_sha256: Option<String>,
    /// Which part of prompts that are too long was cut off; none where the embedding model's files decide.
    pub truncate: Option<Truncate>,
    /// How exactly the embedding model multiplied.
    pub precision: Precision,
    /// How many prompts were too long and lost a part, where that was counted.
    pub n_truncated: Option<usize>,
}

impl Embeddings {
    /// Reads embeddings straight into one matrix: each value is copied once, from its decoded page.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Table`] or [`Error::OverBudget`] for the file; [`Error::MissingColumn`], [`Error::Table`] (vectors of different
    /// lengths, or values that are not finite), [`Error::NullValue`] or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open(path)?;
        let meta = meta(&reader);
        let n_prompts = reader.n_rows();
        reader.check_size(size_of::<String>())?;
        let mut ids = Vec::with_capacity(n_prompts);
        let mut values: Vec<f32> = Vec::new();
        let mut dim = None;
        for batch in reader.batches(&["id", "embedding"])? {
            let batch = batch?;
            batch.extend_text("id", &mut ids)?;
            // Refused here, where the row is known: one NaN makes every similarity to that prompt NaN, and no learner would say whose
            // fault it is.
            batch.extend_vectors("embedding", &mut dim, &mut values)?;
            // The length of an embedding is known only now. One reservation, as growing a matrix of gigabytes would hold it twice.
            if batch.first_row == 0 {
                let n_values = n_prompts.saturating_mul(dim.unwrap_or(0));
                check_size(path, n_values)?;
                values.reserve_exact(n_values - values.len());
            }
        }
        let shape = (ids.len(), dim.unwrap_or(0));
        let n_values = values.len();
        let values = Array2::from_shape_vec(shape, values).map_err(|_| Error::Shape {
            what: "embeddings",
            expected: shape,
            found: (n_values, 1),
        })?;
        if values.is_empty() {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        Ok(Self { ids, values, meta })
    }

    /// Reads only where the embeddings came from.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Table`].
    pub fn read_meta(path: &Path) -> Result<EmbeddingsMeta> {
        Ok(meta(&TableReader::open(path)?))
    }

    /// Writes the embeddings atomically.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are more or fewer ids than embeddings; [`Error::Io`] or [`Error::Parquet`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let (n_prompts, dim) = self.values.dim();
        check_shapes((self.ids.len(), dim), [("embeddings", (n_prompts, dim))])?;
        let mut key_values = vec![(EMBEDDER, self.meta.embedder.clone())];
        key_values.extend(
            self.meta
                .embedder_sha256
                .clone()
                .map(|hash| (EMBEDDER_SHA256, hash)),
        );
        key_values.extend(
            self.meta
                .split_sha256
                .clone()
                .map(|hash| (SPLIT_SHA256, hash)),
        );
        let server = self.meta.server.clone();
        key_values.extend(server.map(|server| (SERVER, server)));
        let truncate = self.meta.truncate.map(|it| (TRUNCATE, it.to_string()));
        let precision = Some(self.meta.precision).filter(|it| !it.is_f32());
        key_values.extend(precision.map(|it| (PRECISION, it.to_string())));
        let n_truncated = self.meta.n_truncated;
        let n_truncated = n_truncated.map(|n| (N_TRUNCATED, n.to_string()));
        key_values.extend(truncate.into_iter().chain(n_truncated));
        let fields = vec![
            text_field("id"),
            Field::new("embedding", list_type(dim), false),
        ];
        let mut table = TableWriter::create(path, schema(fields), &key_values)?;
        for block in text_blocks(path, &[("id", &self.ids)], MAX_TEXT_BYTES)? {
            for first in block.clone().step_by(ROWS_PER_BATCH) {
                let rows = first..block.end.min(first + ROWS_PER_BATCH);
                let values = self.values.slice(ndarray::s![rows.clone(), ..]);
                table.write(vec![text_array(&self.ids[rows]), list_array(path, values)?])?;
            }
        }
        table.finish()?;
        Ok(())
    }

    /// Refuses embeddings whose ids are not those of the split, in its order.
    ///
    /// # Errors
    /// [`Error::Mismatch`], which names the first row that differs.
    pub fn check_ids(&self, path: &Path, split_path: &Path, split_ids: &[String]) -> Result<()> {
        check_same_ids((path, &self.ids), (split_path, split_ids))
    }
}

/// Refuses a matrix of more values than memory may hold.
fn check_size(path: &Path, n_values: usize) -> Result<()> {
    let n_bytes = (n_values as u64).saturating_mul(size_of::<f32>() as u64);
    let fits = Budget::get().check("its vectors", n_bytes);
    fits.map_err(|source| Error::OverBudget {
        path: path.to_owned(),
        source,
    })
}

/// Refuses two tables whose ids differ anywhere.
pub(crate) fn check_same_ids(mine: (&Path, &[String]), other: (&Path, &[String])) -> Result<()> {
    let what = if mine.1.len() != other.1.len() {
        format!("{} rows instead of {}", mine.1.len(), other.1.len())
    } else if let Some(i) = (0..mine.1.len()).find(|&i| mine.1[i] != other.1[i]) {
        format!(
            "row {} has id `{}` instead of `{}`",
            i + 1,
            mine.1[i],
            other.1[i]
        )
    } else {
        return Ok(());
    };
    Err(Error::Mismatch {
        path: mine.0.to_owned(),
        other: other.0.to_owned(),
        what,
    })
}

fn meta(reader: &TableReader) -> EmbeddingsMeta {
    let folder = reader.path().parent().and_then(Path::file_name);
    let get = |key| reader.key_value(key).map(str::to_owned);
    EmbeddingsMeta {
        // A file made elsewhere is named for its folder.
        embedder: get(EMBEDDER)
            .or_else(|| Some(folder?.to_string_lossy().into_owned()))
            .unwrap_or_default(),
        embedder_sha256: get(EMBEDDER_SHA256),
        server: get(SERVER),
        split_sha256: get(SPLIT_SHA256),
        truncate: get(TRUNCATE).and_then(|name| Truncate::named(&name)),
        precision: get(PRECISION)
            .and_then(|name| Precision::named(&name))
            .unwrap_or_default(),
        n_truncated: get(N_TRUNCATED).and_then(|n| n.parse().ok()),
    }
}
