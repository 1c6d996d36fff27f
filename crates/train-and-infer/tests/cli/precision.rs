use dataset::{CostKind, Part, Precision};
use test_support::{copy_tiny_bert, copy_tiny_static, stderr};

use crate::bench::Tiny;

const ON_TINY_BERT: [&str; 6] = [
    "--dataset",
    "tiny",
    "--routers",
    "carrot-knn",
    "--embedding",
    "tiny-bert",
];

fn bench() -> Tiny {
    let bench = Tiny::new(CostKind::OutputTokens);
    copy_tiny_bert(&bench.path().join("tiny-bert"));
    bench
}

/// The message of a run that ends with that code.
fn run(bench: &Tiny, more: &[&str], code: i32) -> String {
    let output = bench.run(&[&ON_TINY_BERT[..], more].concat());
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    stderr(&output)
}

fn recorded(bench: &Tiny) -> (String, Precision) {
    let record = saved_routers::Record::read(&bench.model("carrot-knn")).expect("read");
    let embedder = record.embedder.expect("there is one");
    (embedder.name, embedder.precision)
}

#[test]
fn float32_is_what_nobody_mentions() {
    let bench = bench();
    run(&bench, &[], 0);
    let path = bench.model("carrot-knn").join("router.json");
    let text = std::fs::read_to_string(path).expect("read");
    assert!(!text.contains("precision"), "{text}");
    let message = run(&bench, &["--precision", "f32"], 0);
    assert!(message.contains("keeping `carrot-knn`"), "{message}");
    assert_eq!(recorded(&bench), ("tiny-bert".to_owned(), Precision::F32));
    let message = run(&bench, &["--precision", "half"], 2);
    assert!(message.contains("`f32`, `bf16` or `auto`"), "{message}");
}

#[test]
fn auto_is_what_the_processor_gains_by() {
    let is_gained_by = match cfg!(feature = "torch") {
        true => encoder::has_bf16_products(),
        false => encoder::multiplies_bf16(),
    };
    let bench = bench();
    run(&bench, &["--precision", "auto", "--device", "cpu"], 0);
    let expected = match is_gained_by {
        true => ("tiny-bert-bf16".to_owned(), Precision::Bf16),
        false => ("tiny-bert".to_owned(), Precision::F32),
    };
    assert_eq!(recorded(&bench), expected);
}

#[test]
fn embeddings_in_bfloat16_have_a_folder_of_their_own() {
    use dataset::Embeddings;

    let bench = bench();
    let read = |name: &str| {
        let path = bench.dir().embeddings(name, Part::Test);
        Embeddings::read(&path).expect("read")
    };
    run(&bench, &[], 0);
    let exact = read("tiny-bert");
    run(&bench, &["--precision", "bf16", "--device", "cpu"], 0);
    let near = read("tiny-bert-bf16");
    assert_eq!(near.meta.precision, Precision::Bf16);
    assert_eq!(near.meta.embedder_sha256, exact.meta.embedder_sha256);
    assert_ne!(near.values, exact.values);
    assert_eq!(read("tiny-bert"), exact, "they stay as they were");
    let bf16 = ("tiny-bert-bf16".to_owned(), Precision::Bf16);
    assert_eq!(recorded(&bench), bf16);
    let message = run(&bench, &["--precision", "bf16", "--device", "cpu"], 0);
    assert!(message.contains("keeping `carrot-knn`"), "{message}");

    // Someone puts the others there under this name: they are recomputed.
    for part in Part::ALL {
        let [from, to] = ["tiny-bert", "tiny-bert-bf16"].map(|it| bench.dir().embeddings(it, part));
        std::fs::copy(from, to).expect("copied");
    }
    let message = run(&bench, &["--precision", "bf16", "--device", "cpu"], 0);
    assert!(message.contains("in another precision"), "{message}");
    assert_eq!(read("tiny-bert-bf16"), near);
}

/// Nothing multiplies them.
#[test]
fn token_vectors_have_one_precision() {
    let bench = Tiny::new(CostKind::OutputTokens);
    copy_tiny_static(&bench.path().join("tiny-static"));
    let args = ["--dataset", "tiny", "--routers", "carrot-knn"];
    let output = bench.run(
        &[
            &args[..],
            &["--embedding", "tiny-static", "--precision", "auto"],
        ]
        .concat(),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(bench.dir().embeddings("tiny-static", Part::Test).is_file());
    assert_eq!(recorded(&bench).1, Precision::F32);
}
