//! The three computations through the public API: against scikit-learn, and at their edges.

use intrinsic_dimension::{
    CheckedDimensionParams, Dimension, DimensionParams, Error, IsomapParams, KernelParams,
};
use ndarray::{Array2, Axis, concatenate, s};
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

/// Both compute in float64.
const VARIANCE_TOLERANCE: f64 = 1e-9;
/// Relative to the largest eigenvalue where an iteration finds them, see `eigen.rs`.
const EIGENVALUE_TOLERANCE: f64 = 1e-9;
/// The error is the root of a difference of two large sums.
const ERROR_TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    name: String,
    points: Vec<Vec<i32>>,
    variances: Vec<f64>,
    variance_ratios: Vec<f64>,
    n_dimensions: Vec<usize>,
    kernel_eigenvalues: Vec<f64>,
    n_kernel_components: usize,
    n_neighbors: usize,
    n_parts: usize,
    isomap_components: Vec<usize>,
    isomap_errors: Vec<f64>,
}

fn params(
    n_points: usize,
    n_kernel_components: usize,
    n_neighbors: usize,
    isomap_components: &[usize],
) -> CheckedDimensionParams {
    DimensionParams {
        seed: 42,
        variance_shares: vec![0.9, 0.95, 0.99],
        kernel: KernelParams {
            n_points,
            gamma_times_dim: 1.0,
            n_components: n_kernel_components,
        },
        isomap: IsomapParams {
            n_points,
            n_neighbors,
            n_components: isomap_components.to_vec(),
        },
    }
    .check()
    .expect("good parameters")
}

fn random(n_points: usize, dim: usize, seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_fn((n_points, dim), |(_, axis)| {
        rng.random_range(-1.0_f32..1.0) / (1.0 + axis as f32)
    })
}

fn assert_close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0_f64, |a, b| a.max(b.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs();
        assert!(
            error <= tolerance * largest,
            "{what}, {i} (from 0): {found}, not {expected}"
        );
    }
}

#[test]
fn matches_sklearn_connected_apart_and_wide() {
    let text = include_str!("golden/figure/sklearn.json");
    let cases: Vec<Golden> =
        serde_json::from_str(text).expect("the golden file is what make.py wrote");
    assert_eq!(
        cases.iter().map(|case| case.n_parts).collect::<Vec<_>>(),
        [1, 4, 1]
    );
    for case in cases {
        let points = Array2::from_shape_fn((case.points.len(), case.points[0].len()), |at| {
            case.points[at.0][at.1] as f32 / 1024.0
        });
        let n_points = points.nrows();
        let params = params(
            n_points,
            case.n_kernel_components,
            case.n_neighbors,
            &case.isomap_components,
        );
        let Dimension {
            principal,
            kernel,
            isomap,
        } = params.analyze(points.view()).expect("computed");
        let name = &case.name;

        let what = format!("{name}: variances");
        assert_close(
            &what,
            &principal.variances,
            &case.variances,
            VARIANCE_TOLERANCE,
        );
        let shares: Vec<f64> = case
            .variance_ratios
            .iter()
            .scan(0.0, |sum, ratio| {
                *sum += ratio;
                Some(*sum)
            })
            .collect();
        let what = format!("{name}: shares");
        assert_close(
            &what,
            &principal.cumulative_shares,
            &shares,
            VARIANCE_TOLERANCE,
        );
        let reached: Vec<usize> = principal
            .n_dimensions
            .iter()
            .map(|r| r.n_dimensions)
            .collect();
        assert_eq!(reached, case.n_dimensions, "{name}");

        let what = format!("{name}: kernel eigenvalues");
        assert_close(
            &what,
            &kernel.eigenvalues,
            &case.kernel_eigenvalues,
            EIGENVALUE_TOLERANCE,
        );
        assert_eq!((kernel.n_points, isomap.n_points), (n_points, n_points));

        assert_eq!(isomap.n_parts, case.n_parts, "{name}");
        let errors: Vec<f64> = isomap.errors.iter().map(|error| error.error).collect();
        assert_close(
            &format!("{name}: Isomap"),
            &errors,
            &case.isomap_errors,
            ERROR_TOLERANCE,
        );
    }
}

#[test]
fn a_flat_sheet_has_two_dimensions_in_any() {
    // Two coordinates, embedded in nine by a map that keeps lengths.
    let flat = random(700, 2, 3);
    let mut embeddings = Array2::<f32>::zeros((700, 9));
    embeddings.slice_mut(s![.., 4]).assign(&flat.column(0));
    embeddings.slice_mut(s![.., 7]).assign(&flat.column(1));
    let result = params(500, 6, 8, &[1, 2, 3])
        .analyze(embeddings.view())
        .expect("computed");
    assert_eq!(result.principal.n_dimensions[2].n_dimensions, 2);
    assert!(result.principal.variances[2] < 1e-15);
    let [one, two, three] = [0, 1, 2].map(|i| result.isomap.errors[i].error);
    assert!(
        one > 2.0 * two && two - three < 0.2 * two,
        "{:?}",
        result.isomap
    );
    assert!(
        result.kernel.cumulative_shares[1] > 0.9,
        "{:?}",
        result.kernel
    );
}

#[test]
fn shares_of_all_and_of_the_listed_differ_by_what_is_not_listed() {
    let points = random(60, 5, 8);
    let some = params(60, 3, 4, &[1])
        .kernel_components(points.view())
        .expect("computed");
    let every = params(60, 60, 4, &[1])
        .kernel_components(points.view())
        .expect("computed");
    assert_eq!(some.cumulative_shares_of_listed[2], 1.0);
    assert!(some.cumulative_shares[2] < 1.0);
    assert_close(
        "all",
        &every.cumulative_shares[..3],
        &some.cumulative_shares,
        1e-12,
    );
    assert!((every.eigenvalues.iter().sum::<f64>() / every.total - 1.0).abs() < 1e-9);
}

#[test]
fn samples_depend_on_the_seed_alone() {
    let points = random(900, 4, 1);
    let compute = |seed: u64, n_isomap: usize, n_threads: usize| {
        let mut params = params(450, 5, 6, &[2, 3]).params().clone();
        params.seed = seed;
        params.isomap.n_points = n_isomap;
        let params = params.check().expect("good parameters");
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build();
        let result = pool
            .expect("a pool")
            .install(|| params.analyze(points.view()));
        result.expect("computed")
    };
    let first = compute(42, 450, 1);
    let bytes = |result: &Dimension| serde_json::to_vec(result).expect("plain numbers");
    for n_threads in [2, 3, 8] {
        assert_eq!(
            bytes(&compute(42, 450, n_threads)),
            bytes(&first),
            "{n_threads} threads"
        );
    }
    let other_seed = compute(43, 450, 2);
    assert_eq!(other_seed.principal, first.principal);
    assert_ne!(other_seed.kernel, first.kernel);
    assert_ne!(other_seed.isomap, first.isomap);
    let fewer = compute(42, 440, 2);
    assert_eq!(fewer.kernel, first.kernel);
    assert_eq!((first.kernel.n_points, fewer.isomap.n_points), (450, 440));
}

#[test]
fn bad_input_is_refused() {
    let params = params(100, 5, 4, &[1, 2]);
    let mut unknown = random(10, 3, 1);
    unknown[(6, 2)] = f32::NAN;
    let mut infinite = random(10, 3, 1);
    infinite[(0, 0)] = f32::INFINITY;
    let cases = [
        (Array2::zeros((0, 3)), "have shape (0, 3)"),
        (random(1, 3, 1), "have shape (1, 3)"),
        (Array2::zeros((5, 0)), "have shape (5, 0)"),
        (unknown, "embedding 7 (from 1)"),
        (infinite, "embedding 1 (from 1)"),
        (Array2::from_elem((30, 3), 0.1), "all 30 points"),
        (
            random(4, 3, 1),
            "4 points have 3 neighbors each at most, 4 are wanted; lower `n-neighbors`",
        ),
    ];
    for (embeddings, message) in cases {
        let found = params
            .analyze(embeddings.view())
            .expect_err(message)
            .to_string();
        assert!(found.contains(message), "{found}");
    }
    // A constant sample of points that are not all equal.
    let mut rare = Array2::from_elem((5_000, 2), 1.0_f32);
    rare[(17, 0)] = 2.0;
    let error = params.kernel_components(rare.view()).expect_err("constant");
    assert!(
        matches!(error, Error::Constant { n_points: 100 }),
        "{error}"
    );
}

#[test]
fn edges_have_sane_results() {
    let few = params(600, 30, 1, &[1, 30]);
    let twice = |points: Array2<f32>| concatenate![Axis(0), points, points];
    for (name, points) in [
        ("two points", random(2, 3, 1)),
        ("one dimension", random(50, 1, 1)),
        ("one dimension and many points", random(600, 1, 1)),
        ("duplicates", twice(random(20, 4, 1))),
        ("many duplicates", twice(twice(random(150, 2, 1)))),
        ("tiny", random(500, 8, 1).mapv(|x| x * 1e-18)),
        ("huge", random(500, 8, 1).mapv(|x| x * 1e18)),
        ("columns first", random(8, 500, 1).reversed_axes()),
    ] {
        let result = few.analyze(points.view());
        let Dimension {
            principal,
            kernel,
            isomap,
        } = result.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (n, dim) = points.dim();
        assert_eq!(principal.variances.len(), n.min(dim), "{name}");
        assert_eq!(
            *principal.cumulative_shares.last().expect("some"),
            1.0,
            "{name}"
        );
        assert_eq!(kernel.eigenvalues.len(), n.min(30), "{name}");
        let falls = |values: &[f64]| values.windows(2).all(|pair| pair[0] >= pair[1]);
        assert!(
            falls(&principal.variances) && falls(&kernel.eigenvalues),
            "{name}"
        );
        let last = kernel.cumulative_shares.last().expect("some");
        assert!(*last > 0.0 && *last <= 1.0 + 1e-9, "{name}: {last}");
        let [one, thirty] = [0, 1].map(|i| isomap.errors[i].error);
        assert!(
            isomap.norm > one && one >= thirty && thirty >= 0.0,
            "{name}: {isomap:?}"
        );
    }
}

#[test]
fn serializes_for_a_figure() {
    let result = params(40, 2, 3, &[1])
        .analyze(random(40, 3, 1).view())
        .expect("computed");
    let json = serde_json::to_value(&result).expect("plain numbers");
    assert_eq!(json["principal"]["n_dimensions"][0]["share"], 0.9);
    assert_eq!(json["isomap"]["errors"][0]["n_components"], 1);
    assert_eq!(
        json["kernel"]["eigenvalues"].as_array().map(Vec::len),
        Some(2)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Turning, moving and reordering points changes no distance, so it changes no result.
    #[test]
    fn nothing_depends_on_where_the_points_lie(seed in 0_u64..1_000, angle in 0.0_f32..6.3, shift in -4.0_f32..4.0) {
        let points = random(60, 3, seed);
        let moved = Array2::from_shape_fn((60, 3), |(i, axis)| {
            let p = points.row(59 - i);
            let (sin, cos) = angle.sin_cos();
            shift + [cos * p[0] - sin * p[1], sin * p[0] + cos * p[1], p[2]][axis]
        });
        let params = params(60, 8, 20, &[1, 2]);
        let [one, other] = [&points, &moved].map(|points| params.analyze(points.view()).expect("computed"));
        // Coordinates are rounded to float32; a neighbor or two may change with it, hence 20 of them.
        const ROUNDED: f64 = 1e-4;
        assert_close("variances", &other.principal.variances, &one.principal.variances, ROUNDED);
        assert_close("kernel", &other.kernel.eigenvalues, &one.kernel.eigenvalues, ROUNDED);
        let errors = [&one, &other].map(|d| d.isomap.errors.iter().map(|e| e.error).collect::<Vec<_>>());
        assert_close("Isomap", &errors[1], &errors[0], 1e-2);
    }
}
