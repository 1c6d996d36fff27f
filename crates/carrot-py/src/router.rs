use std::{
    fs,
    path::{Path, PathBuf},
};

use dataset::{DatasetInfo, PartTable, Precision, PredictedCost, sha256_bytes};
use ndarray::{Array2, ArrayView2};
use numpy::{IntoPyArray as _, PyArray2, PyReadonlyArray2};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyType},
};
use saved_routers::{
    Embedder, FORMAT_VERSION, ModelOutputs, NewFolder, PerModelOutputs, Record, SavedRouter,
};
use tempfile::TempDir;

use crate::{
    error::{raise, refuse},
    packed, settings,
    split::Part,
    table::Columns,
    warnings::detached,
};

pub(crate) const MADE_BY: &str = concat!("carrot-py ", env!("CARGO_PKG_VERSION"));

/// The folder of a router in a temporary one.
const ROUTER: &str = "router";

/// A fitted router, as it was saved: what predicts is what a folder holds, and so are predictions those of the programs.
#[pyclass(frozen, module = "carrot_router._native")]
pub(crate) struct Router {
    // Before its folder, whose files it may have mapped.
    saved: SavedRouter,
    folder: PathBuf,
    /// Where the folder is the router's own.
    _own: Option<TempDir>,
    /// What the fit chose, a line each.
    summary: Vec<String>,
}

/// What a router is fitted to.
struct Subject<'a> {
    router: &'a str,
    settings: &'a str,
    embedder: &'a str,
    embeddings: ArrayView2<'a, f32>,
    table: &'a PartTable,
    info: &'a DatasetInfo,
    train_sha256: String,
}

impl Subject<'_> {
    /// Fits, saves, and opens what was saved, as train-and-infer does.
    fn fit(&self) -> PyResult<Router> {
        let learner = settings::learner(self.router)?;
        let params = settings::learners(self.settings)?;
        let recipe = params.recipe(learner);
        let fitted = params
            .fit(learner, self.embeddings, self.table, self.info, &|_| {})
            .map_err(raise)?;
        let own = TempDir::with_prefix("carrot-")?;
        let place = own.path().join(ROUTER);
        let folder = NewFolder::create(&place).map_err(raise)?;
        let contents = fitted.save(&folder).map_err(raise)?;
        let record = Record {
            format_version: FORMAT_VERSION,
            router: self.router.to_owned(),
            dataset: self.info.name.clone(),
            train_sha256: self.train_sha256.clone(),
            models: self.info.models.clone(),
            cost_kind: self.info.cost_kind,
            pair: None,
            embedder: Some(Embedder {
                name: self.embedder.to_owned(),
                model: None,
                sha256: None,
                server: None,
                dim: self.embeddings.ncols(),
                truncate: None,
                precision: Precision::default(),
                license: None,
            }),
            token_lines: None,
            base: None,
            contents,
            config: recipe.config,
            results: fitted.results(),
            made_by: MADE_BY.to_owned(),
            files: Vec::new(),
        };
        folder.commit(&record).map_err(raise)?;
        Ok(Router {
            saved: SavedRouter::open(&place).map_err(raise)?,
            folder: place,
            summary: fitted.summary(),
            _own: Some(own),
        })
    }
}

#[pymethods]
impl Router {
    /// Fits a router to arrays. `groups` has one number per row, equal for rows that belong together.
    #[classmethod]
    #[pyo3(signature = (router, settings, embeddings, scores, costs=None, *, models=None, groups=None, shuffled=false, embedder="given"))]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are named where Python calls"
    )]
    fn fit(
        cls: &Bound<'_, PyType>,
        router: &str,
        settings: &str,
        embeddings: PyReadonlyArray2<'_, f32>,
        scores: PyReadonlyArray2<'_, f32>,
        costs: Option<PyReadonlyArray2<'_, f64>>,
        models: Option<Vec<String>>,
        groups: Option<Vec<i64>>,
        shuffled: bool,
        embedder: &str,
    ) -> PyResult<Self> {
        let (embeddings, scores) = (embeddings.as_array(), scores.as_array());
        let cost_usd = costs.as_ref().map(|costs| costs.as_array());
        detached(cls.py(), || {
            let train_sha256 = hash(embeddings, scores, cost_usd);
            let columns = Columns {
                scores,
                cost_usd,
                models,
                groups,
                is_shuffled: shuffled,
            };
            let described = columns.describe(embeddings.nrows())?;
            Subject {
                router,
                settings,
                embedder,
                embeddings: embeddings.view(),
                table: &described.table,
                info: &described.info,
                train_sha256,
            }
            .fit()
        })
    }

    /// Fits a router to a part of a data set, whose prompts have these embeddings.
    #[classmethod]
    #[pyo3(signature = (router, settings, embeddings, part, *, embedder="given"))]
    fn fit_part(
        cls: &Bound<'_, PyType>,
        router: &str,
        settings: &str,
        embeddings: PyReadonlyArray2<'_, f32>,
        part: &Part,
        embedder: &str,
    ) -> PyResult<Self> {
        let embeddings = embeddings.as_array();
        detached(cls.py(), || {
            Subject {
                router,
                settings,
                embedder,
                embeddings,
                table: part.table(),
                info: part.info(),
                train_sha256: part.sha256()?,
            }
            .fit()
        })
    }

    /// Opens a folder that train-and-infer or `save` wrote.
    #[classmethod]
    fn open(cls: &Bound<'_, PyType>, folder: PathBuf) -> PyResult<Self> {
        detached(cls.py(), || Self::of_folder(folder, None))
    }

    /// Opens what `to_bytes` gave.
    #[classmethod]
    fn from_bytes(cls: &Bound<'_, PyType>, packed: &[u8]) -> PyResult<Self> {
        detached(cls.py(), || {
            let own = TempDir::with_prefix("carrot-")?;
            let place = own.path().join(ROUTER);
            packed::unpack(packed, &place)?;
            Self::of_folder(place, Some(own))
        })
    }

    /// The folder as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let files = packed::files(&self.folder)?;
        PyBytes::new_with(py, packed::n_bytes(&files), |bytes| {
            Ok(packed::pack(&self.folder, &files, bytes)?)
        })
    }

    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let from_bytes = slf.get_type().getattr("from_bytes")?;
        Ok((from_bytes, (slf.get().to_bytes(slf.py())?,)))
    }

    /// Writes the router's folder, which the programs open, too.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        detached(py, || {
            let new = NewFolder::create(&folder).map_err(raise)?;
            for (name, _) in packed::files(&self.folder)? {
                let path = new.path().join(&name);
                if let Some(above) = path.parent() {
                    fs::create_dir_all(above)?;
                }
                fs::copy(self.folder.join(&name), path)?;
            }
            new.commit(&self.saved.record).map_err(raise)
        })
    }

    /// Predicted scores, and costs in dollars, for embeddings. Costs of routers that predict tokens need `input_tokens`, and those that are known
    /// before a call the part that knows them; without, they are NaN.
    #[pyo3(signature = (embeddings, *, input_tokens=None, part=None))]
    fn predict<'py>(
        &self,
        py: Python<'py>,
        embeddings: PyReadonlyArray2<'py, f32>,
        input_tokens: Option<PyReadonlyArray2<'py, f64>>,
        part: Option<&Part>,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f64>>)> {
        let embeddings = embeddings.as_array();
        let input_tokens = input_tokens.as_ref().map(|tokens| tokens.as_array());
        let (scores, costs) = detached(py, || {
            let PerModelOutputs { scores, cost } = self.outputs(embeddings)?;
            let cost_usd = self.cost_usd(&cost, scores.dim(), input_tokens, part)?;
            Ok((scores, cost_usd))
        })?;
        Ok((scores.into_pyarray(py), costs.into_pyarray(py)))
    }

    /// The router's name.
    #[getter]
    fn name(&self) -> &str {
        &self.saved.record.router
    }

    /// The LLMs, in the order of every output.
    #[getter]
    fn models(&self) -> Vec<String> {
        self.saved
            .record
            .models
            .iter()
            .map(|model| model.name.clone())
            .collect()
    }

    /// Length of the embeddings that it predicts from.
    #[getter]
    fn dim(&self) -> Option<usize> {
        self.saved
            .record
            .embedder
            .as_ref()
            .map(|embedder| embedder.dim)
    }

    /// The name of what made them.
    #[getter]
    fn embedder(&self) -> Option<&str> {
        self.saved
            .record
            .embedder
            .as_ref()
            .map(|embedder| &*embedder.name)
    }

    /// Whether its choices depend on the prompt: a blend may have found that routing is not worth it.
    #[getter]
    fn routes(&self) -> bool {
        self.saved.model.routes()
    }

    /// What predicts, in words.
    fn describe(&self) -> String {
        self.saved.model.describe()
    }

    /// What the fit chose, a line each; nothing where the router was opened.
    #[getter]
    fn summary(&self) -> Vec<String> {
        self.summary.clone()
    }

    /// What was chosen or measured in the fit, as JSON.
    fn results(&self) -> String {
        self.saved.record.results.to_string()
    }

    /// The settings that it was fitted with, as JSON.
    fn config(&self) -> String {
        self.saved.record.config.to_string()
    }
}

impl Router {
    fn of_folder(folder: PathBuf, own: Option<TempDir>) -> PyResult<Self> {
        let saved = SavedRouter::open(&folder).map_err(raise)?;
        if !saved.model.is_on_embeddings() {
            return Err(refuse(format!(
                "`{}` holds `{}`, expected a router that predicts every LLM's score and cost from embeddings",
                folder.display(),
                saved.record.router
            )));
        }
        Ok(Self {
            saved,
            folder,
            _own: own,
            summary: Vec::new(),
        })
    }

    fn outputs(&self, embeddings: ArrayView2<'_, f32>) -> PyResult<PerModelOutputs> {
        match self
            .saved
            .model
            .predict(embeddings, &|_| {})
            .map_err(raise)?
        {
            ModelOutputs::PerModel(outputs) => Ok(outputs),
            ModelOutputs::SmallWins(_) => unreachable!("a router of a pair is refused"),
        }
    }

    fn cost_usd(
        &self,
        cost: &PredictedCost,
        shape: (usize, usize),
        input_tokens: Option<ArrayView2<'_, f64>>,
        part: Option<&Part>,
    ) -> PyResult<Array2<f64>> {
        let models = &self.saved.record.models;
        let check = |what, found: (usize, usize)| match found == shape {
            true => Ok(()),
            false => Err(refuse(format!(
                "{what} have shape `{found:?}`, expected `{shape:?}`"
            ))),
        };
        if let Some(part) = part {
            check("the part's scores", part.table().scores.dim())?;
            return Ok(cost.usd_of_split(models, part.table()));
        }
        if let Some(tokens) = input_tokens {
            check("input tokens", tokens.dim())?;
        }
        Ok(Array2::from_shape_fn(shape, |(prompt, model)| {
            let n_input_tokens = input_tokens.map_or(f64::NAN, |tokens| tokens[[prompt, model]]);
            cost.usd(
                [prompt, model],
                n_input_tokens,
                models[model].price.as_ref(),
            )
        }))
    }
}

/// SHA-256 over what a router was fitted to, which its record names.
fn hash(
    embeddings: ArrayView2<'_, f32>,
    scores: ArrayView2<'_, f32>,
    costs: Option<ArrayView2<'_, f64>>,
) -> String {
    let of_f32 = |values: ArrayView2<'_, f32>| {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        sha256_bytes(&bytes)
    };
    let of_f64 = |values: ArrayView2<'_, f64>| {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        sha256_bytes(&bytes)
    };
    let hashes = [
        of_f32(embeddings),
        of_f32(scores),
        costs.map(of_f64).unwrap_or_default(),
    ];
    sha256_bytes(hashes.concat().as_bytes())
}

/// The name of a data set's folder and the folder above it.
pub(crate) fn named(folder: &Path) -> PyResult<(&Path, &str)> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        refuse(format!(
            "`{}` is not the folder of a data set",
            folder.display()
        ))
    })?;
    let above = folder
        .parent()
        .filter(|above| !above.as_os_str().is_empty());
    Ok((above.unwrap_or(Path::new(".")), name))
}
