//! What there is nothing to be found in, and what is refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;

use row_order::{Audit, AuditParams, Error, Finding, ModelAudit, Result, Task, Verdict};

fn audit(n_models: usize, tasks: &[Task], n_permutations: usize) -> Result<Audit> {
    let params = AuditParams {
        candidate_widths: [1, 2, 4, 8]
            .into_iter()
            .filter_map(NonZeroUsize::new)
            .collect(),
        n_permutations,
        seed: 1,
        significance: 0.05,
    };
    let names: Vec<String> = (0..n_models).map(|i| format!("model-{i}")).collect();
    params.check().unwrap().audit(&names, tasks)
}

#[test]
fn what_cannot_be_compared_is_undetermined() {
    let column = || {
        Some(
            (0..30)
                .map(|row| f64::from(u8::from(row % 3 == 0)))
                .collect(),
        )
    };
    for (what, columns) in [
        ("one LLM", vec![column()]),
        ("one LLM that varies", vec![column(), Some(vec![1.0; 30])]),
        (
            "no LLM that varies",
            vec![Some(vec![0.0; 30]), Some(vec![1.0; 30])],
        ),
        ("one row", vec![Some(vec![0.0]), Some(vec![1.0])]),
        ("no rows", vec![Some(vec![]), Some(vec![])]),
        ("nothing known", vec![Some(vec![f64::NAN; 4]), None]),
    ] {
        let n_models = columns.len();
        let task = Task {
            name: "task".into(),
            columns,
        };
        let audit = audit(n_models, &[task], 99).unwrap();
        assert_eq!(audit.verdict, Verdict::Undetermined, "{what}");
        for model in &audit.models {
            let ModelAudit {
                finding,
                p_value,
                margin_z,
                z,
                ..
            } = model;
            assert_eq!(
                (*finding, *margin_z),
                (Finding::Undetermined, 0.0),
                "{what}"
            );
            assert!(p_value.is_nan() && z.is_nan(), "{what}: {model:?}");
        }
    }
}

#[test]
fn tasks_that_do_not_fit_are_refused() {
    let task = |columns| {
        vec![Task {
            name: "arithmetic".into(),
            columns,
        }]
    };
    let two = || Some(vec![0.0, 1.0]);
    for (n_models, tasks, message) in [
        (0, vec![], "there are no LLMs to audit"),
        (2, vec![], "there are no tasks to audit"),
        (
            2,
            task(vec![two()]),
            "task `arithmetic` has 1 columns, expected 2, one for each LLM (none where it was not evaluated)",
        ),
        (
            3,
            task(vec![None, two(), Some(vec![1.0])]),
            "task `arithmetic` has 1 rows of `model-2` and 2 of `model-1`",
        ),
        (
            2,
            task(vec![two(), Some(vec![0.0, f64::NEG_INFINITY])]),
            "task `arithmetic`, row 2 of `model-1` is -inf, expected a finite number, or NaN where it is unknown",
        ),
    ] {
        let error = audit(n_models, &tasks, 99).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn permutations_must_be_able_to_show_something() {
    let task = |columns| {
        vec![Task {
            name: "arithmetic".into(),
            columns,
        }]
    };
    let two = || Some(vec![0.0, 1.0]);
    // 2 LLMs by .05 are 40 orders, of which the published one is the first.
    let error = audit(2, &task(vec![two(), two()]), 38).unwrap_err();
    assert!(
        matches!(error, Error::TooFewPermutations { needed: 39, .. }),
        "{error}"
    );
    assert!(audit(2, &task(vec![two(), two()]), 39).is_ok());
    // An LLM whose scores are all equal is not tested.
    assert!(audit(2, &task(vec![two(), Some(vec![1.0, 1.0])]), 19).is_ok());
}
