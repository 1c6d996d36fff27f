//! A made-up table whose truth is known.

use dataset::worth;
use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use routers::{
    Backend, Blend, BlendLearners, BlendParams, CheckedBlendParams, ClusterParams, Error,
    KernelParams, KnnParams, LinearParams, RoutingCosts, Selection, Target,
};

const DIM: usize = 8;

pub(crate) fn params() -> CheckedBlendParams {
    let (n_folds, seed) = (4, 42);
    let knn = KnnParams {
        n_neighbors: vec![2, 8, 32],
        n_folds,
        tune_queries: 0,
        selection: Selection::Paper,
        seed,
        backend: Backend::Gemm,
    };
    let linear = LinearParams {
        alphas: vec![100.0, 10.0, 1.0],
        n_folds,
        seed,
    };
    let kernel = KernelParams {
        gammas: vec![0.5, 2.0],
        alphas: vec![10.0, 1.0],
        n_landmarks: 60,
        n_folds,
        seed,
    };
    let cluster = ClusterParams {
        n_clusters: vec![4, 16],
        prior_rows: 5.0,
        max_iterations: 30,
        tolerance: 1e-3,
        n_folds,
        seed,
    };
    let learners = BlendLearners {
        knn: knn.check().expect("good"),
        linear: linear.check().expect("good"),
        kernel: kernel.check().expect("good"),
        cluster: cluster.check().expect("good"),
    };
    let blend = BlendParams {
        n_folds,
        seed,
        scales: vec![0.125, 0.25, 0.5, 0.75, 1.0, 1.25],
    };
    blend.check(learners).expect("good")
}

/// Embeddings, scores and costs of a made-up table.
pub(crate) struct World {
    pub(crate) embeddings: Array2<f32>,
    pub(crate) scores: Array2<f32>,
    pub(crate) cost_usd: Array2<f64>,
}

impl World {
    /// LLM m answers right with probability 1/2 + 1/2 tanh(`signal` * value m of the embedding); later LLMs cost more.
    pub(crate) fn new(n_rows: usize, n_models: usize, signal: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let embeddings =
            Array2::from_shape_simple_fn((n_rows, DIM), || StandardNormal.sample(&mut rng));
        let scores = Array2::from_shape_fn((n_rows, n_models), |(row, m)| {
            let value: f32 = embeddings[[row, m % DIM]];
            let right = 0.5 + 0.5 * (signal * f64::from(value)).tanh();
            f32::from(u8::from(rng.random_bool(right)))
        });
        let cost_usd = Array2::from_shape_fn((n_rows, n_models), |(_, m)| {
            1e-3 * (1 + m) as f64 * rng.random_range(0.5..1.5)
        });
        Self {
            embeddings,
            scores,
            cost_usd,
        }
    }

    /// Scores and dollars as targets.
    pub(crate) fn targets(&self) -> [Target; 2] {
        let target = |name: &str, values| Target {
            name: name.to_owned(),
            values,
        };
        [
            target("score", self.scores.clone()),
            target("cost", self.cost_usd.mapv(|it| it as f32)),
        ]
    }

    pub(crate) fn fit(&self) -> Blend {
        self.try_fit(&params()).expect("fitted")
    }

    fn try_fit(&self, params: &CheckedBlendParams) -> Result<Blend, Error> {
        let costs = self.costs();
        params.fit(self.embeddings.view(), &self.targets(), &costs, &|_| ())
    }

    /// The cost target is dollars as they are.
    pub(crate) fn costs(&self) -> RoutingCosts<'_> {
        RoutingCosts {
            cost_usd: self.cost_usd.view(),
            predicted_usd: &|predicted| predicted.expect("a cost target").mapv(f64::from),
            inverse_propensities: None,
        }
    }

    /// The same prompts with other rows' scores and costs.
    pub(crate) fn permuted(mut self, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.scores.nrows()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        self.scores = self.scores.select(Axis(0), &order);
        self.cost_usd = self.cost_usd.select(Axis(0), &order);
        self
    }

    /// The mean gain of a blend on this table over the best constant of another.
    pub(crate) fn gain(&self, blend: &Blend, fitted: &Self) -> f64 {
        let predicted = predict(blend, &self.embeddings);
        let mean = |values: Array2<f64>| values.mean_axis(Axis(0)).expect("rows").to_vec();
        let scores = mean(fitted.scores.mapv(f64::from));
        let costs = mean(fitted.cost_usd.clone());
        let worths = worth::grid(&costs);
        let mut total = 0.0;
        for &v in &worths {
            let constant = worth::best_constant(&scores, &costs, v).expect("known");
            for row in 0..self.scores.nrows() {
                let cost = |m: usize| f64::from(predicted[1][[row, m]]);
                let utility = |m| f64::from(predicted[0][[row, m]]) - cost(m) / v;
                let best = |a: usize, b| if utility(b) > utility(a) { b } else { a };
                let choice = (0..self.scores.ncols()).reduce(best).expect("LLMs");
                let real = |m| f64::from(self.scores[[row, m]]) - self.cost_usd[[row, m]] / v;
                total += real(choice) - real(constant);
            }
        }
        total / (worths.len() * self.scores.nrows()) as f64
    }
}

pub(crate) fn predict(blend: &Blend, embeddings: &Array2<f32>) -> Vec<Array2<f32>> {
    blend
        .predict(embeddings.view(), &|_| ())
        .expect("predicted")
}

pub(crate) fn bits(predicted: &[Array2<f32>]) -> Vec<Array2<u32>> {
    predicted.iter().map(|it| it.mapv(f32::to_bits)).collect()
}
