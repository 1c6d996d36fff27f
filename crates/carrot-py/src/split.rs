use std::{path::PathBuf, sync::Arc};

use dataset::{
    CostKind, DatasetDir, DatasetInfo, Embeddings, Part as Side, PartTable, Predictions, WholeSet,
    sha256_file,
};
use ndarray::{Array1, Array2};
use numpy::{IntoPyArray as _, PyArray1, PyArray2, PyArrayMethods as _};
use pyo3::prelude::*;

use crate::{
    error::{raise, refuse},
    router::named,
    warnings::detached,
};

/// The parts of a data set.
#[pyclass(frozen, get_all, module = "carrot_router._native")]
pub(crate) struct Split {
    /// The data set's name.
    name: String,
    /// The LLMs, in the order of all columns.
    models: Vec<String>,
    /// The positions of the small and the large LLM that routers of two choose between; none where the data set names no pair.
    pair: Option<(usize, usize)>,
    /// Whether what a call costs is known before it, so that nobody has to predict it.
    has_known_costs: bool,
    /// What routers are fitted on.
    train: Py<Part>,
    /// What they are judged on.
    test: Py<Part>,
}

/// What was predicted: scores and costs, or the probability that the small LLM of a pair does as well as the large one.
#[derive(IntoPyObject)]
pub(crate) enum Predicted<'py> {
    PerModel((Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f64>>)),
    SmallWins(Bound<'py, PyArray1<f32>>),
}

/// One part: prompts, and every LLM's score and cost on them.
#[pyclass(frozen, module = "carrot_router._native")]
pub(crate) struct Part {
    dir: DatasetDir,
    side: Side,
    info: Arc<DatasetInfo>,
    table: PartTable,
}

/// Reads a data set, `data/my-logs` say.
#[pyfunction]
pub(crate) fn read_split(py: Python<'_>, folder: PathBuf) -> PyResult<Split> {
    let (dir, info, [train, test]) = detached(py, || {
        let (data_dir, name) = named(&folder)?;
        let dir = DatasetDir::existing(data_dir, name).map_err(raise)?;
        let info = DatasetInfo::read(&dir.info()).map_err(raise)?;
        let read = |side| PartTable::read_weighed(&dir, &info, side).map_err(raise);
        let tables = [read(Side::Train)?, read(Side::Test)?];
        Ok((dir, Arc::new(info), tables))
    })?;
    let models = info.model_names();
    let pair = info.pair.as_ref();
    let pair = pair.map(|pair| pair.positions(&dir.info(), &models).map_err(raise));
    let part = |side, table| {
        let part = Part {
            dir: dir.clone(),
            side,
            info: info.clone(),
            table,
        };
        Py::new(py, part)
    };
    Ok(Split {
        name: info.name.clone(),
        pair: pair.transpose()?.map(|pair| (pair.small, pair.large)),
        has_known_costs: info.cost_kind == CostKind::Known,
        models,
        train: part(Side::Train, train)?,
        test: part(Side::Test, test)?,
    })
}

#[pymethods]
impl Split {
    /// What train-and-infer's `--cross-fit` predicted for the rows of both parts, those of train first: the fold of each row, which its router was not
    /// fitted on and -1 for a row of none, and scores and costs, or of a router of two LLMs the probability that the small one does as well.
    #[pyo3(signature = (router, repeat=0))]
    fn out_of_fold<'py>(
        &self,
        py: Python<'py>,
        router: &str,
        repeat: u32,
    ) -> PyResult<(Bound<'py, PyArray1<i64>>, Predicted<'py>)> {
        let part = self.train.get();
        let found = detached(py, || {
            let whole = WholeSet::open(&part.dir).map_err(raise)?;
            let found = whole.cross_fit(router, repeat).map_err(raise)?;
            Ok(found.map_err(raise)?.out_of_fold)
        })?;
        let folds = found.folds.into_iter();
        let folds = Array1::from_iter(folds.map(|fold| fold.map_or(-1, i64::from)));
        let predicted = match found.predictions {
            Predictions::PerModel(it) => {
                Predicted::PerModel((it.scores.into_pyarray(py), it.cost_usd.into_pyarray(py)))
            }
            Predictions::SmallWins(it) => Predicted::SmallWins(it.probability.into_pyarray(py)),
        };
        Ok((folds.into_pyarray(py), predicted))
    }
}

#[pymethods]
impl Part {
    fn __len__(&self) -> usize {
        self.table.n_prompts()
    }

    /// What names a prompt.
    #[getter]
    fn ids(&self) -> Vec<String> {
        self.table.ids.clone()
    }

    /// The benchmark or family that a prompt belongs to.
    #[getter]
    fn tasks(&self) -> Vec<String> {
        self.table.tasks.clone()
    }

    /// What an LLM is asked.
    #[getter]
    fn prompts(&self) -> Vec<String> {
        self.table.prompts.clone()
    }

    /// The LLMs, in column order.
    #[getter]
    fn models(&self) -> Vec<String> {
        self.table.models.clone()
    }

    /// Scores, of shape `(n_prompts, n_models)`; not to be written to, as they are the part's own.
    #[getter]
    fn scores<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyArray2<f32>> {
        shown(slf, &slf.get().table.scores)
    }

    /// Costs in dollars.
    #[getter]
    fn costs<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyArray2<f64>> {
        shown(slf, &slf.get().table.cost_usd)
    }

    /// Tokens of each prompt under each LLM's tokenizer, where they are known.
    #[getter]
    fn input_tokens<'py>(slf: &Bound<'py, Self>) -> Option<Bound<'py, PyArray2<f64>>> {
        let tokens = slf.get().table.input_tokens.as_ref();
        tokens.map(|tokens| shown(slf, tokens))
    }

    /// Tokens of each answer, where they are known.
    #[getter]
    fn output_tokens<'py>(slf: &Bound<'py, Self>) -> Option<Bound<'py, PyArray2<f64>>> {
        let tokens = slf.get().table.output_tokens.as_ref();
        tokens.map(|tokens| shown(slf, tokens))
    }

    /// The prompts' embeddings of an embedder, as train-and-infer or `embed` left them.
    fn embeddings<'py>(
        &self,
        py: Python<'py>,
        embedder: &str,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let values = detached(py, || {
            let path = self.dir.embeddings(embedder, self.side);
            let embeddings = Embeddings::read(&path).map_err(raise)?;
            let of_part = self.dir.split(self.side);
            embeddings
                .check_ids(&path, &of_part, &self.table.ids)
                .map_err(raise)?;
            Ok(embeddings.values)
        })?;
        Ok(values.into_pyarray(py))
    }

    /// What a router predicted for the test part: scores and costs.
    fn predictions<'py>(
        &self,
        py: Python<'py>,
        router: &str,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f64>>)> {
        let (scores, costs) = detached(py, || {
            let path = self.dir.predictions(router);
            let predictions = Predictions::read(&path).map_err(raise)?;
            let of_part = self.dir.split(self.side);
            predictions
                .check_fits(&path, &of_part, &self.table)
                .map_err(raise)?;
            match predictions {
                Predictions::PerModel(it) => Ok((it.scores, it.cost_usd)),
                Predictions::SmallWins(_) => Err(refuse(format!(
                    "`{router}` chooses within a pair by a threshold and predicts no scores and costs"
                ))),
            }
        })?;
        Ok((scores.into_pyarray(py), costs.into_pyarray(py)))
    }
}

impl Part {
    pub(crate) fn table(&self) -> &PartTable {
        &self.table
    }

    pub(crate) fn info(&self) -> &DatasetInfo {
        &self.info
    }

    /// Of the part's file.
    pub(crate) fn sha256(&self) -> PyResult<String> {
        match &self.info.part_sha256 {
            Some(hashes) => Ok(hashes.get(self.side).to_owned()),
            None => sha256_file(&self.dir.split(self.side)).map_err(raise),
        }
    }
}

/// A matrix of the part as an array that keeps the part alive.
fn shown<'py, T: numpy::Element>(
    part: &Bound<'py, Part>,
    values: &Array2<T>,
) -> Bound<'py, PyArray2<T>> {
    // SAFETY: the part is frozen, so that its matrix neither moves nor changes while the array, which owns a reference to the part, lives; and the
    // array cannot be written to.
    let array = unsafe { PyArray2::borrow_from_array(values, part.clone().into_any()) };
    array.readwrite().make_nonwriteable();
    array
}
