//! RoRF: from the scores of a pair to probabilities.

use ndarray::{Array1, Array2, Axis, array};
use routers::{CheckedForestParams, Error, Forest, ForestParams, MaxFeatures, PairScores, Rorf};

fn params() -> CheckedForestParams {
    let params = ForestParams {
        n_trees: 20,
        max_depth: None,
        max_features: MaxFeatures::Sqrt,
        min_samples_leaf: 1,
        bootstrap: false,
        seed: 42,
    };
    params.check().expect("good parameters")
}

fn fit(rows: &Array2<f32>, small: &Array1<f32>, large: &Array1<f32>) -> Result<Rorf, Error> {
    let scores = PairScores {
        small: small.view(),
        large: large.view(),
    };
    Rorf::fit(&params(), rows.view(), scores, &|_| ())
}

#[test]
fn the_small_llm_is_right_where_both_or_only_it_are() {
    // All four outcomes: large only, neither, both, small only.
    let rows = array![[0.0, 0.1], [1.0, 1.1], [2.0, 2.1], [3.0, 3.1]];
    let rorf = fit(
        &rows,
        &array![0.0, 0.5, 0.6, 1.0],
        &array![1.0, 0.2, 0.9, 0.5],
    )
    .expect("fitted");
    let probabilities = rorf.predict(rows.view()).expect("predicted");
    assert_eq!(probabilities, array![0.0, 0.0, 1.0, 1.0]);
    assert_eq!(rorf.forest().n_classes(), 4);
    let again = Forest::from_arrays(rorf.forest().to_arrays()).and_then(Rorf::from_forest);
    assert_eq!(again.expect("its own forest"), rorf);
}

#[test]
fn prompts_with_an_unknown_score_are_left_out() {
    let rows = array![[0.0, 0.1], [9.0, 9.0], [1.0, 1.1], [7.0, 7.0], [2.0, 2.1]];
    let (small, large) = (
        array![0.0, f32::NAN, 1.0, 1.0, 1.0],
        array![1.0, 1.0, 1.0, f32::NAN, 0.0],
    );
    let known = [0, 2, 4];
    let expected = fit(
        &rows.select(Axis(0), &known),
        &small.select(Axis(0), &known),
        &large.select(Axis(0), &known),
    );
    let rorf = fit(&rows, &small, &large).expect("fitted");
    assert_eq!(rorf, expected.expect("fitted"));
}

#[test]
fn bad_pairs_are_refused() {
    let rows = array![[0.0, 0.1], [1.0, 1.1]];
    let (zeros, ones) = (array![0.0, 0.0], array![1.0, 1.0]);
    let unknown = array![f32::NAN, f32::NAN];
    for (result, message) in [
        (
            fit(&rows, &zeros, &ones),
            "all 2 rows are of class 0, expected at least two classes",
        ),
        (
            fit(&rows, &zeros, &array![1.0]),
            "the large score matrix has shape (1, 1), expected (2, 1)",
        ),
        (
            fit(&rows, &array![1.0], &ones),
            "the small score matrix has shape (1, 1), expected (2, 1)",
        ),
        (
            fit(&rows, &unknown, &ones),
            "the embedding matrix has shape (0, 2), expected at least one row and one column",
        ),
    ] {
        assert_eq!(result.expect_err("refused").to_string(), message);
    }
    let two_classes = params()
        .fit(rows.view(), &[0, 1], 2, &|_| ())
        .expect("fitted");
    let error = Rorf::from_forest(two_classes).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "the forest tells 2 classes apart, expected the 4 outcomes of a pair"
    );
}
