//! `--sample`: some prompts of a table, chosen while it is read.

use test_support::{assert_contains, stderr};

use crate::bench::{bench, make, usual};

/// `<model>/cost_usd` and `<model>/score` of two LLMs; the row and the score say the same.
fn wide(rows: impl Iterator<Item = usize>) -> String {
    let rows: String = rows
        .map(|row| {
            let score = row as f64 / 100.0;
            format!("q{row},question {row},{score},.1,{score},.2\n")
        })
        .collect();
    format!("id,prompt,small/score,small/cost_usd,org/large/score,org/large/cost_usd\n{rows}")
}

fn ids(parts: [&dataset::PartTable; 2]) -> Vec<String> {
    let mut ids: Vec<String> = parts.iter().flat_map(|part| part.ids.clone()).collect();
    ids.sort();
    ids
}

#[test]
fn a_sample_is_the_same_of_any_form_and_order() {
    let bench = bench();
    bench.write("t.csv", wide(0..100));
    bench.write("back.csv", wide((0..100).rev()));
    let long: String = (0..100)
        .flat_map(|row| ["small", "org/large"].map(|llm| (row, llm)))
        .map(|(row, llm)| format!("q{row},question {row},{llm},{},.1\n", row as f64 / 100.0))
        .collect();
    bench.write("long.csv", format!("id,prompt,model,score,cost\n{long}"));
    let (info, train, test) = make(&bench, "t.csv", &["--sample", "20"]);
    assert_eq!((info.n_train, info.n_test), (16, 4));
    assert_eq!(info.options["sample"], "20");
    assert_eq!(
        info.notes,
        ["--sample 20: 20 prompts by the hash of their ids, 20 of 100 rows"]
    );
    for part in [&train, &test] {
        for (row, id) in part.ids.iter().enumerate() {
            let number: f32 = id[1..].parse().expect("a number");
            assert_eq!(part.prompts[row], format!("question {number}"));
            assert_eq!(part.scores[[row, 1]], number / 100.0);
        }
    }
    let found = ids([&train, &test]);
    let (_, train, test) = make(&bench, "back.csv", &["--sample", "20"]);
    assert_eq!(ids([&train, &test]), found);
    let flag = "id=id,prompt=prompt,model=model,score=score,cost=cost";
    let (info, train, test) = make(&bench, "long.csv", &["--sample", "20", "--long", flag]);
    assert_eq!(ids([&train, &test]), found);
    assert_eq!(
        info.notes,
        ["--sample 20: 20 prompts by the hash of their ids, 40 of 200 rows"]
    );
    assert!(
        [&train, &test]
            .iter()
            .all(|part| part.scores.iter().all(|score| !score.is_nan())),
        "all rows of a prompt are read"
    );
    // All of a smaller sample are in a larger one.
    let (_, train, test) = make(&bench, "t.csv", &["--sample", "60"]);
    let larger = ids([&train, &test]);
    assert_eq!(larger.len(), 60);
    assert!(found.iter().all(|id| larger.contains(id)));
    // More prompts than there are.
    let (info, ..) = make(&bench, "t.csv", &["--sample", "1000"]);
    assert_eq!(info.n_train + info.n_test, 100);
}

#[test]
fn another_sample_is_another_data_set() {
    let bench = bench();
    bench.write("t.csv", wide(0..100));
    make(&bench, "t.csv", &["--sample", "20"]);
    let run = bench.run(&[&usual("t.csv")[..], &["--sample", "21"]].concat());
    assert_eq!(run.status.code(), Some(1), "{}", stderr(&run));
    assert_contains(&stderr(&run), "sample");
    let run = bench.run(&[&usual("t.csv")[..], &["--sample", "0"]].concat());
    assert_eq!(run.status.code(), Some(2));
}

#[test]
fn errors_of_a_sample_say_what_they_count() {
    let bench = bench();
    bench.write("t.csv", wide(0..100).replace("0.9,", "9,"));
    let run = bench.run(&[&usual("t.csv")[..], &["--sample", "100"]].concat());
    assert_eq!(run.status.code(), Some(1));
    // The range of scores is checked later, by the rows of the table itself.
    assert_contains(&stderr(&run), "row 91");
    bench.write("t.csv", wide(0..100).replace(",question 90,", ",,"));
    let run = bench.run(&[&usual("t.csv")[..], &["--sample", "100"]].concat());
    assert_eq!(run.status.code(), Some(1));
    assert_contains(&stderr(&run), "the sample of `--sample 100` cannot be used");
}
