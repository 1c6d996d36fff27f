use std::{fs, path::Path};

use saved_routers::{EmbeddingFormat, Error, SavedRouter};
use serde_json::{Value, json};

use crate::fixtures::{DIM, N_ROWS, fitted, forget_files, place, write_forest, write_knn};

/// Opening a router of nearest neighbors fails with a message after its folder was broken.
fn check(break_it: &dyn Fn(&Path), expected: &str) {
    let (_folder, place) = place();
    write_knn(&place, &fitted(2), EmbeddingFormat::F32);
    // What is refused even where no hash gives it away.
    forget_files(&place);
    break_it(&place);
    let error = SavedRouter::open(&place).expect_err(expected);
    let source = std::error::Error::source(&error).map(ToString::to_string);
    let message = format!("{error}: {}", source.unwrap_or_default());
    assert!(message.contains(expected), "{message}, not {expected}");
}

#[test]
fn contradictory_records_are_refused() {
    let edit = |path: &'static str, value: Value| {
        move |place: &Path| {
            let file = place.join("router.json");
            let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            *record.pointer_mut(path).unwrap() = value.clone();
            fs::write(file, record.to_string()).unwrap();
        }
    };
    for (path, value, expected) in [
        ("/format-version", json!(2), "has format version 2"),
        ("/format-version", json!("1"), "has format version \"1\""),
        ("/models", json!([]), "`models`"),
        ("/models/1/name", json!("cheap"), "`models`"),
        ("/pair/large", json!("nobody"), "`pair`"),
        ("/embedder", Value::Null, "`embedder`"),
        ("/embedder/dim", json!(0), "`dim`"),
        ("/embedder/dim", json!(DIM - 1), "expected [any, 15]"),
        ("/contents/kind", json!("oracle"), "as JSON"),
        (
            "/contents/vectors",
            json!("f16"),
            "is of type F32, expected F16",
        ),
        ("/contents/targets", json!([]), "`targets`"),
        ("/contents/targets/1/quantity", json!("score"), "`targets`"),
        ("/contents/targets/0/n-neighbors", json!(0), "`n-neighbors`"),
        (
            "/contents/targets/0/n-neighbors",
            json!(N_ROWS + 1),
            "at most the 120 rows",
        ),
        (
            "/contents",
            json!({"kind": "mf", "folder": "../elsewhere"}),
            "without a slash",
        ),
        (
            "/contents",
            json!({"kind": "forest"}),
            "no tensor `features`",
        ),
    ] {
        check(&edit(path, value), expected);
    }
    check(
        &|place| {
            let file = place.join("router.json");
            let mut record: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            record["models"].as_array_mut().unwrap().pop();
            record["pair"] = Value::Null;
            fs::write(file, record.to_string()).unwrap();
        },
        // The scale is read first.
        "`mean`",
    );
}

#[test]
fn missing_and_broken_files_are_refused() {
    check(
        &|place| fs::remove_file(place.join("router.safetensors")).unwrap(),
        "cannot open",
    );
    check(
        &|place| fs::remove_file(place.join("cost.safetensors")).unwrap(),
        "cost.safetensors",
    );
    check(
        &|place| fs::write(place.join("router.json"), "{").unwrap(),
        "as JSON",
    );
    for n_left in [0, 7, 100, -1] {
        check(
            &|place| {
                let path = place.join("router.safetensors");
                let mut bytes = fs::read(&path).unwrap();
                let n_left = usize::try_from(n_left).unwrap_or(bytes.len() - 1);
                bytes.truncate(n_left);
                fs::write(path, bytes).unwrap();
            },
            "router.safetensors",
        );
    }
    // The last of the embeddings' values; targets come before them by name.
    for (value, expected) in [
        (f32::NAN, "not finite"),
        (2.0, "embedding 119 (from 0) has length 2."),
    ] {
        check(
            &|place| {
                let path = place.join("router.safetensors");
                let mut bytes = fs::read(&path).unwrap();
                let last = bytes.len() - 4;
                bytes[last..].copy_from_slice(&value.to_le_bytes());
                fs::write(path, bytes).unwrap();
            },
            expected,
        );
    }
}

#[test]
fn broken_forests_are_refused() {
    let (_folder, place) = place();
    write_forest(&place);
    let file = place.join("router.json");
    let text = fs::read_to_string(&file).unwrap();
    // Features that an embedding of two dimensions does not have.
    fs::write(&file, text.replace("\"dim\": 16", "\"dim\": 2")).unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::Router { .. }), "{error}");
}
