//! The built program on tables with a row for each prompt and LLM.

use dataset::{CostKind, SplitOrigin};

use crate::bench::{bench, make, usual};

const LONG: &str = "\
query,llm,correct,usd,domain
What is 1+1?,small,True,0.5,math
What is 1+1?,org/large,True,1,math
Name a color.,org/large,False,1,misc
Name a color.,small,NA,,misc
Third,small,0,0.25,misc
Fourth,org/large,1.0000000000000002,1,misc
Fifth,small,1,0.5,math
Fifth,org/large,1,1,math
";
const LONG_FLAG: &str = "prompt=query,model=llm,score=correct,cost=usd,task=domain";

#[test]
fn a_long_table_is_turned_into_a_row_for_each_prompt() {
    let bench = bench();
    bench.write("t.csv", LONG);
    let (info, train, test) = make(&bench, "t.csv", &["--long", LONG_FLAG]);
    assert_eq!(info.model_names(), ["small", "org/large"]);
    assert_eq!(info.options["long"], LONG_FLAG);
    assert_eq!(info.cost_kind, CostKind::Usd);
    let mut rows: Vec<(&str, [f32; 2])> = Vec::new();
    for part in [&train, &test] {
        assert_eq!(part.ids, part.prompts);
        let scores = part.scores.rows().into_iter().map(|row| [row[0], row[1]]);
        rows.extend(part.ids.iter().map(String::as_str).zip(scores));
    }
    let score = |id: &str| rows.iter().find(|row| row.0 == id).expect("a row").1;
    assert_eq!(rows.len(), 5);
    assert_eq!(score("What is 1+1?"), [1.0, 1.0]);
    assert!(score("Name a color.")[0].is_nan() && score("Name a color.")[1] == 0.0);
    assert!(score("Third")[0] == 0.0 && score("Third")[1].is_nan());
    assert_eq!(score("Fourth")[1], 1.0);

    // With ids and tokens, in a file of another form, and an LLM left out.
    let lines: String = (0..4)
        .flat_map(|i| ["small", "org/large", "x"].map(|llm| (i, llm)))
        .map(|(i, llm)| {
            format!(
                "{{\"qid\": {i}, \"prompt\": \"same\", \"model\": \"{llm}\", \"score\": {}, \"in\": 10, \"part\": \"{}\"}}\n",
                i % 2,
                if i < 2 { "train" } else { "test" }
            )
        })
        .collect();
    bench.write("t.jsonl", lines);
    let flag = "id=qid,prompt=prompt,model=model,score=score,input_tokens=in,split=part";
    let extra = ["--long", flag, "--exclude-model", "x"];
    let (info, train, test) = make(&bench, "t.jsonl", &extra);
    assert_eq!(info.split, SplitOrigin::Given);
    assert_eq!(
        (train.ids, test.ids),
        (vec!["0".into(), "1".into()], vec!["2".into(), "3".into()])
    );
    assert_eq!(test.cost_usd.row(0).to_vec(), [1e-5, 1e-4]);
}

#[test]
fn long_tables_that_contradict_themselves_are_refused() {
    let bench = bench();
    let check = |text: &str, flag: Option<&str>, code, expected: &str| {
        bench.write("l.csv", text);
        let long = flag.map_or(Vec::new(), |flag| vec!["--long", flag]);
        bench.refuse(&[&usual("l.csv")[..], &long].concat(), code, expected);
    };
    // What is to be done is said where the flag is missing, with the table's own columns.
    let expected = "read it with `--long prompt=query,model=llm,score=correct,cost=usd`";
    check(LONG, None, 2, expected);
    let table = "id,prompt,model,score,cost\n1,x,a,1,1\n";
    let expected = "read it with `--long prompt=prompt,model=model,score=score,id=id,cost=cost`";
    check(table, None, 2, expected);
    check(
        LONG,
        Some("prompt=query,model=llm"),
        2,
        "`score` is missing",
    );
    check(
        LONG,
        Some("prompt=q,model=llm,score=correct"),
        2,
        "no column `q`",
    );
    let flag = Some("id=id,prompt=prompt,model=model,score=score,cost=cost");
    for (rows, expected) in [
        (
            "1,x,a,1,1\n2,y,a,1,1\n1,x,a,0,1\n",
            "rows 1 and 3 of `l.csv` are both about the model `a` and the prompt `1`",
        ),
        (
            "1,x,a,1,1\n1,y,b,1,1\n",
            "rows 1 and 2 of `l.csv` have one `id`, `1`, but differ in column `prompt`",
        ),
        (
            "1,x,a,1,1\n1,x,,1,1\n",
            "column `model` of `l.csv` is null in row 2",
        ),
        (",x,a,1,1\n", "column `id` of `l.csv` is null in row 1"),
        (
            "1,x,a,1,1\n2,y,a,1,1\n2,y,b,7,1\n",
            "column `b/score` of `l.csv` is 7 in row 3",
        ),
        (
            "1,x,a,good,1\n",
            "column `score` of `l.csv` is `good` in row 1",
        ),
        ("", "`l.csv` has no rows"),
    ] {
        let table = format!("id,prompt,model,score,cost\n{rows}");
        check(&table, flag, 1, expected);
    }
}
