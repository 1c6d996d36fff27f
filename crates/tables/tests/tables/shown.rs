//! Columns of any kind, shown as text.

use std::{path::Path, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int64Array, ListArray, StringArray, TimestampMicrosecondArray,
    TimestampNanosecondArray, TimestampSecondArray, types::Int32Type,
};
use tables::{Files, Kind, Result, Table};

use super::{Folder, parquet_of, some, told};

fn read(path: &Path) -> Result<Vec<Option<String>>> {
    let files = Files::find(path, None)?;
    let table = Table::read(&files, &|column| (column == "any").then_some(Kind::Any))?;
    Ok(table.texts["any"].clone())
}

#[test]
fn parquet_values_of_every_type_are_shown() {
    let dictionary: DictionaryArray<Int32Type> = [Some("b"), None, Some("b")].into_iter().collect();
    // 2024-02-29 is day 19,782, and begins at second 1,709,164,800.
    let second = 1_709_164_800_i64;
    let arrays: Vec<(ArrayRef, [&str; 2])> = vec![
        (
            Arc::new(StringArray::from(vec![Some("x"), None, Some("")])),
            ["x", ""],
        ),
        (
            Arc::new(Int64Array::from(vec![Some(-7), None, Some(i64::MAX)])),
            ["-7", "9223372036854775807"],
        ),
        (
            Arc::new(Float64Array::from(vec![0.1, f64::NAN, 2.0])),
            ["0.1", "2"],
        ),
        (
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(-0.5)])),
            ["0.1", "-0.5"],
        ),
        (
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            ["true", "false"],
        ),
        (
            Arc::new(
                Decimal128Array::from(vec![Some(250), None, Some(-5)])
                    .with_precision_and_scale(10, 2)
                    .expect("fits"),
            ),
            ["2.50", "-0.05"],
        ),
        (
            Arc::new(Date32Array::from(vec![Some(19_782), None, Some(0)])),
            ["2024-02-29", "1970-01-01"],
        ),
        (
            Arc::new(Date64Array::from(vec![Some(second * 1000), None, Some(0)])),
            ["2024-02-29", "1970-01-01"],
        ),
        (
            Arc::new(TimestampSecondArray::from(vec![
                Some(second + 3_661),
                None,
                Some(0),
            ])),
            ["2024-02-29T01:01:01", "1970-01-01T00:00:00"],
        ),
        (
            Arc::new(
                TimestampMicrosecondArray::from(vec![
                    Some(second * 1_000_000 + 500_000),
                    None,
                    Some(0),
                ])
                .with_timezone("UTC"),
            ),
            ["2024-02-29T00:00:00.500Z", "1970-01-01T00:00:00Z"],
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![Some(1), None, Some(0)])),
            ["1970-01-01T00:00:00.000000001", "1970-01-01T00:00:00"],
        ),
        (Arc::new(dictionary), ["b", "b"]),
    ];
    let folder = Folder::new();
    for (array, [first, last]) in arrays {
        let ty = array.data_type().to_string();
        let path = folder.write("t.parquet", parquet_of(vec![("any", array)]));
        let found = read(&path).unwrap_or_else(|error| panic!("{ty}: {error}"));
        let expected = [Some(first.to_owned()), None, Some(last.to_owned())];
        assert_eq!(found, expected, "{ty}");
    }
}

#[test]
fn csv_and_json_lines_are_shown_as_they_are_written() {
    let folder = Folder::new();
    let path = folder.write("t.csv", "any,b\n 007,1\n,2\n\"\",3\n0.50,4\n");
    let mut expected = some(&[" 007", "", "", "0.50"]);
    expected[1] = None;
    assert_eq!(read(&path).expect("read"), expected);

    let lines = [
        r#"{"any": "x"}"#,
        r#"{"any": 2.50}"#,
        r#"{"any": 12345678901234567890}"#,
        r#"{"any": true}"#,
        r#"{"any": null}"#,
        r#"{"b": 1}"#,
    ];
    let path = folder.write("t.jsonl", lines.join("\n"));
    let mut expected = some(&["x", "2.5", "12345678901234567890", "true", "", ""]);
    (expected[4], expected[5]) = (None, None);
    assert_eq!(read(&path).expect("read"), expected);
}

#[test]
fn what_is_no_single_value_is_refused() {
    let folder = Folder::new();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1)])]);
    let list = parquet_of(vec![("any", Arc::new(list))]);
    let path = folder.write("t.parquet", list);
    let message = told(read(&path).expect_err("a list"));
    assert!(
        message.contains("expected text, a number, a truth value or a date"),
        "{message}"
    );
    let path = folder.write("t.jsonl", r#"{"any": [1]}"#);
    let message = told(read(&path).expect_err("a list"));
    assert!(
        message.contains("is `[1]` in row 1, expected text, a number"),
        "{message}"
    );
}
