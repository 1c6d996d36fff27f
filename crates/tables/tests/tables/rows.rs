//! Tables that are read some rows at a time and written again with more columns.

use std::{fs, path::Path, sync::Arc};

use ::parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::LogicalType,
    data_type::{ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType},
    file::{
        metadata::KeyValue, properties::WriterProperties, reader::FileReader as _,
        serialized_reader::SerializedFileReader, writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};
use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int8Array, Int64Array, LargeStringArray, ListArray, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray, UInt64Array,
    cast::AsArray as _,
    types::{Float64Type, Int32Type},
};
use arrow_schema::{DataType, Field};
use tables::{Cell, CellType, Kind, NewColumn, Rows, TableWriter};
use test_support::try_mutations;

use super::{Folder, parquet_of, strings, told};

/// Adds the number of each row, from 1, and a list as long as that.
fn copy(from: &Path, to: &Path, rows_per_chunk: usize) -> tables::Result<usize> {
    let mut rows = Rows::open(from, rows_per_chunk)?;
    let new = vec![
        NewColumn::new("n", CellType::Whole),
        NewColumn::new("list", CellType::List(CellType::Single.into())),
    ];
    let pair = [("made-by".to_owned(), "a test".to_owned())];
    let mut writer = TableWriter::create(Vec::new(), to, &rows, new, &pair)?;
    let mut n_rows = 0;
    while let Some(chunk) = rows.next(&|name| (name == "prompt").then_some(Kind::Text))? {
        assert_eq!(chunk.n_before, n_rows);
        assert!(chunk.table.n_rows <= rows_per_chunk);
        let numbers = n_rows + 1..=n_rows + chunk.table.n_rows;
        n_rows += chunk.table.n_rows;
        let list = |n: usize| Cell::List(vec![Cell::Single(0.5); n]);
        writer.write(
            &chunk,
            vec![
                numbers.clone().map(|n| Cell::Whole(n as i64)).collect(),
                numbers.map(list).collect(),
            ],
        )?;
    }
    fs::write(to, writer.finish()?).expect("written");
    Ok(n_rows)
}

/// All rows of a Parquet file.
fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = fs::File::open(path).expect("opened");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("read");
    let reader = reader.build().expect("read");
    reader.map(|batch| batch.expect("read")).collect()
}

fn column(path: &Path, name: &str) -> ArrayRef {
    let all = batches(path);
    assert_eq!(all.len(), 1, "few rows");
    Arc::clone(all[0].column_by_name(name).expect(name))
}

#[test]
fn columns_of_every_type_stay_what_they_are() {
    let list = ListArray::from_iter_primitive::<Float64Type, _, _>([
        Some(vec![Some(0.5), None]),
        None,
        Some(vec![]),
    ]);
    let pairs = StructArray::from(vec![
        (
            Arc::new(Field::new("a", DataType::Int64, true)),
            Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b", DataType::Utf8, true)),
            strings(&["x", "y", "z"]),
        ),
    ]);
    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("u"), None, Some("u")].into_iter().collect();
    let decimal = Decimal128Array::from(vec![Some(12345), None, Some(1)]);
    let times = TimestampMicrosecondArray::from(vec![Some(1_700_000_000_000_000), None, Some(0)]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(UInt64Array::from(vec![u64::MAX, 7, 0]))),
        ("prompt", strings(&["one", "two", "three"])),
        (
            "large",
            Arc::new(LargeStringArray::from(vec![Some("l"), None, Some("")])),
        ),
        (
            "small",
            Arc::new(Int8Array::from(vec![Some(-1), None, Some(1)])),
        ),
        (
            "single",
            Arc::new(Float32Array::from(vec![Some(0.1), None, Some(-0.0)])),
        ),
        (
            "double",
            Arc::new(Float64Array::from(vec![Some(0.1), None, Some(f64::NAN)])),
        ),
        (
            "truth",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "day",
            Arc::new(Date32Array::from(vec![Some(19_000), None, Some(-1)])),
        ),
        ("time", Arc::new(times.with_timezone("Europe/Berlin"))),
        (
            "price",
            Arc::new(decimal.with_precision_and_scale(20, 4).expect("fits")),
        ),
        ("kind", Arc::new(dictionary)),
        ("list", Arc::new(list)),
        ("pair", Arc::new(pairs)),
        ("a.b", strings(&["p", "q", "r"])),
    ];
    let folder = Folder::new();
    let without_list: Vec<(&str, ArrayRef)> = columns
        .iter()
        .filter(|(name, _)| *name != "list")
        .map(|(name, array)| (*name, Arc::clone(array)))
        .collect();
    let from = folder.write("from.parquet", parquet_of(without_list));
    let to = folder.path("to.parquet");
    assert_eq!(copy(&from, &to, 2).expect("copied"), 3);
    let before = &batches(&from)[0];
    for field in before.schema().fields() {
        let after = column(&to, field.name());
        assert_eq!(
            &after,
            before.column_by_name(field.name()).expect("there"),
            "{field}"
        );
        assert_eq!(after.data_type(), field.data_type());
    }
    let numbers = column(&to, "n");
    let numbers = numbers.as_primitive::<arrow_array::types::Int64Type>();
    assert_eq!(numbers.values(), &[1, 2, 3]);
    assert_eq!(column(&to, "list").as_list::<i32>().value_length(2), 3);

    // A list of the table's own, and one that is taken.
    let from = folder.write("from.parquet", parquet_of(columns));
    let error = told(copy(&from, &to, 2).expect_err("taken"));
    assert!(error.contains("has a column `list` already"), "{error}");
}

#[test]
fn what_only_parquet_says_of_a_column_stays() {
    let schema = "message spark_schema {
        required int64 id = 7;
        optional binary log (JSON);
        required fixed_len_byte_array(16) key (UUID);
        optional binary prompt (STRING);
    }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let pair = KeyValue::new("pandas".to_owned(), "{\"a\": 1}".to_owned());
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![pair]));
    let mut bytes = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties.build())).expect("made");
    let mut group = writer.next_row_group().expect("made");
    let mut ids = group.next_column().expect("made").expect("a column");
    ids.typed::<::parquet::data_type::Int64Type>()
        .write_batch(&[1, 2], None, None)
        .expect("written");
    ids.close().expect("closed");
    for (texts, levels) in [
        (vec!["{\"x\": 1}"], [1, 0]),
        (vec![], [0, 0]),
        (vec!["one"], [1, 0]),
    ] {
        let mut column = group.next_column().expect("made").expect("a column");
        match texts.is_empty() {
            true => {
                let keys = [vec![1; 16], vec![2; 16]];
                let keys = keys.map(FixedLenByteArray::from);
                column
                    .typed::<FixedLenByteArrayType>()
                    .write_batch(&keys, None, None)
                    .expect("written");
            }
            false => {
                let texts: Vec<ByteArray> = texts.into_iter().map(ByteArray::from).collect();
                column
                    .typed::<ByteArrayType>()
                    .write_batch(&texts, Some(&levels), None)
                    .expect("written");
            }
        }
        column.close().expect("closed");
    }
    group.close().expect("closed");
    writer.close().expect("closed");
    let folder = Folder::new();
    let (from, to) = (
        folder.write("from.parquet", bytes),
        folder.path("to.parquet"),
    );
    copy(&from, &to, 10).expect("copied");
    let reader = SerializedFileReader::new(fs::File::open(&to).expect("opened")).expect("read");
    let footer = reader.metadata().file_metadata();
    let root = footer.schema();
    assert_eq!(root.name(), "spark_schema");
    let logical = |i: usize| {
        root.get_fields()[i]
            .get_basic_info()
            .logical_type_ref()
            .cloned()
    };
    assert_eq!(root.get_fields()[0].get_basic_info().id(), 7);
    assert_eq!(logical(1), Some(LogicalType::Json));
    assert_eq!(logical(2), Some(LogicalType::Uuid));
    let pairs = footer.key_value_metadata().expect("pairs");
    for (key, value) in [("pandas", "{\"a\": 1}"), ("made-by", "a test")] {
        let found = pairs.iter().find(|pair| pair.key == key).expect(key);
        assert_eq!(found.value.as_deref(), Some(value));
    }
}

#[test]
fn lines_keep_every_byte() {
    let folder = Folder::new();
    let from = folder.write(
        "from.jsonl",
        "\u{feff}{ \"prompt\": \"a\\u00e9\", \"big\": 12345678901234567890123, \"x\": {\"y\": [1.50]} }\r\n\n{}\n  {\"score\": NaN}  ",
    );
    let to = folder.path("to.jsonl");
    for rows_per_chunk in [1, 2, 10] {
        assert_eq!(copy(&from, &to, rows_per_chunk).expect("copied"), 3);
        let text = fs::read_to_string(&to).expect("read");
        let expected = [
            "{ \"prompt\": \"a\\u00e9\", \"big\": 12345678901234567890123, \"x\": {\"y\": [1.50]} ,\"n\":1,\"list\":[0.5]}",
            "{\"n\":2,\"list\":[0.5,0.5]}",
            "{\"score\": NaN,\"n\":3,\"list\":[0.5,0.5,0.5]}",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn lines_become_columns_where_their_values_have_types() {
    let folder = Folder::new();
    let to = folder.path("to.parquet");
    let lines = [
        r#"{"id": 9007199254740993, "prompt": "a", "score": 1}"#,
        r#"{"id": 2, "score": 0.5, "truth": true, "nothing": null}"#,
        r#"{"prompt": "c", "truth": null, "late": "x"}"#,
    ];
    let from = folder.write("from.jsonl", lines.join("\n"));
    assert_eq!(copy(&from, &to, 2).expect("copied"), 3);
    let names: Vec<String> = batches(&to)[0]
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(
        names,
        [
            "id", "prompt", "score", "truth", "nothing", "late", "n", "list"
        ]
    );
    let ids: Int64Array = vec![Some(9_007_199_254_740_993), Some(2), None].into();
    assert_eq!(column(&to, "id").as_ref(), &ids);
    let scores: Float64Array = vec![Some(1.0), Some(0.5), None].into();
    assert_eq!(column(&to, "score").as_ref(), &scores);
    let truths: BooleanArray = vec![None, Some(true), None].into();
    assert_eq!(column(&to, "truth").as_ref(), &truths);
    let nothing: StringArray = vec![None::<&str>; 3].into();
    assert_eq!(column(&to, "nothing").as_ref(), &nothing);

    for (line, part) in [
        ("{\"a\": [1]}", "column `a` of "),
        (
            "{\"a\": [1]}",
            "holds a list in row 1, which a Parquet file cannot pass on as it is; write .jsonl",
        ),
        (
            "{\"a\": 1}\n{\"a\": \"x\"}",
            "holds text beside other values in row 2",
        ),
    ] {
        let from = folder.write("from.jsonl", line);
        let error = told(copy(&from, &to, 2).expect_err(line));
        assert!(error.contains(part), "no `{part}` in {error}");
    }
}

#[test]
fn csv_is_text() {
    let folder = Folder::new();
    let from = folder.write("from.csv", "id,prompt,x\n007,\"a,\"\"b\n\",\n8,\"\",1.50\n");
    let to = folder.path("to.jsonl");
    assert_eq!(copy(&from, &to, 1).expect("copied"), 2);
    let expected = concat!(
        r#"{"id":"007","prompt":"a,\"b\n","x":null,"n":1,"list":[0.5]}"#,
        "\n",
        r#"{"id":"8","prompt":"","x":"1.50","n":2,"list":[0.5,0.5]}"#,
        "\n"
    );
    assert_eq!(fs::read_to_string(&to).expect("read"), expected);
    let to = folder.path("to.parquet");
    assert_eq!(copy(&from, &to, 1).expect("copied"), 2);
    assert_eq!(
        column(&to, "id").as_ref(),
        &StringArray::from(vec!["007", "8"])
    );
    let x: StringArray = vec![None, Some("1.50")].into();
    assert_eq!(column(&to, "x").as_ref(), &x);
}

#[test]
fn parquet_becomes_lines() {
    let list =
        ListArray::from_iter_primitive::<Float64Type, _, _>([Some(vec![Some(0.5), None]), None]);
    let pair = StructArray::from(vec![(
        Arc::new(Field::new("a", DataType::Int64, true)),
        Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef,
    )]);
    let time = TimestampMicrosecondArray::from(vec![Some(1_000_000), None]).with_timezone("UTC");
    let dictionary: DictionaryArray<Int32Type> = vec![Some("u\n"), None].into_iter().collect();
    let folder = Folder::new();
    let from = folder.write(
        "from.parquet",
        parquet_of(vec![
            ("id", Arc::new(UInt64Array::from(vec![u64::MAX, 1]))),
            (
                "single",
                Arc::new(Float32Array::from(vec![Some(0.1), None])),
            ),
            ("double", Arc::new(Float64Array::from(vec![1.0, f64::NAN]))),
            (
                "truth",
                Arc::new(BooleanArray::from(vec![Some(true), None])),
            ),
            ("kind", Arc::new(dictionary)),
            ("time", Arc::new(time)),
            ("lists", Arc::new(list)),
            ("pair", Arc::new(pair)),
        ]),
    );
    let to = folder.path("to.jsonl");
    assert_eq!(copy(&from, &to, 5).expect("copied"), 2);
    let expected = concat!(
        r#"{"id":18446744073709551615,"single":0.1,"double":1.0,"truth":true,"kind":"u\n","time":"1970-01-01T00:00:01Z","#,
        r#""lists":[0.5,null],"pair":{"a":1},"n":1,"list":[0.5]}"#,
        "\n",
        r#"{"id":1,"single":null,"double":null,"truth":null,"kind":null,"time":null,"#,
        r#""lists":null,"pair":{"a":null},"n":2,"list":[0.5,0.5]}"#,
        "\n"
    );
    assert_eq!(fs::read_to_string(&to).expect("read"), expected);
}

#[test]
fn empty_parts_are_passed_on() {
    let folder = Folder::new();
    let no_rows = parquet_of(vec![("prompt", strings(&[]))]);
    for (name, bytes, columns) in [
        ("e.parquet", no_rows, vec!["prompt", "n", "list"]),
        ("e.csv", Vec::new(), vec!["n", "list"]),
        (
            "h.csv",
            b"id,prompt\n".to_vec(),
            vec!["id", "prompt", "n", "list"],
        ),
        ("e.jsonl", b"\n".to_vec(), vec!["n", "list"]),
    ] {
        let from = folder.write(name, bytes);
        let to = folder.path("to.parquet");
        assert_eq!(copy(&from, &to, 5).expect(name), 0);
        let file = fs::File::open(&to).expect("opened");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("read");
        let names = reader
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().as_str());
        assert_eq!(names.collect::<Vec<_>>(), columns, "{name}");
        let to = folder.path("to.jsonl");
        assert_eq!(copy(&from, &to, 5).expect(name), 0);
        assert_eq!(fs::read(&to).expect("read"), b"");
    }
}

#[test]
fn many_rows_are_the_same_in_chunks_of_any_size() {
    let n_rows = 40_000;
    let prompts: Vec<String> = (0..n_rows)
        .map(|n| format!("prompt {n} {}", "x".repeat(n % 50)))
        .collect();
    let prompts: ArrayRef = Arc::new(StringArray::from_iter_values(&prompts));
    let batch = RecordBatch::try_from_iter([("prompt", prompts)]).expect("a batch");
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(7_001))
        .build();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    let folder = Folder::new();
    let from = folder.write("from.parquet", bytes);
    let to = folder.path("to.parquet");
    let mut rows = Rows::open(&from, 999).expect("opened");
    let mut n_read = 0;
    while let Some(chunk) = rows.next(&|_| Some(Kind::Text)).expect("read") {
        for text in &chunk.table.texts["prompt"] {
            let expected = format!("prompt {n_read} ");
            assert!(text.as_ref().expect("text").starts_with(&expected));
            n_read += 1;
        }
    }
    assert_eq!(n_read, n_rows);
    // Rows of these lists are as long as their number: the first thousand are enough.
    let head = batch.slice(0, 1000);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, head.schema(), None).expect("a writer");
    writer.write(&head).expect("written");
    writer.close().expect("written");
    let from = folder.write("from.parquet", bytes);
    let copies = [1, 64, 5000].map(|rows_per_chunk| {
        copy(&from, &to, rows_per_chunk).expect("copied");
        fs::read(&to).expect("read")
    });
    assert!(
        copies[0] == copies[1] && copies[1] == copies[2],
        "the bytes differ"
    );
}

#[test]
fn what_cannot_be_read_or_written_is_refused() {
    let folder = Folder::new();
    let from = folder.write("from.jsonl", "{\"prompt\": \"a\"}\n");
    for name in ["to.csv", "to.txt", "to", "to.jsonl.gz"] {
        let error = told(copy(&from, &folder.path(name), 1).expect_err(name));
        assert!(
            error.contains("not one of .jsonl, .parquet, which can be written"),
            "{error}"
        );
    }
    let to = folder.path("to.jsonl");
    folder.write("parts/a.jsonl", "{}");
    let error = told(copy(&folder.path("parts"), &to, 1).expect_err("a folder"));
    assert!(
        error.contains("is a folder; give the files in it one by one"),
        "{error}"
    );
    let taken = folder.write("taken.jsonl", "{\"a\": 1}\n{\"n\": 1}\n");
    let error = told(copy(&taken, &to, 1).expect_err("taken"));
    assert!(error.contains("has a column `n` already"), "{error}");
    let endless = folder.write("endless.jsonl", vec![b' '; 65 << 20]);
    let error = told(copy(&endless, &to, 1).expect_err("a line of 65 MiB"));
    assert!(error.contains("row 1 would take 67108865 bytes"), "{error}");
    let open = folder.write(
        "open.csv",
        [b"prompt\n\"".to_vec(), vec![b'a'; 65 << 20]].concat(),
    );
    let error = told(copy(&open, &to, 1).expect_err("a quote that is never closed"));
    assert!(error.contains("row 1 would take "), "{error}");
}

#[test]
fn mutations_of_tables_are_copied_or_refused() {
    let folder = Folder::new();
    let files = [
        (
            "m.jsonl",
            b"{\"prompt\": \"a\", \"x\": [1, {\"y\": null}]}\n{\"prompt\": 1.5}\n".to_vec(),
        ),
        ("m.csv", b"id,prompt\n1,\"a\"\"b\"\n2,c\n".to_vec()),
        (
            "m.parquet",
            parquet_of(vec![("prompt", strings(&["one", "two"]))]),
        ),
    ];
    for (name, bytes) in files {
        try_mutations(&[bytes], |bytes| {
            let from = folder.write(name, bytes);
            for to in ["to.jsonl", "to.parquet"] {
                _ = copy(&from, &folder.path(to), 1);
            }
        });
    }
}
