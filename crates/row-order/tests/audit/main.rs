//! Audits of LLMs whose widths are known, since they were planted.
#![expect(clippy::unwrap_used, reason = "tests")]

mod planted;
mod published_shape;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use row_order::{Audit, Finding, Task, Verdict};

use crate::planted::{Planted, params, planted, tasks};

fn names(n_models: usize) -> Vec<String> {
    (0..n_models).map(|i| format!("model-{i}")).collect()
}

fn audit(tasks: &[Task]) -> Audit {
    let params = params(399).check().unwrap();
    params.audit(&names(tasks[0].columns.len()), tasks).unwrap()
}

const UNEVEN: &[usize] = &[250, 187, 541, 307];
/// All divisible by 8.
const EVEN: &[usize] = &[256, 512, 400];

fn found(audit: &Audit) -> Vec<(usize, Finding)> {
    audit
        .models
        .iter()
        .map(|model| (model.best_width.get(), model.finding))
        .collect()
}

#[test]
fn planted_widths_are_found() {
    for (widths, lengths) in [
        (&[1, 2, 4, 8, 8, 4][..], UNEVEN),
        (&[8, 8, 8, 1], UNEVEN),
        (&[4, 4, 2, 2, 2], UNEVEN),
        (&[1, 2, 4, 8], EVEN),
        (&[1, 8, 8], EVEN),
        // Two LLMs, for most pairs of widths.
        (&[1, 2], &[2501, 1003]),
        (&[2, 8], &[2501, 1003]),
        (&[8, 4], &[2501, 1003]),
        (&[8, 1], &[2048]),
    ] {
        for seed in 0..4 {
            let audit = audit(&tasks(&planted(widths), lengths, seed));
            let expected: Vec<_> = widths
                .iter()
                .map(|&width| (width, Finding::Determined))
                .collect();
            assert_eq!(
                found(&audit),
                expected,
                "{widths:?}, seed {seed}: {audit:?}"
            );
            assert_eq!(audit.verdict, Verdict::SeveralOrders);
            assert!(audit.models.iter().all(|model| model.part == Some(0)));
        }
    }
}

#[test]
fn one_width_for_all_cannot_be_told_from_another() {
    for common in [1, 2, 8] {
        for lengths in [UNEVEN, EVEN] {
            for n_models in [2, 5] {
                let audit = audit(&tasks(&planted(&vec![common; n_models]), lengths, 3));
                assert_eq!(audit.verdict, Verdict::OneOrder, "{common}");
                assert_eq!(
                    found(&audit),
                    vec![(1, Finding::Ambiguous); n_models],
                    "{common}"
                );
                for model in &audit.models {
                    assert_eq!(model.margin_z, 0.0);
                    let difference =
                        model.mean_correlation_found - model.mean_correlation_published;
                    assert!(difference.abs() < 1e-12, "{model:?}");
                }
            }
        }
    }
}

#[test]
fn widths_in_one_ratio_are_one_explanation_at_some_lengths() {
    let widths = [2, 4, 4, 2, 2];
    let even = audit(&tasks(&planted(&widths), EVEN, 5));
    assert_eq!(even.verdict, Verdict::SeveralOrders);
    for (model, planted) in even.models.iter().zip(widths) {
        assert_eq!(
            (model.best_width.get(), model.finding),
            (planted / 2, Finding::Ambiguous),
            "{model:?}"
        );
        assert_eq!(model.margin_z, 0.0);
    }
    let uneven = audit(&tasks(&planted(&widths), UNEVEN, 5));
    assert_eq!(
        found(&uneven),
        widths.map(|width| (width, Finding::Determined))
    );
}

#[test]
fn an_llm_that_answers_at_random_is_left_open() {
    let mut p_values = Vec::new();
    for seed in 0..20 {
        let mut models = planted(&[1, 4, 8, 8, 2]);
        models.push(Planted {
            width: 4,
            population: None,
        });
        let audit = audit(&tasks(&models, UNEVEN, seed));
        let (noise, others) = audit.models.split_last().unwrap();
        assert_eq!(
            noise.finding,
            Finding::Undetermined,
            "seed {seed}: {noise:?}"
        );
        assert_eq!(noise.width(), None);
        assert!(
            others
                .iter()
                .all(|model| model.finding == Finding::Determined),
            "seed {seed}: {others:?}"
        );
        assert_eq!(audit.verdict, Verdict::SeveralOrders);
        p_values.push(noise.p_value);
    }
    // Even over (0, 1): of 20 some are large, and the mean is within four standard deviations (.29 / sqrt 20) of a half.
    let mean = p_values.iter().sum::<f64>() / 20.0;
    assert!((0.24..0.76).contains(&mean), "{p_values:?}");
    assert!(p_values.iter().any(|&p| p > 0.5), "{p_values:?}");
}

/// The columns of these LLMs in each task, one row further on.
fn shifted(mut tasks: Vec<Task>, models: &[usize]) -> Vec<Task> {
    for task in &mut tasks {
        for &model in models {
            task.columns[model].as_mut().unwrap().rotate_right(1);
        }
    }
    tasks
}

#[test]
fn llms_shifted_by_a_row_share_no_order_with_the_others() {
    for seed in 0..6 {
        for (n_models, away) in [(6, &[0, 2, 4][..]), (6, &[1, 3]), (4, &[1, 2])] {
            let tasks = tasks(&planted(&vec![1; n_models]), UNEVEN, seed);
            let together = audit(&tasks);
            assert_eq!(together.verdict, Verdict::OneOrder, "seed {seed}");
            assert!(together.models.iter().all(|model| model.part == Some(0)));

            let audit = audit(&shifted(tasks, away));
            assert_eq!(
                audit.verdict,
                Verdict::Undetermined,
                "seed {seed}: {audit:?}"
            );
            // Each fits its own part, which is why no LLM's own finding shows it.
            let parts: Vec<Option<usize>> = audit.models.iter().map(|model| model.part).collect();
            let is_away = |model: &usize| away.contains(model);
            // The larger part is 0, of equal ones that with the first LLM.
            let first = usize::from(2 * away.len() < n_models || !is_away(&0));
            let expected =
                (0..n_models).map(|model| Some(usize::from(is_away(&model)) ^ (1 - first)));
            assert_eq!(parts, expected.collect::<Vec<_>>(), "seed {seed}: {away:?}");
        }
    }
}

#[test]
fn one_llm_shifted_by_a_row_is_undetermined_by_itself() {
    for seed in 0..6 {
        let tasks = tasks(&planted(&[1; 6]), UNEVEN, seed);
        let audit = audit(&shifted(tasks, &[3]));
        assert_eq!(audit.verdict, Verdict::OneOrder, "of the five others");
        for (i, model) in audit.models.iter().enumerate() {
            assert_eq!(model.finding == Finding::Undetermined, i == 3, "{model:?}");
            assert_eq!(model.part, (i != 3).then_some(0));
        }
    }
}

#[test]
fn two_populations_say_nothing_of_each_other() {
    let in_population = |which, width| Planted {
        width,
        population: Some(which),
    };
    for seed in 0..10 {
        let models = [(0, 4), (0, 4), (0, 4), (1, 8), (1, 8), (1, 8)]
            .map(|(which, width)| in_population(which, width));
        let audit = audit(&tasks(&models, UNEVEN, seed));
        assert_ne!(
            audit.verdict,
            Verdict::SeveralOrders,
            "seed {seed}: {audit:?}"
        );
        assert!(
            audit
                .models
                .iter()
                .all(|model| model.finding == Finding::Ambiguous),
            "seed {seed}: {audit:?}"
        );
        let parts: Vec<_> = audit.models.iter().filter_map(|model| model.part).collect();
        assert_eq!(parts, [0, 0, 0, 1, 1, 1]);
    }
}

/// P-values are exact though widths are chosen: without any signal, 5% of them are at most .05.
#[test]
fn p_values_of_noise_are_even() {
    for (n_models, n_seeds) in [(2, 500), (5, 200)] {
        let noise = Planted {
            width: 1,
            population: None,
        };
        let mut n_small = 0;
        for seed in 0..n_seeds {
            let params = params(199).check().unwrap();
            let tasks = tasks(&vec![noise; n_models], &[40, 23], seed);
            let audit = params.audit(&names(n_models), &tasks).unwrap();
            // The first LLM's only: those of one audit are not independent.
            n_small += usize::from(audit.models[0].p_value <= 0.05);
            n_small += usize::from(audit.tasks[0].p_held_out <= 0.05);
        }
        // Of 2 n_seeds values 5%, give or take four standard deviations, sqrt(2 n_seeds * .05 * .95).
        let mean = 0.1 * n_seeds as f64;
        let deviation = (mean * 0.95).sqrt();
        let least = mean - 4.0 * deviation;
        assert!(
            (least..mean + 4.0 * deviation).contains(&(n_small as f64)),
            "{n_models} LLMs: {n_small} of {}",
            2 * n_seeds
        );
    }
}

#[test]
fn unknown_scores_absent_llms_and_constant_columns_leave_the_rest_as_it_is() {
    let widths = [1, 2, 4, 8, 8];
    let mut tasks = tasks(&planted(&widths), UNEVEN, 9);
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    for score in tasks[0].columns.iter_mut().flatten().flatten() {
        if rng.random::<f64>() < 0.2 {
            *score = f64::NAN;
        }
    }
    tasks[1].columns[0] = None;
    tasks[1].columns[1].as_mut().unwrap().fill(1.0);
    tasks[2].columns[2].as_mut().unwrap().fill(f64::NAN);
    tasks.push(Task {
        name: "one row".into(),
        columns: vec![Some(vec![1.0]); 5],
    });
    tasks.push(Task {
        name: "no rows".into(),
        columns: vec![Some(vec![]); 5],
    });
    tasks.push(Task {
        name: "nobody".into(),
        columns: vec![None; 5],
    });
    let audit = audit(&tasks);
    assert_eq!(
        found(&audit),
        widths.map(|width| (width, Finding::Determined))
    );
    let n_rows: Vec<usize> = audit.models.iter().map(|model| model.n_rows).collect();
    assert_eq!(n_rows, [1098, 1098, 744, 1285, 1285]);
    for task in &audit.tasks[4..] {
        assert_eq!(task.n_models, 0);
        assert!(
            task.mean_correlation_found.is_nan() && task.p_held_out.is_nan(),
            "{task:?}"
        );
    }
    assert_eq!((audit.tasks[1].n_models, audit.tasks[1].n_rows), (3, 187));
}

#[test]
fn threads_do_not_matter_and_the_order_of_llms_and_tasks_is_kept() {
    let tasks = tasks(&planted(&[1, 2, 4, 8]), UNEVEN, 2);
    let json = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        serde_json::to_string(&pool.install(|| audit(&tasks))).unwrap()
    };
    let alone = json(1);
    assert_eq!(alone, json(3));
    let value: serde_json::Value = serde_json::from_str(&alone).unwrap();
    assert_eq!(value["verdict"], "several-orders");
    assert_eq!(value["models"][1]["name"], "model-1");
    assert_eq!(value["models"][3]["best_width"], 8);
    assert_eq!(value["models"][3]["finding"], "determined");
    assert_eq!(value["tasks"][2]["name"], "task-2");
    let only = serde_json::to_value(audit(&tasks[..1])).unwrap();
    assert!(
        only["tasks"][0]["p_held_out"].is_null(),
        "one task leaves none to find widths from"
    );
    assert!(only["tasks"][0]["p_published"].is_number());
}
