use dataset::{CostKind, Embeddings, Part};
use serde_json::Value;
use test_support::{copy_tiny_bert, copy_tiny_static, stdout};

use crate::bench::{N_TEST, Tiny, names, stderr};

fn distill(bench: &Tiny, args: &[&str], code: i32) -> (Value, String) {
    let output = bench.run(&[&["distill"], args, &["--json"]].concat());
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{message}");
    let report = serde_json::from_str(&stdout(&output)).unwrap_or_default();
    (report, message)
}

#[test]
fn a_static_embedder_is_distilled_once_and_embeds_whole_prompts() {
    let bench = Tiny::new(CostKind::OutputTokens);
    copy_tiny_bert(&bench.path().join("tiny-bert"));
    let args = [
        "--model",
        "tiny-bert",
        "--output",
        "tiny-static",
        "--dim",
        "5",
    ];
    let (made, message) = distill(&bench, &args, 0);
    assert_eq!(made["status"], "made");
    assert_eq!(made["source"], "tiny-bert");
    assert!(message.contains("tokens through its network"), "{message}");
    assert_eq!(
        names(&bench.path().join("tiny-static")),
        [
            "README.md",
            "config.json",
            "model.safetensors",
            "modules.json",
            "tokenizer.json"
        ]
    );
    let (kept, _) = distill(&bench, &args, 0);
    assert_eq!(
        (&kept["status"], &kept["sha256"]),
        (&"kept".into(), &made["sha256"])
    );
    // The same again gives the same bytes, other settings do not.
    let (again, _) = distill(&bench, &[&args[..], &["--force"]].concat(), 0);
    assert_eq!(
        (&again["status"], &again["sha256"]),
        (&"made".into(), &made["sha256"])
    );
    let (other, _) = distill(
        &bench,
        &[&args[..], &["--sif-coefficient", "0.5"]].concat(),
        0,
    );
    assert_eq!(other["status"], "made");
    assert_ne!(other["sha256"], made["sha256"]);

    let output = bench.run(&[
        "--dataset",
        "tiny",
        "--embedding",
        "tiny-static",
        "--routers",
        "carrot-knn",
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let embeddings =
        Embeddings::read(&bench.dir().embeddings("tiny-static", Part::Test)).expect("read");
    assert_eq!(embeddings.values.dim(), (N_TEST, 5));
    // The network's window is 16 tokens, which no prompt of this data set fits in.
    assert_eq!(embeddings.meta.n_truncated, Some(0));
    let record = saved_routers::Record::read(&bench.model("carrot-knn")).expect("read");
    let embedder = record.embedder.expect("there is one");
    assert_eq!(embedder.sha256.as_deref(), other["sha256"].as_str());
    assert_eq!(embedder.sha256, embeddings.meta.embedder_sha256);
}

#[test]
fn the_static_embedder_of_the_settings_is_made_when_it_is_first_asked_for() {
    let bench = Tiny::new(CostKind::OutputTokens);
    // In the place of the model that the settings name.
    copy_tiny_bert(&bench.path().join("models/all-MiniLM-L6-v2"));
    let args = [
        "--dataset",
        "tiny",
        "--embedding",
        "static",
        "--routers",
        "carrot-knn",
    ];
    let output = bench.run(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("tokens through its network, once"),
        "{}",
        stderr(&output)
    );
    assert!(
        bench
            .path()
            .join("models/static-all-MiniLM-L6-v2/README.md")
            .is_file()
    );
    let output = bench.run(&args);
    assert!(
        stderr(&output).contains("keeping `carrot-knn`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_cannot_be_distilled_is_refused() {
    let bench = Tiny::new(CostKind::OutputTokens);
    copy_tiny_bert(&bench.path().join("tiny-bert"));
    copy_tiny_static(&bench.path().join("tiny-static"));
    let refused = |args: &[&str], code, part: &str| {
        let (_, message) = distill(&bench, args, code);
        assert!(message.contains(part), "no `{part}` in: {message}");
    };
    refused(
        &["--model", "tiny-bert", "--output", "data"],
        1,
        "is not a static embedder",
    );
    refused(&["--model", "tiny-bert", "--dim", "0"], 2, "`dim` is 0");
    refused(&["--model", "tiny-static"], 1, "StaticEmbedding");
    refused(
        &["--model", "static"],
        2,
        "`static` is static itself, distilled from `minilm`; pass `--model minilm`",
    );
    refused(&["--dataset", "tiny"], 2, "--dataset");
}
