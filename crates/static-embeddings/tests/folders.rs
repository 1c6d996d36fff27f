//! Folders as they are written, and as they are refused.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use encoder::PromptEmbedder as _;
use ndarray::Array2;
use serde_json::{Value, json};
use static_embeddings::{
    DistillError, DistillParams, Distilled, SourceModel, StaticEmbedder, StaticFiles, Vocabulary,
};
use tempfile::TempDir;
use test_support::try_mutations;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// A copy of a golden folder, with room for changes.
fn copy(name: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_into(&golden(name), folder.path());
    folder
}

fn copy_into(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(file.file_name());
        if file.path().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_into(&file.path(), &to);
        } else {
            fs::copy(file.path(), to).unwrap();
        }
    }
}

/// Loads, and gives the error with its causes.
fn refused(folder: &Path) -> String {
    let files = match StaticFiles::find(folder) {
        Ok(files) => files.expect("a static embedder"),
        Err(error) => return error.to_string(),
    };
    let error = StaticEmbedder::load(&files).map(|_| ()).unwrap_err();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

fn distilled() -> Distilled {
    let files = StaticFiles::find(&golden("plain")).unwrap().unwrap();
    let embedder = StaticEmbedder::load(&files).unwrap();
    let vocabulary = Vocabulary::of(embedder.tokenizer()).unwrap();
    let n = vocabulary.sequences().len();
    let vectors = Array2::from_shape_fn((n, 4), |(i, j)| ((i * 7 + j * 13) % 11) as f32 - 5.0);
    let params = DistillParams {
        dim: 3,
        sif_coefficient: 1e-3,
    };
    params
        .check()
        .unwrap()
        .distill(&vocabulary, vectors.view())
        .unwrap()
}

fn source() -> SourceModel {
    SourceModel {
        name: "tiny".to_owned(),
        sha256: "5e1f".to_owned(),
        license: Some("apache-2.0".to_owned()),
    }
}

#[test]
fn what_is_written_can_be_read_and_says_where_it_comes_from() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().join("static");
    distilled().write(&place, &source()).unwrap();
    let files = StaticFiles::find(&place)
        .unwrap()
        .expect("a static embedder");
    let embedder = StaticEmbedder::load(&files).unwrap();
    assert_eq!(embedder.dim(), 3);
    let embed = |text: &str| embedder.embed(&[text.to_owned()], &|_| ()).unwrap().values;
    assert_ne!(embed("the router"), Array2::<f32>::zeros((1, 3)));
    // Spelled out, a special token is a text like any other.
    assert_eq!(embed("[SEP]"), embed("[ sep ]"));

    let config: Value =
        serde_json::from_slice(&fs::read(place.join("config.json")).unwrap()).unwrap();
    let from = &config["distilled_from"];
    assert_eq!(
        (&from["name"], &from["sha256"]),
        (&json!("tiny"), &json!("5e1f"))
    );
    assert_eq!(
        (&from["license"], &config["max_length"]),
        (&json!("apache-2.0"), &Value::Null)
    );
    let card = fs::read_to_string(place.join("README.md")).unwrap();
    assert!(
        card.starts_with("---\n") && card.contains("\nlicense: apache-2.0\n"),
        "{card}"
    );

    // The same again gives the same bytes, in the same place.
    let hash = files.sha256().unwrap();
    distilled().write(&place, &source()).unwrap();
    assert_eq!(
        StaticFiles::find(&place)
            .unwrap()
            .unwrap()
            .sha256()
            .unwrap(),
        hash
    );
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn what_is_up_to_date_is_recognized() {
    let place = tempfile::tempdir().unwrap();
    let is_made = |dim, source: &SourceModel| {
        let params = DistillParams {
            dim,
            sif_coefficient: 1e-3,
        };
        let made = params.check().unwrap().made(place.path(), source).unwrap();
        made.is_some()
    };
    assert!(!is_made(3, &source()), "nothing is there");
    distilled().write(place.path(), &source()).unwrap();
    assert!(is_made(3, &source()));
    assert!(!is_made(4, &source()), "other parameters");
    let other = SourceModel {
        sha256: "07e4".to_owned(),
        ..source()
    };
    assert!(!is_made(3, &other), "another model");
}

#[test]
fn a_place_that_holds_something_else_is_refused() {
    let root = tempfile::tempdir().unwrap();
    distilled().write(root.path(), &source()).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("thesis.txt"), "years of work").unwrap();
    let error = distilled().write(other.path(), &source()).unwrap_err();
    assert!(matches!(error, DistillError::Taken { .. }), "{error}");
    assert!(other.path().join("thesis.txt").is_file());
}

#[test]
fn other_models_are_not_static() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(StaticFiles::find(folder.path()).unwrap(), None);
    fs::write(
        folder.path().join("config.json"),
        r#"{"model_type": "bert"}"#,
    )
    .unwrap();
    assert_eq!(StaticFiles::find(folder.path()).unwrap(), None);
    let modules = r#"[{"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"}]"#;
    fs::write(folder.path().join("modules.json"), modules).unwrap();
    assert_eq!(StaticFiles::find(folder.path()).unwrap(), None);
    assert_eq!(StaticFiles::wanted(folder.path()).unwrap(), None);
}

#[test]
fn a_folder_without_modules_is_known_by_its_config() {
    let folder = copy("plain");
    fs::remove_file(folder.path().join("modules.json")).unwrap();
    assert_eq!(StaticFiles::find(folder.path()).unwrap(), None);
    fs::write(
        folder.path().join("config.json"),
        r#"{"model_type": "model2vec"}"#,
    )
    .unwrap();
    assert!(StaticFiles::find(folder.path()).unwrap().is_some());
}

#[test]
fn what_is_to_be_downloaded_follows_from_the_modules() {
    let wanted = |case: &str| StaticFiles::wanted(&golden(case)).unwrap();
    let at = |folder: &str| {
        Some(
            ["model.safetensors", "tokenizer.json"]
                .map(|it| format!("{folder}{it}"))
                .into(),
        )
    };
    assert_eq!(wanted("plain"), at(""));
    assert_eq!(wanted("nested"), at("0_StaticEmbedding/"));
}

#[test]
fn the_hash_follows_what_determines_vectors() {
    let hash = |folder: &Path| {
        StaticFiles::find(folder)
            .unwrap()
            .unwrap()
            .sha256()
            .unwrap()
    };
    let folder = copy("plain");
    let before = hash(folder.path());
    assert_eq!(before, hash(&golden("plain")));
    fs::write(folder.path().join("config.json"), r#"{"normalize": false}"#).unwrap();
    assert_eq!(before, hash(folder.path()));
    fs::copy(
        golden("weighted/model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    assert_ne!(before, hash(folder.path()));
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let folder = copy("plain");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let from = |name: &str| fs::read(golden(name)).unwrap();

    write("tokenizer.json", &from("unigram/tokenizer.json"));
    let error = refused(folder.path());
    assert!(error.contains("10 tokens"), "{error}");
    write("model.safetensors", &from("quantized/model.safetensors"));
    let error = refused(folder.path());
    assert!(
        error.contains("`mapping`") && error.contains("[10]"),
        "{error}"
    );
    write("model.safetensors", b"<!DOCTYPE html>");
    assert!(refused(folder.path()).contains("web page"));
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert!(refused(folder.path()).contains("has no `model.safetensors`"));

    let modules = |then: &str, path: &str| {
        let first = "sentence_transformers.models.StaticEmbedding";
        json!([{"type": first, "path": path}, {"type": then, "path": "1"}]).to_string()
    };
    write(
        "modules.json",
        modules("sentence_transformers.models.Dense", ".").as_bytes(),
    );
    assert!(refused(folder.path()).contains("`Normalize`"));
    write(
        "modules.json",
        modules("sentence_transformers.models.Normalize", "../b").as_bytes(),
    );
    assert!(refused(folder.path()).contains("`../b`"));
}

#[test]
fn mutations_of_a_models_files() {
    for (case, file) in [
        ("quantized", "model.safetensors"),
        ("plain", "tokenizer.json"),
        ("unigram", "tokenizer.json"),
        ("nested", "modules.json"),
    ] {
        let folder = copy(case);
        let path = folder.path().join(file);
        let bytes = fs::read(&path).unwrap();
        try_mutations(&[bytes], |bytes| {
            fs::write(&path, bytes).unwrap();
            if let Ok(Some(files)) = StaticFiles::find(folder.path())
                && let Ok(embedder) = StaticEmbedder::load(&files)
            {
                _ = embedder.embed(&["the router 日本 Zwölf".to_owned()], &|_| ());
            }
        });
    }
}
