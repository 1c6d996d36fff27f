//! To arrays and back.

use ndarray::{Array2, array};
use routers::{Error, Forest, ForestArrays, LEAF};

use super::{fit, forest_params, noisy_table};

#[test]
fn arrays_come_back_as_the_same_forest() {
    let (rows, labels) = noisy_table(300, 8, 8);
    let forest = fit(forest_params(3), &rows, &labels, 4);
    let again = Forest::from_arrays(forest.to_arrays()).expect("its own arrays");
    assert_eq!(again, forest);
    assert_eq!(
        (again.n_trees(), again.n_features(), again.n_classes()),
        (100, 8, 4)
    );
}

#[test]
fn hostile_arrays_are_refused() {
    /// Two trees: a root with two leaves, and a leaf.
    fn arrays() -> ForestArrays {
        ForestArrays {
            n_features: 2,
            roots: vec![0, 3],
            features: vec![1, LEAF, LEAF, LEAF],
            thresholds: vec![0.5, 0.0, 0.0, 0.0],
            lefts: vec![1, 0, 1, 1],
            rights: vec![2, 0, 1, 1],
            leaves: array![[1.0, 0.0], [0.25, 0.75]],
        }
    }
    let forest = Forest::from_arrays(arrays()).expect("good arrays");
    let probabilities = forest
        .predict_proba(array![[9.0, 0.5], [9.0, 0.6]].view())
        .expect("predicted");
    assert_eq!(probabilities, array![[0.625, 0.375], [0.25, 0.75]]);

    type Change = fn(&mut ForestArrays);
    let cases: [(&str, usize, Change); 24] = [
        ("thresholds", 3, |a| _ = a.thresholds.pop()),
        ("lefts", 4, |a| a.lefts.push(0)),
        ("rights", 3, |a| _ = a.rights.pop()),
        ("roots", 0, |a| a.roots.clear()),
        ("roots", 0, |a| a.roots[0] = 1),
        ("features", 3, |a| a.roots[1] = 4),
        ("roots", 0, |a| a.roots[1] = 9),
        ("roots", 0, |a| a.roots[1] = 0),
        // A root in the middle of a tree cuts children off.
        ("lefts", 0, |a| a.roots = vec![0, 1, 3]),
        ("features", 0, |a| a.features[0] = 2),
        ("thresholds", 0, |a| a.thresholds[0] = f32::NAN),
        ("thresholds", 0, |a| a.thresholds[0] = f32::INFINITY),
        // A node that is its own child, a child of another tree, one that is not there, one with two parents, one with none.
        ("lefts", 0, |a| a.lefts[0] = 0),
        ("rights", 0, |a| a.rights[0] = 3),
        ("rights", 0, |a| a.rights[0] = u32::MAX),
        ("rights", 0, |a| a.rights[0] = 1),
        ("features", 1, |a| {
            a.roots = vec![0];
            (a.lefts[0], a.rights[0]) = (2, 3);
        }),
        // A leaf with a row that is not there, or with two.
        ("lefts", 3, |a| (a.lefts[3], a.rights[3]) = (2, 2)),
        ("rights", 3, |a| a.rights[3] = 0),
        ("leaves", 1, |a| a.leaves[[1, 0]] = f32::NAN),
        ("leaves", 1, |a| a.leaves[[1, 0]] = 0.5),
        ("leaves", 0, |a| {
            (a.leaves[[0, 0]], a.leaves[[0, 1]]) = (1.5, -0.5);
        }),
        ("leaves", 0, |a| a.leaves = Array2::zeros((2, 0))),
        ("leaves", 0, |a| a.leaves = Array2::zeros((2, 257))),
    ];
    for (i, (array, index, change)) in cases.into_iter().enumerate() {
        let mut arrays = arrays();
        change(&mut arrays);
        match Forest::from_arrays(arrays) {
            Err(Error::BadForest {
                array: found,
                index: at,
                ..
            }) => assert_eq!((found, at), (array, index), "case {i}"),
            other => panic!("case {i}, {array}: {other:?}"),
        }
    }
}
