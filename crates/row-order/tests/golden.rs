//! An audit against exhaustive search and NumPy; see golden/make.py.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;

use row_order::{AuditParams, Task};
use serde::Deserialize;

/// Both sides add some hundred terms in double precision.
const TOLERANCE: f64 = 1e-10;

#[derive(Deserialize)]
struct Golden {
    planted: Vec<usize>,
    tasks: Vec<Vec<Option<Vec<Option<f64>>>>>,
    models: Vec<GoldenModel>,
    pair_correlations: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct GoldenModel {
    best_width: usize,
    z: f64,
    runner_up_width: usize,
    runner_up_z: f64,
    mean_correlation_published: f64,
    mean_correlation_found: f64,
}

fn check(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() < TOLERANCE,
        "{what}: {found}, expected {expected}"
    );
}

#[test]
fn matches_exhaustive_search_and_numpy() {
    let golden: Golden = serde_json::from_str(include_str!("golden/audit.json")).unwrap();
    let names: Vec<String> = (0..golden.models.len())
        .map(|i| format!("model-{i}"))
        .collect();
    let score = |score: Option<f64>| score.unwrap_or(f64::NAN);
    let column = |column: Vec<Option<f64>>| column.into_iter().map(score).collect();
    let task = |(number, columns): (usize, Vec<Option<_>>)| Task {
        name: format!("task-{number}"),
        columns: columns
            .into_iter()
            .map(|scores| scores.map(column))
            .collect(),
    };
    let tasks: Vec<Task> = golden.tasks.into_iter().enumerate().map(task).collect();
    let params = AuditParams {
        candidate_widths: [1, 2, 4, 8]
            .into_iter()
            .filter_map(NonZeroUsize::new)
            .collect(),
        n_permutations: 199,
        seed: 0,
        significance: 0.05,
    };
    let audit = params.check().unwrap().audit(&names, &tasks).unwrap();
    for ((model, golden), planted) in audit.models.iter().zip(&golden.models).zip(golden.planted) {
        assert_eq!(model.best_width.get(), golden.best_width, "{model:?}");
        assert_eq!(model.best_width.get(), planted, "{model:?}");
        assert_eq!(
            model.runner_up_width.get(),
            golden.runner_up_width,
            "{model:?}"
        );
        check(model.z, golden.z, &model.name);
        check(model.runner_up_z, golden.runner_up_z, &model.name);
        check(
            model.mean_correlation_published,
            golden.mean_correlation_published,
            &model.name,
        );
        check(
            model.mean_correlation_found,
            golden.mean_correlation_found,
            &model.name,
        );
    }
    for (task, [published, found]) in audit.tasks.iter().zip(golden.pair_correlations) {
        check(task.mean_correlation_published, published, &task.name);
        check(task.mean_correlation_found, found, &task.name);
    }
}
