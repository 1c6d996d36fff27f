//! Vectors and predictions that other programs wrote: of any usual type they are read, and what cannot be used is refused by its row.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, FixedSizeListArray, Float16Array, Float32Array,
    Float64Array, Int32Array, Int64Array, LargeListArray, LargeStringArray, ListArray, RecordBatch,
    StringArray,
    types::{Float32Type, Float64Type, Int32Type},
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;
use dataset::{Embeddings, Error, Predictions};
use half::f16;
use ndarray::array;
use parquet::arrow::ArrowWriter;

fn write(path: &Path, columns: &[(&str, ArrayRef)]) {
    let columns = columns
        .iter()
        .cloned()
        .map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let file = fs::File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
}

fn read(ids: ArrayRef, embedding: ArrayRef) -> dataset::Result<Embeddings> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mine/test.parquet");
    fs::create_dir(folder.path().join("mine")).expect("created");
    write(
        &path,
        &[
            ("id", ids),
            ("note", Arc::new(Int64Array::from(vec![1; embedding.len()]))),
            ("embedding", embedding),
        ],
    );
    Embeddings::read(&path)
}

fn ids() -> ArrayRef {
    Arc::new(StringArray::from(vec!["a", "b", "c"]))
}

/// Values that 16 bits hold exactly.
const VALUES: [[f64; 2]; 3] = [[0.5, -1.25], [3.0, 0.0], [-0.125, 1024.0]];

fn flat() -> impl Iterator<Item = f64> {
    VALUES.into_iter().flatten()
}

fn list(values: ArrayRef) -> ArrayRef {
    let item = Arc::new(Field::new("element", values.data_type().clone(), true));
    let ends = OffsetBuffer::from_lengths([2; 3]);
    Arc::new(ListArray::new(item, ends, values, None))
}

fn large_list(values: ArrayRef) -> ArrayRef {
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    let ends = OffsetBuffer::from_lengths([2; 3]);
    Arc::new(LargeListArray::new(item, ends, values, None))
}

fn fixed(values: ArrayRef, nulls: Option<NullBuffer>) -> ArrayRef {
    let item = Arc::new(Field::new("item", values.data_type().clone(), true));
    Arc::new(FixedSizeListArray::new(item, 2, values, nulls))
}

#[test]
fn vectors_of_every_usual_type_are_the_same() {
    let halves: ArrayRef = Arc::new(Float16Array::from_iter_values(flat().map(f16::from_f64)));
    let floats: ArrayRef = Arc::new(Float32Array::from_iter_values(flat().map(|x| x as f32)));
    let doubles: ArrayRef = Arc::new(Float64Array::from_iter_values(flat()));
    for values in [halves, floats, doubles] {
        for embedding in [
            list(Arc::clone(&values)),
            large_list(Arc::clone(&values)),
            fixed(values, None),
        ] {
            let what = embedding.data_type().to_string();
            let found = read(ids(), embedding).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(found.ids, ["a", "b", "c"], "{what}");
            assert_eq!(
                found.values,
                array![[0.5, -1.25], [3.0, 0.0], [-0.125, 1024.0]],
                "{what}"
            );
            // Named for its folder, as nothing in it says more.
            assert_eq!(found.meta.embedder, "mine", "{what}");
        }
    }
}

#[test]
fn ids_may_be_numbers_and_any_text() {
    let embedding = || list(Arc::new(Float64Array::from_iter_values(flat())));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![7, 8, 9]));
    assert_eq!(
        read(numbers, embedding()).expect("read").ids,
        ["7", "8", "9"]
    );
    let texts: ArrayRef = Arc::new(LargeStringArray::from(vec!["x", "y", "z"]));
    assert_eq!(read(texts, embedding()).expect("read").ids, ["x", "y", "z"]);
    let error = read(
        Arc::new(StringArray::from(vec![Some("x"), None, None])),
        embedding(),
    );
    assert!(matches!(error, Err(Error::NullValue { column, row: 2, .. }) if column == "id"));
}

#[test]
fn vectors_that_are_none_are_refused_by_row() {
    let lists = |rows: [Option<Vec<Option<f64>>>; 3]| -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows))
    };
    let good = || Some(vec![Some(0.5), Some(1.5)]);
    let doubles = || -> ArrayRef { Arc::new(Float64Array::from_iter_values(flat())) };
    let nulls = NullBuffer::from(vec![true, false, true]);
    let with_null = Float32Array::from(vec![Some(0.0), Some(1.0), None, Some(1.0), None, None]);
    let cases: [(ArrayRef, &str); 10] = [
        (
            lists([good(), Some(vec![Some(1.0)]), good()]),
            "has a list of 1 numbers in row 2, expected 2",
        ),
        (
            lists([good(), good(), Some(Vec::new())]),
            "has a list of 0 numbers in row 3",
        ),
        (lists([good(), None, good()]), "is null in row 2"),
        (fixed(doubles(), Some(nulls)), "is null in row 2"),
        (
            lists([good(), good(), Some(vec![Some(1.0), None])]),
            "a list with a null in it in row 3",
        ),
        (fixed(Arc::new(with_null), None), "null in it in row 2"),
        (
            lists([good(), Some(vec![Some(f64::NAN), Some(0.0)]), good()]),
            "a list with NaN in it in row 2",
        ),
        // Finite, and beyond what 32 bits hold.
        (
            lists([Some(vec![Some(0.0), Some(1e300)]), good(), good()]),
            "a list with inf in it in row 1",
        ),
        (
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([
                Some(vec![Some(1)]),
                Some(vec![Some(1)]),
                Some(vec![Some(1)]),
            ])),
            "expected lists of finite floats",
        ),
        (
            Arc::new(StringArray::from(vec!["[0.5]"; 3])),
            "expected lists of finite floats",
        ),
    ];
    for (embedding, expected) in cases {
        let message = read(ids(), embedding).expect_err(expected).to_string();
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("column `embedding` of `"), "{message}");
    }
}

#[test]
fn rows_of_vectors_beyond_the_first_batch_are_counted_on() {
    let n = 5_000;
    let rows = (0..n).map(|row| Some(vec![Some(row as f32); if row == 4_500 { 3 } else { 2 }]));
    let embedding = Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(rows));
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(0..n));
    let message = read(ids, embedding).expect_err("one is longer").to_string();
    assert!(message.contains("in row 4501"), "{message}");
}

#[test]
fn predictions_of_other_programs_are_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mine.parquet");
    let costs = Decimal128Array::from(vec![25, 5, 0])
        .with_precision_and_scale(10, 4)
        .expect("a decimal type");
    write(
        &path,
        &[
            ("id", Arc::new(Int64Array::from(vec![1, 2, 3]))),
            (
                "m/score",
                Arc::new(Float64Array::from(vec![Some(0.25), None, Some(1.0)])),
            ),
            ("m/cost_usd", Arc::new(costs)),
            (
                "n/score",
                Arc::new(BooleanArray::from(vec![true, false, true])),
            ),
            ("n/cost_usd", Arc::new(Int64Array::from(vec![1, 2, 3]))),
        ],
    );
    let Predictions::PerModel(found) = Predictions::read(&path).expect("read") else {
        panic!("predictions for each LLM");
    };
    assert_eq!(found.ids, ["1", "2", "3"]);
    assert_eq!(found.scores.column(1), array![1.0, 0.0, 1.0]);
    assert!(found.scores[[1, 0]].is_nan());
    assert_eq!(
        found.cost_usd,
        array![[0.0025, 1.0], [0.0005, 2.0], [0.0, 3.0]]
    );

    write(
        &path,
        &[
            ("id", ids()),
            (
                "small_win_probability",
                Arc::new(Float64Array::from(vec![0.5; 3])),
            ),
        ],
    );
    assert!(matches!(
        Predictions::read(&path),
        Ok(Predictions::SmallWins(_))
    ));
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mine.parquet");
    let half: ArrayRef = Arc::new(Float64Array::from(vec![0.5; 3]));
    let columns = [
        ("id", ids()),
        ("m/score", Arc::clone(&half)),
        ("m/score", half),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let schema = Arc::new(arrow_schema::Schema::new(fields));
    let batch = RecordBatch::try_new(schema, arrays).expect("columns");
    let file = fs::File::create(&path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    let error = Predictions::read(&path).expect_err("ambiguous").to_string();
    assert!(
        error.starts_with("duplicate column `m/score` in"),
        "{error}"
    );
}

#[test]
fn files_that_were_cut_short_are_never_taken_for_whole() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("mine.parquet");
    let halves: ArrayRef = Arc::new(Float32Array::from(vec![0.5; 6]));
    let columns = [
        ("id", ids()),
        ("embedding", list(Arc::clone(&halves))),
        ("m/score", halves.slice(0, 3)),
        ("m/cost_usd", halves.slice(0, 3)),
    ];
    write(&path, &columns);
    let bytes = fs::read(&path).expect("read");
    for len in 0..bytes.len() {
        fs::write(&path, &bytes[..len]).expect("written");
        let errors = [
            Embeddings::read(&path).map(drop),
            Embeddings::read_meta(&path).map(drop),
            Predictions::read(&path).map(drop),
            Predictions::read_made_from(&path).map(drop),
        ];
        for error in errors {
            let message = error.expect_err("cut short").to_string();
            assert!(
                message.contains("mine.parquet` as Parquet"),
                "{len} bytes: {message}"
            );
        }
    }
    fs::write(&path, bytes).expect("written");
    Embeddings::read(&path).expect("whole");
    Predictions::read(&path).expect("whole");
}
