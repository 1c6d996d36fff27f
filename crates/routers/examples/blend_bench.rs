//! Tunes and fits the blend, and tells what it took.
//!
//!     cargo run -p routers --example blend_bench                               made-up rows, 14,234 x 384 with 18 LLMs
//!     cargo run -p routers --example blend_bench FOLDER DIM N_MODELS [known]   rows of a folder, as scripts/bench_blend.py leaves them there
//!
//! A folder holds little-endian matrices, row after row: float32 `train.f32` and `test.f32` (embeddings) and `scores.f32`, float64 `costs.f64`
//! (dollars), of the train rows. Costs are a target of their own, in dollars, unless they are `known` before the call. Beside the blend, ridge
//! and kernel ridge regression are fitted alone, not timed; predictions for the test rows, and the landmarks, are left in the folder.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{error::Error, fs, path::Path, time::Instant};

use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use routers::{
    Backend, Blend, BlendLearners, BlendParams, CheckedBlendParams, CheckedKernelParams,
    CheckedLinearParams, ClusterParams, KernelParams, KnnParams, LinearParams, RoutingCosts,
    Selection, Target,
};
use serde_json::json;

const N_TRAIN: usize = 14_234;
const N_TEST: usize = 3_559;
const DIM: usize = 384;
const N_MODELS: usize = 18;

struct Rows {
    train: Array2<f32>,
    test: Array2<f32>,
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (rows, folder, is_known) = match args[..] {
        [] => (made_up(), None, false),
        [folder, dim, n_models] => (read(folder, dim, n_models)?, Some(folder), false),
        [folder, dim, n_models, "known"] => (read(folder, dim, n_models)?, Some(folder), true),
        _ => return Err("expected no arguments, or FOLDER DIM N_MODELS [known]".into()),
    };
    let (params, linear, kernel) = params()?;
    let targets = targets(&rows, is_known);
    let predicted_usd = |predicted: Option<&Array2<f32>>| match predicted {
        Some(predicted) => predicted.mapv(f64::from),
        None => rows.cost_usd.clone(),
    };
    let costs = RoutingCosts {
        cost_usd: rows.cost_usd.view(),
        predicted_usd: &predicted_usd,
        inverse_propensities: None,
    };
    let start = Instant::now();
    let prepared = params.prepare(rows.train.view(), &|_| ())?;
    let prepare = start.elapsed().as_secs_f64();
    let blend = prepared.fit(&targets, &costs)?;
    let total = start.elapsed().as_secs_f64();
    drop(prepared);
    let start = Instant::now();
    let predicted = blend.predict(rows.test.view(), &|_| ())?;
    let predict = start.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({
            "prepare": prepare, "fit": total - prepare, "total": total, "predict": predict,
            "one-query": one_query(&blend, &rows.test)?, "report": blend.report(), "mean-costs-usd": blend.mean_costs_usd(),
        })
    );
    if let Some(folder) = folder {
        let folder = Path::new(folder);
        write_all(folder, "blend", &predicted)?;
        let linear = linear.fit(rows.train.view(), &targets, &|_| ())?;
        write_all(
            folder,
            "linear",
            &linear.predict(rows.test.view(), &|_| ())?,
        )?;
        let kernel = kernel.fit(rows.train.view(), &targets, &|_| ())?;
        write_all(
            folder,
            "kernel",
            &kernel.predict(rows.test.view(), &|_| ())?,
        )?;
        write(
            &folder.join("landmarks.f32"),
            &kernel.landmarks().view().to_owned(),
        )?;
        let fits = json!({ "linear": linear.fits(), "kernel": kernel.fits() });
        fs::write(folder.join("fits.json"), fits.to_string())?;
    }
    Ok(())
}

/// Those of configs/routers.toml.
fn params() -> routers::Result<(CheckedBlendParams, CheckedLinearParams, CheckedKernelParams)> {
    let (n_folds, seed) = (4, 42);
    let knn = KnnParams {
        n_neighbors: (1..10).map(|power| 1 << power).collect(),
        n_folds,
        tune_queries: 0,
        selection: Selection::Auto,
        seed,
        backend: Backend::Gemm,
    };
    let linear = LinearParams {
        alphas: vec![300.0, 100.0, 30.0, 10.0, 3.0, 1.0],
        n_folds,
        seed,
    };
    let kernel = KernelParams {
        gammas: vec![0.5, 1.0, 2.0],
        alphas: vec![30.0, 10.0, 3.0, 1.0, 0.3, 0.1],
        n_landmarks: 800,
        n_folds,
        seed,
    };
    let cluster = ClusterParams {
        n_clusters: vec![8, 16, 32, 64, 128],
        prior_rows: 5.0,
        max_iterations: 100,
        tolerance: 1e-4,
        n_folds,
        seed,
    };
    let (linear, kernel) = (linear.check()?, kernel.check()?);
    let learners = BlendLearners {
        knn: knn.check()?,
        linear: linear.clone(),
        kernel: kernel.clone(),
        cluster: cluster.check()?,
    };
    let blend = BlendParams {
        n_folds,
        seed,
        scales: vec![0.125, 0.25, 0.5, 0.75, 1.0, 1.25],
    };
    Ok((blend.check(learners)?, linear, kernel))
}

fn targets(rows: &Rows, is_known: bool) -> Vec<Target> {
    let mut targets = vec![Target {
        name: "score".to_owned(),
        values: rows.scores.clone(),
    }];
    if !is_known {
        targets.push(Target {
            name: "cost".to_owned(),
            values: rows.cost_usd.mapv(|it| it as f32),
        });
    }
    targets
}

/// The median of 201, in seconds.
fn one_query(blend: &Blend, queries: &Array2<f32>) -> routers::Result<f64> {
    let mut seconds = Vec::new();
    for query in queries.outer_iter().take(201) {
        let query = query.insert_axis(ndarray::Axis(0));
        let start = Instant::now();
        blend.predict(query, &|_| ())?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_unstable_by(f64::total_cmp);
    Ok(seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN))
}

/// Embeddings around 200 topics; scores and costs depend on the topic, the LLM and chance.
fn made_up() -> Rows {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut normal = |shape| -> Array2<f32> {
        Array2::from_shape_simple_fn(shape, || StandardNormal.sample(&mut rng))
    };
    let topics = normal((200, DIM));
    let noise = normal((N_TRAIN + N_TEST, DIM));
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut uniform = |shape, low: f64, high: f64| {
        Array2::from_shape_simple_fn(shape, || rng.random_range(low..high))
    };
    let ability = uniform((200, N_MODELS), 0.2, 0.9);
    let length = uniform((200, N_MODELS), 0.5, 2.0);
    let chance = uniform((N_TRAIN, N_MODELS), 0.0, 1.0);
    let topic_of = |row: usize| (row * 7_919) % 200;
    let embeddings = Array2::from_shape_fn(noise.dim(), |(row, i)| {
        topics[[topic_of(row), i]] + 1.5 * noise[[row, i]]
    });
    let (train, test) = embeddings.view().split_at(ndarray::Axis(0), N_TRAIN);
    Rows {
        train: train.to_owned(),
        test: test.to_owned(),
        scores: Array2::from_shape_fn((N_TRAIN, N_MODELS), |(row, m)| {
            f32::from(u8::from(chance[[row, m]] < ability[[topic_of(row), m]]))
        }),
        cost_usd: Array2::from_shape_fn((N_TRAIN, N_MODELS), |(row, m)| {
            1e-4 * (1 + m) as f64 * length[[topic_of(row), m]]
        }),
    }
}

fn read(folder: &str, dim: &str, n_models: &str) -> Result<Rows, Box<dyn Error>> {
    let (dim, n_models): (usize, usize) = (dim.parse()?, n_models.parse()?);
    let folder = Path::new(folder);
    let floats = |name, n_columns: usize| -> Result<Array2<f32>, Box<dyn Error>> {
        let bytes = fs::read(folder.join(name))?;
        let (values, _) = bytes.as_chunks();
        let values: Vec<f32> = values.iter().copied().map(f32::from_le_bytes).collect();
        let shape = (values.len() / n_columns, n_columns);
        Ok(Array2::from_shape_vec(shape, values)?)
    };
    let bytes = fs::read(folder.join("costs.f64"))?;
    let (costs, _) = bytes.as_chunks();
    let costs: Vec<f64> = costs.iter().copied().map(f64::from_le_bytes).collect();
    Ok(Rows {
        train: floats("train.f32", dim)?,
        test: floats("test.f32", dim)?,
        scores: floats("scores.f32", n_models)?,
        cost_usd: Array2::from_shape_vec((costs.len() / n_models, n_models), costs)?,
    })
}

fn write_all(folder: &Path, learner: &str, predicted: &[Array2<f32>]) -> std::io::Result<()> {
    for (name, values) in ["score", "cost"].iter().zip(predicted) {
        write(&folder.join(format!("{learner}-{name}.f32")), values)?;
    }
    Ok(())
}

fn write(path: &Path, values: &Array2<f32>) -> std::io::Result<()> {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    fs::write(path, bytes)
}
