use ndarray::Array2;

use crate::{
    Error, Result, Store,
    answer::Answer,
    error::RequestName,
    prepare::{Distinct, Prepared},
};

/// The result, as it fills. A text's embedding is written where the text occurs first, and copied to its other places in the end.
pub(crate) struct Rows {
    n_rows: usize,
    /// Embeddings expected, should none ever come.
    expected_dim: usize,
    /// The length of those that the client has already, of other texts.
    known_dim: Option<usize>,
    dim: Option<usize>,
    values: Vec<f32>,
    n_done: usize,
}

impl Rows {
    pub(crate) fn new(
        prepared: &Prepared,
        expected_dim: Option<usize>,
        known_dim: Option<usize>,
    ) -> Self {
        Self {
            n_rows: prepared.plan.n_texts,
            expected_dim: expected_dim.unwrap_or(0),
            known_dim,
            dim: None,
            values: Vec::new(),
            n_done: 0,
        }
    }

    /// Texts that have their embedding, counting all copies.
    pub(crate) fn n_done(&self) -> usize {
        self.n_done
    }

    /// Takes what the store has.
    pub(crate) fn load(&mut self, store: &Store, prepared: &Prepared) -> Result<()> {
        let snapshot = store.snapshot()?;
        let mut pending = prepared.pending.iter().peekable();
        let mut vector = Vec::new();
        for (idx, text) in prepared.distinct.iter().enumerate() {
            if pending.next_if(|p| p.distinct as usize == idx).is_some() {
                continue;
            }
            snapshot.read(&text.key, text.first_row, &mut vector)?;
            if let Err(expected) = self.fix_dim(vector.len()) {
                return Err(Error::StoredVector {
                    path: store.path().to_owned(),
                    row: text.first_row + 1,
                    problem: format!("it has {} values, others have {expected}", vector.len()),
                });
            }
            self.put(text, &vector);
        }
        Ok(())
    }

    /// All embeddings have the length of the client's first, from the store or from a server.
    pub(crate) fn check_dim(
        &mut self,
        answer: &Answer,
        name: impl FnOnce() -> RequestName,
    ) -> Result<()> {
        if answer.bad.len() * answer.dim == answer.values.len() {
            // Nothing usable in it, so nothing that has a length.
            return Ok(());
        }
        self.fix_dim(answer.dim)
            .map_err(|expected| Error::OtherLength {
                request: name(),
                found: answer.dim,
                expected,
            })
    }

    pub(crate) fn put(&mut self, text: &Distinct, vector: &[f32]) {
        self.values[text.first_row * vector.len()..][..vector.len()].copy_from_slice(vector);
        self.n_done += text.n_rows as usize;
    }

    pub(crate) fn finish(mut self, distinct_of_row: &[u32]) -> Array2<f32> {
        let dim = self.dim.unwrap_or(self.expected_dim);
        let mut first_rows: Vec<usize> = Vec::new();
        for (row, idx) in distinct_of_row.iter().enumerate() {
            match first_rows.get(*idx as usize) {
                Some(first) => self
                    .values
                    .copy_within(first * dim..(first + 1) * dim, row * dim),
                None => first_rows.push(row),
            }
        }
        Array2::from_shape_vec((self.n_rows, dim), self.values).expect("made for this shape")
    }

    /// The length that was expected, if it is another.
    fn fix_dim(&mut self, dim: usize) -> Result<(), usize> {
        match self.dim.or(self.known_dim) {
            Some(expected) if expected != dim => return Err(expected),
            _ if self.dim.is_some() => (),
            _ => {
                self.dim = Some(dim);
                self.values = vec![0.0; self.n_rows * dim];
            }
        }
        Ok(())
    }
}
