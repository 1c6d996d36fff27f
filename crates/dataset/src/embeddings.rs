use std::path::Path;

use arrow_schema::Field;
use ndarray::Array2;

use crate::{
    Error, Result, Truncate,
    made_from::SPLIT_SHA256,
    model_columns::check_shapes,
    table::{TableReader, TableWriter, list_array, list_type, schema, text_array, text_field},
};

const EMBEDDER: &str = "carrot.embedder";
const EMBEDDER_SHA256: &str = "carrot.embedder-sha256";
const TRUNCATE: &str = "carrot.truncate";
const N_TRUNCATED: &str = "carrot.n-truncated";
/// Rows that are handed to the Parquet writer at a time.
const ROWS_PER_BATCH: usize = 8_192;

/// One embedding per prompt of a split, in the split's order.
///
/// ```text
/// id          string, not null
/// embedding   FixedSizeList<float32, dim>, not null
/// ```
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
    /// SHA-256 of the split that was embedded.
    pub split_sha256: Option<String>,
    /// Which part of prompts that are too long was cut off; none where the embedding model's files decide.
    pub truncate: Option<Truncate>,
    /// How many prompts were too long and lost a part, where that was counted.
    pub n_truncated: Option<usize>,
}

impl Embeddings {
    /// Reads embeddings straight into one matrix: each value is copied once, from its decoded page.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] for the file; [`Error::MissingColumn`], [`Error::ColumnType`], [`Error::NullValue`],
    /// [`Error::OutOfRange`] (a value that is not finite) or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open(path)?;
        let meta = meta(&reader);
        let n_prompts = reader.n_rows();
        let mut ids = Vec::with_capacity(n_prompts);
        let mut values: Vec<f32> = Vec::new();
        let mut dim = 0;
        for batch in reader.batches(&["id", "embedding"])? {
            let batch = batch?;
            batch.extend_text("id", &mut ids)?;
            let (batch_dim, batch_values) = batch.lists("embedding")?;
            // The length of an embedding is known only now. One reservation, as growing a matrix of gigabytes would hold it twice.
            if values.is_empty() {
                dim = batch_dim;
                values.reserve_exact(n_prompts * dim);
            }
            // Refused here, where the row is known: one NaN makes every similarity to that prompt NaN, and no learner would say whose
            // fault it is.
            if let Some(i) = batch_values
                .values()
                .iter()
                .position(|value| !value.is_finite())
            {
                return Err(Error::OutOfRange {
                    path: path.to_owned(),
                    column: "embedding".to_owned(),
                    row: batch.first_row + i / dim + 1,
                    value: f64::from(batch_values.value(i)),
                    expected: "finite numbers",
                });
            }
            values.extend_from_slice(batch_values.values());
        }
        let found = (values.len().checked_div(dim).unwrap_or(0), dim);
        let values =
            Array2::from_shape_vec((ids.len(), dim), values).map_err(|_| Error::Shape {
                what: "embeddings",
                expected: (ids.len(), dim),
                found,
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
    /// [`Error::Io`] or [`Error::Parquet`].
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
        let truncate = self.meta.truncate.map(|it| (TRUNCATE, it.to_string()));
        let n_truncated = self.meta.n_truncated;
        let n_truncated = n_truncated.map(|n| (N_TRUNCATED, n.to_string()));
        key_values.extend(truncate.into_iter().chain(n_truncated));
        let fields = vec![
            text_field("id"),
            Field::new("embedding", list_type(dim), false),
        ];
        let mut table = TableWriter::create(path, schema(fields), &key_values)?;
        for first in (0..n_prompts).step_by(ROWS_PER_BATCH) {
            let rows = first..n_prompts.min(first + ROWS_PER_BATCH);
            let values = self.values.slice(ndarray::s![rows.clone(), ..]);
            table.write(vec![text_array(&self.ids[rows]), list_array(path, values)?])?;
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
        split_sha256: get(SPLIT_SHA256),
        truncate: get(TRUNCATE).and_then(|name| Truncate::named(&name)),
        n_truncated: get(N_TRUNCATED).and_then(|n| n.parse().ok()),
    }
}
