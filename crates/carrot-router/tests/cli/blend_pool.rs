//! A blend that routes: fitted, saved, routed with, and changed by `pool` until it does not route any more.

use std::fs;

use dataset::{
    CostKind, DatasetInfo, Embeddings, EmbeddingsMeta, KeptColumns, Part, PartTable, Precision,
    sha256_file,
};
use encoder::{ModelFiles, PromptEmbedder, SentenceEmbedder};
use fitting::{BUILT_IN, Learner, Settings};
use ndarray::Array2;
use saved_routers::{Contents, NewFolder, Record};
use serde_json::{Value, json};
use test_support::{dataset_info, expect_success};

use crate::bench::{MODELS, Tiny, assert_refused, number, record, stderr};

const MODEL: &str = "models/tiny/carrot-blend";
const N: usize = 64;

/// Half begin with one word and half with another, which the first LLM and the others are right on.
fn prompts() -> Vec<String> {
    let prompt = |i: usize| {
        format!(
            "{} {}",
            ["so", "very long"][i % 2],
            "b 1 c 2 ".repeat(i % 7)
        )
    };
    (0..N).map(prompt).collect()
}

fn table() -> PartTable {
    let is_right = |row: usize, model: usize| row.is_multiple_of(2) == (model == 0);
    PartTable {
        ids: (0..N).map(|i| format!("p{i}")).collect(),
        tasks: vec!["made-up".to_owned(); N],
        prompts: prompts(),
        models: MODELS.map(str::to_owned).to_vec(),
        scores: Array2::from_shape_fn((N, 3), |(row, m)| f32::from(u8::from(is_right(row, m)))),
        input_tokens: Some(Array2::from_elem((N, 3), 10.0)),
        output_tokens: None,
        // Ten tokens at the prices of the bench.
        cost_usd: Array2::from_shape_fn((N, 3), |(_, m)| [10.0, 1.0, 1.0][m] * 10.0 / 1e6),
        propensities: None,
        kept: KeptColumns::default(),
    }
}

/// A data set of these prompts, and a blend that was fitted on it.
fn bench() -> Tiny {
    let bench = Tiny::empty();
    let embedder = bench.embed().embedder;
    let files = ModelFiles::in_folder(&bench.join("models/tiny-bert")).expect("a model");
    let model = SentenceEmbedder::load(&files).expect("loaded");
    let embeddings = model.embed(&prompts(), &|_| ()).expect("embedded").values;

    let dir = bench.dataset("tiny");
    let split = dir.split(Part::Train);
    table().write(&split).expect("written");
    let kind = CostKind::Known;
    let mut record = record("carrot-blend", kind, Contents::Forest {});
    let info = DatasetInfo {
        models: record.models.clone(),
        cost_kind: kind,
        ..dataset_info("tiny", &MODELS, [N, 0])
    };
    info.write(&dir.info()).expect("written");

    let settings: Settings = toml::from_str(BUILT_IN).expect("settings");
    let learners = settings.learners().expect("good ones");
    let fit = learners.fit(Learner::Blend, embeddings.view(), &table(), &info, &|_| ());
    let fitted = fit.expect("fitted");
    let folder = NewFolder::create(&bench.join(MODEL)).expect("created");
    record.contents = fitted.save(&folder).expect("written");
    record.config = learners.recipe(Learner::Blend).config;
    record.results = fitted.results();
    record.train_sha256 = sha256_file(&split).expect("hashed");
    record.embedder = Some(embedder.clone());
    folder.commit(&record).expect("committed");
    // For `write_embeddings`: a blend that does not route holds none.
    fs::create_dir_all(bench.join("kept")).expect("made");
    let embeddings = Embeddings {
        ids: table().ids,
        values: embeddings,
        meta: EmbeddingsMeta {
            embedder: embedder.name,
            embedder_sha256: embedder.sha256,
            server: None,
            split_sha256: Some(record.train_sha256),
            truncate: None,
            precision: Precision::F32,
            n_truncated: None,
        },
    };
    embeddings
        .write(&bench.join("kept/train.parquet"))
        .expect("written");
    bench
}

/// Puts the embeddings of the train prompts where train-and-infer keeps them.
fn write_embeddings(bench: &Tiny) {
    let path = bench.dataset("tiny").embeddings("tiny-bert", Part::Train);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::copy(bench.join("kept/train.parquet"), path).expect("copied");
}

fn selected(bench: &Tiny, model: &str, prompt: &str) -> Value {
    bench
        .decisions(&[prompt, "--mu", "0.01", "--model", model], "")
        .remove(0)
}

#[test]
fn it_routes_until_its_llms_are_all_alike() {
    let bench = bench();
    write_embeddings(&bench);
    for (prompt, expected) in [("so b 1", MODELS[0]), ("very long b 1", MODELS[1])] {
        let decision = selected(&bench, MODEL, prompt);
        assert_eq!(decision["selected"], json!(expected), "{decision}");
        assert_eq!(decision["routes"], json!(true));
        // Costs are known before the call: input tokens at the first LLM's 10 dollars per million.
        let n_tokens = number(&decision["models"][0], "input_tokens");
        let cost = number(&decision["models"][0], "cost_usd");
        assert!((cost - n_tokens * 10.0 / 1e6).abs() < 1e-12, "{decision}");
    }

    let pool = |model: &str, args: &[&str]| {
        let usual = ["pool", "--model", model, "--force"];
        bench.run(&[&usual[..], args].concat())
    };
    let alike = ["--output", "models/tiny/alike", "--remove", MODELS[0]];
    let text = expect_success(&pool(MODEL, &alike));
    assert!(text.contains("before: routes; differences"), "{text}");
    assert!(text.contains("after:  does not route"), "{text}");
    // What a change of the LLMs does not choose again, and why.
    assert!(text.contains("kept from the fit: the "), "{text}");
    assert!(text.contains("only a new fit tells"), "{text}");
    let decision = selected(&bench, "models/tiny/alike", "so b 1");
    assert_eq!(decision["routes"], json!(false));
    assert_eq!(decision["selected"], json!(MODELS[1]));
    let json = pool(MODEL, &[&alike[..], &["--json"]].concat());
    let report: Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(report["rule"]["after"]["scale"], json!(0.0));
    assert!(number(&report["rule"]["before"], "gain") > 0.2, "{report}");
    let record = Record::read(&bench.join("models/tiny/alike")).expect("a router");
    assert_eq!(record.config["edits"][0]["rule"], report["rule"]);

    // Back again, from what the router kept.
    bench.write(
        "first.csv",
        (0..N).fold("id,owner/dear/score\n".to_owned(), |text, i| {
            text + &format!("p{i},{}\n", 1 - i % 2)
        }),
    );
    bench.write(
        "prices.toml",
        "[models.\"owner/dear\"]\ninput_usd_per_mtok = 10\noutput_usd_per_mtok = 20\n",
    );
    let back = [
        "--add",
        "first.csv",
        "--prices",
        "prices.toml",
        "--output",
        "models/tiny/back",
    ];
    let text = expect_success(&pool("models/tiny/alike", &back));
    assert!(text.contains("before: does not route"), "{text}");
    assert!(text.contains("after:  routes"), "{text}");
    assert!(
        text.contains("added `owner/dear`: scored on 64 train prompts"),
        "{text}"
    );
    let decision = selected(&bench, "models/tiny/back", "so b 1");
    assert_eq!(decision["selected"], json!(MODELS[0]));
}

#[test]
fn what_a_change_needs_is_named_with_the_command_that_makes_it() {
    let bench = bench();
    write_embeddings(&bench);
    let pool = |model: &str| {
        let args = [
            "pool",
            "--model",
            model,
            "--output",
            "models/tiny/edited",
            "--force",
        ];
        bench.run(&[&args[..], &["--remove", MODELS[0]]].concat())
    };
    expect_success(&pool(MODEL));
    // This one does not route, and so holds no embeddings.
    fs::rename(
        bench.join("models/tiny/edited"),
        bench.join("models/tiny/alike"),
    )
    .expect("moved");
    let path = bench.dataset("tiny").embeddings("tiny-bert", Part::Train);
    fs::remove_file(&path).expect("removed");
    let args = [
        "pool",
        "--model",
        "models/tiny/alike",
        "--output",
        "models/tiny/edited",
        "--remove",
        MODELS[1],
    ];
    let output = bench.run(&args);
    assert_refused(
        &output,
        1,
        "does not store the embeddings of its train prompts",
    );
    let message = stderr(&output);
    let command = "train-and-infer -- --dataset tiny --embedding tiny-bert --routers carrot-blend";
    assert!(message.contains(command), "{message}");

    let mut other = Embeddings::read(&bench.join("kept/train.parquet")).expect("embeddings");
    other.meta.embedder_sha256 = Some("another".to_owned());
    other.write(&path).expect("written");
    assert_refused(
        &bench.run(&args),
        1,
        "holds other embeddings than the blend",
    );

    fs::remove_file(bench.dataset("tiny").split(Part::Train)).expect("removed");
    assert_refused(&bench.run(&args), 1, "train.parquet");
}
