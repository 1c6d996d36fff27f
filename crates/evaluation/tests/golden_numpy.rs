//! Metrics, resamples and the numbers of Plot 1 against NumPy; `golden/bootstrap/make.py` made them.

use dataset::PairIdx;
use evaluation::{
    Predicted, Router, Truth,
    baseline::mean_costs,
    choice::Lambdas,
    curve::Grid,
    metric::Metric,
    study::{Bootstrap, LambdaFrom, Resamples, Rows, benchmark_points, bootstrap},
};
use ndarray::Array2;
use serde_json::Value;

/// Means, trapezoids and divisions in another order.
const ROUNDING: f64 = 1e-9;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/bootstrap/table.json")).expect("JSON")
}

/// A number; null is NaN and "inf" infinity.
fn number(value: &Value) -> f64 {
    match value.as_str() {
        Some("inf") => f64::INFINITY,
        _ => value.as_f64().unwrap_or(f64::NAN),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows = list(value);
    let values: Vec<f64> = rows.iter().flat_map(list).map(number).collect();
    Array2::from_shape_vec((rows.len(), values.len() / rows.len()), values).expect("a matrix")
}

fn is_same(found: f64, expected: f64) -> bool {
    (found.is_nan() && expected.is_nan())
        || found == expected
        || (found - expected).abs() <= ROUNDING * expected.abs().max(1.0)
}

/// Scores, costs, predicted scores and predicted costs.
struct Table(Array2<f32>, Array2<f64>, Array2<f32>, Array2<f64>);

impl Table {
    fn new(scores: &Value, cost: &Value, predicted: &Value, predicted_cost: &Value) -> Self {
        Self(
            matrix(scores).mapv(|score| score as f32),
            matrix(cost),
            matrix(predicted).mapv(|score| score as f32),
            matrix(predicted_cost),
        )
    }

    fn truth(&self) -> Truth<'_> {
        Truth::new(self.0.view(), self.1.view()).expect("a truth")
    }

    fn predicted(&self) -> Predicted<'_> {
        Predicted::new(self.2.view(), self.3.view()).expect("predictions")
    }
}

fn rows<'a>(table: &'a Table, benchmarks: &'a [String]) -> Rows<'a> {
    Rows {
        truth: table.truth(),
        predicted: table.predicted(),
        benchmarks,
    }
}

/// CARROT, the RouterBench rule, the pair and the zero router, as in the script.
fn measured(golden: &Value) -> Bootstrap {
    let table = Table::new(
        &golden["scores"],
        &golden["cost_usd"],
        &golden["predicted_scores"],
        &golden["predicted_cost_usd"],
    );
    let pair = PairIdx {
        small: golden["small"].as_u64().expect("a position") as usize,
        large: golden["large"].as_u64().expect("a position") as usize,
    };
    let probability: Vec<f32> = list(&golden["small_win_probability"])
        .iter()
        .map(|value| number(value) as f32)
        .collect();
    let means = mean_costs(&table.truth());
    let by_means = table.predicted().with_mean_costs(&means);
    let routers = [
        Router::PerModel {
            predicted: table.predicted(),
            pair: Some(pair),
        },
        Router::PerModel {
            predicted: by_means.expect("as many LLMs"),
            pair: None,
        },
        Router::Pair {
            pair,
            small_win_probability: &probability,
        },
        Router::Zero,
    ];
    let counts = matrix(&golden["counts"]).mapv(|count| count as u32);
    let resamples = Resamples::given(counts).expect("resamples");
    bootstrap(&table.truth(), &routers, &resamples).expect("a choice")
}

#[test]
fn matches_numpy_on_every_metric_of_every_resample() {
    let golden = golden();
    let keys: Vec<&str> = list(&golden["metrics"])
        .iter()
        .map(|key| key.as_str().expect("a name"))
        .collect();
    assert_eq!(keys, Metric::ALL.map(Metric::key));
    let found = measured(&golden);
    for r in 0..found.n_routers() {
        for metric in Metric::ALL {
            let position = metric as usize;
            let expected = |values: &Value| {
                let of_router = list(&list(values)[r]);
                of_router.get(position).map_or(f64::NAN, number)
            };
            let estimate = found.estimates(r)[metric];
            let from_numpy = expected(&golden["estimates"]);
            assert!(
                is_same(estimate, from_numpy),
                "router {r}, {metric:?}: {estimate}, NumPy has {from_numpy}"
            );
            let samples = list(&golden["resampled"]);
            assert_eq!(found.resampled(r, metric).count(), samples.len());
            for (i, (value, sample)) in found.resampled(r, metric).zip(samples).enumerate() {
                let from_numpy = expected(sample);
                assert!(
                    is_same(value, from_numpy),
                    "router {r}, {metric:?}, resample {i}: {value}, NumPy has {from_numpy}"
                );
            }
        }
    }
}

#[test]
fn matches_numpy_on_percentiles() {
    let golden = golden();
    let found = measured(&golden);
    let mut n_compared = 0;
    let mut check = |interval: evaluation::Interval, expected: &Value| {
        // Null where NumPy would have had to interpolate with infinity.
        if let Some([low, high, n_defined]) = expected.as_array().map(Vec::as_slice) {
            assert!(
                is_same(interval.low, number(low)),
                "{interval:?} {expected}"
            );
            assert!(
                is_same(interval.high, number(high)),
                "{interval:?} {expected}"
            );
            assert_eq!(Some(interval.n_defined as u64), n_defined.as_u64());
            n_compared += 1;
        }
    };
    for metric in Metric::ALL {
        for r in 0..found.n_routers() {
            let interval = found.interval(r, metric, 0.95).expect("a level");
            check(interval, &golden["intervals"][r][metric as usize]);
        }
        let difference = found.difference(0, 2, metric, 0.95).expect("a level");
        check(difference, &golden["differences_0_to_2"][metric as usize]);
    }
    assert!(n_compared > 40, "{n_compared}");
}

#[test]
fn matches_numpy_on_the_numbers_of_plot_1() {
    let golden = golden();
    let part = |name: &str| {
        let part = &golden[name];
        let labels: Vec<String> = list(&part["benchmarks"])
            .iter()
            .map(|label| label.as_str().expect("a label").to_owned())
            .collect();
        let table = Table::new(
            &part["scores"],
            &part["cost"],
            &part["predicted"],
            &part["predicted_cost"],
        );
        (table, labels)
    };
    let (test, validation) = (part("test"), part("validation"));
    let budget_ratios: Vec<f64> = list(&golden["budget_ratios"]).iter().map(number).collect();
    let grid = Lambdas::Grid(Grid {
        n_steps: 1_000,
        cost_multiplier: 100.0,
    });
    for (how, lambda_from) in [
        ("test", LambdaFrom::Test),
        (
            "validation_of_benchmark",
            LambdaFrom::ValidationOfBenchmark(rows(&validation.0, &validation.1)),
        ),
        (
            "validation",
            LambdaFrom::Validation(rows(&validation.0, &validation.1)),
        ),
    ] {
        let mut found =
            benchmark_points(rows(&test.0, &test.1), lambda_from, 3, &budget_ratios, grid)
                .expect("points");
        // The script goes by name.
        found.sort_by(|a, b| a.benchmark.cmp(&b.benchmark));
        let expected = list(&golden["plot_1"][how]);
        assert_eq!(found.len(), expected.len());
        for (point, expected) in found.iter().zip(expected) {
            let Ok(router) = &point.router else {
                assert!(expected.is_null(), "{how} {point:?}");
                continue;
            };
            let values = [
                router.routed.point.accuracy,
                router.routed.point.cost_usd,
                router.accuracy_ratio,
                router.cost_ratio,
                router.choices[0].lambda,
            ];
            for (value, expected) in values.into_iter().zip(list(expected)) {
                assert!(
                    is_same(value, number(expected)),
                    "{how} {point:?}, NumPy has {expected}"
                );
            }
        }
    }
}
