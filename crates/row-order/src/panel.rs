use crate::{Error, Result};

/// One task: the scores that each LLM got in it, in the order in which they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The task's name.
    pub name: String,
    /// One column of `n_rows` scores for each LLM, in the LLMs' order; none where an LLM was not evaluated. NaN is a score that is unknown.
    pub columns: Vec<Option<Vec<f64>>>,
}

/// All tasks with their columns standardized.
pub(crate) struct Panel {
    pub(crate) n_models: usize,
    pub(crate) tasks: Vec<PanelTask>,
}

pub(crate) struct PanelTask {
    pub(crate) n_rows: usize,
    /// For each LLM the scores with mean 0 and variance 1 over the known ones, unknown ones 0, rows as stored; none where the LLM is absent or
    /// its scores are all equal, and so cannot correlate.
    pub(crate) columns: Vec<Option<Vec<f64>>>,
}

impl Panel {
    pub(crate) fn new(models: &[String], tasks: &[Task]) -> Result<Self> {
        if models.is_empty() {
            return Err(Error::Empty { what: "LLMs" });
        }
        if tasks.is_empty() {
            return Err(Error::Empty { what: "tasks" });
        }
        let tasks = tasks
            .iter()
            .map(|task| PanelTask::new(models, task))
            .collect::<Result<_>>()?;
        Ok(Self {
            n_models: models.len(),
            tasks,
        })
    }

    /// Does the LLM have scores that vary, in any task?
    pub(crate) fn varies(&self, model: usize) -> bool {
        self.tasks.iter().any(|task| task.columns[model].is_some())
    }
}

impl PanelTask {
    fn new(models: &[String], task: &Task) -> Result<Self> {
        if task.columns.len() != models.len() {
            return Err(Error::Columns {
                task: task.name.clone(),
                found: task.columns.len(),
                expected: models.len(),
            });
        }
        let mut first: Option<(&String, usize)> = None;
        for (model, column) in models.iter().zip(&task.columns) {
            let Some(column) = column else { continue };
            let &mut (first, expected) = first.get_or_insert((model, column.len()));
            if column.len() != expected {
                return Err(Error::Rows {
                    task: task.name.clone(),
                    model: model.clone(),
                    found: column.len(),
                    first: first.clone(),
                    expected,
                });
            }
            if let Some(row_idx) = column.iter().position(|score| score.is_infinite()) {
                return Err(Error::NotFinite {
                    task: task.name.clone(),
                    model: model.clone(),
                    row: row_idx + 1,
                    found: column[row_idx],
                });
            }
        }
        let columns = task.columns.iter();
        Ok(Self {
            n_rows: first.map_or(0, |(_, n_rows)| n_rows),
            columns: columns
                .map(|column| column.as_deref().and_then(standardize))
                .collect(),
        })
    }
}

fn standardize(column: &[f64]) -> Option<Vec<f64>> {
    let known = || column.iter().copied().filter(|score| !score.is_nan());
    let first = known().next()?;
    // Compared, not computed: the variance of equal numbers may be rounded to something above 0.
    if known().all(|score| score == first) {
        return None;
    }
    // Divided first, so that no square overflows.
    let largest = known().fold(0.0, |largest: f64, score| largest.max(score.abs()));
    let n_known = known().count() as f64;
    let mean = known().map(|score| score / largest).sum::<f64>() / n_known;
    let variance = known()
        .map(|score| (score / largest - mean).powi(2))
        .sum::<f64>()
        / n_known;
    let scale = variance.sqrt();
    // Scores that differ by less than the precision of their mean.
    if scale == 0.0 {
        return None;
    }
    let standardized = |&score: &f64| {
        if score.is_nan() {
            0.0
        } else {
            (score / largest - mean) / scale
        }
    };
    Some(column.iter().map(standardized).collect())
}

#[cfg(test)]
mod tests {
    use super::standardize;

    #[test]
    fn columns_get_mean_0_and_variance_1_or_are_left_out() {
        let nan = f64::NAN;
        for (column, expected) in [
            (&[0.0, 2.0][..], Some(&[-1.0, 1.0][..])),
            (&[1.0, nan, 0.0, nan], Some(&[1.0, 0.0, -1.0, 0.0])),
            (&[-1e308, 1e308], Some(&[-1.0, 1.0])),
            (&[0.1, 0.1, 0.1, nan], None),
            (&[nan, nan], None),
            (&[1.0], None),
            (&[], None),
        ] {
            assert_eq!(standardize(column).as_deref(), expected, "{column:?}");
        }
    }
}
