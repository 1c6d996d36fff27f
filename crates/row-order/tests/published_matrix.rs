//! The matrix that CARROT publishes for the Open LLM Leaderboard, where it is there: `../shared` beside the repository.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use pickle::Pickle;
use row_order::{Audit, AuditParams, Finding, Task, Verdict, deinterleave};

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/upstream-open-llm")
        .join(name);
    let is_there = path.exists();
    if !is_there {
        eprintln!("skipped: no {}", path.display());
    }
    is_there.then_some(path)
}

/// LLMs, sorted by name, and the tasks in the order of the file, which is that of their names.
struct Matrix {
    models: Vec<String>,
    tasks: Vec<Task>,
}

fn matrix() -> Option<Matrix> {
    let pickle = Pickle::read(&shared("new_leaderboard_processed_20241205.pickle")?).unwrap();
    let mut columns: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    let mut names = Vec::new();
    for (name, task) in pickle.value().entries().unwrap() {
        let name = name.as_str().unwrap();
        let correctness = task.get("correctness").unwrap();
        let scores = if name == "leaderboard_ifeval" {
            correctness.get("correctness_prompt").unwrap()
        } else {
            correctness
        };
        let scores = scores.array().unwrap().to_array2_f64().unwrap();
        let task_name = name
            .trim_start_matches("leaderboard_")
            .trim_start_matches("bbh_");
        names.push(task_name.to_owned());
        for (model, scores) in task
            .get("models")
            .unwrap()
            .items()
            .unwrap()
            .zip(scores.rows())
        {
            let model = model.as_str().unwrap();
            let model = model.strip_prefix("open-llm-leaderboard/").unwrap();
            let model = model.strip_suffix("-details").unwrap().replace("__", "/");
            columns.insert((model, task_name.to_owned()), scores.to_vec());
        }
    }
    let mut models: Vec<String> = columns.keys().map(|(model, _)| model.clone()).collect();
    models.dedup();
    let column =
        |model: &String, task: &String| columns.get(&(model.clone(), task.clone())).cloned();
    let tasks = names.into_iter().map(|name| Task {
        columns: models.iter().map(|model| column(model, &name)).collect(),
        name,
    });
    let tasks = tasks.collect();
    Some(Matrix { models, tasks })
}

fn params(n_permutations: usize) -> AuditParams {
    AuditParams {
        candidate_widths: [1, 2, 4, 8]
            .into_iter()
            .filter_map(NonZeroUsize::new)
            .collect(),
        n_permutations,
        seed: 42,
        significance: 0.05,
    }
}

fn audit(matrix: &Matrix, n_permutations: usize) -> Audit {
    let params = params(n_permutations).check().unwrap();
    params.audit(&matrix.models, &matrix.tasks).unwrap()
}

/// A table's rows by their first column, each a map from the names of the others.
fn rows_by_name(path: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let header: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|mut cells| {
            (
                cells.next().unwrap(),
                header[1..].iter().cloned().zip(cells).collect(),
            )
        })
        .collect()
}

fn check_widths(matrix: &Matrix, audit: &Audit) {
    let expected = rows_by_name(&shared("open_llm_interleave.csv").unwrap());
    assert_eq!(audit.verdict, Verdict::SeveralOrders);
    assert_eq!(audit.models.len(), matrix.models.len());
    for model in &audit.models {
        let width: NonZeroUsize = expected[&model.name]["W"].parse().unwrap();
        assert_eq!(model.best_width, width, "{model:?}");
        assert_eq!(model.finding, Finding::Determined, "{model:?}");
        assert_eq!(model.width(), Some(width));
        assert!(model.z > 3.0 * model.runner_up_z.abs(), "{model:?}");
        assert!(
            model.mean_correlation_found > model.mean_correlation_published,
            "{model:?}"
        );
    }
}

#[test]
fn the_published_matrix_gives_the_widths_that_its_labels_show() {
    let Some(matrix) = matrix() else { return };
    assert_eq!((matrix.models.len(), matrix.tasks.len()), (19, 39));
    let audit = audit(&matrix, 1000);
    check_widths(&matrix, &audit);
    for model in &audit.models {
        // No random order of 1,000 comes near.
        assert_eq!(model.p_value, 1.0 / 1001.0, "{model:?}");
    }
    let expected = rows_by_name(&shared("open_llm_alignment.csv").unwrap());
    assert_eq!(audit.tasks.len(), expected.len());
    for task in &audit.tasks {
        let expected = &expected[&task.name];
        assert_eq!(task.n_rows.to_string(), expected["n"]);
        for (found, name) in [
            (task.mean_correlation_published, "pair_corr_upstream"),
            (task.mean_correlation_found, "pair_corr_fixed"),
        ] {
            // The table has four significant digits.
            let value: f64 = expected[name].parse().unwrap();
            assert_eq!(
                format!("{found:.3e}"),
                format!("{value:.3e}"),
                "{name} of {}",
                task.name
            );
        }
        // The other tasks give every LLM's width too, so that this one adds nothing.
        assert_eq!(
            task.mean_correlation_held_out, task.mean_correlation_found,
            "{}",
            task.name
        );
        assert!(task.adjusted_p_held_out < 0.05, "{task:?}");
    }
}

/// A name, the tasks that are in it, and the LLMs that it leaves open.
type Part = (&'static str, fn(&Task) -> bool, &'static [&'static str]);

#[test]
fn parts_of_the_published_matrix_show_the_same_widths() {
    let Some(matrix) = matrix() else { return };
    let expected = rows_by_name(&shared("open_llm_interleave.csv").unwrap());
    // SOLAR has no MMLU-Pro; the two others of the short tasks are the weakest but one, with little above chance.
    let parts: [Part; 4] = [
        (
            "without IFEval and MMLU-Pro",
            |task| !["ifeval", "mmlu_pro"].contains(&&*task.name),
            &[],
        ),
        (
            "MMLU-Pro alone",
            |task| task.name == "mmlu_pro",
            &["upstage/SOLAR-10.7B-Instruct-v1.0"],
        ),
        ("IFEval alone", |task| task.name == "ifeval", &[]),
        (
            "short tasks",
            |task| {
                task.columns
                    .iter()
                    .flatten()
                    .all(|column| column.len() < 200)
            },
            &[
                "meta-llama/Llama-2-13b-chat-hf",
                "mistralai/Mistral-7B-Instruct-v0.1",
            ],
        ),
    ];
    for (name, is_in, open) in parts {
        let part = Matrix {
            models: matrix.models.clone(),
            tasks: matrix
                .tasks
                .iter()
                .filter(|task| is_in(task))
                .cloned()
                .collect(),
        };
        for model in audit(&part, 400).models {
            if open.contains(&&*model.name) {
                assert_ne!(model.finding, Finding::Determined, "{name}: {model:?}");
            } else {
                assert_eq!(model.finding, Finding::Determined, "{name}: {model:?}");
                assert_eq!(
                    model.best_width.to_string(),
                    expected[&model.name]["W"],
                    "{name}: {model:?}"
                );
            }
        }
    }
}

/// Whether ranks were padded to one length shows where a width does not divide a task's length.
#[test]
fn ranks_were_not_padded() {
    let Some(matrix) = matrix() else { return };
    let widths = rows_by_name(&shared("open_llm_interleave.csv").unwrap());
    let width =
        |model: usize| -> NonZeroUsize { widths[&matrix.models[model]]["W"].parse().unwrap() };
    // Every rank holds `ceil(n / width)` rows, the surplus is cut off at the end, and beyond the last document the first ones come again.
    let padded = |column: &[f64], width: usize| {
        let n = column.len();
        let n_padded = n.next_multiple_of(width);
        let order = (0..width).flat_map(|rank| (rank..n_padded).step_by(width));
        let mut documents = vec![f64::NAN; n];
        for (&score, document) in column.iter().zip(order) {
            documents[document % n] = score;
        }
        documents
    };
    let mean_correlation = |documents: &dyn Fn(&[f64], usize) -> Vec<f64>| {
        let uneven = matrix.tasks.iter().filter(|task| {
            task.columns
                .iter()
                .flatten()
                .all(|column| column.len() % 8 != 0)
        });
        let tasks: Vec<Task> = uneven
            .map(|task| {
                let columns = task.columns.iter().enumerate();
                let columns = columns
                    .map(|(model, column)| column.as_ref().map(|column| documents(column, model)));
                Task {
                    name: task.name.clone(),
                    columns: columns.collect(),
                }
            })
            .collect();
        assert_eq!(tasks.len(), 35);
        let ordered = Matrix {
            models: matrix.models.clone(),
            tasks,
        };
        // The rows are given in the order to be judged, as if it were the published one.
        let audit = audit(&ordered, 400);
        audit
            .tasks
            .iter()
            .map(|task| task.mean_correlation_published)
            .sum::<f64>()
            / 35.0
    };
    let unpadded = mean_correlation(&|column, model| deinterleave(column, width(model)));
    let padded = mean_correlation(&|column, model| padded(column, width(model).get()));
    // The documentation of `order` says so.
    assert_eq!(
        (format!("{unpadded:.3}"), format!("{padded:.3}")),
        ("0.218".into(), "0.145".into())
    );
}

/// The share that the best LLM answers, and that any LLM answers, over the test rows of seed 42.
fn best_single_and_oracle(columns: &[Vec<f64>]) -> (f64, f64) {
    let split = dataset::train_test_split(columns[0].len(), 0.2, 42).unwrap();
    assert_eq!((split.train.len(), split.test.len()), (16_852, 4_213));
    let mean = |score: &dyn Fn(usize) -> f64| {
        split
            .test
            .iter()
            .map(|&row| score(row as usize))
            .sum::<f64>()
            / split.test.len() as f64
    };
    let best = columns
        .iter()
        .map(|column| mean(&|row| column[row]))
        .fold(0.0, f64::max);
    let oracle = mean(&|row| columns.iter().map(|column| column[row]).fold(0.0, f64::max));
    (best, oracle)
}

#[test]
fn best_single_and_oracle_are_as_published_until_rows_are_documents() {
    let Some(matrix) = matrix() else { return };
    let audit = audit(&matrix, 400);
    let tasks = || matrix.tasks.iter().filter(|task| task.name != "ifeval");
    let in_common: Vec<usize> = (0..matrix.models.len())
        .filter(|&i| tasks().all(|task| task.columns[i].is_some()))
        .collect();
    assert_eq!(in_common.len(), 18);
    let columns = |fixes: bool| -> Vec<Vec<f64>> {
        let column = |&i: &usize| {
            let pieces = tasks().map(|task| {
                let piece = task.columns[i].as_ref().unwrap();
                if fixes {
                    deinterleave(piece, audit.models[i].width().unwrap())
                } else {
                    piece.clone()
                }
            });
            pieces.collect::<Vec<_>>().concat()
        };
        in_common.iter().map(column).collect()
    };
    // carrot-facts: 21,065 rows, .56492 and .97152. The corrected figures were computed with NumPy 2.4.6 and scikit-learn 1.9.1 from the widths of
    // open_llm_interleave.csv: .5646807500593402 and .8874910989793496.
    for (fixes, best, oracle) in [(false, "0.56492", "0.97152"), (true, "0.56468", "0.88749")] {
        let columns = columns(fixes);
        assert_eq!(columns[0].len(), 21_065);
        let found = best_single_and_oracle(&columns);
        assert_eq!(
            (format!("{:.5}", found.0), format!("{:.5}", found.1)),
            (best.into(), oracle.into())
        );
    }
}
