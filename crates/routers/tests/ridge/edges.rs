use ndarray::{Array2, array, s};
use proptest::prelude::*;
use routers::{Error, Kernel, Linear, RidgeWeights, Target, UnitRows};

use super::{SILENT, kernel, linear, random, target};

/// Both learners' predictions of the same queries.
fn predict(
    rows: &Array2<f32>,
    targets: &[Target],
    queries: &Array2<f32>,
) -> Result<Vec<Array2<f32>>, Error> {
    let linear = linear(&[10.0, 1.0]).fit(rows.view(), targets, SILENT)?;
    let kernel = kernel(&[0.5, 1.0], &[10.0, 1.0], 20).fit(rows.view(), targets, SILENT)?;
    let mut predicted = linear.predict(queries.view(), SILENT)?;
    predicted.extend(kernel.predict(queries.view(), SILENT)?);
    Ok(predicted)
}

#[test]
fn one_row_predicts_itself_with_the_strongest_alpha() {
    let (rows, values) = (array![[1.0, 0.0]], array![[0.25, 1.0]]);
    let predicted = predict(&rows, &[target(values.clone())], &array![[0.0, 1.0]]);
    assert_eq!(predicted.expect("good"), [values.clone(), values.clone()]);
    let fitted = linear(&[10.0, 1.0]).fit(rows.view(), &[target(values)], SILENT);
    let fitted = fitted.expect("fitted");
    assert_eq!(fitted.fits()[0].alpha, 10.0);
    assert!(fitted.fits()[0].cross_validation.is_empty());
}

#[test]
fn equal_rows_and_zero_vectors_are_rows_like_others() {
    let mut rows = Array2::zeros((16, 3));
    rows.slice_mut(s![8.., 1]).fill(2.0);
    let values = Array2::from_shape_fn((16, 1), |(row, _)| if row < 8 { 0.0 } else { 1.0 });
    let queries = array![[0.0, 0.0, 0.0], [0.0, 5.0, 0.0]];
    let params = kernel(&[1.0], &[1e-6], 16);
    let fitted = params.fit(rows.view(), &[target(values)], SILENT);
    let fitted = fitted.expect("fitted");
    assert_eq!(fitted.landmarks().n_rows(), 2, "each once");
    let predicted = fitted.predict(queries.view(), SILENT).expect("predicted");
    assert!(predicted[0][[0, 0]].abs() < 1e-5 && (predicted[0][[1, 0]] - 1.0).abs() < 1e-5);
}

#[test]
fn an_output_known_nowhere_predicts_unknown() {
    let rows = random((20, 3), 1);
    let mut values = random((20, 2), 2);
    values.column_mut(1).fill(f32::NAN);
    let queries = random((2, 3), 3);
    for predicted in predict(&rows, &[target(values)], &queries).expect("good") {
        assert!(predicted.column(0).iter().all(|value| value.is_finite()));
        assert!(predicted.column(1).iter().all(|value| value.is_nan()));
    }
}

#[test]
fn an_output_known_in_one_row_does_not_choose_for_the_others() {
    let rows = random((40, 3), 1);
    let values = Array2::from_shape_fn((40, 2), |(row, output)| {
        rows[[row, output]] / rows.row(row).dot(&rows.row(row)).sqrt()
    });
    let mut sparse = Array2::from_elem((40, 3), f32::NAN);
    sparse.slice_mut(s![.., ..2]).assign(&values);
    sparse[[7, 2]] = 0.5;
    let fit = |values| {
        let prepared = linear(&[100.0, 0.01]).prepare(rows.view(), SILENT);
        let fitted = prepared.expect("prepared").fit_known(&[target(values)]);
        fitted.expect("fitted")
    };
    let (complete, sparse) = (fit(values), fit(sparse));
    assert_eq!(complete.fits()[0].alpha, 0.01, "a linear truth");
    assert_eq!(sparse.fits()[0].alpha, 0.01);
    assert_eq!(sparse.fits()[0].cross_validation.len(), 2);
    let predicted = sparse.predict(rows.view(), SILENT).expect("predicted");
    assert_eq!(
        predicted[0].column(2),
        Array2::from_elem((40, 1), 0.5).column(0)
    );
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let rows = random((20, 3), 1);
    let refused = |rows: &Array2<f32>, values| {
        let refused = predict(rows, &[target(values)], &random((1, 3), 3));
        refused.expect_err("refused").to_string()
    };
    let mut infinite = random((20, 2), 2);
    infinite[[4, 1]] = f32::INFINITY;
    let mut not_finite = rows.clone();
    not_finite[[3, 0]] = f32::NAN;
    for (message, expected) in [
        (refused(&rows, Array2::zeros((19, 2))), "expected (20, 2)"),
        (refused(&rows, Array2::zeros((20, 0))), "at least one"),
        (refused(&rows, infinite), "row 4 (from 0) of output 1"),
        (refused(&not_finite, Array2::zeros((20, 1))), "embedding 3"),
    ] {
        assert!(message.contains(expected), "{message}");
    }
    let values = [target(random((20, 2), 2))];
    let other_dim = predict(&rows, &values, &random((1, 4), 3));
    assert!(matches!(other_dim, Err(Error::Shape { found: (1, 4), .. })));
    let landmarks = UnitRows::new(random((2, 4), 3)).expect("finite");
    let other_dim = kernel(&[1.0], &[1.0], 2).prepare_with(rows.view(), landmarks, SILENT);
    assert!(matches!(other_dim, Err(Error::Shape { found: (2, 4), .. })));
}

#[test]
fn parts_of_different_fits_are_refused() {
    let rows = random((20, 3), 1);
    let values = [target(random((20, 2), 2))];
    let fitted = kernel(&[1.0], &[1.0], 5).fit(rows.view(), &values, SILENT);
    let fitted = fitted.expect("fitted");
    let (fits, weights) = (fitted.fits().to_vec(), fitted.weights().to_vec());
    let fewer = UnitRows::new(random((4, 3), 3)).expect("finite");
    assert!(Kernel::from_parts(fewer, fits.clone(), weights.clone()).is_err());
    let landmarks = || fitted.landmarks().clone();
    assert!(Kernel::from_parts(landmarks(), fits.clone(), Vec::new()).is_err());
    let mut no_gamma = fits;
    no_gamma[0].gamma = f64::NAN;
    assert!(Kernel::from_parts(landmarks(), no_gamma, weights.clone()).is_err());
    assert!(Linear::from_parts(Vec::new(), weights).is_err());
    let none = Linear::from_parts(Vec::new(), Vec::new()).expect("no targets");
    assert!(none.predict(rows.view(), SILENT).expect("none").is_empty());
    assert!(RidgeWeights::new(array![[f64::NAN]], array![0.0]).is_err());
}

proptest! {
    /// Whatever is unknown: an output predicts NaN where it is known in no row, and a finite value otherwise.
    #[test]
    fn any_pattern_of_unknown_values_can_be_fitted(
        n_rows in 1_usize..24,
        known in prop::collection::vec(prop::collection::vec(any::<bool>(), 24), 1..4),
        common in 0_usize..24,
    ) {
        let rows = random((n_rows, 3), 1);
        let mut values = random((n_rows, known.len()), 2);
        for (output, known) in known.iter().enumerate() {
            for (row, &is_known) in known.iter().enumerate().take(n_rows) {
                // From `common` on all outputs share the first one's pattern.
                if !(if row < common { is_known } else { known[0] }) {
                    values[[row, output]] = f32::NAN;
                }
            }
        }
        let queries = random((2, 3), 3);
        for predicted in predict(&rows, &[target(values.clone())], &queries).expect("fitted") {
            for (output, column) in values.columns().into_iter().enumerate() {
                let is_known = column.iter().any(|value| !value.is_nan());
                for &value in predicted.column(output) {
                    prop_assert_eq!(value.is_finite(), is_known);
                }
            }
        }
    }
}
