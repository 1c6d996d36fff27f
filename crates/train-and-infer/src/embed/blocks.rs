//! What has been embedded, kept beside the output until that is whole, so that a run that was killed resumes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dataset::{atomic::remove_folder, write_atomically};
use tracing::{info, warn};

/// In the folder, what its blocks were made from.
const MADE_FROM: &str = "made-from.json";

/// The folder `.<output>.blocks`: one file for some rows, in their order.
#[derive(Debug)]
pub(super) struct Blocks {
    folder: PathBuf,
}

/// The embeddings of some rows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Block {
    pub(super) rows: Vec<Row>,
    /// Those of the rows that have one, one after the other.
    pub(super) values: Vec<f32>,
}

/// What a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// No prompt, and so no embedding.
    Nothing,
    /// An embedding of all its prompt.
    Whole,
    /// An embedding of a part of its prompt, which is longer than the embedder can take.
    Cut,
}

impl Blocks {
    /// Those that were made from the same, or else none.
    pub(super) fn open(output: &Path, made_from: &str) -> anyhow::Result<Self> {
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        let folder = output.with_file_name(format!(".{name}.blocks"));
        let record = folder.join(MADE_FROM);
        match fs::read_to_string(&record) {
            Ok(found) if found == made_from => {
                info!("going on with what an earlier run has embedded");
            }
            _ => {
                remove_folder(&folder)?;
                write_atomically(&record, made_from.as_bytes())?;
            }
        }
        Ok(Self { folder })
    }

    /// Those of so many rows, if they are there.
    pub(super) fn get(&self, at: usize, n_rows: usize, dim: usize) -> Option<Block> {
        let path = self.path(at);
        let bytes = fs::read(&path).ok()?;
        let block = Block::of_bytes(&bytes, n_rows, dim);
        if block.is_none() {
            warn!("`{}` is damaged; embedding its rows again", path.display());
        }
        block
    }

    pub(super) fn put(&self, at: usize, block: &Block) -> anyhow::Result<()> {
        Ok(write_atomically(self.path(at), &block.bytes())?)
    }

    /// Removes them, for the output is there.
    pub(super) fn remove(self) -> anyhow::Result<()> {
        remove_folder(&self.folder)
            .context("the embeddings are written; what they were collected in stays")
    }

    fn path(&self, at: usize) -> PathBuf {
        self.folder.join(format!("{at:08}"))
    }
}

impl Block {
    /// ```text
    /// a byte for each row, then the values as little-endian floats
    /// ```
    fn bytes(&self) -> Vec<u8> {
        let rows = self.rows.iter().map(|row| *row as u8);
        let values = self.values.iter().flat_map(|value| value.to_le_bytes());
        rows.chain(values).collect()
    }

    fn of_bytes(bytes: &[u8], n_rows: usize, dim: usize) -> Option<Self> {
        let (rows, values) = bytes.split_at_checked(n_rows)?;
        let rows: Vec<Row> = rows
            .iter()
            .map(|&byte| Row::of(byte))
            .collect::<Option<_>>()?;
        let n_embedded = rows.iter().filter(|row| **row != Row::Nothing).count();
        let (values, rest) = values.as_chunks::<4>();
        let is_whole = rest.is_empty() && values.len() == n_embedded * dim;
        is_whole.then(|| Self {
            rows,
            values: values
                .iter()
                .map(|&bytes| f32::from_le_bytes(bytes))
                .collect(),
        })
    }
}

impl Row {
    fn of(byte: u8) -> Option<Self> {
        let all = [Self::Nothing, Self::Whole, Self::Cut];
        all.into_iter().find(|row| *row as u8 == byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_again_unless_they_are_of_something_else_or_damaged() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let output = root.path().join("part.parquet");
        let block = Block {
            rows: vec![Row::Whole, Row::Nothing, Row::Cut],
            values: vec![0.5, -1.0, 0.1, 2.0],
        };
        let blocks = Blocks::open(&output, "a").expect("made");
        assert_eq!(blocks.get(3, 3, 2), None);
        blocks.put(3, &block).expect("written");
        assert_eq!(blocks.get(3, 3, 2).as_ref(), Some(&block));
        // For other rows, or of another width.
        assert_eq!(blocks.get(3, 4, 2), None);
        assert_eq!(blocks.get(3, 3, 3), None);
        let again = Blocks::open(&output, "a").expect("found");
        assert_eq!(again.get(3, 3, 2).as_ref(), Some(&block));
        let bytes = fs::read(again.path(3)).expect("read");
        fs::write(again.path(3), &bytes[..bytes.len() - 1]).expect("written");
        assert_eq!(again.get(3, 3, 2), None);
        again.put(3, &block).expect("written");
        let other = Blocks::open(&output, "b").expect("made");
        assert_eq!(other.get(3, 3, 2), None);
        other.remove().expect("removed");
        let n_left = fs::read_dir(root.path()).expect("listed").count();
        assert_eq!(n_left, 0);
    }
}
