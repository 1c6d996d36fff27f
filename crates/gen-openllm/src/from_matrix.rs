//! The way from CARROT's published matrix to a data set.

use std::path::Path;

use anyhow::ensure;
use datagen::cli::Raw;
use dataset::Source;

use crate::{
    config::Model,
    details::incomplete_note,
    job::Job,
    published::{Matrix, Order, Questions, align, raw_table},
};

impl Job {
    /// From a pickle of scores and a table of the questions that it lacks.
    pub(crate) fn run_matrix(
        &self,
        pickle: &Path,
        questions: &Path,
        order: Order,
    ) -> anyhow::Result<()> {
        let sources = vec![Source::of(pickle)?, Source::of(questions)?];
        let mut matrix = Matrix::read(pickle, &self.config)?;
        let (complete, incomplete): (Vec<usize>, Vec<usize>) =
            (0..matrix.models.len()).partition(|&m| matrix.is_complete(m));
        let notes = incomplete
            .into_iter()
            .map(|m| incomplete_note(matrix.models[m], &missing(&matrix, m), self.keep_incomplete));
        let notes: Vec<String> = notes.collect();
        matrix.notes.extend(notes);
        // The audit uses all LLMs either way: an incomplete one still shows in which order scores were gathered.
        let kept = if self.keep_incomplete {
            (0..matrix.models.len()).collect()
        } else {
            complete
        };
        ensure!(
            !kept.is_empty(),
            "no LLM of `{}` has all tasks; keep those that lack some with --keep-incomplete",
            pickle.display()
        );
        let models: Vec<&Model> = kept.iter().map(|&m| matrix.models[m]).collect();
        let recipe = self.recipe(&models, sources);
        datagen::cli::run(&self.shared, recipe, || {
            // Read only if the data set has to be made.
            let questions = Questions::read(questions, &models)?;
            self.read_matrix(&matrix, &kept, &questions, order)
        })
    }

    fn read_matrix(
        &self,
        matrix: &Matrix<'_>,
        kept: &[usize],
        questions: &Questions,
        order: Order,
    ) -> anyhow::Result<Raw> {
        let alignment = align(matrix, &self.config)?;
        let published = raw_table(matrix, &alignment, questions, kept, order, &self.config)?;
        Ok(Raw {
            table: published.table,
            prices: Some(self.config.prices(&self.config_source.path)?),
            notes: [matrix.notes.clone(), published.notes].concat(),
            extras: vec![alignment.extra(), published.summary],
        })
    }
}

/// The tasks that the matrix has and an LLM lacks.
fn missing(matrix: &Matrix<'_>, model: usize) -> Vec<String> {
    let tasks = matrix
        .tasks
        .iter()
        .filter(|task| task.columns[model].is_none());
    tasks.map(|task| format!("`{}`", task.task.name)).collect()
}
