use ndarray::{Array2, array};

use super::*;
use crate::{
    Error, Interval, Predicted, Truth, choice::Lambdas, curve::Grid, study::bootstrap::Resamples,
};

/// Two benchmarks of two prompts each; LLM 1 costs 10 and is always right, LLM 0 costs 1 and is right where `easy`.
struct Table {
    scores: Array2<f32>,
    costs: Array2<f64>,
    predicted: Array2<f32>,
    labels: Vec<String>,
}

fn table(easy: [f32; 4], predicted: [f32; 4]) -> Table {
    Table {
        scores: Array2::from_shape_fn((4, 2), |(i, m)| if m == 1 { 1.0 } else { easy[i] }),
        costs: Array2::from_shape_fn((4, 2), |(_, m)| [1.0, 10.0][m]),
        predicted: Array2::from_shape_fn((4, 2), |(i, m)| if m == 1 { 1.0 } else { predicted[i] }),
        labels: ["b", "a", "b", "a"].map(str::to_owned).to_vec(),
    }
}

impl Table {
    fn rows(&self) -> Rows<'_> {
        Rows {
            truth: Truth::new(self.scores.view(), self.costs.view()).expect("a truth"),
            predicted: Predicted::new(self.predicted.view(), self.costs.view())
                .expect("predictions"),
            benchmarks: &self.labels,
        }
    }
}

/// Accuracy ratio, cost ratio, share of the large LLM.
type Summary = Option<(f64, f64, f64)>;

/// Each with its label and budget.
fn summary(points: &[BenchmarkPoint]) -> Vec<(&str, f64, Summary)> {
    let router = |router: &BenchmarkRouter| {
        (
            router.accuracy_ratio,
            router.cost_ratio,
            router.routed.shares[1],
        )
    };
    points
        .iter()
        .map(|point| {
            (
                point.benchmark.as_str(),
                point.budget_ratio,
                point.router.as_ref().ok().map(router),
            )
        })
        .collect()
}

#[test]
fn lambda_on_test_is_the_best_in_hindsight() {
    // Benchmark b: prompt 0 is easy and predicted so (.75 against 1), prompt 2 is not (.25). At .55 of the cost one prompt goes to each.
    // Benchmark a: both are hard, one is predicted easy: half are right. At .1 all go to LLM 0.
    let test = table([1.0, 0.0, 0.0, 0.0], [0.75, 0.75, 0.25, 0.25]);
    let points = |lambdas| {
        benchmark_points(
            test.rows(),
            LambdaFrom::Test,
            1,
            &[0.05, 0.1, 0.55, 1.0],
            lambdas,
        )
        .expect("points")
    };
    let expected = [
        ("b", 0.05, None),
        ("b", 0.1, Some((0.5, 0.1, 0.0))),
        ("b", 0.55, Some((1.0, 0.55, 0.5))),
        ("b", 1.0, Some((1.0, 0.55, 0.5))),
        ("a", 0.05, None),
        ("a", 0.1, Some((0.0, 0.1, 0.0))),
        ("a", 0.55, Some((0.5, 0.55, 0.5))),
        ("a", 1.0, Some((1.0, 1.0, 1.0))),
    ];
    let exact = points(Lambdas::Exact);
    assert_eq!(summary(&exact), expected);
    assert_eq!((exact[0].n_prompts, exact[0].reference.cost_usd), (2, 10.0));
    let grid = Lambdas::Grid(Grid {
        n_steps: 1_000,
        cost_multiplier: 1.0,
    });
    assert_eq!(summary(&points(grid)), expected);
}

#[test]
fn lambda_from_validation_is_paid_for_on_test() {
    let test = table([1.0, 1.0, 1.0, 0.0], [0.75, 0.75, 0.75, 0.25]);
    let validation = table([1.0, 1.0, 0.0, 0.0], [0.75, 0.75, 0.25, 0.25]);
    let check = |lambda_from: LambdaFrom<'_>, expected: [(f64, f64, f64); 2]| {
        let points = benchmark_points(test.rows(), lambda_from.clone(), 1, &[0.6], Lambdas::Exact)
            .expect("points");
        let found: Vec<_> = summary(&points)
            .into_iter()
            .filter_map(|point| point.2)
            .collect();
        assert_eq!(found, expected, "{lambda_from:?}");
    };
    // Chosen on validation: the gap of .75 goes to LLM 1, that of .25 to LLM 0. On test b has no large gap, and spends less.
    let expected = [(1.0, 0.1, 0.0), (1.0, 0.55, 0.5)];
    check(
        LambdaFrom::ValidationOfBenchmark(validation.rows()),
        expected,
    );
    check(LambdaFrom::Validation(validation.rows()), expected);
}

#[test]
fn one_lambda_for_all_spends_where_it_pays() {
    // Benchmark b has gaps .25 only, a has gaps .75 only: within .6 of the cost overall all of a goes to LLM 1.
    let rows = table([1.0, 0.0, 1.0, 0.0], [0.75, 0.25, 0.75, 0.25]);
    let points = |lambda_from| {
        benchmark_points(rows.rows(), lambda_from, 1, &[0.6], Lambdas::Exact).expect("points")
    };
    assert_eq!(
        summary(&points(LambdaFrom::Validation(rows.rows()))),
        [
            ("b", 0.6, Some((1.0, 0.1, 0.0))),
            ("a", 0.6, Some((1.0, 1.0, 1.0)))
        ]
    );
    assert_eq!(
        summary(&points(LambdaFrom::ValidationOfBenchmark(rows.rows()))),
        [
            ("b", 0.6, Some((1.0, 0.1, 0.0))),
            ("a", 0.6, Some((0.0, 0.1, 0.0)))
        ]
    );
}

#[test]
fn no_prompt_has_a_say_in_its_own_lambda() {
    // Benchmark b: prompt 0 is easy and predicted so, prompt 2 is neither; benchmark a has the same.
    let test = table([1.0, 1.0, 0.0, 0.0], [0.75, 0.75, 0.25, 0.25]);
    let points = |folds: &[usize], budget| {
        benchmark_points(
            test.rows(),
            LambdaFrom::OtherFolds(folds),
            1,
            &[budget],
            Lambdas::Exact,
        )
        .expect("points")
    };
    // One prompt per fold. Prompt 0 goes by the lambda of prompt 2: LLM 1 is worth it up to .75 / 9.75, in the middle .038, which is beyond its
    // own .25 / 9.25, so to LLM 0. Prompt 2 goes by the lambda of prompt 0, where LLM 0 is as good from .027 on, in the middle .51: to LLM 0,
    // which gets it wrong.
    let all = points(&[0, 0, 1, 1], 1.0);
    assert_eq!(
        summary(&all),
        [
            ("b", 1.0, Some((0.5, 0.1, 0.0))),
            ("a", 1.0, Some((0.5, 0.1, 0.0)))
        ]
    );
    let router = all[0].router.as_ref().expect("within the budget");
    assert_eq!(router.chosen, [Some(0), Some(0)]);
    assert_eq!(router.choices.len(), 2);
    assert!(router.choices[0].lambda < router.choices[1].lambda);
    // In hindsight prompt 0 alone goes there.
    let hindsight =
        benchmark_points(test.rows(), LambdaFrom::Test, 1, &[1.0], Lambdas::Exact).expect("points");
    assert_eq!(summary(&hindsight)[0], ("b", 1.0, Some((1.0, 0.55, 0.5))));
    // Names of folds do not matter, their order does not either.
    assert_eq!(summary(&points(&[7, 7, 3, 3], 1.0)), summary(&all));
    // Nothing is as cheap as that, on either side; and a fold of all leaves nothing to choose on.
    assert_eq!(points(&[0, 0, 1, 1], 0.05)[0].router, Err(Gap::OutOfReach));
    assert_eq!(points(&[0, 1, 0, 1], 1.0)[0].router, Err(Gap::Unknown));
    let error = benchmark_points(
        test.rows(),
        LambdaFrom::OtherFolds(&[0, 1]),
        1,
        &[1.0],
        Lambdas::Exact,
    );
    assert!(matches!(error, Err(Error::Shape { what: "folds", .. })));
}

#[test]
fn a_benchmark_without_predictions_is_a_gap() {
    let mut test = table([1.0; 4], [0.5; 4]);
    for prompt_idx in [0, 2] {
        test.predicted.row_mut(prompt_idx).fill(f32::NAN);
    }
    for lambda_from in [LambdaFrom::Test, LambdaFrom::OtherFolds(&[0, 0, 1, 1])] {
        let points = benchmark_points(test.rows(), lambda_from.clone(), 1, &[1.0], Lambdas::Exact)
            .expect("points");
        assert_eq!(points[0].router, Err(Gap::Unknown), "{lambda_from:?}");
        assert!(points[1].router.is_ok(), "{lambda_from:?}");
    }
}

#[test]
fn intervals_are_over_the_prompts_of_the_benchmark() {
    // Within .55 of the cost, benchmark b sends prompt 0, which LLM 0 gets wrong, to LLM 0, and prompt 2 to LLM 1: accuracies 0 and 1, costs 1 and 10.
    let test = table([0.0; 4], [0.75, 0.75, 0.25, 0.25]);
    let points = benchmark_points(
        test.rows(),
        LambdaFrom::Test,
        1,
        &[0.55, 0.05],
        Lambdas::Exact,
    )
    .expect("points");
    let resamples = Resamples::given(array![[1, 1], [2, 0], [0, 2]]).expect("resamples");
    let of =
        |point| benchmark_intervals(test.rows(), 1, point, &resamples, 0.9999).expect("intervals");
    let found = of(&points[0]);
    let router = found.router.expect("a point");
    let check = |interval: Interval, estimate: f64, low: f64, high: f64| {
        assert_eq!(interval.estimate, estimate);
        assert!((interval.low - low).abs() < 1e-3 && (interval.high - high).abs() < 1e-3);
        assert_eq!(interval.n_defined, 3);
    };
    check(found.reference_accuracy, 1.0, 1.0, 1.0);
    check(router.accuracy, 0.5, 0.0, 1.0);
    check(router.accuracy_ratio, 0.5, 0.0, 1.0);
    check(router.cost_ratio, 0.55, 0.1, 1.0);
    assert_eq!(of(&points[1]).router, None);
    let bad = |resamples: &Resamples, level| {
        benchmark_intervals(test.rows(), 1, &points[0], resamples, level).expect_err("refused")
    };
    assert!(matches!(bad(&resamples, 2.0), Error::BadLevel { .. }));
    let other = Resamples::given(array![[1, 1, 1]]).expect("resamples");
    assert!(matches!(bad(&other, 0.9), Error::Shape { .. }));
}

#[test]
fn what_does_not_fit_is_refused() {
    let rows = table([1.0; 4], [0.5; 4]);
    let of = |test, lambda_from, reference, budget: f64| {
        benchmark_points(test, lambda_from, reference, &[budget], Lambdas::Exact)
    };
    assert!(matches!(
        of(rows.rows(), LambdaFrom::Test, 2, 0.1),
        Err(Error::NoSuchModel { .. })
    ));
    assert!(matches!(
        of(rows.rows(), LambdaFrom::Test, 1, f64::NAN),
        Err(Error::BadBudget { .. })
    ));
    let short = Rows {
        benchmarks: &rows.labels[..3],
        ..rows.rows()
    };
    assert!(matches!(
        of(short, LambdaFrom::Test, 1, 0.1),
        Err(Error::Shape { .. })
    ));
    let only_b = vec!["b".to_owned(); 4];
    let validation = Rows {
        benchmarks: &only_b,
        ..rows.rows()
    };
    assert_eq!(
        of(
            rows.rows(),
            LambdaFrom::ValidationOfBenchmark(validation),
            1,
            0.5
        ),
        Err(Error::NoValidation {
            benchmark: "a".to_owned()
        })
    );
    let mut unknown = table([1.0; 4], [0.5; 4]);
    unknown
        .scores
        .column_mut(1)
        .assign(&array![f32::NAN, 1.0, f32::NAN, 1.0]);
    let error = of(unknown.rows(), LambdaFrom::Test, 1, 0.5).expect_err("nothing known on b");
    assert_eq!(
        error.to_string(),
        "the reference LLM at position `1` has no known score and cost on `b`"
    );
}

#[test]
fn a_free_reference_has_ratios() {
    let mut rows = table([1.0; 4], [0.5; 4]);
    rows.costs.fill(0.0);
    let points =
        benchmark_points(rows.rows(), LambdaFrom::Test, 1, &[0.1], Lambdas::Exact).expect("points");
    assert_eq!(
        points[0].router.as_ref().map(|router| router.cost_ratio),
        Ok(1.0)
    );
}
