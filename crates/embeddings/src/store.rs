use std::{
    io,
    path::{Path, PathBuf},
};

use redb::{
    Builder, Database, DatabaseError, ReadOnlyTable, ReadableDatabase as _,
    ReadableTableMetadata as _, StorageError, TableDefinition, TableError,
};
use sha2::{Digest as _, Sha256};

use crate::{Error, Model, Result};

/// SHA-256 of what an embedding depends on.
pub(crate) type Key = [u8; 32];

const VECTORS: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("vectors of servers");
/// What stores had before they told servers apart. No run can know which server those embeddings are from.
const OLD_VECTORS: TableDefinition<'_, &Key, &[u8]> = TableDefinition::new("vectors");
/// The first bytes under the hash; another meaning of keys or values would need another tag.
const KEY_TAG: &[u8] = b"embeddings store 2\0";
/// redb would take a gigabyte. Every key is looked up about once, so a cache is of little use.
const CACHE_BYTES: usize = 32 << 20;

/// Embeddings that were paid for, in one file.
///
/// ```text
/// key    SHA-256 over: tag, n(server) server, n(model) model, dimensions or 0, n(text) text      n, dimensions: 64 bits, little-endian
/// value  the embedding's float32 values, little-endian
/// ```
///
/// The text is the one sent, that is after cutting; so an embedding is found again whatever data set it is asked for from, and texts that differ
/// only behind the cut share one. The server is its address: two servers may know different models by one name, as a trial's and the real one.
///
/// The database is redb: pure Rust, so nothing of C is compiled as for SQLite; transactions are atomic and durable when a commit returns; one
/// file, locked by the process that has it open; and a key-value table is all that is needed.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    database: Database,
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes an empty store at a path where there is no file.
///
/// redb writes its header in several steps, and a process that is killed between them leaves a file that no later run can open. So the new
/// file is made beside its place and takes its name only when it is whole.
fn create(path: &Path) -> std::result::Result<(), DatabaseError> {
    let io = |error: io::Error| DatabaseError::Storage(StorageError::Io(error));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let staged = tempfile::Builder::new()
        .prefix(".partial-")
        .tempfile_in(folder)
        .map_err(io)?;
    drop(builder().create(staged.path())?);
    match staged.persist_noclobber(path) {
        // Another process was faster. Its store may hold embeddings already, so it stays.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(io(error.error)),
        Ok(_) => Ok(()),
    }
}

/// The store as it was at one moment.
pub(crate) struct Snapshot<'a> {
    store: &'a Store,
    /// `None` before the first commit.
    table: Option<ReadOnlyTable<&'static Key, &'static [u8]>>,
}

impl Store {
    /// Opens the file, or makes a new one. After a crash it is repaired first, which reads all of it.
    ///
    /// # Errors
    /// [`Error::StoreInUse`] if it is open already; [`Error::Store`] if its folder is missing or it is not a redb file.
    pub fn open(path: &Path) -> Result<Self> {
        let path = path.to_owned();
        let opened = match path.exists() {
            true => Ok(()),
            false => create(&path),
        };
        let opened = opened.and_then(|()| builder().create(&path));
        match opened {
            Ok(database) => {
                let store = Self { path, database };
                store.warn_of_old()?;
                Ok(store)
            }
            Err(DatabaseError::DatabaseAlreadyOpen) => Err(Error::StoreInUse { path }),
            Err(error) => Err(Error::Store {
                path,
                source: Box::new(error.into()),
            }),
        }
    }

    fn warn_of_old(&self) -> Result<()> {
        let read = self.database.begin_read();
        let read = read.map_err(|error| self.error(error.into()))?;
        let n = match read.open_table(OLD_VECTORS) {
            Ok(table) => table.len().map_err(|error| self.error(error.into()))?,
            Err(_) => 0,
        };
        if n > 0 {
            tracing::warn!(
                "`{}` holds {n} embeddings of an earlier version, which did not record the server; they are not used",
                self.path.display()
            );
        }
        Ok(())
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many embeddings it holds, of all models.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn n_vectors(&self) -> Result<u64> {
        match self.snapshot()?.table {
            Some(table) => table.len().map_err(|error| self.error(error.into())),
            None => Ok(0),
        }
    }

    pub(crate) fn snapshot(&self) -> Result<Snapshot<'_>> {
        let read = self.database.begin_read();
        let read = read.map_err(|error| self.error(error.into()))?;
        match read.open_table(VECTORS) {
            Ok(table) => Ok(Snapshot {
                store: self,
                table: Some(table),
            }),
            Err(TableError::TableDoesNotExist(_)) => Ok(Snapshot {
                store: self,
                table: None,
            }),
            Err(error) => Err(self.error(error.into())),
        }
    }

    /// Puts embeddings in, all or none; they are on disk when this returns.
    pub(crate) fn insert<'a>(
        &self,
        vectors: impl IntoIterator<Item = (Key, &'a [f32])>,
    ) -> Result<()> {
        self.try_insert(vectors).map_err(|error| self.error(*error))
    }

    fn try_insert<'a>(
        &self,
        vectors: impl IntoIterator<Item = (Key, &'a [f32])>,
    ) -> Result<(), Box<redb::Error>> {
        let boxed = |error: redb::Error| Box::new(error);
        // redb's default durability: commit returns after the file is synced.
        let write = self.database.begin_write().map_err(|e| boxed(e.into()))?;
        {
            let mut table = write.open_table(VECTORS).map_err(|e| boxed(e.into()))?;
            let mut bytes = Vec::new();
            for (key, vector) in vectors {
                bytes.clear();
                bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes()));
                let inserted = table.insert(&key, bytes.as_slice());
                inserted.map_err(|e| boxed(e.into()))?;
            }
        }
        write.commit().map_err(|e| boxed(e.into()))
    }

    fn error(&self, source: redb::Error) -> Error {
        Error::Store {
            path: self.path.clone(),
            source: Box::new(source),
        }
    }
}

impl Snapshot<'_> {
    pub(crate) fn contains(&self, key: &Key) -> Result<bool> {
        let Some(table) = &self.table else {
            return Ok(false);
        };
        let found = table.get(key);
        let found = found.map_err(|error| self.store.error(error.into()))?;
        Ok(found.is_some())
    }

    /// The embedding's values into `vector`, which is emptied first. `row` is the text's place, for errors.
    pub(crate) fn read(&self, key: &Key, row: usize, vector: &mut Vec<f32>) -> Result<()> {
        let broken = |problem: String| Error::StoredVector {
            path: self.store.path.clone(),
            row: row + 1,
            problem,
        };
        let table = self.table.as_ref();
        let found = table.map(|table| table.get(key)).transpose();
        let found = found.map_err(|error| self.store.error(error.into()))?;
        let found = found
            .flatten()
            .ok_or_else(|| broken("it is gone".to_owned()))?;
        let (values, rest) = found.value().as_chunks::<4>();
        if !rest.is_empty() || values.is_empty() {
            return Err(broken(format!("it has {} bytes", found.value().len())));
        }
        vector.clear();
        vector.extend(values.iter().map(|bytes| f32::from_le_bytes(*bytes)));
        match vector.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(broken(format!("it holds {value}"))),
            None => Ok(()),
        }
    }
}

pub(crate) fn key(server: &str, model: &Model, text: &str) -> Key {
    let length = |n: usize| (n as u64).to_le_bytes();
    let mut hash = Sha256::new();
    hash.update(KEY_TAG);
    hash.update(length(server.len()));
    hash.update(server);
    hash.update(length(model.name.len()));
    hash.update(&model.name);
    hash.update(length(model.dimensions.unwrap_or(0)));
    hash.update(length(text.len()));
    hash.update(text);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use std::{error::Error as _, fs};

    use super::*;

    fn model(name: &str, dimensions: Option<usize>) -> Model {
        Model {
            dimensions,
            ..Model::named(name)
        }
    }

    /// Made with Python's hashlib: another value would make all stores worthless.
    #[test]
    fn keys_never_change() {
        let key = key(
            "http://h",
            &model("text-embedding-3-small", Some(256)),
            "héllo",
        );
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "ef0a923975b745ae8f3166a8ab48f86c02ff7e8cce76f7ddbd0a20861dad5577"
        );
    }

    #[test]
    fn keys_do_not_run_together() {
        let keys = [
            key("s", &model("m", None), "text"),
            key("s", &model("mt", None), "ext"),
            key("s", &model("m", Some(8)), "text"),
            key("s", &model("m", None), "text "),
            key("s", &model("m", None), ""),
            key("sm", &model("", None), "text"),
            key("t", &model("m", None), "text"),
        ];
        let distinct: std::collections::HashSet<Key> = keys.into_iter().collect();
        assert_eq!(distinct.len(), keys.len());
    }

    #[test]
    fn vectors_come_back_bit_by_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let vector = [f32::MIN_POSITIVE / 2.0, -0.0, 1.0, f32::MAX];
        let (known, unknown) = ([1; 32], [2; 32]);
        {
            let store = Store::open(&path).unwrap();
            assert_eq!(store.n_vectors().unwrap(), 0);
            assert!(!store.snapshot().unwrap().contains(&known).unwrap());
            store.insert([(known, &vector[..])]).unwrap();
        }
        let store = Store::open(&path).unwrap();
        assert_eq!(store.n_vectors().unwrap(), 1);
        let snapshot = store.snapshot().unwrap();
        assert!(!snapshot.contains(&unknown).unwrap());
        let mut read = vec![9.0];
        snapshot.read(&known, 0, &mut read).unwrap();
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&read), bits(&vector));
    }

    #[test]
    fn a_store_in_use_and_other_files_are_different_errors() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        let _store = Store::open(&path).unwrap();
        assert!(matches!(Store::open(&path), Err(Error::StoreInUse { .. })));

        let other = dir.path().join("other");
        fs::write(&other, "not a database".repeat(1_000)).unwrap();
        let error = Store::open(&other).unwrap_err();
        assert!(matches!(error, Error::Store { .. }) && error.source().is_some());
        assert!(error.to_string().contains("other"));
        assert!(Store::open(&dir.path().join("missing/store")).is_err());
    }

    #[test]
    fn embeddings_of_stores_without_servers_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.redb");
        {
            let database = builder().create(&path).unwrap();
            let write = database.begin_write().unwrap();
            {
                let mut table = write.open_table(OLD_VECTORS).unwrap();
                table.insert(&[1; 32], [0; 4].as_slice()).unwrap();
            }
            write.commit().unwrap();
        }
        let store = Store::open(&path).unwrap();
        assert_eq!(store.n_vectors().unwrap(), 0);
        assert!(!store.snapshot().unwrap().contains(&[1; 32]).unwrap());
    }

    #[test]
    fn broken_vectors_are_not_served() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.redb")).unwrap();
        let cases: [(Key, &[f32]); 2] = [([1; 32], &[f32::NAN]), ([2; 32], &[])];
        store.insert(cases).unwrap();
        let snapshot = store.snapshot().unwrap();
        for (key, problem) in [([1; 32], "NaN"), ([2; 32], "0 bytes"), ([3; 32], "gone")] {
            let error = snapshot.read(&key, 6, &mut Vec::new()).unwrap_err();
            let message = error.to_string();
            assert!(
                message.contains(problem) && message.contains("text 7"),
                "{message}"
            );
        }
    }
}
