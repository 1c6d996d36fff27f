//! The built program on logs that say with which probability each LLM was asked.

use crate::bench::{bench, make, usual};

/// A log with one answer per prompt.
const LONG: &str = "\
id,prompt,model,score,cost,p
0,a,small,1,0.5,0.8
1,b,small,0,0.5,0.8
2,c,org/large,1,2,0.2
3,d,small,1,0.5,0.8
4,e,org/large,0,2,0.25
5,f,small,1,0.5,1
";
const LONG_FLAG: &str = "prompt=prompt,model=model,score=score,id=id,cost=cost,propensity=p";

#[test]
fn a_long_log_keeps_its_propensities() {
    let bench = bench();
    bench.write("t.csv", LONG);
    let (info, train, test) = make(&bench, "t.csv", &["--long", LONG_FLAG]);
    assert_eq!(info.options["long"], LONG_FLAG);
    assert_eq!(info.findings["propensities"]["least"], 0.2);
    let note = "at least 0.2 where the score is known";
    assert!(info.notes.iter().any(|it| it.contains(note)), "{info:?}");
    let mut known = Vec::new();
    for part in [train, test] {
        let propensities = part.propensities.expect("propensities").values;
        for ((row, model), &value) in propensities.indexed_iter() {
            let is_scored = !part.scores[[row, model]].is_nan();
            assert_eq!(is_scored, !value.is_nan(), "row {row}, LLM {model}");
            if is_scored {
                known.push((part.ids[row].clone(), model, value));
            }
        }
    }
    known.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [(0, 0.8), (0, 0.8), (1, 0.2), (0, 0.8), (1, 0.25), (0, 1.0)];
    let found: Vec<(usize, f64)> = known.iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(found, expected);

    // Without the column there are none, and nothing speaks of them.
    let without = LONG_FLAG.trim_end_matches(",propensity=p");
    let (info, train, _) = make(&bench, "t.csv", &["--long", without]);
    assert!(train.propensities.is_none() && !info.findings.contains_key("propensities"));
}

#[test]
fn a_wide_table_keeps_its_propensities() {
    let bench = bench();
    // A probability may be known without a score.
    let table = "id,prompt,split,a/score,a/cost_usd,a/propensity,b/score,b/cost_usd,b/propensity\n\
                 0,p,train,1,1,0.5,,,0.5\n1,q,train,,,,0,2,1e-3\n2,r,test,1,1,0.75,,,\n";
    bench.write("t.csv", table);
    let (info, train, test) = make(&bench, "t.csv", &[]);
    assert_eq!(info.findings["propensities"]["least"], 1e-3);
    let train = train.propensities.expect("propensities").values;
    assert_eq!(train.row(0).to_vec(), [0.5, 0.5]);
    assert!(train[[1, 0]].is_nan() && train[[1, 1]] == 1e-3);
    assert_eq!(
        test.propensities.expect("propensities").values[[0, 0]],
        0.75
    );
}

#[test]
fn propensities_that_cannot_be_are_refused_with_their_row() {
    let bench = bench();
    let check = |p: [&str; 2], expected: &str| {
        let table = format!(
            "id,prompt,model,score,cost,p\n0,a,small,1,1,{}\n1,b,org/large,1,1,{}\n",
            p[0], p[1]
        );
        bench.write("l.csv", table);
        let arguments = [&usual("l.csv")[..], &["--long", LONG_FLAG]].concat();
        bench.refuse(&arguments, 1, expected);
    };
    let range = "expected a probability above 0 and up to 1";
    check(["0", "1"], range);
    check(["1", "1.5"], range);
    check(["0.5", ""], "is null in row 2, whose score is known");
}
