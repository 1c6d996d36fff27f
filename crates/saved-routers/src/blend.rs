use std::path::Path;

use dataset::{MeanCost, PredictedCost, Quantity, Standardizer};
use ndarray::{Array1, Array2, ArrayView2, s};
use routers::{Backend, Blend, Target};

use crate::{
    BlendContents, Contents, EmbeddingFormat, Error, KnnParts, MeanCostUnit, Result, cluster,
    kernel, knn,
    learner::{Learner, Outputs},
    linear,
    model_outputs::{PerModelOutputs, check_dim},
    tensors::{self, Tensor, TensorFile},
};

/// A blend to be written.
#[derive(Debug, Clone, Copy)]
pub struct BlendParts<'a> {
    /// The fit.
    pub blend: &'a Blend,
    /// What its targets are, the score first.
    pub quantities: &'a [Quantity],
    /// What a call of each LLM costs in the mean.
    pub mean_cost: &'a MeanCost,
    /// How embeddings are stored, where nearest neighbors have weight.
    pub format: EmbeddingFormat,
}

/// A blend that was opened in a folder. A clone shares what is mapped.
#[derive(Debug, Clone)]
pub struct SavedBlend {
    blend: Blend,
    quantities: Vec<Quantity>,
    /// The way back to dollars, where z-scores are predicted.
    scale: Option<Standardizer>,
    mean_cost: MeanCost,
    /// In words.
    learners: String,
}

/// Before the names of nearest neighbors' tensors, which have none of their own when they are saved alone.
const KNN: &str = "knn/";
const MEANS: &str = "blend/means";
const MEAN_USD: &str = "blend/mean-cost-usd";
const MEAN_INPUT: &str = "blend/mean-input-tokens";
const MEAN_OUTPUT: &str = "blend/mean-output-tokens";

/// Writes the means, in float64, and the learners that have weight, each as it is written alone.
///
/// ```text
/// blend/means                 (n_targets, n_models)
/// blend/mean-cost-usd         (n_models)
/// blend/mean-input-tokens     (n_models), where prices and tokens make costs
/// blend/mean-output-tokens    (n_models), likewise
/// knn/vectors, knn/targets, linear/..., kernel/..., cluster/...
/// ```
pub(crate) fn write(path: &Path, parts: &BlendParts<'_>) -> Result<Contents> {
    let BlendParts {
        blend,
        quantities,
        mean_cost,
        format,
    } = *parts;
    let all = blend.parts();
    let n_models = all.mean_costs_usd.len();
    let means = all.means.concat();
    let means = Array2::from_shape_vec((all.means.len(), n_models), means)
        .expect("a blend has one mean for each target and LLM");
    let mut tensors = vec![
        Tensor::matrix(MEANS, means.view()),
        Tensor::list(MEAN_USD, &all.mean_costs_usd),
    ];
    if let MeanCost::Tokens { input, output } = mean_cost {
        tensors.push(Tensor::vector(MEAN_INPUT, input.view()));
        tensors.push(Tensor::vector(MEAN_OUTPUT, output.view()));
    }
    let targets: Vec<Target>;
    let mut backend = Backend::Gemm;
    if let Some(it) = &all.knn {
        let held = it.in_memory().ok_or(Error::RowsElsewhere)?;
        let target = |target_idx| Target {
            name: String::new(),
            values: (held.values())
                .slice(s![.., it.outputs(target_idx)])
                .to_owned(),
        };
        targets = (0..quantities.len()).map(target).collect();
        let parts = KnnParts {
            embeddings: held.rows(),
            targets: &targets,
            format,
        };
        tensors.extend(knn::tensors(&parts, path, KNN)?);
        backend = held.backend();
    }
    if let Some(it) = &all.linear {
        tensors.extend(linear::tensors(it, quantities));
    }
    if let Some(it) = &all.kernel {
        tensors.extend(kernel::tensors(it, quantities));
    }
    if let Some(it) = &all.cluster {
        tensors.extend(cluster::tensors(it, quantities));
    }
    tensors::write(path, &tensors)?;
    let mut report = all.report.clone();
    for target in &mut report.targets {
        for learner in &mut target.learners {
            learner.cross_validation.clear();
        }
    }
    Ok(Contents::Blend(Box::new(BlendContents {
        targets: quantities.to_vec(),
        report,
        embeddings: format,
        backend,
        counts_known: (all.knn.iter())
            .flat_map(|it| it.fits())
            .any(|fit| fit.prior_values.is_some()),
        mean_cost: match mean_cost {
            MeanCost::Tokens { .. } => MeanCostUnit::Tokens,
            MeanCost::Usd(_) => MeanCostUnit::Usd,
        },
    })))
}

/// # Errors
/// Those of a file, [`Error::BadNumber`], and [`Error::Router`] for parts that make no blend.
pub(crate) fn read(
    path: &Path,
    contents: &BlendContents,
    outputs: Outputs,
    scale: Option<Standardizer>,
) -> Result<SavedBlend> {
    let Outputs { dim, n_models } = outputs;
    let learners = contents.learners();
    let file = TensorFile::open(path)?;
    let mut names = vec![MEANS.to_owned(), MEAN_USD.to_owned()];
    if contents.mean_cost == MeanCostUnit::Tokens {
        names.extend([MEAN_INPUT, MEAN_OUTPUT].map(str::to_owned));
    }
    names.extend(learners.iter().flat_map(|it| Learner::names(it, KNN)));
    file.has_only(&names)?;

    let means: Array2<f64> = file.matrix(MEANS, (Some(contents.targets.len()), Some(n_models)))?;
    let at_least_zero = |name: &str| -> Result<Array1<f64>> {
        let numbers: Vec<f64> = file.list(name, Some(n_models))?;
        // NaN where an LLM's cost is known of no prompt: such an LLM is never chosen.
        match numbers.iter().find(|it| **it < 0.0 || it.is_infinite()) {
            Some(&found) => Err(Error::BadNumber {
                path: path.to_owned(),
                name: name.to_owned(),
                found,
                expected: "finite numbers of at least 0",
            }),
            None => Ok(numbers.into()),
        }
    };
    let mean_costs_usd = at_least_zero(MEAN_USD)?;
    let mean_cost = match contents.mean_cost {
        MeanCostUnit::Tokens => MeanCost::Tokens {
            input: at_least_zero(MEAN_INPUT)?,
            output: at_least_zero(MEAN_OUTPUT)?,
        },
        MeanCostUnit::Usd => MeanCost::Usd(mean_costs_usd.clone()),
    };
    let mut parts = routers::BlendParts {
        dim,
        means: means.outer_iter().map(|it| it.to_vec()).collect(),
        mean_costs_usd: mean_costs_usd.to_vec(),
        report: contents.report.clone(),
        knn: None,
        linear: None,
        kernel: None,
        cluster: None,
    };
    for learner in &learners {
        match Learner::read(&file, learner, KNN, outputs)? {
            Learner::Knn(it) => parts.knn = Some(it),
            Learner::Linear(it) => parts.linear = Some(it),
            Learner::Kernel(it) => parts.kernel = Some(it),
            Learner::Cluster(it) => parts.cluster = Some(it),
        }
    }
    Ok(SavedBlend {
        blend: Blend::from_parts(parts).map_err(Error::router(path))?,
        quantities: contents.targets.clone(),
        scale,
        mean_cost,
        learners: contents.learners_in_words(),
    })
}

impl SavedBlend {
    /// What predicts, without the meaning of its targets.
    pub fn blend(&self) -> &Blend {
        &self.blend
    }

    /// Whether what is predicted depends on the prompt. If not, it is each LLM's mean score and mean cost.
    pub fn routes(&self) -> bool {
        self.blend.routes()
    }

    /// What predicts, in words.
    pub(crate) fn describe(&self) -> String {
        if self.routes() {
            format!("a blend of {}", self.learners)
        } else {
            "each LLM's mean score and mean cost on the train prompts, whatever the prompt: this blend does not route".to_owned()
        }
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`. A prediction does not depend on the other prompts. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`Error::Dimension`] for embeddings of another length; [`Error::Predict`] for embeddings that are not finite.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PerModelOutputs> {
        check_dim(embeddings, self.blend.parts().dim)?;
        if !self.routes() {
            on_progress(embeddings.nrows() as u64);
            return Ok(self.means(embeddings.nrows()));
        }
        let predicted = self
            .blend
            .predict(embeddings, on_progress)
            .map_err(|source| Error::Predict { source })?;
        Ok(PerModelOutputs::of(
            predicted,
            &self.quantities,
            self.scale.as_ref(),
        ))
    }

    /// What it predicts for so many prompts, whatever they are, where it does not route.
    pub(crate) fn means(&self, n_prompts: usize) -> PerModelOutputs {
        let scores = self.blend.parts().means.first();
        let scores = scores.expect("a blend without targets is refused");
        PerModelOutputs {
            scores: Array2::from_shape_fn((n_prompts, scores.len()), |(_, m)| scores[m] as f32),
            cost: PredictedCost::Mean(self.mean_cost.clone()),
        }
    }
}
