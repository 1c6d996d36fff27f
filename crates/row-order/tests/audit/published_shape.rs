//! A matrix of the shape that CARROT publishes for the Open LLM Leaderboard, with invented scores: 19 LLMs, gathered from as many ranks as the
//! published ones were, and 39 tasks. MMLU-Pro has a tenth of its rows, to keep the tests short.

use std::num::NonZeroUsize;

use row_order::{Audit, Finding, Task, Verdict, deinterleave};

use crate::planted::{params, planted, tasks, width};

/// Ranks of each LLM. The last one has no MMLU-Pro.
const WIDTHS: [usize; 19] = [4, 1, 4, 1, 8, 2, 1, 1, 8, 8, 8, 8, 4, 8, 8, 8, 4, 2, 8];
const MMLU_PRO: usize = 24;
const IFEVAL: usize = 25;
/// Rows of each task; 8 divides four of them.
const LENGTHS: [usize; 39] = [
    250, 187, 250, 250, 250, 250, 250, 250, 250, 250, 250, 250, 250, 146, 250, 250, 250, 178, 250,
    250, 250, 250, 250, 250, 1200, 541, 198, 546, 448, 307, 123, 132, 280, 154, 193, 135, 250, 256,
    250,
];
/// The least number for which 19 LLMs can reach the significance of .05 together is 379.
const N_PERMUTATIONS: usize = 400;

/// Sums over the same few hundred scores in another order differ by no more.
const SUM_ROUNDING: f64 = 1e-12;

fn matrix() -> Vec<Task> {
    let mut tasks = tasks(&planted(&WIDTHS), &LENGTHS, 11);
    tasks[MMLU_PRO].columns[WIDTHS.len() - 1] = None;
    tasks
}

/// Every column through `order`, which gets the column and the LLM's width.
fn reordered(tasks: &[Task], order: impl Fn(&[f64], NonZeroUsize) -> Vec<f64>) -> Vec<Task> {
    let reordered = |task: &Task| {
        let columns = task.columns.iter().zip(WIDTHS);
        Task {
            name: task.name.clone(),
            columns: columns
                .map(|(column, ranks)| column.as_ref().map(|column| order(column, width(ranks))))
                .collect(),
        }
    };
    tasks.iter().map(reordered).collect()
}

fn audit(tasks: &[Task]) -> Audit {
    let names: Vec<String> = (0..WIDTHS.len()).map(|i| format!("llm-{i}")).collect();
    let params = params(N_PERMUTATIONS).check().unwrap();
    params.audit(&names, tasks).unwrap()
}

#[test]
fn every_width_is_found() {
    let matrix = matrix();
    let found = audit(&matrix);
    assert_eq!(found.verdict, Verdict::SeveralOrders);
    for (model, planted) in found.models.iter().zip(WIDTHS) {
        assert_eq!(model.width(), Some(width(planted)), "{model:?}");
        assert_eq!(model.finding, Finding::Determined, "{model:?}");
        assert!(model.z > 3.0 * model.runner_up_z.abs(), "{model:?}");
        // No random order comes near.
        assert_eq!(model.p_value, 1.0 / (N_PERMUTATIONS + 1) as f64);
        assert!(model.mean_correlation_found > model.mean_correlation_published);
    }
    // What the scores are when row 1 is document 1 for every LLM.
    let truth = audit(&reordered(&matrix, deinterleave));
    assert_eq!(truth.verdict, Verdict::OneOrder);
    for (task, truth) in found.tasks.iter().zip(&truth.tasks) {
        let difference = task.mean_correlation_found - truth.mean_correlation_published;
        assert!(difference.abs() < SUM_ROUNDING, "{task:?}");
        // The other tasks give every LLM's width too, so that this one adds nothing.
        assert_eq!(task.mean_correlation_held_out, task.mean_correlation_found);
        assert!(task.mean_correlation_published < task.mean_correlation_found);
        assert_eq!(task.p_held_out, 1.0 / (N_PERMUTATIONS + 1) as f64);
    }
}

#[test]
fn parts_of_the_matrix_show_the_same_widths() {
    let matrix = matrix();
    let pick =
        |tasks: &[usize]| -> Vec<Task> { tasks.iter().map(|&i| matrix[i].clone()).collect() };
    let short: Vec<usize> = (0..LENGTHS.len()).filter(|&i| LENGTHS[i] < 200).collect();
    let others: Vec<usize> = (0..LENGTHS.len())
        .filter(|i| ![MMLU_PRO, IFEVAL].contains(i))
        .collect();
    for (name, part) in [
        ("without IFEval and MMLU-Pro", others),
        ("MMLU-Pro alone", vec![MMLU_PRO]),
        ("IFEval alone", vec![IFEVAL]),
        ("short tasks", short),
    ] {
        let audit = audit(&pick(&part));
        for (i, (model, planted)) in audit.models.iter().zip(WIDTHS).enumerate() {
            if part == [MMLU_PRO] && i == WIDTHS.len() - 1 {
                assert_eq!(model.finding, Finding::Undetermined, "{name}: {model:?}");
            } else {
                assert_eq!(model.width(), Some(width(planted)), "{name}: {model:?}");
            }
        }
    }
}

/// How it was found that the published matrix holds no padding: `row_order::order` has the figures.
#[test]
fn padding_would_show() {
    // Every rank holds `ceil(n / width)` rows, the surplus is cut off at the end, and beyond the last document the first ones come again.
    let padded = |column: &[f64], width: NonZeroUsize| {
        let n = column.len();
        let n_padded = n.next_multiple_of(width.get());
        let order = (0..width.get()).flat_map(|rank| (rank..n_padded).step_by(width.get()));
        let mut documents = vec![f64::NAN; n];
        for (&score, document) in column.iter().zip(order) {
            documents[document % n] = score;
        }
        documents
    };
    let matrix = matrix();
    let mean_correlation = |tasks: &[Task]| -> f64 {
        let uneven: Vec<Task> = tasks
            .iter()
            .zip(LENGTHS)
            .filter(|(_, n)| n % 8 != 0)
            .map(|(task, _)| task.clone())
            .collect();
        assert_eq!(uneven.len(), 35);
        // The rows are given in the order to be judged, as if it were the published one.
        let audits = audit(&uneven).tasks;
        let correlations = audits.iter().map(|task| task.mean_correlation_published);
        correlations.sum::<f64>() / 35.0
    };
    let without = mean_correlation(&reordered(&matrix, deinterleave));
    let with = mean_correlation(&reordered(&matrix, padded));
    assert!(without > 1.3 * with, "{without} {with}");
}

#[test]
fn only_the_oracle_gains_from_rows_that_are_several_documents() {
    /// Share of rows that the best LLM answers, and that any LLM answers, over the tasks but IFEval and the LLMs that have all of these.
    fn best_single_and_oracle(tasks: &[Task]) -> (f64, f64) {
        let columns: Vec<Vec<f64>> = (0..WIDTHS.len() - 1)
            .map(|model| {
                let pieces = tasks.iter().enumerate().filter(|(i, _)| *i != IFEVAL);
                pieces
                    .flat_map(|(_, task)| task.columns[model].clone().unwrap())
                    .collect()
            })
            .collect();
        let n = columns[0].len();
        let best = columns.iter().map(|column| column.iter().sum::<f64>());
        let oracle = (0..n).map(|row| columns.iter().map(|column| column[row]).fold(0.0, f64::max));
        (
            best.fold(0.0, f64::max) / n as f64,
            oracle.sum::<f64>() / n as f64,
        )
    }
    let matrix = matrix();
    let widths: Vec<NonZeroUsize> = audit(&matrix)
        .models
        .iter()
        .map(|model| model.width().unwrap())
        .collect();
    assert_eq!(widths, WIDTHS.map(width));
    let (published_best, published_oracle) = best_single_and_oracle(&matrix);
    let (best, oracle) = best_single_and_oracle(&reordered(&matrix, deinterleave));
    assert_eq!(best, published_best);
    // Rows that no LLM answers are half as many at most where the LLMs' answers are to different documents.
    assert!(
        1.0 - published_oracle < (1.0 - oracle) / 2.0,
        "{published_oracle} {oracle}"
    );
}
