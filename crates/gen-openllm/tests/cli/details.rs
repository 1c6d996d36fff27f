//! Sample files in a folder.

use dataset::{CostKind, CostRule, Pair, SplitOrigin};
use test_support::assert_contains;

use crate::bench::{
    DETAILS, GEMMA, LARGE, Leaderboard, SMALL, TIME, YI, details_path, line, pair_files, stderr,
};

const NAME: &str = "open-llm-lb-v2";

#[test]
fn sample_files_become_a_data_set_joined_by_document() {
    let bench = Leaderboard::with_pair();
    let output = bench.run_on_details(&[]);
    assert!(output.status.success(), "{}", stderr(&output));

    let info = bench.info(NAME);
    assert_eq!(
        (info.n_train, info.n_test, info.cost_kind),
        (19, 5, CostKind::Known)
    );
    // The published order of columns, in which 72B comes first.
    assert_eq!(info.model_names(), [LARGE, SMALL]);
    let (small, large) = (SMALL.to_owned(), LARGE.to_owned());
    assert_eq!(info.pair, Some(Pair { small, large }));
    assert_eq!(
        info.split,
        SplitOrigin::Random {
            test_size: 0.2,
            seed: 42
        }
    );
    assert!(
        info.models
            .iter()
            .all(|model| model.cost_rule == CostRule::InputTokens)
    );
    let price = info.models[0].price.clone().expect("a price");
    assert_eq!(
        (price.input_usd_per_mtok, price.output_usd_per_mtok),
        (1.2, 1.2)
    );
    assert_eq!(info.options["token-counter"], "words.json");
    let stood_in = format!("{LARGE} {SMALL}");
    assert_eq!(info.options["token-counter-for"], stood_in);
    let notes = info.notes.join("\n");
    assert_contains(
        &notes,
        "counted with `words.json`, not with their own tokenizers",
    );
    assert_contains(&notes, "the source has no results for 36 of 38 tasks");
    assert_contains(&notes, "`bbh` has 12 documents, 5761 were published");
    // Four sample files, the tokenizer, the settings.
    assert_eq!(info.sources.len(), 6);

    let rows = bench.rows(NAME);
    for d in 0..12 {
        for (task, prefix) in [("bbh/navigate", "navigate"), ("mmlu_pro/mmlu_pro", "mmlu")] {
            let id = format!("{task}/{d}");
            assert_eq!(rows.prompt(&id), format!("{prefix} question {d}"));
            assert_eq!(rows.task(&id), task);
            assert_eq!(
                rows.score(&id, SMALL),
                f32::from(u8::from(d % 2 == 0)),
                "{id}"
            );
            assert_eq!(
                rows.score(&id, LARGE),
                f32::from(u8::from(d % 3 != 0)),
                "{id}"
            );
            // Three words of the question after the examples that each LLM read.
            assert_eq!(
                (rows.n_tokens(&id, SMALL), rows.n_tokens(&id, LARGE)),
                (6.0, 8.0)
            );
            assert_eq!(rows.cost_usd(&id, SMALL), 6.0 * 0.3 / 1e6);
            assert_eq!(rows.cost_usd(&id, LARGE), 8.0 * 1.2 / 1e6);
        }
    }
    // Tasks in their order, documents by number, split as scikit-learn splits 24 rows with seed 42: rows 8, 16, 0, 18, 11.
    assert_eq!(
        rows.test_ids(),
        [
            "bbh/navigate/8",
            "mmlu_pro/mmlu_pro/4",
            "bbh/navigate/0",
            "mmlu_pro/mmlu_pro/6",
            "bbh/navigate/11"
        ]
    );
}

#[test]
fn the_summary_is_of_the_test_rows() {
    let bench = Leaderboard::with_pair();
    let report = bench.report(&DETAILS);
    let summary = &report["summary"];
    // Of the documents 8, 4, 0, 6, 11 the small one has the even ones, the large one those that 3 does not divide.
    assert_eq!(summary["by-document"]["best-single"], SMALL);
    assert_eq!(summary["by-document"]["best-single-score"], 0.8);
    assert_eq!(summary["by-document"]["oracle"], 1.0);
    assert_eq!(
        (
            &summary["n-tasks"],
            &summary["n-documents"],
            &summary["n-test"]
        ),
        (&2.into(), &24.into(), &5.into())
    );
    assert_eq!(bench.info(NAME).findings["summary"], *summary);
}

#[test]
fn the_latest_run_counts_and_others_do_not() {
    let bench = Leaderboard::with_pair();
    let old = line(0, "old", 0, "acc_norm", 0.0);
    bench.write(
        format!(
            "details/{}",
            details_path(SMALL, "bbh_navigate", "2024-06-16T01-00-00.999999")
        ),
        &old,
    );
    bench.write(
        format!(
            "details/{}",
            details_path(LARGE, "bbh_navigate", "2023-12-31T23-59-59")
        ),
        "not even JSON",
    );
    let output = bench.run_on_details(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_contains(
        &stderr(&output),
        "has several runs of `leaderboard_bbh_navigate`",
    );
    assert_eq!(
        bench.rows(NAME).prompt("bbh/navigate/0"),
        "navigate question 0"
    );
}

#[test]
fn ifeval_comes_when_asked_for() {
    let bench = Leaderboard::with_pair();
    for model in [SMALL, LARGE] {
        let lines: Vec<String> = (0..4)
            .map(|d| {
                line(
                    d,
                    &format!("write {d}"),
                    0,
                    "prompt_level_strict_acc",
                    d == 2,
                )
            })
            .collect();
        bench.write(
            format!("details/{}", details_path(model, "ifeval", TIME)),
            lines.join("\n"),
        );
    }
    for (more, n) in [(&[][..], 24), (&["--with-ifeval", "--name", "more"], 28)] {
        let output = bench.run_on_details(more);
        assert!(output.status.success(), "{}", stderr(&output));
        let rows = bench.rows(more.last().unwrap_or(&NAME));
        assert_eq!(rows.ids().len(), n);
        if n == 28 {
            assert_eq!(
                (
                    rows.score("ifeval/ifeval/2", SMALL),
                    rows.score("ifeval/ifeval/3", SMALL)
                ),
                (1.0, 0.0)
            );
        }
    }
}

/// Adds an LLM that has one of the two tasks, and there only the documents 0 to 9.
fn with_incomplete(bench: &Leaderboard) {
    let lines: Vec<String> = (0..10)
        .map(|d| line(d, &format!("navigate question {d}"), 0, "acc_norm", 1))
        .collect();
    bench.write(
        format!("details/{}", details_path(GEMMA, "bbh_navigate", TIME)),
        lines.join("\n"),
    );
}

#[test]
fn incomplete_llms_are_left_out_or_have_unknown_scores() {
    let bench = Leaderboard::with_pair();
    with_incomplete(&bench);
    let output = bench.run_on_details(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let info = bench.info(NAME);
    assert_eq!(info.model_names(), [LARGE, SMALL]);
    let note = format!("left out `{GEMMA}`, which has no results in `mmlu_pro/mmlu_pro`");
    assert!(info.notes.contains(&note), "{:?}", info.notes);

    let output = bench.run_on_details(&["--keep-incomplete", "--name", "kept"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let rows = bench.rows("kept");
    assert_eq!(rows.models(), [LARGE, SMALL, GEMMA]);
    assert_eq!(
        (
            rows.score("bbh/navigate/9", GEMMA),
            rows.n_tokens("bbh/navigate/9", GEMMA)
        ),
        (1.0, 3.0)
    );
    for id in ["bbh/navigate/10", "mmlu_pro/mmlu_pro/0"] {
        assert!(
            rows.score(id, GEMMA).is_nan()
                && rows.n_tokens(id, GEMMA).is_nan()
                && rows.cost_usd(id, GEMMA).is_nan()
        );
    }
    let notes = bench.info("kept").notes.join("\n");
    assert_contains(
        &notes,
        &format!("the score of `{GEMMA}` is unknown in 14 of 24 rows"),
    );
}

#[test]
fn llms_are_left_out_by_name() {
    let bench = Leaderboard::with_pair();
    let output = bench.run_on_details(&["--exclude-model", SMALL]);
    assert!(output.status.success(), "{}", stderr(&output));
    let info = bench.info(NAME);
    assert_eq!(
        (info.model_names(), info.pair),
        (vec![LARGE.to_owned()], None)
    );
    assert_eq!(info.options["exclude-model"], SMALL);

    let bench = Leaderboard::with_pair();
    let (message, code) = bench.refusal(&["--exclude-model", "gpt-5"]);
    assert_contains(
        &message,
        "--exclude-model: `configs/open-llm-lb-v2.toml` has no model `gpt-5`",
    );
    assert_eq!(code, Some(2));
}

#[test]
fn what_is_there_is_not_made_again() {
    let bench = Leaderboard::with_pair();
    assert!(bench.run_on_details(&[]).status.success());
    let before = std::fs::read(bench.join("data/open-llm-lb-v2/train.parquet")).expect("readable");
    let again = bench.run_on_details(&[]);
    assert_contains(&stderr(&again), "already exists");
    let forced = bench.run_on_details(&["--force"]);
    assert!(forced.status.success());
    assert_eq!(
        std::fs::read(bench.join("data/open-llm-lb-v2/train.parquet")).expect("readable"),
        before
    );
    // Another counter would make other costs.
    bench.write("other.json", crate::bench::characters());
    let other = bench.run(&[
        "--source",
        "details",
        "--token-counter",
        "other.json",
        "--token-counter-for",
        "all",
    ]);
    assert_eq!(other.status.code(), Some(1));
    assert_contains(
        &stderr(&other),
        "token-counter was `words.json`, now `other.json`",
    );
}

/// The file of the small LLM in BBH with one piece of text replaced.
fn with_replaced(from: &str, to: &str) -> Leaderboard {
    let bench = Leaderboard::with_pair();
    let (path, text) = pair_files(SMALL, 3).swap_remove(0);
    assert!(text.contains(from), "{from}");
    bench.write(format!("details/{path}"), text.replacen(from, to, 1));
    bench
}

#[test]
fn bad_sample_files_are_named_with_the_line() {
    let file = format!("details/{}", details_path(SMALL, "bbh_navigate", TIME));
    for (from, to, message) in [
        // Document 3 is in line 2.
        (
            r#""doc_id":3"#,
            r#""doc_id":"#,
            format!("cannot read line 2 of `{file}`: "),
        ),
        (
            r#""doc_id":3"#,
            r#""doc_id":6"#,
            format!("duplicate `doc_id` 6 in lines 2 and 3 of `{file}`"),
        ),
        (
            r#"{"acc_norm":1.0,"#,
            "{",
            format!(
                "cannot read line 1 of `{file}`: missing `acc_norm`, the metric of `bbh/navigate`"
            ),
        ),
        (
            r#"{"acc_norm":1.0,"#,
            r#"{"acc_norm":2.0,"#,
            format!("cannot read line 1 of `{file}`: `acc_norm` is 2"),
        ),
        (
            r#""arguments":{"gen_args_0""#,
            r#""arguments":{"x""#,
            format!("cannot read line 1 of `{file}`: `arguments` has no `gen_args_0`"),
        ),
        (
            r#""doc":{"input""#,
            r#""doc":{"x""#,
            format!("cannot read line 1 of `{file}`: `doc` has no question"),
        ),
    ] {
        let (found, code) = with_replaced(from, to).refusal(&[]);
        assert!(found.contains(&message), "{found}expected {message}");
        assert_eq!(code, Some(1));
    }
}

#[test]
fn documents_that_differ_are_left_out_or_refused() {
    // One of 12 documents is above the one percent that may differ.
    let other = (
        r#""input":"navigate question 3""#,
        r#""input":"another question""#,
    );
    let (message, _) = with_replaced(other.0, other.1).refusal(&[]);
    let expected = format!(
        "in 1 of 12 documents of `bbh/navigate` the LLMs were asked different questions, `{SMALL}` first in document 3"
    );
    assert!(message.contains(&expected), "{message}");

    let bench = with_replaced(other.0, other.1);
    let config = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../configs/open-llm-lb-v2.toml"
    ));
    let config = config
        .expect("readable")
        .replace("max-mismatch-share = 0.01", "max-mismatch-share = 0.1");
    bench.write("settings.toml", config);
    let output = bench.run_on_details(&["--config", "settings.toml"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let note =
        "left out 1 documents of `bbh/navigate` because the LLMs were asked different questions: 3"
            .to_owned();
    assert!(
        bench.info(NAME).notes.contains(&note),
        "{:?}",
        bench.info(NAME).notes
    );
    let rows = bench.rows(NAME);
    assert_eq!(rows.ids().len(), 23);
    assert!(!rows.ids().contains(&"bbh/navigate/3"));
}

#[test]
fn documents_whose_hash_alone_differs_are_kept_and_counted() {
    let bench = with_replaced("hash of navigate question 5", "another hash");
    let output = bench.run_on_details(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let note = "kept 1 documents of `bbh/navigate` whose `doc_hash` differs between LLMs while the question is the same".to_owned();
    assert!(
        bench.info(NAME).notes.contains(&note),
        "{:?}",
        bench.info(NAME).notes
    );
    assert_eq!(bench.rows(NAME).ids().len(), 24);
}

#[test]
fn folders_without_samples_are_refused() {
    let bench = Leaderboard::new();
    let (message, _) = bench.refusal(&[]);
    assert_contains(&message, "cannot list `details`");
    bench.write("details/results/x.json", "{}");
    let (message, _) = bench.refusal(&[]);
    assert!(
        message
            .contains("`details` has no folder for any LLM: expected `01-ai__Yi-34B-Chat-details`"),
        "{message}"
    );
    bench.write(format!("details/{}", details_path(YI, "xyz", TIME)), "");
    let (message, _) = bench.refusal(&[]);
    assert_contains(&message, "`details` has no sample file of any task");
    bench.write(
        format!("details/{}", details_path(YI, "mmlu_pro", TIME)),
        "\n\n",
    );
    let (message, _) = bench.refusal(&[]);
    assert_contains(&message, "has no lines");
}

#[test]
fn without_a_tokenizer_the_error_names_all_llms_that_lack_one() {
    let bench = Leaderboard::with_pair();
    let output = bench.run(&["--source", "details"]);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert_contains(
        &message,
        "the tokenizers of 2 LLMs are not available; use --token-counter",
    );
    assert!(
        message.contains(&format!("`{SMALL}`: ")) && message.contains(&format!("`{LARGE}`: ")),
        "{message}"
    );

    for (counter, message, code) in [
        (
            "nowhere.json",
            "--token-counter: `nowhere.json` is not a `tokenizer.json`",
            2,
        ),
        (
            "details",
            "--token-counter: `details` is not a `tokenizer.json`",
            2,
        ),
        (
            "details/x",
            "`details/x` is not a local folder and could not be fetched",
            1,
        ),
        ("bad.json", "cannot use `bad.json` as a tokenizer", 1),
    ] {
        bench.write("bad.json", "{}");
        let output = bench.run(&["--source", "details", "--token-counter", counter]);
        assert_contains(&stderr(&output), message);
        assert_eq!(output.status.code(), Some(code));
    }
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    let bench = Leaderboard::new();
    for args in [
        &["--as-published"][..],
        &["--questions", "t.parquet"],
        &["--source-pickle", "m.pickle"],
        &[
            "--source",
            "details",
            "--source-pickle",
            "m.pickle",
            "--questions",
            "t.parquet",
        ],
        &[
            "--source-pickle",
            "m.pickle",
            "--questions",
            "t.parquet",
            "--token-counter",
            "words.json",
        ],
        &["--token-counter-for", "all"],
    ] {
        assert_eq!(bench.run(args).status.code(), Some(2), "{args:?}");
    }
}
