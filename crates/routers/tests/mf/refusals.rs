use ndarray::{Array2, array, s};
use routers::{Error, Mf, MfParams, MfWeights};

use crate::{fit, params, rows};

#[test]
fn data_that_cannot_be_learned_from_are_refused() {
    let (good, labels) = rows(40);
    let with_label = |row: usize, label: f32| {
        let mut labels = labels.clone();
        labels[row] = label;
        labels
    };
    let mut not_finite = good.clone();
    not_finite[[4, 3]] = f32::INFINITY;
    let first_9 = good.slice(s![..9, ..]);
    let no_columns = Array2::zeros((40, 0));
    let message = "label 2 (from 0) is 0.5, expected 0 or 1, or NaN where it is unknown";
    for (embeddings, labels, expected) in [
        (
            first_9,
            labels.clone(),
            "the label matrix has shape (40, 1), expected (9, 1)",
        ),
        (
            no_columns.view(),
            labels.clone(),
            "the embedding matrix has shape (40, 0), expected at least one row and one column",
        ),
        (
            not_finite.view(),
            labels.clone(),
            "embedding 4 (from 0) holds a value that is not finite",
        ),
        (good.view(), with_label(2, 0.5), message),
        (
            good.view(),
            vec![1.; 40],
            "all 40 rows are of class 1, expected at least two classes",
        ),
        (
            good.view(),
            [vec![f32::NAN; 10], vec![0.; 30]].concat(),
            "all 30 rows are of class 0, expected at least two classes",
        ),
        (
            good.view(),
            vec![f32::NAN; 40],
            "the labeled embedding matrix has shape (0, 20), expected at least one row and one column",
        ),
    ] {
        assert_eq!(
            fit(&params(), embeddings, &labels).unwrap_err().to_string(),
            expected
        );
    }
    let huge = MfParams {
        learning_rate: 1e38,
        ..params()
    };
    let error = fit(&huge, good.view(), &labels).unwrap_err();
    assert!(
        matches!(error, Error::Diverged { step: 1..=3, .. }),
        "{error}"
    );

    let (mf, _) = fit(&params(), good.view(), &labels).unwrap();
    let error = mf.predict(good.slice(s![.., ..19])).unwrap_err();
    check_has_19_columns(&error);
    let error = mf.predict(not_finite.view()).unwrap_err();
    assert!(matches!(error, Error::NotFinite { row: 4 }), "{error}");
    let checked = MfParams { dim: 9, ..params() }.check().unwrap();
    let error = checked
        .fit_from(mf.weights().clone(), good.view(), &labels, &|_| ())
        .unwrap_err();
    assert!(
        matches!(error, Error::BadParameter { name: "dim", .. }),
        "{error}"
    );
    let checked = params().check().unwrap();
    let error = checked
        .fit_from(
            mf.weights().clone(),
            good.slice(s![.., ..19]),
            &labels,
            &|_| (),
        )
        .unwrap_err();
    check_has_19_columns(&error);
}

fn check_has_19_columns(error: &Error) {
    let found = (40, 19);
    assert!(
        matches!(error, Error::Shape { found: shape, .. } if *shape == found),
        "{error}"
    );
}

#[test]
fn weights_that_make_no_router_are_refused() {
    let vector = array![1_f32, 2.];
    for (projection, model, classifier, expected) in [
        (Array2::zeros((0, 3)), array![], array![], "projection"),
        (
            Array2::zeros((2, 0)),
            vector.clone(),
            vector.clone(),
            "projection",
        ),
        (
            Array2::from_elem((2, 3), f32::NAN),
            vector.clone(),
            vector.clone(),
            "projection",
        ),
        (
            Array2::zeros((2, 3)),
            array![1., f32::INFINITY],
            vector.clone(),
            "model",
        ),
        (Array2::zeros((2, 3)), array![1.], vector.clone(), "model"),
        (
            Array2::zeros((2, 3)),
            vector.clone(),
            array![1., 2., 3.],
            "classifier",
        ),
    ] {
        let error = MfWeights::new(projection, model, classifier).unwrap_err();
        assert!(
            matches!(error, Error::BadWeight { name, .. } if name == expected),
            "{error}"
        );
    }
    // A model vector of zeros has no direction; it is not divided by zero.
    let weights = MfWeights::new(Array2::ones((2, 3)), array![0., 0.], vector).unwrap();
    assert_eq!(
        Mf::from_weights(weights)
            .predict(Array2::ones((1, 3)).view())
            .unwrap(),
        array![0.5]
    );
}
