use std::io::Write as _;

use proptest::prelude::*;
use tables::Format;

use super::{Folder, numbers, read, read_as, refused, some, texts, told};

const SPARK: Option<Format> = Some(Format::Csv {
    delimiter: b',',
    escape: Some(b'\\'),
});

#[test]
fn tables_of_many_programs_are_read() {
    let folder = Folder::new();
    let expected = [Some("a, \"b\"\nc"), Some("5\" pipe")];
    for (program, text) in [
        (
            "rfc",
            "id,prompt,score\n1,\"a, \"\"b\"\"\nc\",1\n2,5\" pipe,0\n",
        ),
        // Windows line breaks, a byte order mark, and an end without a line break.
        (
            "windows",
            "\u{feff}id,prompt,score\r\n1,\"a, \"\"b\"\"\nc\",True\r\n2,5\" pipe,False",
        ),
        (
            "marked-and-quoted",
            "\u{feff}\"id\",\"prompt\",\"score\"\n\"1\",\"a, \"\"b\"\"\nc\",1.0\n2,5\" pipe,0\n",
        ),
        (
            "blank-lines",
            "\n\nid,prompt,score\n\n1,\"a, \"\"b\"\"\nc\",1\n   \n2,5\" pipe,0\n\n",
        ),
        (
            "excel",
            "id,prompt,score,,\r\n1,\"a, \"\"b\"\"\nc\",1,,\r\n2,5\" pipe,0,,\r\n",
        ),
        (
            "excel-cleared-rows",
            "id,prompt,score,,\r\n1,\"a, \"\"b\"\"\nc\",1,,\r\n,,,,\r\n2,5\" pipe,0,,\r\n,,,,\r\n, ,,,\r\n",
        ),
        (
            "pandas",
            ",id,prompt,score\n0,1,\"a, \"\"b\"\"\nc\",true\n7,2,5\" pipe,false\n",
        ),
        (
            "by hand",
            " id , prompt,score \n1,\"a, \"\"b\"\"\nc\", 1 \n2,5\" pipe, 0\n",
        ),
        (
            "old Mac",
            "id,prompt,score\r1,\"a, \"\"b\"\"\nc\",1\r2,5\" pipe,0\r",
        ),
    ] {
        let table = read(&folder.write("t.csv", text)).expect(program);
        assert_eq!(table.names, ["id", "prompt", "score"], "{program}");
        assert_eq!(table.n_rows, 2, "{program}");
        assert_eq!(texts(&table, "id"), some(&["1", "2"]), "{program}");
        assert_eq!(
            texts(&table, "prompt"),
            expected.map(|text| text.map(str::to_owned)),
            "{program}"
        );
        assert_eq!(
            numbers(&table, "score"),
            [Some(1.0), Some(0.0)],
            "{program}"
        );
    }
}

#[test]
fn nothing_is_null_and_two_quotes_are_an_empty_text() {
    let folder = Folder::new();
    let path = folder.write("t.csv", "id,prompt,score\n1,,\n2,\"\",NA\n3,NA,\"\"\n");
    let table = read(&path).expect("read");
    assert_eq!(
        texts(&table, "prompt"),
        [None, Some(String::new()), Some("NA".to_owned())]
    );
    assert_eq!(numbers(&table, "score"), [None; 3]);
    let empty = read(&folder.write("e.csv", "")).expect("read");
    assert_eq!((empty.n_rows, empty.names.len()), (0, 0));
}

#[test]
fn separators_and_escapes_are_read_where_they_are_named() {
    let folder = Folder::new();
    let table = read(&folder.write("t.tsv", "id\tprompt\n1\ta,b\n")).expect("tabs");
    assert_eq!(texts(&table, "prompt"), some(&["a,b"]));
    let semicolons = Some(Format::Csv {
        delimiter: b';',
        escape: None,
    });
    for text in ["id;prompt\n1;a,b\n", "sep=;\r\nid;prompt\r\n1;a,b\r\n"] {
        let table = read_as(&folder.write("s.csv", text), semicolons).expect("semicolons");
        assert_eq!(texts(&table, "prompt"), some(&["a,b"]));
    }
    // A backslash before anything but a quote or a backslash is one; MySQL writes one before a line break too.
    let text = r#"id,prompt
1,"say \"hi\", or \\n"
2,"a\nb \d+ ""c"""
3,C:\\dir
4,"x\
y"
5,\N
"#;
    let table = read_as(&folder.write("spark.csv", text), SPARK).expect("escapes");
    let expected = [
        "say \"hi\", or \\n",
        "a\\nb \\d+ \"c\"",
        "C:\\\\dir",
        "x\ny",
    ];
    let prompts = texts(&table, "prompt");
    assert_eq!((&prompts[..4], &prompts[4]), (&some(&expected)[..], &None));
    // Without the escape, what RFC 4180 allows keeps its backslashes.
    let table = read(&folder.write(
        "p.csv",
        "id,prompt\n1,\"print(\\\"\"a\\\"\")\"\n2,\"C:\\\"\n",
    ));
    assert_eq!(
        texts(&table.expect("valid"), "prompt"),
        some(&["print(\\\"a\\\")", "C:\\"])
    );
}

#[test]
fn what_would_be_misread_is_refused_with_its_place() {
    let folder = Folder::new();
    for (text, expected) in [
        // The prompt is the last column, so that the file without rows 2 and 3 would look right.
        ("id,prompt\n1,a\n2,\"Who\n3,c\n", "in row 2 (line 3) of"),
        ("id,prompt\n1,a\n2,\"Who\n3,c\n", "never closed"),
        ("id,\"prompt\n1,a\n", "in the header (line 1) of"),
        ("id,prompt\n1,\"Who\n2,\"What\"\n", "in row 1 (line 2) of"),
        ("id,prompt\n1,\"a\" b\n", "goes on behind the closing one"),
        (
            "id,prompt\n1,\"say \\\"hi\\\" there\"\n",
            "quotes seem to be written as `\\\"`",
        ),
        (
            "id,prompt\n1,\"say \\\"hi\\\"\"\n",
            "quotes seem to be written as `\\\"`",
        ),
        (
            "id,prompt\n1,\"a \\\",\\\" b\"\n",
            "quotes seem to be written as `\\\"`",
        ),
        (
            "id,prompt\n1,\"a 6\\\"\"\n",
            "quotes seem to be written as `\\\"`",
        ),
        // Python, which doubles the backslashes too.
        ("id,prompt\n1,a\n2,say \\\"hi\\\"\n", "in row 2 (line 3) of"),
        (
            "id,prompt\n1,say \\\"hi\\\"\n",
            "write it with `doublequote=True`",
        ),
        ("id,prompt,score\n1,x\n", "row 1 of"),
        ("id,prompt,score\n1,x\n", "has 2 fields, the header has 3"),
        (
            "id;prompt;score\n1;x;1\n",
            "is the one field `id;prompt;score`: fields seem to be separated by `;`, not by `,`",
        ),
        ("id\tprompt\n1\tx\n", "fields seem to be separated by `\\t`"),
        ("id,prompt,id\n1,x,2\n", "duplicate column `id`"),
        ("id,prompt,\n1,x,\n2,y,note\n", "column 3 of"),
        ("id,prompt,\n1,x,\n2,y,note\n", "holds `note` in row 2"),
        ("id,score\n1,0,5\n", "has 3 fields"),
        (
            "id,score\n1,\"0,5\"\n",
            "expected a number, with a decimal point",
        ),
        ("id,score\n1,Infinity\n", "column `score` of"),
        (
            "id,score\n1,-inf\n",
            "is -inf in row 1, expected a finite number",
        ),
    ] {
        let message = refused(&folder.write("t.csv", text));
        assert!(message.contains(expected), "{text:?}: {message}");
    }
    for (bytes, expected) in [
        (
            &b"id,prompt\n1,caf\xe9\n"[..],
            "is not UTF-8: row 1 holds the byte 0xe9",
        ),
        (
            b"id,caf\xe9\n1,x\n",
            "is not UTF-8: the header holds the byte 0xe9",
        ),
        (b"\xff\xfei\0d\0,\0p\0", "is in UTF-16"),
        (b"i\0d\0,\0p\0r\0o\0m\0p\0t\0\n\0", "is in UTF-16"),
        (b"\0i\0d\0,\0p\0r\0o\0m\0p\0t\0\n", "is in UTF-16"),
        (b"PAR1\x15\0\x15", "is a Parquet file"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "Git LFS pointer",
        ),
        (b"<!DOCTYPE html>\n", "a web page"),
        (b"\x1f\x8b\x08\0", "compressed by gzip"),
        (b"PK\x03\x04", "a ZIP archive (an Excel sheet"),
    ] {
        let message = refused(&folder.write("t.csv", bytes));
        assert!(message.contains(expected), "{bytes:?}: {message}");
    }
    let none = told(read(&folder.path("none.csv")).expect_err("missing"));
    assert!(
        none.starts_with("cannot read `") && none.contains("No such file"),
        "{none}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// What the csv crate writes is read as it was, however it quotes.
    #[test]
    fn what_the_csv_crate_writes_is_read(
        rows in prop::collection::vec(("[a-z\",;\n\r\\\\ é]{0,12}", "[a-z\",\n ]{1,12}"), 0..20),
        quote_all in any::<bool>(),
    ) {
        let style = if quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
        writer.write_record(["id", "prompt", "task"]).expect("written");
        for (i, (prompt, task)) in rows.iter().enumerate() {
            writer.write_record([&i.to_string(), prompt, task]).expect("written");
        }
        writer.flush().expect("written");
        let folder = Folder::new();
        let path = folder.write("t.csv", b"");
        let bytes = writer.into_inner().expect("written");
        std::fs::File::create(&path).expect("created").write_all(&bytes).expect("written");
        let table = read(&path).expect("read");
        prop_assert_eq!(table.n_rows, rows.len());
        for (i, (prompt, task)) in rows.iter().enumerate() {
            let read = |column: &str| table.texts[column][i].clone().unwrap_or_default();
            prop_assert_eq!(&read("prompt"), prompt);
            prop_assert_eq!(&read("task"), task);
        }
    }
}
