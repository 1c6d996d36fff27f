//! A hub on this machine.

use test_support::{Fault, Hub, Stage, Tree, Wrong, assert_contains, assert_note};

use crate::bench::{LARGE, Leaderboard, SMALL, characters, pair_files, stderr, words};

const GATED_TOKEN: &str = "hf_good";

/// The repository of one LLM's details, as the hub has it: the folder of the LLM at its root.
fn details(model: &str, examples: usize) -> Tree {
    pair_files(model, examples).iter().fold(
        Tree::default().with("README.md", "..."),
        |tree, (path, text)| {
            let (_, inner) = path.split_once('/').expect("a folder");
            tree.with(inner, text.as_str())
        },
    )
}

fn details_repo(model: &str) -> String {
    format!("open-llm-leaderboard/{}-details", model.replace('/', "__"))
}

/// Both LLMs of the pair with their details; each with a tokenizer of its own.
fn hub() -> Hub {
    Hub::start()
        .dataset(&details_repo(SMALL), details(SMALL, 3))
        .dataset(&details_repo(LARGE), details(LARGE, 5))
        .model(
            SMALL,
            [
                ("tokenizer.json", words("small")),
                ("config.json", "{}".to_owned()),
            ],
        )
        .model(LARGE, [("tokenizer.json", characters())])
}

/// The settings with the pair alone, and the two tasks that it has.
fn settings() -> String {
    let all = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../configs/open-llm-lb-v2.toml"
    ))
    .expect("readable");
    let mut settings: toml::Table = all.parse().expect("TOML");
    let models = settings["models"].as_array_mut().expect("a list");
    models.retain(|model| [SMALL, LARGE].contains(&model["name"].as_str().expect("text")));
    let benchmarks = settings["benchmarks"].as_array_mut().expect("a list");
    benchmarks.retain(|benchmark| {
        ["bbh", "mmlu_pro"].contains(&benchmark["name"].as_str().expect("text"))
    });
    for benchmark in benchmarks {
        let tasks = benchmark["tasks"].as_array_mut().expect("a list");
        tasks.retain(|task| {
            ["leaderboard_bbh_navigate", "leaderboard_mmlu_pro"]
                .contains(&task.as_str().expect("text"))
        });
    }
    toml::to_string(&settings).expect("TOML")
}

fn bench(hub: &Hub) -> Leaderboard {
    let bench = Leaderboard::with_hub(&hub.url());
    bench.write("settings.toml", settings());
    bench
}

const ARGS: [&str; 2] = ["--config", "settings.toml"];

#[test]
fn details_and_tokenizers_come_from_the_hub_once() {
    let hub = hub();
    let mut bench = bench(&hub);
    let report = bench.report(&ARGS);
    assert_eq!(report["dataset"]["n-models"], 2);
    let rows = bench.rows("open-llm-lb-v2");
    assert_eq!(rows.ids().len(), 24);
    let id = "bbh/navigate/7";
    assert_eq!((rows.score(id, SMALL), rows.score(id, LARGE)), (0.0, 1.0));
    // Words under the one's tokenizer, characters under the other's: five times `word `, and the question.
    assert_eq!(
        (rows.n_tokens(id, SMALL), rows.n_tokens(id, LARGE)),
        (6.0, 25.0 + 19.0)
    );
    let info = bench.info("open-llm-lb-v2");
    let paths: Vec<String> = info
        .sources
        .iter()
        .map(|source| source.path.display().to_string())
        .collect();
    assert_eq!(
        paths.len(),
        7,
        "four sample files, two tokenizers, the settings: {paths:?}"
    );
    let folder = LARGE.replace('/', "__");
    assert_eq!(
        paths[0],
        format!(
            "{}/{folder}/samples_leaderboard_bbh_navigate_2024-12-05T09-38-15.158243.json",
            details_repo(LARGE)
        )
    );
    assert_eq!(paths[4], format!("{LARGE}/tokenizer.json"));
    assert!(!info.options.contains_key("token-counter"));
    assert!(
        !hub.seen()
            .iter()
            .any(|seen| seen.path.ends_with("README.md") || seen.path.ends_with("config.json"))
    );

    // What is in the cache is not downloaded again.
    hub.forget();
    bench.report(&[&ARGS[..], &["--force"]].concat());
    let n_downloads = hub
        .seen()
        .iter()
        .filter(|seen| seen.stage == Some(Stage::Content))
        .count();
    assert_eq!(n_downloads, 0, "{:?}", hub.seen());

    // Nor is the hub needed for it.
    hub.forget();
    bench.set_var("HF_HUB_OFFLINE", "1");
    bench.report(&[&ARGS[..], &["--force"]].concat());
    assert_eq!(bench.info("open-llm-lb-v2"), info);
    assert!(hub.seen().is_empty(), "{:?}", hub.seen());
}

#[test]
fn gated_tokenizers_are_named_together_and_can_be_stood_in_for() {
    let hub = hub().gate(SMALL, GATED_TOKEN).gate(LARGE, GATED_TOKEN);
    let mut bench = bench(&hub);
    let output = bench.run(&ARGS);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert_contains(
        &message,
        "the tokenizers of 2 LLMs are not available; use --token-counter to count their tokens with another one",
    );
    for model in [SMALL, LARGE] {
        let line = format!(
            "`{model}`: model `{model}` is gated: accept the license at {}/{model}, and set HF_TOKEN",
            hub.url()
        );
        assert!(message.contains(&line), "{message}expected {line}");
    }

    let with_stand_in = [&ARGS[..], &["--token-counter", "words.json"]].concat();
    let output = bench.run(&with_stand_in);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains(
            "`words.json` counts the tokens of 2 LLMs whose own tokenizers are not available"
        ),
        "{}",
        stderr(&output)
    );
    let info = bench.info("open-llm-lb-v2");
    let stood_in = format!("{LARGE} {SMALL}");
    assert_eq!(info.options["token-counter-for"], stood_in);
    let notes = info.notes.join("\n");
    assert_contains(
        &notes,
        &format!("of {LARGE}, {SMALL} are counted with `words.json`"),
    );
    assert_eq!(
        bench
            .rows("open-llm-lb-v2")
            .n_tokens("bbh/navigate/7", LARGE),
        8.0
    );

    // With a token that opens them the data set would be another.
    bench.set_var("HF_TOKEN", GATED_TOKEN);
    let output = bench.run(&with_stand_in);
    assert_contains(
        &stderr(&output),
        "token-counter was `words.json`, now not set",
    );
    bench.report(&[&ARGS[..], &["--force"]].concat());
    assert_eq!(
        bench
            .rows("open-llm-lb-v2")
            .n_tokens("bbh/navigate/7", LARGE),
        44.0
    );
}

#[test]
fn a_stand_in_may_be_on_the_hub() {
    let hub = hub()
        .gate(LARGE, GATED_TOKEN)
        .model("owner/counter", [("tokenizer.json", words("counter"))]);
    let bench = bench(&hub);
    bench.report(&[&ARGS[..], &["--token-counter", "owner/counter"]].concat());
    let info = bench.info("open-llm-lb-v2");
    assert_eq!(info.options["token-counter"], "owner/counter");
    assert_eq!(info.options["token-counter-for"], LARGE);
    assert!(
        info.sources
            .iter()
            .any(|source| source.path.ends_with("owner/counter/tokenizer.json")),
        "{:?}",
        info.sources
    );
}

#[test]
fn details_that_are_not_available_are_named_together() {
    let gated = format!("datasets/{}", details_repo(SMALL));
    let hub = hub().gate(&gated, GATED_TOKEN);
    let bench = bench(&hub);
    let output = bench.run(&ARGS);
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains(
            "the sample files of 1 LLMs are not available (use --exclude-model to continue without them)"
        ),
        "{message}"
    );
    assert_contains(
        &message,
        &format!("accept the license at {}/{gated}", hub.url()),
    );
}

/// Requests for bytes of files.
fn n_downloads(hub: &Hub) -> usize {
    let is_download = |stage| matches!(stage, Some(Stage::Content | Stage::Redirect));
    let seen = hub.seen();
    seen.iter().filter(|seen| is_download(seen.stage)).count()
}

#[test]
fn all_that_is_missing_is_told_at_once_before_anything_is_downloaded() {
    let details_of_large = format!("datasets/{}", details_repo(LARGE));
    let hub = hub()
        .gate(&format!("datasets/{}", details_repo(SMALL)), GATED_TOKEN)
        .gate(&details_of_large, GATED_TOKEN)
        .gate(LARGE, GATED_TOKEN)
        .token("hf_other");
    let url = hub.url();
    for (token, expected, unexpected) in [
        (
            None,
            "gated repositories are opened by an account (https://huggingface.co/join), a token of it in HF_TOKEN",
            "does not accept the token",
        ),
        (
            Some("hf_guess"),
            "the hub does not accept the token in use: set HF_TOKEN to a valid one",
            "the token in use has no access",
        ),
        (
            Some("hf_other"),
            "the token in use has no access; accept the license at",
            "gated repositories are opened by an account",
        ),
    ] {
        let mut bench = bench(&hub);
        if let Some(token) = token {
            bench.set_var("HF_TOKEN", token);
        }
        let message = bench.refuse(&ARGS, 1, expected);
        assert!(!message.contains(unexpected), "{message}");
        for part in [
            "the sample files of 2 LLMs are not available",
            &format!("license at {url}/datasets/{}", details_repo(SMALL)),
            &format!("license at {url}/{details_of_large}"),
            "the tokenizers of 1 LLMs are not available",
            &format!("license at {url}/{LARGE}"),
        ] {
            assert_contains(&message, part);
        }
        if let Some(token) = token {
            assert!(!message.contains(token), "{message}");
        }
    }
    assert_eq!(n_downloads(&hub), 0);

    let mut bench = bench(&hub);
    bench.set_var("HF_TOKEN", GATED_TOKEN);
    let output = bench.run(&ARGS);
    // Four sample files and two tokenizers.
    assert_contains(&stderr(&output), "6 files, ");
    assert_contains(&stderr(&output), " to download from the hub to `");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_disk_without_room_for_all_is_told_before_anything_is_downloaded() {
    let hub = hub();
    let listing = br#"{"sha": "0a", "siblings": [{"rfilename": "tokenizer.json", "size": 1000000000000000000}]}"#;
    let huge = Wrong::Instead(listing.to_vec());
    hub.break_next(
        Fault::new(Stage::Listing, huge)
            .of(&format!("models/{LARGE}"))
            .always(),
    );
    // The file is at any commit that was listed.
    let there = Wrong::Status(200, vec![("etag", "\"0b\"".to_owned())]);
    hub.break_next(Fault::new(Stage::Metadata, there).of(LARGE).always());
    bench(&hub).refuse(&ARGS, 1, "6 files, 1.0 EB to download, but `");
    assert_eq!(n_downloads(&hub), 0);
}

#[test]
fn an_llm_that_is_not_on_the_hub_is_left_out_with_a_note() {
    let hub = Hub::start()
        .dataset(&details_repo(SMALL), details(SMALL, 3))
        .model(SMALL, [("tokenizer.json", words(""))]);
    let bench = bench(&hub);
    let output = bench.run(&ARGS);
    assert!(output.status.success(), "{}", stderr(&output));
    let repo = details_repo(LARGE);
    let warning = format!("leaving out `{LARGE}`: the hub has no data set `{repo}`");
    assert_contains(&stderr(&output), &warning);
    assert_note(
        &bench.info("open-llm-lb-v2"),
        &format!("left out `{LARGE}`, whose sample files `{repo}` are not on the hub"),
    );
    assert_eq!(bench.rows("open-llm-lb-v2").models(), [SMALL]);

    // None at all: it is rather the hub that is wrong.
    let hub = Hub::start().model(SMALL, [("tokenizer.json", words(""))]);
    let bench = self::bench(&hub);
    let message = bench.refuse(&ARGS, 1, "the hub has the sample files of none of the LLMs");
    assert_contains(&message, "or it is private (HF_TOKEN is not set)");
}

#[test]
fn another_llms_tokenizer_is_noted_with_its_difference() {
    let hub = hub();
    let bench = bench(&hub);
    let own = format!("tokenizer = \"{SMALL}\"");
    let other = format!("tokenizer = \"{LARGE}\"\ntokenizer-note = \"one more for each line\"");
    let changed = settings().replace(&own, &other);
    assert_ne!(changed, settings());
    bench.write("settings.toml", changed);
    bench.report(&ARGS);
    let rows = bench.rows("open-llm-lb-v2");
    // Characters, not words.
    assert_eq!(rows.n_tokens("bbh/navigate/7", SMALL), 15.0 + 19.0);
    assert_note(
        &bench.info("open-llm-lb-v2"),
        &format!(
            "input tokens, and so costs, of `{SMALL}` are counted with the tokenizer of `{LARGE}`: one more for each line"
        ),
    );
}

#[test]
fn a_task_that_no_llm_has_on_the_hub_is_refused() {
    let hub = hub();
    let bench = bench(&hub);
    bench.write(
        "settings.toml",
        settings().replace(
            "\"leaderboard_bbh_navigate\"",
            "\"leaderboard_bbh_navigate\", \"leaderboard_bbh_snarks\"",
        ),
    );
    let output = bench.run(&ARGS);
    assert_contains(
        &stderr(&output),
        "no LLM has a sample file of `leaderboard_bbh_snarks` on the hub",
    );
}
