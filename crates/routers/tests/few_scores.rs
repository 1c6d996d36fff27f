//! An LLM that is known on few rows: routing with it is not worse than without it.

use ndarray::{Array2, Axis, s};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{ClusterParams, KernelParams, LinearParams, Target};

const N_TRAIN: usize = 1_200;
const N_TEST: usize = 1_500;
const DIM: usize = 6;
/// Of easy prompts; the first LLM is none of the best.
const SKILLS: [f64; 5] = [0.45, 0.55, 0.50, 0.52, 0.58];
/// How much the prompt's difficulty, which all LLMs share, moves every score.
const SHARED: f64 = 0.4;
/// How much each LLM's own strengths do.
const OWN: f64 = 0.12;
/// How often an LLM's luck on a prompt is that of all LLMs: scores then correlate by about a half, as they do on real tables.
const COMMON: f64 = 0.75;
/// Of the first LLM's scores that are known.
const SHARE: f64 = 0.05;

/// Prompts in directions, of which the first tells how easy they are, and the second to the sixth whose they are.
struct World {
    train: Array2<f32>,
    test: Array2<f32>,
    scores: Array2<f32>,
    test_scores: Array2<f32>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut prompts = |n: usize| {
            let mut rows =
                Array2::from_shape_simple_fn((n, DIM), || rng.random_range(-1.0..1.0_f32));
            for mut row in rows.outer_iter_mut() {
                let length = row.dot(&row).sqrt();
                row /= length;
            }
            rows
        };
        let (train, test) = (prompts(N_TRAIN), prompts(N_TEST));
        let chances = |rows: &Array2<f32>| {
            Array2::from_shape_fn((rows.nrows(), SKILLS.len()), |(row, m)| {
                let at = |column: usize| f64::from(rows[[row, column]]);
                (SKILLS[m] + SHARED * at(0) + OWN * at(1 + m)).clamp(0.02, 0.98)
            })
        };
        let mut draw = |chances: Array2<f64>| {
            let mut scores = Array2::zeros(chances.dim());
            for (row, chances) in chances.outer_iter().enumerate() {
                let common: f64 = rng.random();
                for (m, &chance) in chances.iter().enumerate() {
                    let own: f64 = rng.random();
                    let luck = if rng.random_bool(COMMON) { common } else { own };
                    scores[[row, m]] = f32::from(u8::from(luck < chance));
                }
            }
            scores
        };
        let (mut scores, test_scores) = (draw(chances(&train)), draw(chances(&test)));
        for row in 0..N_TRAIN {
            if !rng.random_bool(SHARE) {
                scores[[row, 0]] = f32::NAN;
            }
        }
        Self {
            train,
            test,
            scores,
            test_scores,
        }
    }

    /// By how much what is chosen among all LLMs is better than what is chosen among all but the first, each by its own fit; the standard error; and
    /// the share of the first.
    fn gain(&self, fit: impl Fn(&Array2<f32>, &[Target]) -> Array2<f32>) -> (f64, f64, f64) {
        let target = |values: Array2<f32>| Target {
            name: "score".to_owned(),
            values,
        };
        let with = fit(&self.train, &[target(self.scores.clone())]);
        let others = self.scores.slice(s![.., 1..]).to_owned();
        let without = fit(&self.train, &[target(others)]);
        let best = |row: ndarray::ArrayView1<'_, f32>| {
            let mut best = 0;
            (0..row.len()).for_each(|m| best = if row[m] > row[best] { m } else { best });
            best
        };
        let (mut gains, mut n_first) = (Vec::new(), 0);
        for row in 0..N_TEST {
            let (m, other) = (best(with.row(row)), 1 + best(without.row(row)));
            n_first += usize::from(m == 0);
            let score = |m: usize| f64::from(self.test_scores[[row, m]]);
            gains.push(score(m) - score(other));
        }
        let gains = ndarray::Array1::from(gains);
        let error = gains.std_axis(Axis(0), 1.0).into_scalar() / (N_TEST as f64).sqrt();
        let mean = gains.mean().expect("prompts");
        (mean, error, n_first as f64 / N_TEST as f64)
    }
}

/// How each learner predicts the test prompts by what is filled in, and by what is known alone.
fn check(name: &str, predict: impl Fn(&World, &[Target], bool) -> Array2<f32>) {
    let (mut filled_in, mut known_alone) = (Vec::new(), Vec::new());
    for seed in 1..=8 {
        let world = World::new(seed);
        filled_in.push(world.gain(|_, targets| predict(&world, targets, false)));
        known_alone.push(world.gain(|_, targets| predict(&world, targets, true)));
    }
    let mean = |of: &[(f64, f64, f64)], at: fn(&(f64, f64, f64)) -> f64| {
        of.iter().map(at).sum::<f64>() / of.len() as f64
    };
    let gain = |of: &[(f64, f64, f64)]| mean(of, |it| it.0);
    let error = |of: &[(f64, f64, f64)]| mean(of, |it| it.1);
    let said = format!(
        "{name}: filled in {:+.4} (se {:.4}), share {:.3}; known alone {:+.4} (se {:.4}), share {:.3}",
        gain(&filled_in),
        error(&filled_in),
        mean(&filled_in, |it| it.2),
        gain(&known_alone),
        error(&known_alone),
        mean(&known_alone, |it| it.2)
    );
    // By the error of the router that gives the LLM many prompts: one that gives it next to none has next to none.
    let error = error(&known_alone);
    assert!(gain(&filled_in) >= -error, "{said}");
    // And that is what filling in is for.
    assert!(gain(&known_alone) < -error, "{said}");
}

#[test]
fn ridge_regression_is_not_worse_with_an_llm_of_few_scores() {
    check("linear", |world, targets, known_alone| {
        let params = LinearParams {
            alphas: vec![300.0, 100.0, 30.0, 10.0, 3.0, 1.0],
            n_folds: 4,
            seed: 42,
        };
        let prepared = params
            .check()
            .expect("good")
            .prepare(world.train.view(), &|_| ());
        let prepared = prepared.expect("prepared");
        let fitted = match known_alone {
            true => prepared.fit_known(targets),
            false => prepared.fit(targets),
        };
        let fitted = fitted.expect("fitted");
        fitted
            .predict(world.test.view(), &|_| ())
            .expect("predicted")
            .remove(0)
    });
}

#[test]
fn kernel_ridge_regression_is_not_worse_with_an_llm_of_few_scores() {
    check("kernel", |world, targets, known_alone| {
        let params = KernelParams {
            gammas: vec![0.5, 1.0],
            alphas: vec![30.0, 10.0, 3.0, 1.0],
            n_landmarks: 100,
            n_folds: 4,
            seed: 42,
        };
        let prepared = params
            .check()
            .expect("good")
            .prepare(world.train.view(), &|_| ());
        let prepared = prepared.expect("prepared");
        let fitted = match known_alone {
            true => prepared.fit_known(targets),
            false => prepared.fit(targets),
        };
        let fitted = fitted.expect("fitted");
        fitted
            .predict(world.test.view(), &|_| ())
            .expect("predicted")
            .remove(0)
    });
}

#[test]
fn means_over_clusters_are_not_worse_with_an_llm_of_few_scores() {
    check("cluster", |world, targets, known_alone| {
        let params = ClusterParams {
            n_clusters: vec![8, 16, 32],
            prior_rows: 5.0,
            max_iterations: 50,
            tolerance: 1e-4,
            n_folds: 4,
            seed: 42,
        };
        let prepared = params
            .check()
            .expect("good")
            .prepare(world.train.view(), &|_| ());
        let prepared = prepared.expect("prepared");
        let fitted = match known_alone {
            true => prepared.fit_known(targets),
            false => prepared.fit(targets),
        };
        let fitted = fitted.expect("fitted");
        fitted
            .predict(world.test.view(), &|_| ())
            .expect("predicted")
            .remove(0)
    });
}
