//! What pandas and NumPy wrote, against what they say is in it. `golden/make.py` makes both.
#![expect(clippy::unwrap_used, reason = "tests")]

mod goldens;

use std::{
    fs,
    path::{Path, PathBuf},
};

use pickle::{Column, Pickle, Value};
use serde_json::Value as Json;

/// Floats stand as text, to the last bit.
fn float(expected: &Json) -> Option<f64> {
    expected.as_str()?.strip_prefix("f:")?.parse().ok()
}

fn check_f64(found: f64, expected: &Json, what: &str) {
    match expected {
        Json::Null => assert!(found.is_nan(), "{what}: found {found}, expected nothing"),
        Json::Bool(truth) => assert_eq!(found, f64::from(u8::from(*truth)), "{what}"),
        Json::String(_) => assert_eq!(found, float(expected).unwrap(), "{what}"),
        _ => assert_eq!(found, expected.as_f64().unwrap(), "{what}"),
    }
}

fn check_column(column: &Column<'_>, expected: &[Json], what: &str) {
    let is_text = expected
        .iter()
        .any(|cell| cell.is_string() && float(cell).is_none());
    if is_text || expected.is_empty() {
        let found = column.as_text().unwrap();
        let expected: Vec<Option<&str>> = expected.iter().map(Json::as_str).collect();
        assert_eq!(found, expected, "{what}");
    }
    if is_text {
        column.as_f64().unwrap_err();
        return;
    }
    let found = column.as_f64().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (&found, expected) in found.iter().zip(expected) {
        check_f64(found, expected, what);
    }
    if expected
        .iter()
        .all(|cell| cell.is_i64() || cell.is_boolean())
    {
        let expected = expected
            .iter()
            .map(|cell| cell.as_i64().or(cell.as_bool().map(i64::from)));
        assert_eq!(
            column.as_i64().unwrap(),
            expected.collect::<Vec<_>>(),
            "{what}"
        );
    }
}

fn check_frame(pickle: &Pickle, expected: &Json, what: &str) {
    let frame = pickle
        .frame()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(
        frame.n_rows() as u64,
        expected["n_rows"].as_u64().unwrap(),
        "{what}"
    );
    let columns = expected["columns"].as_array().unwrap();
    let names: Vec<&str> = columns
        .iter()
        .map(|column| column[0].as_str().unwrap())
        .collect();
    assert_eq!(frame.column_names().collect::<Vec<_>>(), names, "{what}");
    for expected in columns {
        let name = expected[0].as_str().unwrap();
        let what = format!("{what}, column `{name}`");
        let column = frame.column(name).unwrap();
        match expected[1].as_array() {
            Some(cells) => check_column(&column, cells, &what),
            None => {
                let error = column.as_text().unwrap_err().to_string();
                assert!(
                    error.contains(name) || error.contains("found") || error.contains("holds"),
                    "{what}: {error}"
                );
                column.as_f64().unwrap_err();
            }
        }
    }
}

fn check_arrays(pickle: &Pickle, expected: &Json, what: &str) {
    for (path, expected) in expected.as_object().unwrap() {
        let steps = path.split('/').filter(|&step| step != ".");
        let value = steps.fold(pickle.value(), |value: Value<'_>, step| {
            value.get(step).unwrap()
        });
        let array = value.array().unwrap();
        let shape: Vec<usize> = expected[0]
            .as_array()
            .unwrap()
            .iter()
            .map(|n| n.as_u64().unwrap() as usize)
            .collect();
        assert_eq!(array.shape(), shape, "{what}");
        let found: Vec<f64> = match shape.len() {
            1 => array.to_array1_f64().unwrap().to_vec(),
            _ => array.to_array2_f64().unwrap().iter().copied().collect(),
        };
        let expected = expected[1].as_array().unwrap();
        assert_eq!(found.len(), expected.len(), "{what}");
        for (&found, expected) in found.iter().zip(expected) {
            check_f64(found, expected, what);
        }
    }
}

/// Each pickle of the folder, with the text of what is expected of it.
fn goldens() -> Vec<(PathBuf, Json)> {
    let expected = |path: &PathBuf| {
        serde_json::from_str(&fs::read_to_string(path.with_extension("json")).unwrap()).unwrap()
    };
    goldens::paths()
        .into_iter()
        .map(|path| (path.clone(), expected(&path)))
        .collect()
}

#[test]
fn matches_pandas_1_2_and_3() {
    let goldens = goldens();
    for version in [
        "pandas1.1-",
        "pandas1-",
        "pandas2-",
        "pandas3-",
        "pandas3-pyarrow-",
    ] {
        assert!(
            goldens.iter().any(|(path, _)| path
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with(version)),
            "{version}"
        );
    }
    for (path, expected) in &goldens {
        let what = path.file_name().unwrap().to_str().unwrap();
        if let Some(refused) = expected.get("refused") {
            let error = Pickle::read(path)
                .and_then(|pickle| pickle.frame().map(|_| ()))
                .unwrap_err()
                .to_string();
            assert!(error.contains(refused.as_str().unwrap()), "{what}: {error}");
            assert!(error.contains("at byte "), "{what}: {error}");
            continue;
        }
        let pickle = Pickle::read(path).unwrap_or_else(|error| panic!("{what}: {error}"));
        match expected.get("arrays") {
            Some(arrays) => check_arrays(&pickle, arrays, what),
            None => check_frame(&pickle, expected, what),
        }
    }
}

#[test]
fn cut_off_anywhere_is_an_error() {
    for (path, _) in goldens() {
        let bytes = fs::read(&path).unwrap();
        for len in 0..bytes.len() {
            let error = Pickle::parse(bytes[..len].to_vec())
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("at byte "),
                "{}, {len} bytes: {error}",
                path.display()
            );
        }
    }
}

#[test]
fn unknown_columns_and_wrong_types_are_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pandas2-mixed-p5.pkl");
    let pickle = Pickle::read(&path).unwrap();
    let frame = pickle.frame().unwrap();
    assert_eq!(
        frame.column("absent").unwrap_err().to_string(),
        "the frame has no column `absent`"
    );
    let error = frame
        .column("prompt")
        .unwrap()
        .as_f64()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "column `prompt` holds text in row 1, expected a number"
    );
    let error = frame
        .column("f64")
        .unwrap()
        .as_text()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "column `f64` holds the float `0.5` in row 1, expected text"
    );
    let error = frame
        .column("f64")
        .unwrap()
        .as_i64()
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "column `f64` holds the float `0.5` in row 1, expected an integer"
    );
    assert!(
        pickle
            .value()
            .array()
            .unwrap_err()
            .to_string()
            .contains("pandas.core.frame.DataFrame")
    );
}

#[test]
fn a_name_that_two_columns_bear_is_ambiguous() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pandas2-c-order.pkl");
    let mut bytes = fs::read(&path).unwrap();
    // The columns are `a`, `b` and `c`; `b` becomes `a`.
    let at = bytes
        .windows(3)
        .position(|part| part == b"\x8c\x01b")
        .unwrap();
    bytes[at + 2] = b'a';
    let pickle = Pickle::parse(bytes).unwrap();
    let frame = pickle.frame().unwrap();
    let error = frame.column("a").unwrap_err().to_string();
    assert_eq!(error, "the frame has 2 columns named `a`");
    let second = frame.column_at(1).unwrap().as_f64().unwrap();
    assert_eq!(second, [1.0, 4.0, 7.0, 10.0]);
    assert!(frame.column_at(3).is_none());
}
