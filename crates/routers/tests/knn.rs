//! K-nearest-neighbors regression through its public API: against scikit-learn, and at its edges.

use ndarray::{Array2, array};
use routers::{Backend, Error, Knn, KnnParams, Selection, Target};
use serde::Deserialize;

/// scikit-learn computes in float64; ours returns predictions as float32.
const RELATIVE_TOLERANCE: f64 = 1e-6;

const BACKENDS: [Backend; 4] = [
    Backend::Gemm,
    Backend::LinfaLinear,
    Backend::LinfaBalltree,
    Backend::LinfaKdtree,
];

#[derive(Deserialize)]
struct Golden {
    ks: Vec<usize>,
    rows: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
    targets: Vec<GoldenTarget>,
}

#[derive(Deserialize)]
struct GoldenTarget {
    name: String,
    values: Vec<Vec<f32>>,
    mean_r2: Vec<f64>,
    k: usize,
    predictions: Vec<Vec<f64>>,
}

fn matrix<T: Copy>(rows: &[Vec<T>]) -> Array2<T> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("rows of one length")
}

fn params(n_neighbors: &[usize], backend: Backend) -> KnnParams {
    KnnParams {
        n_neighbors: n_neighbors.to_vec(),
        n_folds: 5,
        tune_queries: 0,
        selection: Selection::Paper,
        seed: 42,
        backend,
    }
}

fn fit(
    n_neighbors: &[usize],
    rows: &Array2<f32>,
    targets: &[(&str, Array2<f32>)],
) -> Result<Knn, Error> {
    let targets: Vec<Target> = targets
        .iter()
        .map(|(name, values)| Target {
            name: (*name).to_owned(),
            values: values.clone(),
        })
        .collect();
    params(n_neighbors, Backend::Gemm)
        .check()?
        .fit(rows.view(), &targets, &|_| ())
}

fn predict(knn: &Knn, queries: Array2<f32>) -> Array2<f32> {
    knn.predict(queries.view(), &|_| ())
        .expect("predicted")
        .remove(0)
}

#[test]
fn matches_sklearn_with_every_back_end() {
    let text = include_str!("golden/knn/sklearn.json");
    let golden: Golden = serde_json::from_str(text).expect("the golden file is what make.py wrote");
    let targets: Vec<Target> = golden
        .targets
        .iter()
        .map(|target| Target {
            name: target.name.clone(),
            values: matrix(&target.values),
        })
        .collect();
    for backend in BACKENDS {
        let params = params(&golden.ks, backend)
            .check()
            .expect("good parameters");
        let knn = params
            .fit(matrix(&golden.rows).view(), &targets, &|_| ())
            .expect("fitted");
        let predictions = knn
            .predict(matrix(&golden.queries).view(), &|_| ())
            .expect("predicted");
        for ((fit, target), predicted) in knn.fits().iter().zip(&golden.targets).zip(predictions) {
            assert_eq!(fit.n_neighbors, target.k, "{backend:?}, {}", target.name);
            for (score, expected) in fit.cross_validation.iter().zip(&target.mean_r2) {
                assert!(
                    (score.mean_r2 - expected).abs() < RELATIVE_TOLERANCE,
                    "{backend:?}: {score:?}, not {expected}"
                );
            }
            for (value, expected) in predicted.iter().zip(target.predictions.concat()) {
                let difference = (f64::from(*value) - expected).abs();
                assert!(
                    difference <= RELATIVE_TOLERANCE * expected.abs().max(1.0),
                    "{backend:?}: {value}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn one_row_predicts_itself() {
    let knn = fit(
        &[2, 4],
        &array![[1.0, 0.0]],
        &[("score", array![[0.25, 1.0]])],
    )
    .expect("fitted");
    assert_eq!(knn.fits()[0].n_neighbors, 1);
    assert!(knn.fits()[0].cross_validation.is_empty());
    assert_eq!(predict(&knn, array![[0.0, 1.0]]), array![[0.25, 1.0]]);
}

#[test]
fn k_above_the_training_rows_is_left_out() {
    let rows = Array2::from_shape_fn((12, 2), |(row, column)| {
        ((row * 7 + column * 3) % 5) as f32 - 2.0
    });
    let values = Array2::from_shape_fn((12, 1), |(row, _)| row as f32);
    // The smallest training side has 12 - 3 = 9 rows.
    let knn = fit(&[2, 9, 10, 512], &rows, &[("score", values)]).expect("fitted");
    let tried: Vec<usize> = knn.fits()[0]
        .cross_validation
        .iter()
        .map(|score| score.n_neighbors)
        .collect();
    assert_eq!(tried, [2, 9]);
}

#[test]
fn no_candidate_fits_the_folds() {
    let rows = Array2::from_shape_fn((12, 2), |(row, column)| (row + column) as f32 + 1.0);
    let values = Array2::from_shape_fn((12, 1), |(row, _)| row as f32);
    let knn = fit(&[512], &rows, &[("score", values)]).expect("fitted");
    assert_eq!(knn.fits()[0].n_neighbors, 12, "all rows");
    assert_eq!(predict(&knn, array![[1.0, 1.0]]), array![[5.5]]);
}

#[test]
fn unknown_values_are_left_out_of_means() {
    let rows = array![[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]];
    let nan = f32::NAN;
    let values = array![[nan, 0.5, nan], [1.0, 0.7, nan], [0.0, nan, nan]];
    let knn = fit(&[2], &rows, &[("score", values)]).expect("fitted");
    let predicted = predict(&knn, array![[1.0, 0.0], [0.0, 1.0]]);
    // The two nearest to (1, 0) are rows 0 and 1; to (0, 1) rows 2 and 1.
    assert_eq!(predicted.column(0).to_vec(), [1.0, 0.5]);
    assert_eq!(predicted.column(1).to_vec(), [0.6, 0.7]);
    assert!(
        predicted.column(2).iter().all(|value| value.is_nan()),
        "known nowhere"
    );
}

#[test]
fn an_output_that_no_neighbor_has_falls_back_to_its_mean() {
    let rows = array![[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]];
    let nan = f32::NAN;
    let knn = fit(
        &[2],
        &rows,
        &[("score", array![[nan], [nan], [0.25], [0.75]])],
    )
    .expect("fitted");
    assert_eq!(predict(&knn, array![[1.0, 0.0]]), array![[0.5]]);
}

#[test]
fn batches_predict_as_single_queries_do() {
    let rows = Array2::from_shape_fn((400, 9), |(row, column)| {
        ((row * 31 + column * 17) % 23) as f32 - 11.0
    });
    let values = Array2::from_shape_fn((400, 3), |(row, column)| {
        ((row * 13 + column) % 7) as f32 / 6.0
    });
    let knn = fit(&[2, 8, 32], &rows, &[("score", values)]).expect("fitted");
    let queries = Array2::from_shape_fn((40, 9), |(row, column)| {
        ((row * 11 + column * 5) % 19) as f32 - 9.0
    });
    let batch = predict(&knn, queries.clone());
    for (i, query) in queries.rows().into_iter().enumerate() {
        let single = predict(&knn, query.insert_axis(ndarray::Axis(0)).to_owned());
        assert_eq!(single.row(0), batch.row(i), "query {i}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let rows = array![[1.0, 0.0], [0.0, 1.0]];
    assert!(matches!(
        fit(&[1], &rows, &[("score", array![[1.0]])]),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        fit(&[1], &rows, &[("score", Array2::zeros((2, 0)))]),
        Err(Error::Empty { .. })
    ));
    assert!(matches!(
        fit(
            &[1],
            &Array2::zeros((0, 2)),
            &[("score", Array2::zeros((0, 1)))]
        ),
        Err(Error::Empty { .. })
    ));
    let knn = fit(&[1], &rows, &[("score", array![[1.0], [0.0]])]).expect("fitted");
    assert!(matches!(
        knn.predict(array![[1.0]].view(), &|_| ()),
        Err(Error::Shape { .. })
    ));
    assert!(matches!(
        knn.predict(array![[f32::NAN, 1.0]].view(), &|_| ()),
        Err(Error::NotFinite { row: 0 })
    ));
    assert_eq!(predict(&knn, Array2::zeros((0, 2))).dim(), (0, 1));
}

#[test]
fn parts_of_a_fit_predict_what_it_did() {
    let rows = Array2::from_shape_fn((90, 5), |(row, column)| {
        ((row * 31 + column * 17) % 23) as f32 - 11.0
    });
    let values = |seed| {
        Array2::from_shape_fn((90, 2), |(row, column)| match (row * seed + column) % 7 {
            6 => f32::NAN,
            value => value as f32 / 6.0,
        })
    };
    let targets = [("score", values(13)), ("cost", values(5))].map(|(name, values)| Target {
        name: name.to_owned(),
        values,
    });
    let queries = Array2::from_shape_fn((20, 5), |(row, column)| (row * 3 % 7 + column) as f32);
    for backend in BACKENDS {
        let knn = params(&[2, 8, 32], backend)
            .check()
            .expect("good parameters")
            .fit(rows.view(), &targets, &|_| ())
            .expect("fitted");
        // One k is not the fit's, so that the two differ.
        let ks = [knn.fits()[0].n_neighbors, 90];
        let held = || knn.in_memory().expect("a fit").rows().clone();
        let parts = |ks: &[usize]| Knn::from_parts(held(), &targets, ks, backend);
        let again = parts(&ks).expect("good parts");
        let bits = |knn: &Knn, target: usize| {
            let predicted = knn.predict(queries.view(), &|_| ()).expect("predicted");
            predicted[target].mapv(f32::to_bits)
        };
        assert_eq!(bits(&again, 0), bits(&knn, 0), "{backend:?}");
        let all = again.predict(queries.view(), &|_| ()).expect("predicted");
        let all = &all[1];
        assert!(all.rows().into_iter().all(|row| row == all.row(0)), "{all}");
        for (ks, expected) in [
            (&[0, 2][..], "`n-neighbors` is 0"),
            (&[2, 91], "`n-neighbors` is 91"),
            (&[2], "has shape (1, 1), expected (2, 1)"),
        ] {
            let error = parts(ks).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
    let knn = fit(&[2], &rows, &[("score", values(13))]).expect("fitted");
    let other = [Target {
        name: "score".to_owned(),
        values: array![[1.0]],
    }];
    let held = knn.in_memory().expect("a fit").rows().clone();
    let error = Knn::from_parts(held, &other, &[1], Backend::Gemm);
    assert!(matches!(error, Err(Error::Shape { .. })));
}

/// What the paper's way gave before there was another: the same bits, for as long as it is the paper's.
#[test]
fn the_papers_way_is_pinned() {
    let rows = Array2::from_shape_fn((211, 7), |(row, column)| {
        ((row * 37 + column * 19 + row * row % 11) % 29) as f32 - 14.0
    });
    let scores = Array2::from_shape_fn((211, 3), |(row, column)| {
        ((row * 13 + column * 5 + row / 7) % 9) as f32 / 8.0
    });
    let tokens = Array2::from_shape_fn((211, 3), |(row, column)| {
        ((row * 17 + column * 101) % 463) as f32 + 0.25
    });
    let knn = fit(
        &[2, 4, 8, 16, 32],
        &rows,
        &[("score", scores), ("output_tokens", tokens)],
    )
    .expect("fitted");
    let queries = Array2::from_shape_fn((9, 7), |(row, column)| {
        ((row * 11 + column * 5) % 19) as f32 - 9.0
    });
    let predicted = knn.predict(queries.view(), &|_| ()).expect("predicted");
    let bits_of_scores = |target: usize| -> Vec<u64> {
        let table = knn.fits()[target].cross_validation.iter();
        table.map(|score| score.mean_r2.to_bits()).collect()
    };
    assert_eq!(
        bits_of_scores(0),
        [
            13825633007048649565,
            13820337158195619874,
            13817257133609706346,
            13813422365937448298,
            13806114776312915282
        ]
    );
    assert_eq!(
        bits_of_scores(1),
        [
            13824753800904243786,
            13821147447580557445,
            13817749021447692073,
            13814896137760910549,
            13812799041372533824
        ]
    );
    let fingerprint = |values: &Array2<f32>| {
        values.iter().fold(0_u64, |hash, value| {
            hash.wrapping_mul(31)
                .wrapping_add(u64::from(value.to_bits()))
        })
    };
    assert_eq!(
        predicted.iter().map(fingerprint).collect::<Vec<u64>>(),
        [11576409632785367040, 7809634705335017472]
    );
}
