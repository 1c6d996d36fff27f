use super::{Folder, numbers, read, refused, some, texts};

#[test]
fn lines_of_many_programs_are_read() {
    let folder = Folder::new();
    for (program, text) in [
        (
            "plain",
            "{\"id\": \"1\", \"score\": 1}\n{\"id\": \"2\", \"score\": null}\n",
        ),
        (
            "blank lines",
            "\n{\"id\": \"1\", \"score\": 1}\n\n  \n{\"id\": \"2\"}\n\n",
        ),
        (
            "marked",
            "\u{feff}{\"id\": 1, \"score\": true}\r\n{\"id\": 2, \"score\": null}\r\n",
        ),
        (
            "Python",
            "{\"id\": 1, \"score\": 1.0, \"x\": -Infinity}\n{\"id\": 2, \"score\": NaN}\n",
        ),
        (
            "BigQuery",
            "{\"id\": \"1\", \"score\": \"1\"}\n{\"id\": \"2\", \"score\": \"\"}",
        ),
        (
            "others' columns",
            "{\"id\": 1, \"score\": 1, \"x\": {\"y\": [1]}}\n{\"id\": 2, \"x\": \"\\ud83d\"}\n",
        ),
    ] {
        let table = read(&folder.write("t.jsonl", text)).expect(program);
        assert_eq!(texts(&table, "id"), some(&["1", "2"]), "{program}");
        assert_eq!(numbers(&table, "score"), [Some(1.0), None], "{program}");
    }
    let text = "{\"id\": 1}\n{\"id\": 2, \"prompt\": \"\", \"cost\": 2}\n{\"cost\": 3}\n";
    let table = read(&folder.write("t.ndjson", text)).expect("read");
    assert_eq!(table.names, ["id", "prompt", "cost"]);
    assert_eq!(texts(&table, "prompt"), [None, Some(String::new()), None]);
    assert_eq!(numbers(&table, "cost"), [None, Some(2.0), Some(3.0)]);
    assert_eq!(table.texts["id"][2], None);
}

#[test]
fn what_would_be_misread_is_refused_with_its_place() {
    let folder = Folder::new();
    for (text, expected) in [
        (
            "{\"id\": 1}\n\n{\"prompt\": \"a \\ud83d\"}\n",
            "column `prompt` of",
        ),
        (
            "{\"id\": 1}\n\n{\"prompt\": \"a \\ud83d\"}\n",
            "half of a surrogate pair, `\\ud83d`, in row 2",
        ),
        (
            "{\"prompt\": \"\\ude00\\ud83d\", \"id\": 1}\n",
            "`\\ude00`, in row 1",
        ),
        (
            "{\"id\": 1, \"score\": Infinity}\n",
            "is Infinity in row 1, expected a finite number",
        ),
        ("{\"id\": 1, \"score\": 1e999}\n", "row 1"),
        ("{\"id\": 1, \"score\": [1]}\n", "column `score` of"),
        (
            "{\"id\": 1, \"prompt\": {\"text\": \"x\"}}\n",
            "is `{\"text\":\"x\"}` in row 1, expected text",
        ),
        (
            "{\"id\": 1.5}\n",
            "is `1.5` in row 1, expected text or a whole number",
        ),
        ("{\"id\": true}\n", "is `true` in row 1, expected text"),
        (
            "{\"score\": \"good\"}\n",
            "is `good` in row 1, expected a number",
        ),
        ("{\"id\": 1, \"id\": 2}\n", "duplicate key `id`"),
        ("{\"x\": 1, \"x\": 2}\n", "duplicate key `x`"),
        ("{\"id\": 1}\n[1]\n", "cannot read row 2 of"),
        ("{\"id\": 1} {\"id\": 2}\n", "cannot read row 1 of"),
        (
            "{\"id\": 1, \"prompt\": \"cut",
            "as a JSON object: column `prompt`",
        ),
        (
            "[{\"id\": 1}, {\"id\": 2}]\n",
            "is a JSON array, and not one JSON object a line; `jq -c '.[]'` makes lines of it",
        ),
        ("[\n  {\"id\": 1}\n]\n", "is a JSON array"),
        ("{\n  \"id\": 1\n}\n", "objects of several lines"),
    ] {
        let message = refused(&folder.write("t.jsonl", text));
        assert!(message.contains(expected), "{text:?}: {message}");
    }
    for (bytes, expected) in [
        (
            &b"{\"id\": \"caf\xe9\"}\n"[..],
            "is not UTF-8: row 1 holds the byte 0xe9",
        ),
        (b"\xfe\xff\0{\0}", "is in UTF-16"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "Git LFS pointer",
        ),
    ] {
        let message = refused(&folder.write("t.jsonl", bytes));
        assert!(message.contains(expected), "{message}");
    }
}
