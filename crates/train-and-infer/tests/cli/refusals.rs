use dataset::{CostKind, Embeddings, Part};
use ndarray::array;

use crate::bench::{N_TRAIN, Tiny, stderr};

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let check = |args: &[&str], code: i32, expected: &str| {
        let output = bench.run(args);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
        assert!(
            bench.dir().routers().expect("listed").is_empty(),
            "{args:?} wrote predictions"
        );
    };
    let knn = |extra: &[&'static str]| {
        [&["--dataset", "tiny", "--routers", "carrot-knn"], extra].concat()
    };
    check(
        &["--dataset", "tiny", "--routers", "carrot-magic"],
        2,
        "carrot-magic",
    );
    check(
        &["--dataset", "huge", "--routers", "carrot-knn"],
        1,
        "no data set `huge` under `data`",
    );
    for bad in ["../x", "/tmp", "..", ".", "", "a/b", "CON", "a\u{1b}b"] {
        let args = ["--dataset", bad, "--routers", "carrot-knn"];
        check(&args, 2, "data set");
    }
    for bad in ["..", ".", "a\u{1b}b", "-x:y"] {
        let args = [format!("--embedding={bad}")];
        let args = ["--dataset", "tiny", "--routers", "carrot-knn", &args[0]];
        check(&args, 2, "embedding");
    }
    check(
        &knn(&["--embedding", "no-such-thing"]),
        2,
        "`no-such-thing` is not an embedding",
    );
    check(
        &knn(&["--embedding", "given", "--device", "abacus"]),
        2,
        "abacus",
    );
    check(
        &knn(&["--embedding", "given", "--device", "cuda:4096"]),
        2,
        "device `cuda:4096` is not available",
    );
    check(
        &knn(&["--embedding", "owner/model"]),
        1,
        "HF_HUB_OFFLINE is set",
    );
    check(&knn(&["--embedding", "data"]), 1, "config.json");
    check(
        &knn(&["--embedding", "given", "--pretrained"]),
        2,
        "`carrot-roberta`",
    );
    check(
        &knn(&["--embedding", "given", "--epochs", "0"]),
        2,
        "`n-epochs` is 0",
    );

    bench.write("bad.toml", "[carrot-knn]\nk = 3\n");
    let bad_config = knn(&["--embedding", "given", "--config", "bad.toml"]);
    check(&bad_config, 1, "unknown field `k`");
    let settings = include_str!("../../../../configs/routers.toml");
    for (from, to, expected) in [
        (
            "n-folds = 5",
            "n-folds = 1",
            "`n-folds` is 1, expected at least 2",
        ),
        ("n-trees = 100", "n-trees = 0", "`n-trees` is 0"),
        ("dim = 128", "dim = 0", "`dim` is 0"),
        ("\"f32\"", "\"f8\"", "f8"),
    ] {
        assert!(settings.contains(from), "{from}");
        bench.write("bad.toml", settings.replacen(from, to, 1));
        check(&bad_config, 1, expected);
    }
    bench.write("training.toml", "[custom]\nseed = 1\n");
    check(
        &knn(&["--embedding", "given", "--training-config", "training.toml"]),
        1,
        "missing field",
    );

    let path = bench.dir().embeddings("given", Part::Train);
    let mut embeddings = Embeddings::read(&path).expect("read");
    embeddings.ids.swap(0, 1);
    embeddings.write(&path).expect("written");
    check(
        &knn(&["--embedding", "given"]),
        1,
        "row 1 has id `train-1` instead of `train-0`",
    );
    embeddings.ids.swap(0, 1);
    embeddings.meta.split_sha256 = Some("of another split".to_owned());
    embeddings.write(&path).expect("written");
    check(
        &knn(&["--embedding", "given"]),
        1,
        "were made from a different version of",
    );
    embeddings.meta.split_sha256 = None;
    embeddings.values = array![[1.0_f32]]
        .broadcast((N_TRAIN, 2))
        .expect("broadcast")
        .to_owned();
    embeddings.write(&path).expect("written");
    check(
        &knn(&["--embedding", "given"]),
        1,
        "of train and test have 2 and 3 dimensions",
    );

    bench.edit_info(|info| info.models.swap(0, 1));
    check(&knn(&["--embedding", "given"]), 1, "is not the part that");
}
