use std::sync::Arc;

use ::parquet::{
    basic::{Compression, GzipLevel, ZstdLevel},
    file::properties::{WriterProperties, WriterVersion},
};
use arrow_array::{
    Array as _, ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal32Array, Decimal64Array,
    Decimal128Array, Decimal256Array, DictionaryArray, FixedSizeBinaryArray, Float16Array,
    Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array, LargeStringArray,
    NullArray, StringArray, StringViewArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array,
    types::Int32Type,
};
use arrow_buffer::i256;
use half::f16;
use tables::{Files, ParquetFile, Table};
use untrusted_files::Budget;

use super::{
    Folder, kind, numbers, parquet_of, parquet_with, read, refused, some, strings, texts, told,
};

#[test]
fn every_type_of_number_is_read() {
    let decimal = |array: ArrayRef| array;
    let arrays: Vec<(ArrayRef, f64)> = vec![
        (Arc::new(Int8Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(Int16Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(Int32Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(Int64Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(UInt8Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(UInt16Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(UInt32Array::from(vec![Some(1), None])), 1.0),
        (Arc::new(UInt64Array::from(vec![Some(1), None])), 1.0),
        (
            Arc::new(Float16Array::from(vec![Some(f16::from_f32(0.5)), None])),
            0.5,
        ),
        (Arc::new(Float32Array::from(vec![Some(0.5), None])), 0.5),
        (
            Arc::new(Float64Array::from(vec![Some(0.1), Some(f64::NAN)])),
            0.1,
        ),
        (Arc::new(BooleanArray::from(vec![Some(true), None])), 1.0),
        (
            decimal(Arc::new(
                Decimal32Array::from(vec![Some(275), None])
                    .with_precision_and_scale(9, 7)
                    .expect("fits"),
            )),
            0.0000275,
        ),
        (
            decimal(Arc::new(
                Decimal64Array::from(vec![Some(275), None])
                    .with_precision_and_scale(18, 7)
                    .expect("fits"),
            )),
            0.0000275,
        ),
        (
            decimal(Arc::new(
                Decimal128Array::from(vec![Some(-275), None])
                    .with_precision_and_scale(38, 7)
                    .expect("fits"),
            )),
            -0.0000275,
        ),
        (
            decimal(Arc::new(
                Decimal256Array::from(vec![Some(i256::from_i128(3)), None])
                    .with_precision_and_scale(60, 1)
                    .expect("fits"),
            )),
            0.3,
        ),
    ];
    let folder = Folder::new();
    for (array, expected) in arrays {
        let ty = array.data_type().to_string();
        let table = read(&folder.write("t.parquet", parquet_of(vec![("score", array)])));
        assert_eq!(
            numbers(&table.expect(&ty), "score"),
            [Some(expected), None],
            "{ty}"
        );
    }
    let nulls: ArrayRef = Arc::new(NullArray::new(2));
    let table = read(&folder.write("t.parquet", parquet_of(vec![("score", nulls)]))).expect("read");
    assert_eq!(numbers(&table, "score"), [None, None]);
}

#[test]
fn every_type_of_text_is_read() {
    let uuid = (0..16).map(|byte| byte * 17).collect::<Vec<u8>>();
    let uuids = FixedSizeBinaryArray::try_from_iter([uuid.clone(), uuid].into_iter())
        .expect("16 bytes each");
    let arrays: Vec<(ArrayRef, [Option<&str>; 2])> = vec![
        (
            Arc::new(StringArray::from(vec![Some("é"), None])),
            [Some("é"), None],
        ),
        (
            Arc::new(LargeStringArray::from(vec![Some("é"), Some("")])),
            [Some("é"), Some("")],
        ),
        (
            Arc::new(StringViewArray::from(vec![
                Some("longer than twelve bytes"),
                None,
            ])),
            [Some("longer than twelve bytes"), None],
        ),
        (
            Arc::new(BinaryArray::from(vec![Some("é".as_bytes()), None])),
            [Some("é"), None],
        ),
        (
            Arc::new(DictionaryArray::<Int32Type>::from_iter([Some("a"), None])),
            [Some("a"), None],
        ),
        (
            Arc::new(DictionaryArray::<Int32Type>::from_iter([
                None::<&str>,
                None,
            ])),
            [None, None],
        ),
        (
            Arc::new(Int64Array::from(vec![Some(-7), None])),
            [Some("-7"), None],
        ),
        (
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])),
            [Some("18446744073709551615"), None],
        ),
        (
            Arc::new(
                Decimal128Array::from(vec![Some(12), None])
                    .with_precision_and_scale(38, 0)
                    .expect("fits"),
            ),
            [Some("12"), None],
        ),
        (
            Arc::new(uuids),
            [Some("00112233-4455-6677-8899-aabbccddeeff"); 2],
        ),
        (Arc::new(NullArray::new(2)), [None, None]),
    ];
    let folder = Folder::new();
    for (array, expected) in arrays {
        let ty = array.data_type().to_string();
        let table = read(&folder.write("t.parquet", parquet_of(vec![("prompt", array)])));
        let expected = expected.map(|text| text.map(str::to_owned));
        assert_eq!(texts(&table.expect(&ty), "prompt"), expected, "{ty}");
    }
}

#[test]
fn other_types_are_refused_by_name() {
    let folder = Folder::new();
    let dates: ArrayRef = Arc::new(Date32Array::from(vec![1]));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let infinite: ArrayRef = Arc::new(Float64Array::from(vec![0.0, f64::INFINITY]));
    for (column, array, expected) in [
        ("id", dates.clone(), "column `id` of"),
        (
            "id",
            dates.clone(),
            "is `Date32`, expected text or whole numbers",
        ),
        ("id", floats, "is `Float64`, expected text"),
        ("score", dates, "is `Date32`, expected numbers"),
        ("score", strings(&["1"]), "expected numbers"),
        (
            "score",
            infinite,
            "is inf in row 2, expected a finite number",
        ),
        (
            "prompt",
            Arc::new(BinaryArray::from(vec![&b"\xff"[..]])),
            "bytes that are no UTF-8 in row 1",
        ),
    ] {
        let message = refused(&folder.write("t.parquet", parquet_of(vec![(column, array)])));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn every_compression_and_version_is_read_and_columns_with_dots() {
    let folder = Folder::new();
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_writer_version(version)
                .set_max_row_group_row_count(Some(2))
                .build();
            let scores: ArrayRef = Arc::new(Float64Array::from(vec![0.0, 0.5, 1.0]));
            let columns = vec![("id", strings(&["a", "b", "c"])), ("gpt-4.1/score", scores)];
            let table =
                read(&folder.write("t.parquet", parquet_with(columns, properties))).expect("read");
            assert_eq!(texts(&table, "id"), some(&["a", "b", "c"]));
            assert_eq!(
                numbers(&table, "gpt-4.1/score"),
                [Some(0.0), Some(0.5), Some(1.0)]
            );
        }
    }
}

/// A file in which the footer's number of rows is another one. In the compact protocol field 3 of the footer is `0x16` and a zigzag number.
fn with_rows(bytes: &[u8], from: i64, to: i64, everywhere: bool) -> Vec<u8> {
    let number = |n: i64| {
        let mut zigzag = ((n << 1) ^ (n >> 63)) as u64;
        let mut bytes = vec![];
        loop {
            let low = (zigzag & 0x7f) as u8;
            zigzag >>= 7;
            if zigzag == 0 {
                bytes.push(low);
                return bytes;
            }
            bytes.push(low | 0x80);
        }
    };
    let end = bytes.len() - 8;
    let start =
        end - u32::from_le_bytes(bytes[end..end + 4].try_into().expect("four bytes")) as usize;
    let (old, new) = (
        [&[0x16][..], &number(from)].concat(),
        [&[0x16][..], &number(to)].concat(),
    );
    let mut footer = bytes[start..end].to_vec();
    let mut at = 0;
    let mut n_found = 0;
    while at + old.len() <= footer.len() {
        if footer[at..].starts_with(&old) {
            footer.splice(at..at + old.len(), new.iter().copied());
            at += new.len();
            n_found += 1;
            if !everywhere {
                break;
            }
        } else {
            at += 1;
        }
    }
    assert!(n_found > 0, "the footer says {from} somewhere");
    let len = u32::try_from(footer.len()).expect("small").to_le_bytes();
    [&bytes[..start], &footer, &len, b"PAR1"].concat()
}

#[test]
fn a_footer_that_lies_about_its_rows_is_refused() {
    let folder = Folder::new();
    let ids: Vec<String> = (0..150).map(|i| format!("id-{i}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let bytes = parquet_of(vec![("id", strings(&ids))]);
    for everywhere in [false, true] {
        for rows in [-1, 0, 100, 151, 1 << 32, i64::MAX, i64::MIN] {
            let path = folder.write("t.parquet", with_rows(&bytes, 150, rows, everywhere));
            let message = refused(&path);
            assert!(message.contains("t.parquet"), "{message}");
            assert!(
                message.contains("is damaged")
                    || message.contains("as Parquet")
                    || message.contains("is too large"),
                "{rows}: {message}"
            );
        }
    }
    let same = folder.write("t.parquet", with_rows(&bytes, 150, 150, true));
    assert_eq!(read(&same).expect("unchanged").n_rows, 150);
}

#[test]
fn small_files_that_hold_much_are_refused_before_memory_is_taken() {
    const BUDGET: u64 = 64 << 20;
    let folder = Folder::new();
    // One text of a megabyte in a thousand rows, kept once in the file.
    let long = "x".repeat(1 << 20);
    let texts: ArrayRef = Arc::new(StringArray::from(vec![long.as_str(); 1000]));
    // Ten million zeros.
    let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0; 10_000_000]));
    let dictionary = DictionaryArray::<Int32Type>::from_iter(vec![long.as_str(); 1000]);
    let truths: ArrayRef = Arc::new(BooleanArray::from(vec![true; 10_000_000]));
    for (column, array) in [
        ("prompt", texts),
        ("task", Arc::new(dictionary)),
        ("score", zeros),
        ("cost", truths),
    ] {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_dictionary_page_size_limit(8 << 20)
            .build();
        let bytes = parquet_with(vec![(column, array)], properties);
        assert!(bytes.len() < 200_000, "{column}: {} bytes", bytes.len());
        let files = Files::find(&folder.write("t.parquet", bytes), None).expect("found");
        let refused = Table::read_within(&files, &kind, Budget::of(BUDGET));
        let message = told(refused.expect_err(column));
        assert!(message.contains("t.parquet` is too large: "), "{message}");
        assert!(message.contains("CARROT_MEMORY_BUDGET"), "{message}");
    }
    // Each line has a key of its own, and each key is a column of all rows.
    let lines: String = (0..5000)
        .map(|i| format!("{{\"m{i}/score\": 1}}\n"))
        .collect();
    let files = Files::find(&folder.write("t.jsonl", lines), None).expect("found");
    let refused = Table::read_within(&files, &kind, Budget::of(BUDGET));
    let message = told(refused.expect_err("too many columns"));
    assert!(message.contains("is too large"), "{message}");
    let text = format!("id\n{}\n", "x".repeat(1000));
    for name in ["t.csv", "t.jsonl"] {
        let files = Files::find(&folder.write(name, &text), None).expect("found");
        let refused = Table::read_within(&files, &kind, Budget::of(900));
        assert!(told(refused.expect_err(name)).contains("is too large"));
    }
}

#[test]
fn a_compression_without_bounds_is_refused_by_name() {
    let folder = Folder::new();
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(::parquet::file::properties::EnabledStatistics::None)
        .build();
    let mut bytes = parquet_with(vec![("id", strings(&["a"]))], properties);
    // In a column's metadata, field 4 is the codec, behind the path: `id`.
    let path = [0x19, 0x18, 2, b'i', b'd', 0x15, 0];
    let at = bytes.windows(path.len()).position(|window| window == path);
    let codec = at.expect("a column's metadata") + path.len() - 1;
    for (number, name) in [(8, "BROTLI"), (6, "LZO")] {
        bytes[codec] = number;
        let message = refused(&folder.write("t.parquet", &bytes));
        assert!(
            message.contains(&format!("is compressed by {name}")),
            "{message}"
        );
    }
}

#[test]
fn other_files_under_the_name_are_named() {
    let folder = Folder::new();
    let whole = parquet_of(vec![("id", strings(&["a"]))]);
    let mut hollow = whole.clone();
    let n = hollow.len();
    hollow[n - 8..n - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    for (bytes, expected) in [
        (
            &b"id,prompt\n1,x\n"[..],
            "as Parquet: it does not begin with `PAR1`",
        ),
        (b"", "as Parquet: it does not begin"),
        (
            &whole[..whole.len() - 10],
            "its end is missing; it may have been copied or downloaded in part",
        ),
        (&hollow, "as Parquet"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "Git LFS pointer",
        ),
        (b"<html><body>404</body></html>", "a web page"),
        (b"\x1f\x8b\x08", "compressed by gzip"),
    ] {
        let message = refused(&folder.write("t.parquet", bytes));
        assert!(message.contains(expected), "{message}");
    }
    let path = folder.write("t.parquet", &whole);
    let file = ParquetFile::open(&path).expect("whole");
    assert_eq!((file.n_rows(), file.path()), (1, path.as_path()));
    assert_eq!(file.key_value("none"), None);
    let message = told(file.batches(&["prompt"]).err().expect("no such column"));
    assert!(message.contains("has no column `prompt`"), "{message}");
    // A name that tells nothing is no hindrance to what is plainly Parquet.
    assert_eq!(
        read(&folder.write("table.data", &whole))
            .expect("read")
            .n_rows,
        1
    );
    assert!(refused(&folder.write("table.txt", "id\n1\n")).contains("is not one of .csv, .tsv"));
}
