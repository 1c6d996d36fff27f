//! Columns that are kept, and splits that keep groups together.

use std::{collections::HashSet, sync::Arc};

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use dataset::{Part, SplitOrigin};
use parquet::arrow::ArrowWriter;
use test_support::{Bench, assert_contains, assert_note, stderr};

use crate::bench::{bench, make, usual};

/// Rows with a time, a group and a prompt; every score is known.
fn table(rows: &[(&str, &str, &str)]) -> String {
    let mut text = "id,prompt,time,chat,small/score,small/cost_usd,b/score,b/cost_usd\n".to_owned();
    for (i, (time, chat, prompt)) in rows.iter().enumerate() {
        text += &format!("r{i},{prompt},{time},{chat},{},0.5,1,1\n", i % 2);
    }
    text
}

/// Forty rows in ten groups of four.
fn ten_groups() -> String {
    let rows: Vec<(String, String, String)> = (0..40)
        .map(|i| (i.to_string(), format!("c{}", i % 10), format!("p{i}")))
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|(time, chat, prompt)| (time.as_str(), chat.as_str(), prompt.as_str()))
        .collect();
    table(&rows)
}

fn refuse(bench: &Bench, extra: &[&str], code: i32, expected: &str) {
    let args = [&usual("t.csv")[..], &["--force"], extra].concat();
    bench.refuse(&args, code, expected);
}

#[test]
fn kept_columns_are_in_both_parts_as_text() {
    let bench = bench();
    bench.write(
        "t.csv",
        table(&[("2024-05-01", "a", "p"), ("", "b", "q"), ("7", "a", "r")]),
    );
    let args = ["--keep", "time", "--keep", "chat", "--test-size", "0.5"];
    let output = bench.succeed(&[&usual("t.csv")[..], &args].concat());
    assert!(
        !stderr(&output).contains("ignored unknown"),
        "{}",
        stderr(&output)
    );
    let (info, train, test) = bench.read("mine");
    assert_eq!(info.options["keep"], "time,chat");
    for part in [&train, &test] {
        for (i, id) in part.ids.iter().enumerate() {
            let row: usize = id[1..].parse().expect("a number");
            let kept = |name: &str| part.kept(name).expect("kept")[i].as_str();
            assert_eq!(kept("time"), ["2024-05-01", "", "7"][row]);
            assert_eq!(kept("chat"), ["a", "b", "a"][row]);
            assert_eq!(kept("task"), "all");
        }
    }
    assert!(train.kept("prompt").is_none() && train.kept("id").is_none());

    // Another choice is another data set, and none is as before there was a choice.
    bench.refuse(&usual("t.csv"), 1, "keep was `time,chat`, now not set");
    let (info, train, _) = make(&bench, "t.csv", &["--test-size", "0.5"]);
    assert!(train.kept.is_empty() && !info.options.contains_key("keep"));
}

#[test]
fn numbers_and_times_of_parquet_are_kept_as_text() {
    let bench = bench();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("prompt", Arc::new(StringArray::from(vec!["p", "q"]))),
        ("a/score", Arc::new(Float64Array::from(vec![0.0, 1.0]))),
        ("a/cost_usd", Arc::new(Float64Array::from(vec![0.0, 1.0]))),
        (
            "share",
            Arc::new(Float64Array::from(vec![Some(0.25), None])),
        ),
        (
            "at",
            Arc::new(TimestampSecondArray::from(vec![Some(86_400), None]).with_timezone("UTC")),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    let batch = batch.expect("columns of one length");
    let file = std::fs::File::create(bench.join("t.parquet")).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    let args = ["--keep", "share", "--keep", "at", "--test-size", "0.5"];
    let (_, train, test) = make(&bench, "t.parquet", &args);
    let kept = |id: &str, name: &str| {
        let part = [&train, &test].into_iter().find(|part| part.ids[0] == id);
        part.and_then(|part| part.kept(name)).expect("kept")[0].clone()
    };
    assert_eq!(
        (kept("1", "share"), kept("2", "share")),
        ("0.25".to_owned(), String::new())
    );
    assert_eq!(kept("1", "at"), "1970-01-02T00:00:00Z");
    assert_eq!(kept("2", "at"), "");
}

#[test]
fn long_tables_keep_what_their_prompts_agree_on() {
    let bench = bench();
    let text = "q,llm,ok,usd,day\np1,a,1,1,mon\np1,b,0,2,mon\np2,a,0,1,tue\np2,b,1,2,tue\n";
    bench.write("t.csv", text);
    let long = [
        "--long",
        "prompt=q,model=llm,score=ok,cost=usd",
        "--test-size",
        "0.5",
    ];
    let (_, train, test) = make(&bench, "t.csv", &[&long[..], &["--keep", "day"]].concat());
    for part in [train, test] {
        let expected = if part.prompts[0] == "p1" {
            "mon"
        } else {
            "tue"
        };
        assert_eq!(part.kept("day").expect("kept")[0], expected);
    }
    let with = |column: &'static str| [&long[..], &["--keep", column]].concat();
    refuse(&bench, &with("llm"), 1, "differ in column `llm`");
    refuse(&bench, &with("usd"), 2, "`usd` is a number to --long");
    refuse(&bench, &with("week"), 2, "has no column `week`");
}

#[test]
fn names_with_another_meaning_are_refused() {
    let bench = bench();
    bench.write("t.csv", ten_groups());
    for (args, expected) in [
        (
            &["--keep", "prompt"][..],
            "every part has a column of that name",
        ),
        (&["--keep", "split"], "to which part a row goes"),
        (&["--group", "small/score"], "it is a column of an LLM"),
        (
            &["--keep", "time", "--keep", "time"],
            "`time` is given twice",
        ),
        (&["--keep", "week"], "has no column `week`"),
        (&["--group", "week"], "has no column `week`"),
    ] {
        refuse(&bench, args, 2, expected);
    }
}

#[test]
fn a_grouped_split_keeps_groups_and_equal_prompts_together() {
    let bench = bench();
    bench.write("t.csv", ten_groups());
    let (info, train, test) = make(&bench, "t.csv", &["--group", "chat"]);
    let origin = SplitOrigin::Grouped {
        test_size: 0.2,
        seed: 42,
        column: "chat".to_owned(),
    };
    assert_eq!((info.split, info.n_test), (origin, 8));
    let chats = |part: &dataset::PartTable| -> HashSet<String> {
        part.kept("chat").expect("kept").iter().cloned().collect()
    };
    assert_eq!(chats(&test).len(), 2);
    assert!(chats(&train).is_disjoint(&chats(&test)));
    let numbers: Vec<usize> = train
        .ids
        .iter()
        .map(|id| id[1..].parse().expect("a number"))
        .collect();
    assert!(
        !numbers.is_sorted(),
        "rows of one group would follow each other"
    );

    // The same prompt joins all but one of the groups.
    let apart = ten_groups();
    let joined = apart.lines().map(|line| {
        let row = line.split(',').next().unwrap_or_default();
        let first = row.len() == 2 && row != "r9" && row != "id";
        let fields: Vec<&str> = line.split(',').collect();
        match first {
            true => line.replacen(fields[1], "same", 1),
            false => line.to_owned(),
        }
    });
    bench.write("t.csv", joined.collect::<Vec<_>>().join("\n"));
    let (info, _, test) = make(&bench, "t.csv", &["--group", "chat"]);
    assert_eq!(info.n_test, 4);
    assert_eq!(chats(&test), HashSet::from(["c9".to_owned()]));
    assert_eq!(info.findings["equal-prompts"]["n-test-in-train"], 0);
    assert_eq!(info.findings["equal-prompts"]["n-repeated"], 8);

    refuse(
        &bench,
        &["--group", "task"],
        1,
        "all rows of `t.csv` have one `task`",
    );
}

#[test]
fn test_prompts_that_are_train_prompts_are_told() {
    let bench = bench();
    let text = ten_groups();
    bench.write("t.csv", &text);
    let (info, ..) = make(&bench, "t.csv", &[]);
    assert_eq!(info.findings["equal-prompts"]["n-test-in-train"], 0);
    assert!(info.notes.is_empty(), "{:?}", info.notes);

    // Split by the table: one test prompt stands twice in the train part, another only in the test part.
    let rows = [
        "train,a", "train,a", "test,a", "test,b", "test,b", "train,c",
    ];
    let mut text = "split,prompt,id,m/score,m/cost_usd\n".to_owned();
    for (i, row) in rows.iter().enumerate() {
        text += &format!("{row},{i},1,1\n");
    }
    bench.write("t.csv", text);
    let args = [&usual("t.csv")[..], &["--force", "--group", "task"]].concat();
    let output = bench.succeed(&args);
    let note = "1 of 3 test prompts are also train prompts, word for word";
    assert_contains(&stderr(&output), note);
    assert_contains(&stderr(&output), "--group have no effect");
    let (info, ..) = bench.read("mine");
    assert_note(&info, note);
    assert_eq!(info.findings["equal-prompts"]["n-test-in-train"], 1);
    assert_eq!(info.findings["equal-prompts"]["n-repeated"], 3);
    assert!(bench.dataset("mine").split(Part::Train).exists());
}
