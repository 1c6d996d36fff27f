//! Sample files with all keys of the leaderboard's, each LLM's in an order of its own.

use serde_json::{Value, json};

use crate::bench::{DETAILS, GEMMA, LARGE, Leaderboard, SMALL, TIME, YI, details_path};

const N_DOCUMENTS: usize = 60;

/// Each LLM with the number of ranks that its evaluation ran on: rank `r` of `w` wrote the documents `r`, `r + w`, ...
const MODELS: [(&str, usize); 4] = [(YI, 1), (LARGE, 2), (SMALL, 8), (GEMMA, 8)];

/// Tasks as files name them and as the data set does, and the key of the score.
const TASKS: [(&str, &str, &str); 3] = [
    (
        "bbh_boolean_expressions",
        "bbh/boolean_expressions",
        "acc_norm",
    ),
    (
        "bbh_date_understanding",
        "bbh/date_understanding",
        "acc_norm",
    ),
    ("ifeval", "ifeval/ifeval", "prompt_level_strict_acc"),
];

fn question(task: &str, document: usize) -> String {
    format!("Q: {task}, naïve “case” {document}:\nOptions:\n(A) no\n(B) yes\nA:")
}

fn is_right(model: usize, task: usize, document: usize) -> bool {
    (document * 7 + model * 5 + task * 3) % 11 < 6
}

/// One line of a file, as lm-evaluation-harness wrote them in late 2024. IFEval's score is a truth value, the others' a number.
fn line(model: usize, task: usize, document: usize) -> String {
    let (name, _, metric) = TASKS[task];
    let question = question(name, document);
    let score = match metric {
        "prompt_level_strict_acc" => Value::from(is_right(model, task, document)),
        _ => Value::from(f64::from(u8::from(is_right(model, task, document)))),
    };
    json!({
        "doc_id": document,
        "doc": {"input": question},
        "target": "",
        "arguments": {"gen_args_0": {"arg_0": question, "arg_1": ""}},
        "resps": [],
        "filtered_resps": [],
        "doc_hash": format!("hash {document}"),
        "prompt_hash": format!("hash {document}"),
        "target_hash": "",
        metric: score,
    })
    .to_string()
}

#[test]
fn samples_of_any_order_are_joined_by_document() {
    let bench = Leaderboard::new();
    for (m, (model, width)) in MODELS.into_iter().enumerate() {
        for (t, (task, ..)) in TASKS.into_iter().enumerate() {
            let documents = (0..width).flat_map(|rank| (rank..N_DOCUMENTS).step_by(width));
            let lines: Vec<String> = documents.map(|d| line(m, t, d)).collect();
            let path = details_path(model, task, TIME);
            bench.write(format!("details/{path}"), lines.join("\n") + "\n");
        }
    }
    bench.succeed(&[&DETAILS[..], &["--with-ifeval"]].concat());

    let rows = bench.rows("open-llm-lb-v2");
    assert_eq!(rows.models(), MODELS.map(|(model, _)| model));
    assert_eq!(rows.ids().len(), TASKS.len() * N_DOCUMENTS);
    for (t, (name, task, _)) in TASKS.into_iter().enumerate() {
        for document in 0..N_DOCUMENTS {
            let id = format!("{task}/{document}");
            assert_eq!(rows.task(&id), task);
            assert_eq!(rows.prompt(&id), question(name, document));
            for (m, (model, _)) in MODELS.into_iter().enumerate() {
                let score = f32::from(u8::from(is_right(m, t, document)));
                assert_eq!(rows.score(&id, model), score, "{id}, {model}");
                // What the LLM read is the bare question, and tokens are words.
                let n_words = question(name, document).split_whitespace().count() as f64;
                assert_eq!(rows.n_tokens(&id, model), n_words, "{id}, {model}");
            }
        }
    }
}
