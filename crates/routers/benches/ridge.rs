//! Times the linear and the kernel learner on 14,234 x 384 random vectors, about the embeddings of the Open LLM Leaderboard's train part.
//!
//!     cargo bench -p routers --bench ridge

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::time::Instant;

use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routers::{KernelParams, LinearParams, Target};

const N_TRAIN: usize = 14_234;
const N_TEST: usize = 3_559;
const DIM: usize = 384;
const N_MODELS: usize = 18;
const N_SINGLE_QUERIES: usize = 1_001;
/// How many there are matters to the time, not their values.
const ALPHAS: [f64; 6] = [100.0, 30.0, 10.0, 3.0, 1.0, 0.3];

fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut random =
        |shape| Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0_f32..1.0));
    let (train, test) = (random((N_TRAIN, DIM)), random((N_TEST, DIM)));
    let complete = ["score", "cost"].map(|name| Target {
        name: name.to_owned(),
        values: random((N_TRAIN, N_MODELS)).mapv(f32::abs),
    });
    let mut nearly = complete.clone();
    for target in &mut nearly {
        for (model_idx, mut column) in target.values.columns_mut().into_iter().enumerate() {
            column
                .iter_mut()
                .skip(model_idx)
                .step_by(N_TRAIN / 20)
                .for_each(|x| *x = f32::NAN);
        }
    }
    let mut sparse = complete.clone();
    let is_unknown = random((N_TRAIN, N_MODELS)).mapv(|x| x > 0.4);
    for target in &mut sparse {
        target
            .values
            .zip_mut_with(&is_unknown, |value, &is_unknown| {
                if is_unknown {
                    *value = f32::NAN;
                }
            });
    }

    let linear = LinearParams {
        alphas: ALPHAS.to_vec(),
        n_folds: 4,
        seed: 42,
    };
    let linear = linear.check().expect("good parameters");
    let prepared = timed("linear: prepare", || {
        linear.prepare(train.view(), &|_| ()).expect("prepared")
    });
    timed("linear: fit", || prepared.fit(&complete).expect("fitted"));
    let fitted = timed("linear: fit again", || {
        prepared.fit(&complete).expect("fitted")
    });
    timed("linear: fit, 20 rows of each output unknown", || {
        prepared.fit(&nearly).expect("fitted")
    });
    timed("linear: fit, 30% unknown", || {
        prepared.fit(&sparse).expect("fitted")
    });
    drop(prepared);
    timed("linear: predict", || {
        fitted.predict(test.view(), &|_| ()).expect("predicted")
    });
    single(&test, |query| {
        _ = fitted.predict(query, &|_| ()).expect("predicted");
    });

    let kernel = KernelParams {
        gammas: vec![0.5, 1.0, 2.0],
        alphas: ALPHAS.to_vec(),
        n_landmarks: 800,
        n_folds: 4,
        seed: 42,
    };
    let kernel = kernel.check().expect("good parameters");
    let prepared = timed("kernel: prepare", || {
        kernel.prepare(train.view(), &|_| ()).expect("prepared")
    });
    timed("kernel: fit", || prepared.fit(&complete).expect("fitted"));
    let fitted = timed("kernel: fit again", || {
        prepared.fit(&complete).expect("fitted")
    });
    timed("kernel: fit, 20 rows of each output unknown", || {
        prepared.fit(&nearly).expect("fitted")
    });
    timed("kernel: fit, 30% unknown", || {
        prepared.fit(&sparse).expect("fitted")
    });
    timed("kernel: predict", || {
        fitted.predict(test.view(), &|_| ()).expect("predicted")
    });
    single(&test, |query| {
        _ = fitted.predict(query, &|_| ()).expect("predicted");
    });
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what}: {:.2} s", start.elapsed().as_secs_f64());
    result
}

fn single(queries: &Array2<f32>, predict: impl Fn(ndarray::ArrayView2<'_, f32>)) {
    let mut seconds: Vec<f64> = queries
        .axis_iter(Axis(0))
        .take(N_SINGLE_QUERIES)
        .map(|query| {
            let start = Instant::now();
            predict(query.insert_axis(Axis(0)));
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_unstable_by(f64::total_cmp);
    let median = seconds[N_SINGLE_QUERIES / 2];
    println!("one query: {:.0} us at the median", 1e6 * median);
}
