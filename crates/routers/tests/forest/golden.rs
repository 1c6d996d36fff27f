//! Against scikit-learn; golden/forest/make.py says how its numbers were had.

use ndarray::Array2;
use routers::ForestParams;
use serde::Deserialize;

use super::{SHARE_TOLERANCE, fit, forest_params, tree_params};

#[derive(Deserialize)]
struct Golden {
    trees: Vec<GoldenTree>,
    forest: GoldenForest,
}

#[derive(Deserialize)]
struct GoldenTree {
    name: String,
    n_classes: usize,
    max_depth: Option<usize>,
    min_samples_leaf: usize,
    rows: Vec<Vec<f32>>,
    labels: Vec<u8>,
    queries: Vec<Vec<f32>>,
    probabilities: Vec<Vec<f64>>,
    n_nodes: usize,
}

#[derive(Deserialize)]
struct GoldenForest {
    rows: Vec<Vec<f32>>,
    labels: Vec<u8>,
    queries: Vec<Vec<f32>>,
    truths: Vec<u8>,
    log_loss: Spread,
    auroc: Spread,
}

/// Over seeds.
#[derive(Deserialize)]
struct Spread {
    mean: f64,
    deviation: f64,
}

fn golden() -> Golden {
    let text = include_str!("../golden/forest/sklearn.json");
    serde_json::from_str(text).expect("the golden file is what make.py wrote")
}

fn matrix<T: Copy>(rows: &[Vec<T>]) -> Array2<T> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("rows of one length")
}

#[test]
fn one_tree_matches_sklearn() {
    for tree in golden().trees {
        let params = ForestParams {
            max_depth: tree.max_depth,
            min_samples_leaf: tree.min_samples_leaf,
            ..tree_params()
        };
        let forest = fit(params, &matrix(&tree.rows), &tree.labels, tree.n_classes);
        assert_eq!(forest.n_nodes(), tree.n_nodes, "{}", tree.name);
        let probabilities = forest
            .predict_proba(matrix(&tree.queries).view())
            .expect("predicted");
        let difference = (probabilities - matrix(&tree.probabilities)).mapv(f64::abs);
        let largest = difference.iter().copied().fold(0.0, f64::max);
        assert!(largest <= SHARE_TOLERANCE, "{}: {largest}", tree.name);
    }
}

#[test]
fn a_forest_is_as_good_as_sklearns() {
    const N_SEEDS: u64 = 20;
    /// Standard errors of the difference of two means over 20 seeds each.
    const N_STANDARD_ERRORS: f64 = 4.0;
    let golden = golden().forest;
    let (rows, queries) = (matrix(&golden.rows), matrix(&golden.queries));
    let (mut losses, mut aurocs) = (Vec::new(), Vec::new());
    for seed in 0..N_SEEDS {
        let forest = fit(forest_params(seed), &rows, &golden.labels, 4);
        let probabilities = forest.predict_proba(queries.view()).expect("predicted");
        let truths = golden.truths.iter().enumerate();
        let loss = truths.map(|(row, &truth)| {
            // As in make.py.
            -(0.99 * probabilities[[row, truth as usize]] + 0.01 / 4.0).ln()
        });
        losses.push(loss.sum::<f64>() / golden.truths.len() as f64);
        let scores: Vec<f64> = probabilities
            .rows()
            .into_iter()
            .map(|row| row[2] + row[3])
            .collect();
        aurocs.push(auroc(&scores, &golden.truths));
    }
    for (what, values, expected) in [
        ("log-loss", losses, golden.log_loss),
        ("AUROC", aurocs, golden.auroc),
    ] {
        let mean = values.iter().sum::<f64>() / N_SEEDS as f64;
        let tolerance = N_STANDARD_ERRORS * (2.0 / N_SEEDS as f64).sqrt() * expected.deviation;
        assert!(
            (mean - expected.mean).abs() <= tolerance,
            "{what} {mean}, expected {} within {tolerance}",
            expected.mean
        );
    }
}

/// The share of pairs of one row with class 2 or 3 and one without that are in the right order; ties count half.
fn auroc(scores: &[f64], truths: &[u8]) -> f64 {
    let of = |is_small_right: bool| {
        let rows = scores.iter().zip(truths);
        rows.filter(move |(_, truth)| (**truth >= 2) == is_small_right)
            .map(|(&score, _)| score)
    };
    let (mut won, mut n_pairs) = (0.0, 0.0);
    for right in of(true) {
        for wrong in of(false) {
            n_pairs += 1.0;
            won += if right > wrong {
                1.0
            } else if right == wrong {
                0.5
            } else {
                0.0
            };
        }
    }
    won / n_pairs
}
