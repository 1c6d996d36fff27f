//! `replay` on logs that were written as the server writes them, from worlds in which it is known what each LLM would have answered.

use std::time::{Duration, UNIX_EPOCH};

use decision_log::{
    AmountSource, DecisionLine, FeedbackLine, Line, LogPlace, LogWriter, ModelLine, Outcome,
    Rotation, Usage,
};
use serde_json::Value;
use test_support::{Bench, stdout};

/// Numbers of a request that are spread like chance, in [0, 1).
fn spread(i: usize, which: usize) -> f64 {
    // Steps of irrational size: equidistributed, and no two sequences alike.
    let step = [
        0.618_033_988_749_894_9,
        0.414_213_562_373_095_1,
        0.732_050_807_568_877_2,
    ][which];
    (0.5 + step * (i as f64 + 1.0)).fract()
}

struct World {
    n: usize,
    explore: f64,
}

impl World {
    /// A request: hard ones are worse answered by the cheap LLM, to which the router sends easy ones.
    fn request(&self, i: usize) -> (DecisionLine, f64) {
        let hardness = spread(i, 0);
        let best = usize::from(hardness > 0.5);
        let is_explored = spread(i, 1) < self.explore;
        let chosen = match is_explored {
            true => usize::from(spread(i, 1) < self.explore / 2.0),
            false => best,
        };
        let names = ["cheap", "dear"];
        let quality = [1.0 - hardness, 0.8];
        let model = |m: usize| ModelLine {
            name: names[m].to_owned(),
            // Predictions are off by a tenth.
            score: Some(quality[m] * 0.9),
            cost_usd: Some([0.001, 0.01][m]),
            input_tokens: Some(10),
            output_tokens: None,
            utility: Some(0.0),
            eligible: true,
            propensity: (self.explore > 0.0).then(|| {
                self.explore / 2.0 + f64::from(u8::from(m == best)) * (1.0 - self.explore)
            }),
        };
        let line = DecisionLine {
            mu: Some(0.5),
            models: vec![model(0), model(1)],
            best: Some(names[best].to_owned()),
            chosen: Some(names[chosen].to_owned()),
            served: Some(names[chosen].to_owned()),
            explore: self.explore,
            explored: is_explored,
            cost_usd: Some([0.002, 0.02][chosen]),
            routing_usd: Some(0.0001),
            outcome: Outcome::Ok,
            status: Some(200),
            ..DecisionLine::begin(
                format!("dec_{i}"),
                UNIX_EPOCH + Duration::from_secs(i as u64),
                "/v1/chat/completions",
                "carrot",
            )
        };
        let score = f64::from(u8::from(spread(i, 2) < quality[chosen]));
        (line, score)
    }

    fn write(&self, bench: &Bench, edit: impl Fn(usize, &mut DecisionLine)) {
        let place = LogPlace::new(&bench.join("log.jsonl")).expect("a place");
        let rotation = Rotation {
            max_bytes: 100_000,
            keep: None,
        };
        let (log, _) = LogWriter::open(&place, rotation).expect("opened");
        for i in 0..self.n {
            let (mut line, score) = self.request(i);
            edit(i, &mut line);
            let id = line.id.clone();
            log.write(&Line::Decision(line.into())).expect("written");
            let line = FeedbackLine::new(UNIX_EPOCH, id, score);
            log.write(&Line::Feedback(line)).expect("written");
        }
    }
}

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_carrot-router"))
}

fn replayed(bench: &Bench) -> Value {
    let output = bench.succeed(&["replay", "log.jsonl", "--json"]);
    serde_json::from_str(&stdout(&output)).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("`{value}` is not a number"))
}

fn close(value: &Value, expected: f64) {
    let found = number(value);
    assert!(
        (found - expected).abs() < 1e-9 * expected.abs().max(1.0),
        "{found}, not {expected}"
    );
}

#[test]
fn an_explored_log_judges_what_was_not_done() {
    let bench = bench();
    let world = World {
        n: 3000,
        explore: 0.5,
    };
    world.write(&bench, |_, _| ());
    let it = replayed(&bench);
    assert_eq!(it["counts"]["requests"], 3000);
    assert_eq!(it["counts"]["drawn"], 3000);
    let policies = it["off-policy"]["policies"].as_array().expect("a list");
    // The router alone: 1 - h below .5, else .8; always the cheap one: .5; always the dear one: .8.
    for (row, model, quality, usd) in [
        (&policies[0], Value::Null, 0.775, 0.011),
        (&policies[1], "cheap".into(), 0.5, 0.002),
        (&policies[2], "dear".into(), 0.8, 0.02),
    ] {
        assert_eq!(row["model"], model);
        let score = &row["score"];
        let (low, high) = (number(&score["low"]), number(&score["high"]));
        assert!(low < quality && quality < high, "{row}");
        assert!(high - low < 0.12, "{row}");
        assert!(
            (number(&row["cost-usd"]["value"]) - usd).abs() < 0.001,
            "{row}"
        );
        assert!(number(&row["effective-requests"]) > 500.0, "{row}");
    }
    let better = &policies[1]["router-exceeds-score"];
    assert!(number(&better["low"]) > 0.2, "{better}");
    // The plain mean of the cheap LLM's answers is of the easy requests above all.
    let plain = &it["feedback"][1];
    let name = plain["model"].as_str().expect("a name");
    let cheap = match name {
        "cheap" => plain,
        _ => &it["feedback"][2],
    };
    assert!(number(&cheap["score"]["value"]) > 0.6, "{cheap}");
    let text = stdout(&bench.succeed(&["replay", "log.jsonl"]));
    for expected in [
        "judged off-policy, 95% interval",
        "the router alone",
        "always cheap",
    ] {
        assert!(text.contains(expected), "no `{expected}` in {text}");
    }
    assert!(!text.contains("cannot be judged"), "{text}");
}

#[test]
fn totals_are_those_of_the_log() {
    let bench = bench();
    let world = World { n: 8, explore: 0.0 };
    let mut expected = [0.0; 3];
    for i in 0..8 {
        let (line, _) = world.request(i);
        let chosen = line.routed().expect("routed");
        expected[0] += chosen.cost_usd.expect("predicted") + 0.0001;
        expected[1] += line.cost_usd.expect("paid");
        expected[2] += chosen.score.expect("predicted") / 8.0;
    }
    world.write(&bench, |i, line| {
        line.usage = (i < 2).then_some(Usage {
            input_tokens: 1,
            cached_tokens: 0,
            output_tokens: 1,
            source: AmountSource::Estimated,
        });
    });
    let it = replayed(&bench);
    close(&it["routed"]["predicted-usd"], expected[0]);
    close(&it["routed"]["predicted-score"], expected[2]);
    close(&it["paid"]["usd"], expected[1]);
    close(&it["paid"]["compared-usd"], expected[1]);
    close(&it["paid"]["compared-predicted-usd"], expected[0] - 0.0008);
    assert_eq!(it["paid"]["estimated-answers"], 2);
    let always = it["always"].as_array().expect("a list");
    let dear = always
        .iter()
        .find(|it| it["model"] == "dear")
        .expect("a row");
    close(&dear["predicted-usd"], 0.08);
    close(&dear["saved"], 1.0 - expected[0] / 0.08);
    assert_eq!(it["off-policy"], Value::Null);
    let text = stdout(&bench.succeed(&["replay", "log.jsonl"]));
    assert!(text.contains("cannot be judged off-policy"), "{text}");
    assert!(
        text.contains("predicted by the router, over the 8 routed requests"),
        "{text}"
    );
}

#[test]
fn what_is_unknown_is_not_taken_for_nothing() {
    let bench = bench();
    let world = World { n: 6, explore: 0.0 };
    world.write(&bench, |i, line| match i {
        // An LLM that was not predicted once has no total.
        0 => {
            let dear = line.models.iter_mut().find(|it| it.name == "dear");
            dear.expect("a line").cost_usd = None;
            line.served = Some("cheap".to_owned());
        }
        // By its name: nothing was routed.
        1 => {
            line.models.clear();
            line.chosen = None;
        }
        // Refused.
        2 => {
            line.served = None;
            line.cost_usd = None;
            line.outcome = Outcome::Refused;
        }
        _ => {}
    });
    let it = replayed(&bench);
    assert_eq!(it["counts"]["routed"], 4);
    assert_eq!(it["counts"]["failed"], 1);
    let always = it["always"].as_array().expect("a list");
    let dear = always
        .iter()
        .find(|it| it["model"] == "dear")
        .expect("a row");
    assert_eq!([&dear["predicted-usd"], &dear["saved"]], [&Value::Null; 2]);
    let cheap = always
        .iter()
        .find(|it| it["model"] == "cheap")
        .expect("a row");
    close(&cheap["predicted-usd"], 0.004);
}

#[test]
fn what_is_no_log_is_refused() {
    let bench = bench();
    bench.refuse(
        &["replay", "no.jsonl"],
        1,
        "there is no decision log at `no.jsonl`",
    );
    bench.write("log.jsonl", "{\"id\": 1}\n");
    bench.refuse(
        &["replay", "log.jsonl"],
        1,
        "line 1 of `log.jsonl` is not of a decision log",
    );
    bench.refuse(
        &["replay", "log.jsonl", "--level", "1"],
        2,
        "expected a number above 0",
    );
    bench.write("log.jsonl", "");
    let text = stdout(&bench.succeed(&["replay", "log.jsonl"]));
    assert!(text.contains("no request is in the log"), "{text}");
}
