use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};

use super::{Folder, numbers, parquet_of, read, refused, some, strings, texts};

fn part(ids: &[&str]) -> Vec<u8> {
    let scores: ArrayRef = Arc::new(Float64Array::from(vec![1.0; ids.len()]));
    parquet_of(vec![("id", strings(ids)), ("score", scores)])
}

#[test]
fn part_files_are_read_in_the_order_of_their_paths() {
    let folder = Folder::new();
    // Spark.
    folder.write("s.parquet/part-00001-x.snappy.parquet", part(&["c"]));
    folder.write("s.parquet/part-00000-x.snappy.parquet", part(&["a", "b"]));
    folder.write("s.parquet/_SUCCESS", "");
    folder.write("s.parquet/._SUCCESS.crc", "crc");
    folder.write("s.parquet/.part-00000-x.snappy.parquet.crc", "crc");
    folder.write("s.parquet/_temporary/0/part-00000.parquet", part(&["z"]));
    let table = read(&folder.path("s.parquet")).expect("read");
    assert_eq!(texts(&table, "id"), some(&["a", "b", "c"]));
    assert_eq!(numbers(&table, "score"), [Some(1.0); 3]);
    // Athena: no extensions anywhere.
    folder.write("athena/2026_0000", part(&["a"]));
    let format = Some(tables::Format::Parquet);
    let table = super::read_as(&folder.path("athena"), format).expect("read");
    assert_eq!(table.n_rows, 1);
    // CSV parts have a header each; JSON lines lack what is null.
    folder.write("c/part-0.csv", "id,score\n1,0\n");
    folder.write("c/part-1.csv", "score,id\n1,2\n");
    folder.write("c/part-2.csv", "");
    let table = read(&folder.path("c")).expect("read");
    assert_eq!(texts(&table, "id"), some(&["1", "2"]));
    folder.write("j.json/part-0.json", "{\"id\": 1}\n");
    folder.write("j.json/part-1.json", "{\"id\": 2, \"score\": 1}\n");
    folder.write("j.json/part-2.json", "");
    let table = read(&folder.path("j.json")).expect("read");
    assert_eq!(numbers(&table, "score"), [None, Some(1.0)]);
}

#[test]
fn the_names_of_folders_are_columns() {
    let folder = Folder::new();
    folder.write("h/task=qa/m%2Fscore=1/0.parquet", part(&["a"]));
    folder.write("h/task=a%20b/m%2Fscore=0.5/0.parquet", part(&["b"]));
    folder.write(
        "h/task=__HIVE_DEFAULT_PARTITION__/m%2Fscore=0/0.parquet",
        part(&["c"]),
    );
    let table = read(&folder.path("h")).expect("read");
    assert_eq!(
        texts(&table, "id"),
        [Some("c"), Some("b"), Some("a")].map(|id| id.map(str::to_owned))
    );
    assert_eq!(
        texts(&table, "task"),
        [None, Some("a b".to_owned()), Some("qa".to_owned())]
    );
    assert_eq!(
        numbers(&table, "m/score"),
        [Some(0.0), Some(0.5), Some(1.0)]
    );
}

#[test]
fn folders_that_are_no_table_are_refused() {
    let folder = Folder::new();
    folder.write("empty/_SUCCESS", "");
    assert!(refused(&folder.path("empty")).contains("is not one of .csv"));
    folder.write("e.parquet/_SUCCESS", "");
    assert!(refused(&folder.path("e.parquet")).contains("holds no Parquet files"));
    folder.write("mixed/0.parquet", part(&["a"]));
    folder.write("mixed/README.md", "notes");
    let message = refused(&folder.path("mixed"));
    assert!(
        message.contains("README.md") && message.contains("move it elsewhere"),
        "{message}"
    );

    folder.write("schema/0.parquet", part(&["a"]));
    folder.write(
        "schema/1.parquet",
        parquet_of(vec![("id", strings(&["b"]))]),
    );
    let message = refused(&folder.path("schema"));
    assert!(
        message.contains("1.parquet` has no column `score`, which"),
        "{message}"
    );
    folder.write("more/0.parquet", parquet_of(vec![("id", strings(&["b"]))]));
    folder.write("more/1.parquet", part(&["a"]));
    let message = refused(&folder.path("more"));
    assert!(
        message.contains("0.parquet` has no column `score`, which"),
        "{message}"
    );
    folder.write("types/0.parquet", parquet_of(vec![("id", strings(&["b"]))]));
    let whole: ArrayRef = Arc::new(Int64Array::from(vec![7]));
    folder.write("types/1.parquet", parquet_of(vec![("id", whole)]));
    let message = refused(&folder.path("types"));
    assert!(
        message.contains("column `id` is text in") && message.contains("1.parquet`"),
        "{message}"
    );

    #[cfg(unix)]
    {
        folder.write("linked/0.parquet", part(&["a"]));
        std::os::unix::fs::symlink(folder.path("linked"), folder.path("linked/loop"))
            .expect("linked");
        let message = refused(&folder.path("linked"));
        assert!(message.contains("loop` is a folder"), "{message}");
    }

    // A part that is broken is named.
    folder.write("cut/0.parquet", part(&["a"]));
    let bytes = part(&["b"]);
    folder.write("cut/1.parquet", &bytes[..bytes.len() / 2]);
    let message = refused(&folder.path("cut"));
    assert!(
        message.contains("1.parquet` as Parquet: it does not end with `PAR1`"),
        "{message}"
    );
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_before_it_is_opened() {
    let folder = Folder::new();
    let path = folder.path("t.csv");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    let message = refused(&path);
    assert!(
        message.contains("is a pipe or a device") && message.contains("write it to a file"),
        "{message}"
    );
    assert!(refused(std::path::Path::new("/dev/null")).contains("is a pipe or a device"));
}

/// What was deleted or replaced lies on among the part files of these.
#[test]
fn tables_with_versions_are_refused() {
    let folder = Folder::new();
    for (name, history) in [
        ("delta", "_delta_log/00000000000000000001.json"),
        ("hudi", ".hoodie/hoodie.properties"),
    ] {
        folder.write(&format!("{name}/part-0.parquet"), part(&["a"]));
        folder.write(&format!("{name}/{history}"), "{}");
        let error = tables::Files::find(&folder.path(name), None).expect_err(name);
        assert!(
            matches!(&error, tables::Error::Versioned { path, .. } if *path == folder.path(name)),
            "{error}"
        );
    }
}
