//! Errors of the libraries, and the hint at a flag that the program adds to each.

use std::{fs, process::Output};

use dataset::CostKind;

use crate::{
    bench::{Tiny, assert_refused, stderr},
    networks::{LLMS, PAIR, SCORES, TOKENS, pair, price, write},
};

const ROUTE: [&str; 3] = ["so", "--mu", "0"];

/// Expects a failure with a message and, on the last line, a hint.
fn check(output: &Output, message: &str, hint: &str) {
    assert_refused(output, 1, message);
    let text = stderr(output);
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    assert_eq!(last, format!("hint: {hint}"), "{text}");
}

/// `route` on the networks `perf` and `cost`, unless the arguments name others.
fn route(bench: &Tiny, args: &[&str]) -> Output {
    let pair = match args.contains(&"--performance") {
        true => &PAIR[4..],
        false => &PAIR,
    };
    bench.route(&[&ROUTE, pair, args].concat(), "")
}

#[test]
fn pairs_of_networks() {
    let bench = pair();
    check(
        &route(&bench, &["--performance", "cost", "--cost", "perf"]),
        "`cost` was given as the performance network",
        "`--performance` and `--cost` may be swapped",
    );
    check(
        &route(&bench, &["--label-order", "cheap,cheap,free"]),
        "duplicate LLM `cheap`",
        "give each output a name of its own with `--label-order`",
    );
    let by_order = "give the LLMs' names in the order of the outputs with `--label-order`";
    check(
        &route(&bench, &["--label-order", "owner/dear,cheap"]),
        "has 2 names",
        by_order,
    );

    let cost = bench.path().join("cost");
    write(&cost, &["cheap", "owner/dear", "free"], TOKENS, &[0.0; 3]);
    check(
        &route(&bench, &["--label-order", "owner/dear,cheap,free"]),
        "so no single label order fits both",
        "leave out `--label-order` to use the networks' own names for their outputs",
    );

    let unnamed = ["LABEL_0", "LABEL_1", "LABEL_2"];
    write(&cost, &unnamed, TOKENS, &[0.0; 3]);
    write(&bench.path().join("perf"), &unnamed, SCORES, &[0.0; 3]);
    check(
        &route(&bench, &[]),
        "does not say which LLM each of its outputs is",
        by_order,
    );
    bench.write("prices.toml", price(LLMS[1], (1.0, 1.0)));
    check(
        &route(&bench, &["--label-order", &LLMS.join(",")]),
        "LLM `owner/dear` has no price",
        "give it a price with `--prices`",
    );
}

#[test]
fn routers_whose_llms_cannot_be_changed() {
    let bench = Tiny::empty();
    bench.write_roberta_binary();
    let model = [
        "--model",
        "models/tiny/roberta-binary",
        "--output",
        "edited",
    ];
    check(
        &bench.run(&[&["pool"], &model[..], &["--remove", "cheap"]].concat()),
        "`roberta-binary` predicts only for the LLMs that it was fitted for",
        "`route --prices` takes other prices for any router",
    );
}

#[test]
fn prices_of_predicted_dollars() {
    let bench = Tiny::new(CostKind::Usd);
    bench.write("prices.toml", price("cheap", (1.0, 1.0)));
    check(
        &bench.route(&[&ROUTE[..], &["--prices", "prices.toml"]].concat(), ""),
        "other prices have no effect",
        "leave out `--prices`",
    );
}

#[test]
fn embedders() {
    let bench = Tiny::new(CostKind::Known);
    let server = ["--embedder", "openai"];
    check(
        &bench.route(&[&ROUTE[..], &server].concat(), ""),
        "was fitted on embeddings of `tiny-bert`, which runs on this machine",
        "leave out `--embedder openai`",
    );
    let folder = bench.path().join("models/tiny-bert");
    let tokenizer = folder.join("tokenizer.json");
    let text = fs::read_to_string(&tokenizer).expect("read");
    fs::write(&tokenizer, format!("{text}\n")).expect("written");
    check(
        &bench.route(&ROUTE, ""),
        "but the router was fitted with",
        "pass the original embedder's folder with `--embedder`",
    );
    fs::remove_dir_all(folder).expect("removed");
    // `models/tiny-bert` could be the id of a repository.
    check(
        &bench.route(&ROUTE, ""),
        "cannot find the embedder that `models/tiny/carrot-knn` was fitted with: `models/tiny-bert` is not a local folder",
        "pass its folder with `--embedder`",
    );
    let deep = Tiny::with(CostKind::Known, |record| {
        let embedder = record.embedder.as_mut().expect("there is one");
        embedder.model = Some("no/such/folder".to_owned());
    });
    fs::remove_dir_all(deep.path().join("models/tiny-bert")).expect("removed");
    check(
        &deep.route(&ROUTE, ""),
        "`no/such/folder` is not a local folder",
        "pass its folder with `--embedder`",
    );
}

#[test]
fn embeddings_of_a_server() {
    let bench = Tiny::with(CostKind::Known, |record| {
        let embedder = record.embedder.as_mut().expect("there is one");
        (embedder.model, embedder.sha256) = (None, None);
        embedder.name = "text-embedding-3-small".to_owned();
    });
    check(
        &bench.route(&ROUTE, ""),
        "the router was fitted on existing embeddings, without the model that computed them",
        "if an OpenAI-compatible server made the embeddings, pass `--embedder openai` to send each prompt to it, which may cost money; if a \
         sentence-transformers model did, pass its folder with `--embedder`",
    );
    let mut command =
        bench.route_command(&["so", "--mu", "0", "--model", "models/tiny/carrot-knn"]);
    command.args(["--embedder", "openai", "--embedding-model", "other"]);
    command.env("OPENAI_API_KEY", "sk-unused");
    check(
        &crate::bench::run(&mut command, ""),
        "which the model `other` does not produce",
        "leave out `--embedding-model` to use the name that the embeddings have",
    );
}
