use std::{fs, path::Path};

use saved_routers::{EmbeddingFormat, Error, Record, SavedRouter};
use serde_json::{Value, json};

use crate::fixtures::{fitted, forget_files, place, write_forest, write_knn};

fn write(place: &Path) {
    write_knn(place, &fitted(2), EmbeddingFormat::F32);
}

#[test]
fn a_record_vouches_for_the_files_beside_it() {
    let (_folder, place) = place();
    write(&place);
    let record = Record::read(&place).unwrap();
    let names: Vec<&str> = record.files.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["cost.safetensors", "router.safetensors"]);
    for file in &record.files {
        let path = place.join(&file.name);
        assert_eq!(file.sha256, dataset::sha256_file(&path).unwrap());
        assert_eq!(file.n_bytes, fs::metadata(path).unwrap().len());
    }
    // A card that was edited, calibrations, and whatever else a user keeps there.
    fs::write(place.join("README.md"), "mine").unwrap();
    fs::write(place.join("notes.txt"), "mine").unwrap();
    fs::create_dir(place.join("calibrations")).unwrap();
    fs::write(place.join("calibrations/cheap.json"), "{}").unwrap();
    SavedRouter::open(&place).unwrap();
}

#[test]
fn tensors_of_another_fit_are_refused_though_their_shapes_are_right() {
    let (_folder, place) = place();
    let tensors = place.join("router.safetensors");
    // A fit on other targets: the same shapes, and other numbers.
    let mut other = fitted(2);
    other.targets[0].values.mapv_inplace(|score| score / 2.0);
    write_knn(&place, &other, EmbeddingFormat::F32);
    let of_other = fs::read(&tensors).unwrap();
    write(&place);
    let own = fs::read(&tensors).unwrap();
    assert_eq!(of_other.len(), own.len());

    let mut flipped = own.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for (bytes, part) in [
        (&of_other[..], "its SHA-256 is"),
        (&flipped, "its SHA-256 is"),
        (&own[..own.len() / 2], "bytes, expected"),
        (b"", "it has 0 bytes"),
    ] {
        fs::write(&tensors, bytes).unwrap();
        let error = SavedRouter::open(&place).unwrap_err();
        assert!(matches!(error, Error::OtherFile { .. }), "{error}");
        let message = error.to_string();
        for part in [part, "router.safetensors", "refit the router"] {
            assert!(message.contains(part), "`{part}` is not in {message}");
        }
    }
    // Versions before the hashes wrote none, and their routers open.
    fs::write(&tensors, &of_other).unwrap();
    forget_files(&place);
    SavedRouter::open(&place).unwrap();
}

#[test]
fn a_file_that_is_gone_is_missed() {
    let (_folder, place) = place();
    write_forest(&place);
    let path = place.join("router.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let files = record["files"].as_array_mut().unwrap();
    files.push(json!({ "name": "cost.safetensors", "n-bytes": 3, "sha256": "abc" }));
    fs::write(&path, record.to_string()).unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::MissingFile { .. }), "{error}");
    // Not a file of the folder at all.
    for name in ["../router/router.safetensors", "/dev/zero", "", "a/../b"] {
        let files = record["files"].as_array_mut().unwrap();
        files.last_mut().unwrap()["name"] = json!(name);
        fs::write(&path, record.to_string()).unwrap();
        let error = SavedRouter::open(&place).unwrap_err().to_string();
        assert!(error.contains("`files`"), "{error}");
    }
}
