//! Single trees: worked out by hand, and what limits them.

use ndarray::{Array2, Axis, array, concatenate};
use routers::{ForestParams, LEAF, MaxFeatures};

use super::{fit, forest_params, noisy_table, tree_params};

#[test]
fn small_trees_are_those_worked_out_by_hand() {
    let leaf = |shares: [f32; 2]| shares.to_vec();
    // (values of one feature, labels, thresholds of inner nodes in preorder, shares of leaves from left to right)
    for (name, values, labels, thresholds, leaves) in [
        (
            "one cut, in the middle between 2 and 5",
            vec![1.0, 2.0, 5.0, 9.0],
            vec![0, 0, 1, 1],
            vec![3.5],
            vec![leaf([1.0, 0.0]), leaf([0.0, 1.0])],
        ),
        (
            // After 1: 1 + 5/3 = 2.67; after 2: 4/2 + 2/2 = 3 and after 3: 5/3 + 1 = 2.67. Then the right side is cut between 3 and 4.
            "the better of three cuts",
            vec![4.0, 3.0, 2.0, 1.0],
            vec![0, 1, 0, 0],
            vec![2.5, 3.5],
            vec![leaf([1.0, 0.0]), leaf([0.0, 1.0]), leaf([1.0, 0.0])],
        ),
        (
            // After 1, 3 and after 2, 1 are equally good: 1 + 2/2 and 2/2 + 1.
            "of equal cuts the lowest",
            vec![1.0, 2.0, 3.0],
            vec![0, 1, 0],
            vec![1.5, 2.5],
            vec![leaf([1.0, 0.0]), leaf([0.0, 1.0]), leaf([1.0, 0.0])],
        ),
        (
            "equal rows with different labels stay together",
            vec![1.0, 1.0, 1.0, 7.0],
            vec![0, 1, 0, 1],
            vec![4.0],
            vec![leaf([2.0 / 3.0, 1.0 / 3.0]), leaf([0.0, 1.0])],
        ),
        (
            "a constant feature cuts nothing",
            vec![3.0, 3.0, -0.0, 0.0],
            vec![0, 0, 0, 1],
            vec![1.5],
            vec![leaf([0.5, 0.5]), leaf([1.0, 0.0])],
        ),
        (
            "nothing but a constant feature",
            vec![3.0, 3.0, 3.0, 3.0],
            vec![0, 0, 0, 1],
            vec![],
            vec![leaf([0.75, 0.25])],
        ),
        (
            "neighboring floats: the middle is rounded down",
            vec![1.0, 1.0_f32.next_up()],
            vec![1, 0],
            vec![1.0],
            vec![leaf([0.0, 1.0]), leaf([1.0, 0.0])],
        ),
        (
            "the middle of the largest floats is finite",
            vec![f32::MAX, f32::MAX.next_down().next_down()],
            vec![1, 0],
            vec![f32::MAX.next_down()],
            vec![leaf([1.0, 0.0]), leaf([0.0, 1.0])],
        ),
    ] {
        let rows = Array2::from_shape_vec((values.len(), 1), values).expect("one column");
        let arrays = fit(tree_params(), &rows, &labels, 2).to_arrays();
        let is_leaf = |node: usize| arrays.features[node] == LEAF;
        let nodes = 0..arrays.features.len();
        let found: Vec<f32> = nodes
            .clone()
            .filter(|&node| !is_leaf(node))
            .map(|node| arrays.thresholds[node])
            .collect();
        assert_eq!(found, thresholds, "{name}");
        let found: Vec<Vec<f32>> = nodes
            .filter(|&node| is_leaf(node))
            .map(|node| arrays.leaves.row(arrays.lefts[node] as usize).to_vec())
            .collect();
        assert_eq!(found, leaves, "{name}");
    }
}

/// Whatever the seed, a tree parts the last two of four rows from the others by one feature.
fn check_single_cut(params: &ForestParams, rows: &Array2<f32>, feature: u32) {
    for seed in 0..10 {
        let params = ForestParams {
            seed,
            ..params.clone()
        };
        let arrays = fit(params, rows, &[0, 0, 1, 1], 2).to_arrays();
        assert_eq!(arrays.features, [feature, LEAF, LEAF], "seed {seed}");
    }
}

#[test]
fn the_best_feature_is_taken() {
    // The second feature parts the classes, the others do not.
    let rows = array![
        [1.0, 0.0, 5.0],
        [1.0, 1.0, 6.0],
        [1.0, 2.0, 6.0],
        [1.0, 3.0, 5.0]
    ];
    check_single_cut(&tree_params(), &rows, 1);
}

#[test]
fn features_are_drawn_until_one_is_not_constant() {
    // With one feature drawn for a split, a tree that gave up at a constant one would mostly be a single leaf.
    let rows = Array2::from_shape_fn(
        (4, 20),
        |(row, feature)| {
            if feature == 7 { row as f32 } else { 1.0 }
        },
    );
    let params = ForestParams {
        max_features: MaxFeatures::Count(1),
        ..tree_params()
    };
    check_single_cut(&params, &rows, 7);
}

#[test]
fn depth_and_leaf_size_are_limits() {
    let (rows, labels) = noisy_table(500, 6, 1);
    for depth in 1..4 {
        let params = ForestParams {
            max_depth: Some(depth),
            ..forest_params(5)
        };
        let forest = fit(params, &rows, &labels, 4);
        let full = 100 * ((2 << depth) - 1);
        assert!(forest.n_nodes() <= full, "depth {depth}");
        assert!(forest.n_nodes() > full * 9 / 10, "depth {depth}");
    }
    for least in [2, 40, 250, 251] {
        let params = ForestParams {
            min_samples_leaf: least,
            max_features: MaxFeatures::Sqrt,
            ..tree_params()
        };
        let arrays = fit(params, &rows, &labels, 4).to_arrays();
        let mut sizes = vec![0; arrays.features.len()];
        for row in rows.rows() {
            let mut node = 0;
            while arrays.features[node] != LEAF {
                let goes_left = row[arrays.features[node] as usize] <= arrays.thresholds[node];
                let children = if goes_left {
                    &arrays.lefts
                } else {
                    &arrays.rights
                };
                node = children[node] as usize;
            }
            sizes[node] += 1;
        }
        let smallest = sizes.iter().filter(|&&size| size > 0).min();
        assert!(
            smallest >= Some(&least),
            "{smallest:?} in a leaf, not {least}"
        );
        assert_eq!(arrays.features.len() > 1, least <= 250);
    }
}

#[test]
fn rows_of_unlimited_trees_predict_themselves() {
    let (rows, labels) = noisy_table(400, 5, 2);
    let params = ForestParams {
        bootstrap: false,
        ..forest_params(1)
    };
    let probabilities = fit(params, &rows, &labels, 4)
        .predict_proba(rows.view())
        .expect("predicted");
    for (row, &label) in labels.iter().enumerate() {
        // A mean of 100 ones is one.
        assert_eq!(probabilities[[row, label as usize]], 1.0, "row {row}");
    }
}

#[test]
fn equal_rows_are_as_good_as_weights() {
    // Without a bootstrap, a table that stands there twice gives the same tree.
    let (rows, labels) = noisy_table(200, 4, 9);
    let twice = concatenate![Axis(0), rows, rows];
    let labels_twice = [labels.clone(), labels.clone()].concat();
    let (once, twice) = (
        fit(tree_params(), &rows, &labels, 4).to_arrays(),
        fit(tree_params(), &twice, &labels_twice, 4).to_arrays(),
    );
    assert_eq!(once, twice);
}
