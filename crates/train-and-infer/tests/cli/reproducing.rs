use std::{collections::BTreeMap, fs, path::Path};

use dataset::CostKind;
use serde_json::Value;

use crate::{
    bench::{Tiny, stderr},
    roberta::{TRAIN, bench},
};

/// All files below some folders, by their paths; of a manifest what two runs have in common.
fn files(bench: &Tiny) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![bench.join("data"), bench.join("models")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mut bytes = fs::read(&path).expect("read");
            let name = path.strip_prefix(bench.path()).expect("inside");
            if is_manifest(name) {
                let mut manifest: Value = serde_json::from_slice(&bytes).expect("JSON");
                let timings = manifest.as_object_mut().and_then(|it| it.remove("timings"));
                assert!(timings.is_some(), "`{}` has no timings", name.display());
                bytes = manifest.to_string().into_bytes();
            }
            files.insert(name.display().to_string(), bytes);
        }
    }
    files
}

fn is_manifest(name: &Path) -> bool {
    let is_of = |folder: &str| name.iter().any(|part| part == folder);
    (is_of("preds") || is_of("learning-curve")) && name.extension().is_some_and(|it| it == "json")
}

/// Fits all routers, and some on samples.
fn fit(bench: &Tiny, n_threads: &str) {
    bench.write_settings(&[
        ("embedder = \"minilm\"", "embedder = \"given\""),
        ("n-epochs = 100", "n-epochs = 3"),
    ]);
    let common = [
        "--dataset",
        "tiny",
        "--embedding",
        "given",
        "--config",
        "routers.toml",
    ];
    let train = [&TRAIN[..], &["--epochs", "2"]].concat();
    for args in [
        [&common[..], &["--routers", "all"], &train].concat(),
        [
            &common[..],
            &["--routers", "carrot-knn", "mf", "rorf"],
            &["--train-sizes", "20"],
        ]
        .concat(),
    ] {
        let mut command = bench.command(&args);
        let output = command.env("RAYON_NUM_THREADS", n_threads).output();
        let output = output.expect("started");
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let benches = [bench(CostKind::Usd), bench(CostKind::Usd)];
    for (bench, n_threads) in benches.iter().zip(["1", "3"]) {
        fit(bench, n_threads);
    }
    let [one, other] = benches.each_ref().map(files);
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    assert!(one.len() > 40, "{:?}", names(&one));
    for (name, bytes) in &one {
        let same = *bytes == other[name];
        assert!(same, "`{name}` differs from run to run");
    }
}
