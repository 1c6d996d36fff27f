//! Broken files: each costs an error that names the file, or is read; none a panic. `CARROT_MUTATIONS=10000` tries more of them.

use std::sync::Arc;

use ::parquet::{
    basic::{Compression, ZstdLevel},
    file::properties::{WriterProperties, WriterVersion},
};
use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListArray,
    types::{Float32Type, Int32Type},
};
use tables::{Files, Format, ParquetFile, Place, Table, extend_vectors};
use test_support::try_mutations;
use untrusted_files::Budget;

use super::{Folder, kind, parquet_with, strings};

/// Enough for the files here, and for no bomb that a changed number makes of one.
const BUDGET: u64 = 64 << 20;

fn check(name: &str, format: Option<Format>, files: &[Vec<u8>]) {
    let folder = Folder::new();
    let read = |bytes: &[u8]| {
        let path = folder.write(name, bytes);
        let files = Files::find(&path, format)?;
        Table::read_within(&files, &kind, Budget::of(BUDGET))
    };
    for file in files {
        assert!(read(file).is_ok(), "the file is read before it is broken");
    }
    try_mutations(files, |bytes| {
        if let Err(error) = read(&bytes) {
            assert!(error.to_string().contains(name), "{error}");
        }
    });
}

#[test]
fn mutations_of_csv() {
    let escaped = Format::Csv {
        delimiter: b',',
        escape: Some(b'\\'),
    };
    let text = "\u{feff}id,prompt,task,m/score,cost\n1,\"a, \"\"b\"\"\n c\",qa,1,0.5\r\n\n2,\"say \\\\ x\",,True,NA\n3,é,\"\",0,1e-3\n";
    check("t.csv", None, &[text.into()]);
    check("t.csv", Some(escaped), &[text.into()]);
}

#[test]
fn mutations_of_jsonl() {
    let lines = "{\"id\": 1, \"prompt\": \"a \\\"b\\\" \\ud83d\\ude00\", \"m/score\": 1.0, \"x\": {\"y\": [null]}}\n\n\
                 {\"id\": \"b\", \"prompt\": null, \"m/score\": NaN, \"cost\": \"0.5\"}\n{\"cost\": true}\n";
    check("t.jsonl", None, &[lines.into()]);
}

fn parquet(version: WriterVersion, compression: Compression) -> Vec<u8> {
    let n = 60;
    let ids: Vec<String> = (0..n).map(|i| format!("id-{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let tasks =
        DictionaryArray::<Int32Type>::from_iter((0..n).map(|i| (i % 7 > 0).then_some("qa")));
    let scores = (0..n).map(|i| (i % 5 > 0).then_some(f64::from(i) / 60.0));
    let costs = Decimal128Array::from_iter((0..n).map(|i| Some(i128::from(i))));
    let vectors = (0..n).map(|i| Some(vec![Some(i as f32), Some(1.0)]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", strings(&ids)),
        ("task", Arc::new(tasks)),
        (
            "prompt",
            strings(&vec!["the same prompt in all rows"; n as usize]),
        ),
        ("m/score", Arc::new(Float64Array::from_iter(scores))),
        (
            "m/tokens",
            Arc::new(Int64Array::from_iter((0..n).map(i64::from))),
        ),
        (
            "m/right",
            Arc::new(BooleanArray::from_iter((0..n).map(|i| Some(i % 2 == 0)))),
        ),
        (
            "cost",
            Arc::new(costs.with_precision_and_scale(18, 7).expect("fits")),
        ),
        (
            "v",
            Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(vectors)),
        ),
    ];
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_writer_version(version)
        .set_max_row_group_row_count(Some(25))
        .build();
    parquet_with(columns, properties)
}

fn parquet_files() -> [Vec<u8>; 3] {
    [
        parquet(WriterVersion::PARQUET_1_0, Compression::UNCOMPRESSED),
        parquet(WriterVersion::PARQUET_1_0, Compression::SNAPPY),
        parquet(
            WriterVersion::PARQUET_2_0,
            Compression::ZSTD(ZstdLevel::default()),
        ),
    ]
}

#[test]
fn mutations_of_parquet() {
    check("t.parquet", None, &parquet_files());
}

#[test]
fn mutations_of_vectors() {
    let folder = Folder::new();
    try_mutations(&parquet_files(), |bytes| {
        let path = folder.write("t.parquet", bytes);
        let read = || -> tables::Result<()> {
            let file = ParquetFile::open_within(&path, Budget::of(BUDGET))?;
            let (mut dim, mut into) = (None, Vec::new());
            for batch in file.batches(&["v"])? {
                let place = Place {
                    path: &path,
                    column: "v",
                    n_before: 0,
                };
                extend_vectors(place, batch?.column(0), &mut dim, &mut into)?;
            }
            Ok(())
        };
        _ = read();
    });
}
