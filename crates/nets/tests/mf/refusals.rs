use ndarray::{Array2, array, s};
use nets::{Error, Mf, MfParams, MfWeights};

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
    let message = "the label in row 3 is 0.5, expected 0 or 1, or NaN where it is unknown";
    for (embeddings, labels, expected) in [
        (
            first_9,
            labels.clone(),
            "there are 40 labels for 9 embeddings",
        ),
        (
            no_columns.view(),
            labels.clone(),
            "the embeddings have 0 dimensions, expected at least 1",
        ),
        (
            not_finite.view(),
            labels.clone(),
            "the embedding in row 5 holds a value that is not finite",
        ),
        (good.view(), with_label(2, 0.5), message),
        (
            good.view(),
            vec![1.; 40],
            "all 40 known labels are 1, expected both 0 and 1",
        ),
        (
            good.view(),
            [vec![f32::NAN; 10], vec![0.; 30]].concat(),
            "all 30 known labels are 0, expected both 0 and 1",
        ),
        (
            good.view(),
            vec![f32::NAN; 40],
            "no prompt with a known target to learn from",
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
    assert!(
        matches!(error, Error::EmbeddingDim { found: 19, .. }),
        "{error}"
    );
    let error = mf.predict(not_finite.view()).unwrap_err();
    assert!(
        matches!(error, Error::EmbeddingNotFinite { row: 5 }),
        "{error}"
    );
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
    assert!(
        matches!(error, Error::EmbeddingDim { found: 19, .. }),
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
