//! The claims of `Problem`'s docs, by numbers.

use ndarray::{Array2, Axis};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rate_study::{Error, LlmParams, N_LLMS, N_OUTPUTS, Problem, Search, predicted_excess_risk};

const LLMS: LlmParams = LlmParams {
    best_score: 0.95,
    hardness_score: 0.1,
    cheap_cost: 0.1,
    hardness_cost: 0.05,
    cost_gap: 0.2,
    cost_gap_slope: -0.25,
    dear_cost_gap: 0.4,
    cost_noise: 0.5,
    height: 0.36,
    asymmetry: 1.0 / 3.0,
};
const MU: f64 = 0.5;

fn problems() -> Vec<Problem> {
    [(1, 1.0), (2, 1.0), (8, 1.0), (1, 0.5), (4, 0.5), (3, 0.8)]
        .map(|(dim, g)| Problem::new(dim, g, MU, LLMS).expect("a good problem"))
        .into()
}

fn rng(stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    rng.set_stream(stream);
    rng
}

/// Utilities of drawn prompts in descending order, prompt by prompt.
fn utilities(problem: &Problem, prompts: &Array2<f64>) -> Vec<[f64; N_LLMS]> {
    let of = |prompt| {
        let mut utilities = problem
            .expectations(prompt)
            .map(|expected| problem.utility(expected));
        utilities.sort_by(|a, b| b.total_cmp(a));
        utilities
    };
    prompts.axis_iter(Axis(0)).map(of).collect()
}

#[test]
fn the_margin_is_as_computed_and_has_its_exponent() {
    for problem in problems() {
        // Stratified across the boundary: shares are exact to two prompts.
        let prompts = problem.draw_test(1 << 16, &mut rng(0));
        let margins: Vec<f64> = utilities(&problem, &prompts)
            .iter()
            .map(|u| u[0] - u[1])
            .collect();
        let share = |t: f64| {
            margins
                .iter()
                .filter(|&&margin| margin > 0.0 && margin <= t)
                .count() as f64
                / margins.len() as f64
        };
        for t in [0.11, 0.03, 0.01] {
            let (found, expected) = (share(t), problem.margin_probability(t));
            assert!(
                (found - expected).abs() < 1e-4,
                "{problem:?}: P(0 < margin <= {t}) is {found}, expected {expected}"
            );
        }
        // Where both sides have room, the probability is a power of t exactly.
        let exponent = (problem.margin_probability(0.1) / problem.margin_probability(0.01)).log10();
        assert!((exponent - problem.margin_exponent()).abs() < 1e-12);
        let found = (share(0.1) / share(0.01)).log10();
        assert!(
            (found - problem.margin_exponent()).abs() < 0.01,
            "{problem:?}: {found}"
        );
    }
}

#[test]
fn the_bayes_router_loses_nothing_and_dear_is_never_right() {
    for problem in problems() {
        let prompts = problem.draw_test(500, &mut rng(1));
        for prompt in prompts.axis_iter(Axis(0)) {
            let expectations = problem.expectations(prompt);
            let truth = ndarray::Array1::from_iter(expectations.into_iter().flatten());
            let excess = problem.excess(prompt);
            let bayes = problem.choose(truth.view());
            assert_eq!(excess[bayes], 0.0);
            assert_eq!(bayes, usize::from(prompt[0] > 0.5));
            assert!(excess.iter().all(|&excess| excess >= 0.0));
            assert!(excess[2] - MU * LLMS.dear_cost_gap > -1e-12);
            for [score, cost] in expectations {
                assert!((0.0..=1.0).contains(&score) && cost > 0.0);
            }
        }
    }
}

#[test]
fn expectations_are_hoelder_and_no_smoother_at_the_boundary() {
    for problem in problems() {
        let g = problem.smoothness();
        let (from, to) = (
            problem.draw(400, &mut rng(2)).points,
            problem.draw(400, &mut rng(3)).points,
        );
        // Everything is a sum of multiples of |t|^g; the dear one's cost has the steepest.
        let constant = 8.0 * 2.0_f64.powf(g) * LLMS.height / MU.min(1.0 - MU);
        for (x, y) in from.axis_iter(Axis(0)).zip(to.axis_iter(Axis(0))) {
            for step in [1.0, 1e-2, 1e-4] {
                let near = &x + &((&y - &x) * step);
                let distance = (&near - &x).mapv(|x| x * x).sum().sqrt();
                let (at, beside) = (problem.expectations(x), problem.expectations(near.view()));
                for (a, b) in at.iter().flatten().zip(beside.iter().flatten()) {
                    assert!((a - b).abs() <= constant * distance.powf(g), "{problem:?}");
                }
            }
        }
        // An even average around the boundary is off by a fixed multiple of r^g, at every scale.
        let bias = |r: f64| {
            let mean = (0..1000)
                .map(|i| problem.difference(r * (f64::from(2 * i + 1) / 1000.0 - 1.0)))
                .sum::<f64>()
                / 1000.0;
            mean / r.powf(g)
        };
        assert!(
            bias(0.1) > 0.05 && (bias(0.1) - bias(1e-5)).abs() < 1e-9,
            "{problem:?}: {}",
            bias(0.1)
        );
    }
}

#[test]
fn draws_have_their_expectations() {
    const N: usize = 200_000;
    let problem = Problem::new(2, 0.5, MU, LLMS).expect("a good problem");
    let sample = problem.draw(N, &mut rng(4));
    let mut expected = [0.0; N_OUTPUTS];
    for prompt in sample.points.axis_iter(Axis(0)) {
        for (sum, value) in expected
            .iter_mut()
            .zip(problem.expectations(prompt).iter().flatten())
        {
            *sum += value / N as f64;
        }
    }
    for (output, expected) in expected.iter().enumerate() {
        let column = sample.outputs.column(output);
        let found = column.iter().map(|&value| f64::from(value)).sum::<f64>() / N as f64;
        // Five deviations of a mean of values in [0, 1] are at most 5 * 0.5 / sqrt(N).
        assert!(
            (found - expected).abs() < 0.0056,
            "output {output}: {found} for {expected}"
        );
    }
    assert!(
        sample
            .outputs
            .column(0)
            .iter()
            .all(|&score| score == 0.0 || score == 1.0)
    );
}

#[test]
fn rates_and_neighbors_are_the_theorys() {
    for (dim, g, rate) in [
        (1, 1.0, 2.0 / 3.0),
        (8, 1.0, 0.2),
        (1, 0.5, 0.75),
        (8, 0.5, 1.0 / 6.0),
    ] {
        let problem = Problem::new(dim, g, MU, LLMS).expect("a good problem");
        assert!((problem.rate() - rate).abs() < 1e-12, "{dim}, {g}");
    }
    let line = Problem::new(1, 1.0, MU, LLMS).expect("a good problem");
    for (c, n, k) in [
        (1.0, 4096, 256),
        (1.5, 4096, 384),
        (1e-9, 4096, 1),
        (1e9, 4096, 4096),
        (4.0, 1, 1),
        (4.0, 0, 1),
    ] {
        assert_eq!(line.n_neighbors(c, n), k, "c = {c}, n = {n}");
    }
}

#[test]
fn quadrature_agrees_with_draws() {
    const N: usize = 1 << 13;
    for (dim, g, c) in [(1, 1.0, 4.0), (1, 0.5, 4.0), (2, 1.0, 8.0), (4, 0.5, 8.0)] {
        let problem = Problem::new(dim, g, MU, LLMS).expect("a good problem");
        let k = problem.n_neighbors(c, N);
        let risks: Vec<f64> = (0..60)
            .map(|repetition| {
                let mut rng = rng(100 + repetition);
                let sample = problem.draw(N, &mut rng);
                let queries = problem.draw_test(256, &mut rng);
                let search = if dim == 1 {
                    Search::Line
                } else {
                    Search::KdTree
                };
                let means = search
                    .means(&sample.points, sample.outputs.view(), &queries, &[k])
                    .expect("averaged");
                let excess = |(i, prompt)| problem.excess(prompt)[problem.choose(means[0].row(i))];
                queries
                    .axis_iter(Axis(0))
                    .enumerate()
                    .map(excess)
                    .sum::<f64>()
                    / 256.0
            })
            .collect();
        let mean = risks.iter().sum::<f64>() / 60.0;
        let error =
            (risks.iter().map(|risk| (risk - mean).powi(2)).sum::<f64>() / 59.0 / 60.0).sqrt();
        let predicted = predicted_excess_risk(&problem, N, k);
        // Four deviations of the draws, and a tenth for what quadrature leaves out.
        assert!(
            (mean - predicted).abs() < 4.0 * error + 0.1 * predicted,
            "{problem:?}: {mean} ± {error} for {predicted}"
        );
    }
}

#[test]
fn bad_numbers_are_refused() {
    type Change = fn(&mut LlmParams);
    let cases: [(Change, &str); 8] = [
        (|p| p.asymmetry = 0.0, "llms.asymmetry"),
        (|p| p.asymmetry = 1.1, "llms.asymmetry"),
        (|p| p.cost_noise = f64::NAN, "llms.cost-noise"),
        (|p| p.height = 0.0, "llms.height"),
        (|p| p.dear_cost_gap = -0.1, "llms.dear-cost-gap"),
        (|p| p.height = 0.9, "an expected score under `llms`"),
        (|p| p.best_score = 1.5, "an expected score under `llms`"),
        (|p| p.cheap_cost = 0.0, "an expected cost under `llms`"),
    ];
    for (change, refused) in cases {
        let mut llms = LLMS;
        change(&mut llms);
        match Problem::new(1, 1.0, MU, llms) {
            Err(Error::BadSetting { name, .. }) => assert_eq!(name, refused),
            found => panic!("{llms:?}: {found:?}"),
        }
    }
    for (dim, g, mu, refused) in [
        (0, 1.0, MU, "dim"),
        (1, 0.0, MU, "smoothness"),
        (1, 1.5, MU, "smoothness"),
        (1, f64::NAN, MU, "smoothness"),
        (1, 1.0, 0.0, "mu"),
        (1, 1.0, 1.0, "mu"),
    ] {
        match Problem::new(dim, g, mu, LLMS) {
            Err(Error::BadSetting { name, .. }) => assert_eq!(name, refused),
            found => panic!("{dim}, {g}, {mu}: {found:?}"),
        }
    }
}
