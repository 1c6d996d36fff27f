//! Bad tables and bad queries.

use ndarray::{Array2, array};
use routers::{Error, ForestParams, MaxFeatures};

use super::{check, fit, tree_params};

fn refusal(params: ForestParams, rows: &Array2<f32>, labels: &[u8], n_classes: usize) -> Error {
    check(params)
        .fit(rows.view(), labels, n_classes, &|_| ())
        .expect_err("refused")
}

#[test]
fn bad_tables_are_refused() {
    let rows = array![[1.0, 2.0], [3.0, 4.0]];
    let with = |value: f32| array![[1.0, 2.0], [value, 4.0]];
    let params = tree_params;
    for (error, message) in [
        (
            refusal(params(), &Array2::zeros((0, 2)), &[], 2),
            "the embedding matrix has shape (0, 2), expected at least one row and one column",
        ),
        (
            refusal(params(), &Array2::zeros((2, 0)), &[0, 1], 2),
            "the embedding matrix has shape (2, 0), expected at least one row and one column",
        ),
        (
            refusal(params(), &rows, &[0], 2),
            "the label matrix has shape (1, 1), expected (2, 1)",
        ),
        (
            refusal(params(), &rows, &[0, 2], 2),
            "label 1 (from 0) is 2, expected one below 2",
        ),
        (
            refusal(params(), &rows, &[1, 1], 2),
            "all 2 rows are of class 1, expected at least two classes",
        ),
        (
            refusal(params(), &array![[1.0, 2.0]], &[0], 2),
            "all 1 rows are of class 0, expected at least two classes",
        ),
        (
            refusal(params(), &with(f32::NAN), &[0, 1], 2),
            "embedding 1 (from 0) holds a value that is not finite",
        ),
        (
            refusal(params(), &with(f32::INFINITY), &[0, 1], 2),
            "embedding 1 (from 0) holds a value that is not finite",
        ),
        (
            refusal(
                ForestParams {
                    max_features: MaxFeatures::Count(3),
                    ..params()
                },
                &rows,
                &[0, 1],
                2,
            ),
            "`max-features` is a count of 3, expected at most the number of features",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn bad_queries_are_refused() {
    let forest = fit(tree_params(), &array![[1.0, 2.0], [3.0, 4.0]], &[0, 1], 2);
    let refusal = |queries: Array2<f32>| forest.predict_proba(queries.view()).expect_err("refused");
    assert!(matches!(
        refusal(Array2::zeros((1, 3))),
        Error::Shape { .. }
    ));
    assert!(matches!(
        refusal(array![[0.0, 0.0], [f32::NAN, 0.0]]),
        Error::NotFinite { row: 1 }
    ));
    let nothing = forest
        .predict_proba(Array2::zeros((0, 2)).view())
        .expect("predicted");
    assert_eq!(nothing.dim(), (0, 2));
}
