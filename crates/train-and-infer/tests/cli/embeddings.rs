use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use dataset::{CostKind, Embeddings, Part, Truncate};
use test_support::copy_tiny_bert;

use crate::bench::{N_TEST, Tiny, stderr};

/// Where scripts/minilm.sh puts models.
fn models_dir() -> PathBuf {
    std::env::var_os("CARROT_MODELS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"),
        PathBuf::from,
    )
}

#[test]
fn embeddings_are_computed_once_for_a_split_and_a_model() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let minilm = models_dir().join("all-MiniLM-L6-v2");
    assert!(
        minilm.is_dir(),
        "this test needs the local embedding model: run scripts/minilm.sh, or scripts/test.sh, which does"
    );
    std::fs::create_dir(bench.path().join("models")).expect("made");
    let minilm = minilm.canonicalize().expect("there");
    symlink(minilm, bench.path().join("models/all-MiniLM-L6-v2")).expect("linked");
    let run = |routers: &str| {
        let args = ["--dataset", "tiny", "--embedding", "minilm", "--device"];
        let output = bench.run(&[&args[..], &["cpu", "--routers", routers]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    let first = run("carrot-knn,carrot-knn-sbert");
    assert_eq!(
        first.matches("INFO embedding").count(),
        2,
        "each part once for two routers: {first}"
    );
    assert_eq!(
        bench.dir().routers().expect("listed"),
        ["carrot-knn", "carrot-knn-sbert"]
    );
    let embeddings = Embeddings::read(&bench.dir().embeddings("minilm", Part::Test)).expect("read");
    assert_eq!(embeddings.values.dim(), (N_TEST, 384));
    let record = saved_routers::Record::read(&bench.model("carrot-knn")).expect("read");
    let embedder = record.embedder.expect("there is one");
    assert_eq!(embedder.dim, 384);
    assert_eq!(embedder.license.as_deref(), Some("apache-2.0"));
    assert_eq!(embedder.sha256, embeddings.meta.embedder_sha256);

    let second = run("carrot-knn");
    assert!(second.contains("keeping `carrot-knn`"), "{second}");
    bench.edit_split(Part::Test, |split| {
        split.prompts[0] = "Something else.".to_owned();
    });
    let third = run("carrot-knn");
    assert_eq!(
        third.matches("INFO embedding").count(),
        1,
        "only the changed part: {third}"
    );
    let renewed = Embeddings::read(&bench.dir().embeddings("minilm", Part::Test)).expect("read");
    assert_ne!(renewed.values.row(0), embeddings.values.row(0));

    // Cut off by a disk that was full, say: computed anew, with a word.
    let path = bench.dir().embeddings("minilm", Part::Test);
    let whole = std::fs::read(&path).expect("read");
    for bytes in [&whole[..300], &[]] {
        std::fs::write(&path, bytes).expect("written");
        let message = run("carrot-knn");
        assert!(
            message.contains("cannot be used, computing them anew"),
            "{message}"
        );
        assert_eq!(std::fs::read(&path).expect("read"), whole);
    }

    // The prompts were batched anew, which costs the last bits.
    let difference = (&renewed.values.row(1) - &embeddings.values.row(1)).mapv(f32::abs);
    assert!(difference.iter().all(|&difference| difference < 1e-5));
}

#[test]
fn long_prompts_are_cut_where_the_user_says_and_counted() {
    let bench = Tiny::new(CostKind::OutputTokens);
    copy_tiny_bert(&bench.path().join("tiny-bert"));
    let run = |more: &[&str]| {
        let args = [
            "--dataset",
            "tiny",
            "--embedding",
            "tiny-bert",
            "--routers",
            "carrot-knn",
        ];
        let output = bench.run(&[&args[..], more].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let path = bench.dir().embeddings("tiny-bert", Part::Test);
        (stderr(&output), Embeddings::read(&path).expect("read"))
    };
    let recorded = || {
        let record = saved_routers::Record::read(&bench.model("carrot-knn")).expect("read");
        record.embedder.expect("there is one").truncate
    };
    let (_, as_it_is) = run(&[]);
    assert_eq!(
        (as_it_is.meta.truncate, as_it_is.meta.n_truncated),
        (None, Some(N_TEST))
    );
    assert_eq!(recorded(), None);
    let mut seen = vec![as_it_is.values.clone()];
    for truncate in [Truncate::Left, Truncate::Middle] {
        let (message, embeddings) = run(&["--truncate", truncate.name()]);
        assert!(message.contains("INFO embedding"), "{message}");
        assert_eq!(embeddings.meta.truncate, Some(truncate));
        assert_eq!(recorded(), Some(truncate));
        assert!(seen.iter().all(|values| *values != embeddings.values));
        seen.push(embeddings.values);
        // The same again is kept.
        let (message, _) = run(&["--truncate", truncate.name()]);
        assert!(message.contains("keeping `carrot-knn`"), "{message}");
    }
    let (_, right) = run(&["--truncate", "right"]);
    assert_eq!(right.values, as_it_is.values);
    let output = bench.run(&[
        "--dataset",
        "tiny",
        "--routers",
        "carrot-knn",
        "--truncate",
        "top",
    ]);
    assert_eq!(output.status.code(), Some(2));
}
