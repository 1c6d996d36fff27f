//! The built program on decision logs of `carrot-router serve`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use decision_log::{
    AmountSource, DecisionLine, FallBack, FeedbackLine, Line, LogPlace, LogWriter, ModelLine,
    Outcome, Rotation, Usage,
};
use test_support::Bench;

use crate::bench::bench;

const MODELS: [&str; 3] = ["small", "org/large", "never"];

fn time(i: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(i)
}

/// Request `i`, which went to the LLM at a position with a probability of .8 for the first, .2 for the second.
fn request(i: u64, served: usize) -> DecisionLine {
    let model = |(idx, name): (usize, &&str)| ModelLine {
        name: (*name).to_owned(),
        score: Some(0.5),
        cost_usd: Some(0.001),
        input_tokens: Some(99),
        output_tokens: None,
        utility: Some(0.5),
        eligible: idx < 2,
        propensity: Some([0.8, 0.2, 0.0][idx]),
    };
    DecisionLine {
        prompt: Some(format!("prompt {i}")),
        session: Some(format!("s{}", i / 2)),
        mu: Some(0.5),
        models: MODELS.iter().enumerate().map(model).collect(),
        best: Some(MODELS[0].to_owned()),
        chosen: Some(MODELS[served].to_owned()),
        served: Some(MODELS[served].to_owned()),
        explore: 0.4,
        usage: Some(Usage {
            input_tokens: 10 + i,
            cached_tokens: 0,
            output_tokens: 5,
            source: AmountSource::Actual,
        }),
        cost_usd: Some(0.25),
        status: Some(200),
        outcome: Outcome::Ok,
        ..DecisionLine::begin(
            format!("dec_{i:02}"),
            time(i),
            "/v1/chat/completions",
            "carrot",
        )
    }
}

/// Writes requests as the server would, each with a score.
fn write(bench: &Bench, requests: impl IntoIterator<Item = DecisionLine>) {
    let place = LogPlace::new(&bench.join("log.jsonl")).expect("a place");
    // Over several files.
    let rotation = Rotation {
        max_bytes: 3000,
        keep: None,
    };
    let (log, _) = LogWriter::open(&place, rotation).expect("opened");
    for (i, line) in requests.into_iter().enumerate() {
        let id = line.id.clone();
        log.write(&Line::Decision(line.into())).expect("written");
        let score = f64::from(u8::from(i % 3 == 0));
        let line = FeedbackLine::new(time(100), id, score);
        log.write(&Line::Feedback(line)).expect("written");
    }
}

const INPUT: [&str; 4] = ["--input", "log.jsonl", "--name", "mine"];

#[test]
fn a_log_with_feedback_becomes_a_data_set() {
    let bench = bench();
    let mut lines: Vec<DecisionLine> = (0..10).map(|i| request(i, (i % 2) as usize)).collect();
    // Of a decision alone the LLM that was chosen answered, as far as anyone knows.
    lines[4] = DecisionLine {
        served: None,
        usage: None,
        outcome: Outcome::Decided,
        ..request(4, 0)
    };
    // What exploration was not open to, or did not lead to the answer.
    lines[5].fallbacks.push(FallBack {
        from: MODELS[1].to_owned(),
        to: MODELS[0].to_owned(),
        reason: "429".to_owned(),
    });
    lines[5].served = Some(MODELS[0].to_owned());
    lines[6]
        .models
        .iter_mut()
        .for_each(|it| it.propensity = None);
    lines[7].outcome = Outcome::Cut;
    write(&bench, lines);
    let arguments = [&INPUT[..], &["--keep", "time", "--group", "session"]].concat();
    bench.succeed(&arguments);
    let (info, train, test) = bench.read("mine");
    assert_eq!(info.model_names(), ["small", "org/large"]);
    assert!(
        info.sources.len() > 1,
        "the older files count, too: {info:?}"
    );
    for expected in [
        "left out 1 requests without a whole answer",
        "left out 2 requests that exploration was not open to",
        "left out LLMs without any feedback: `never`",
        "at least 0.2 where the score is known",
    ] {
        let has = info.notes.iter().any(|note| note.contains(expected));
        assert!(has, "no `{expected}` in {:?}", info.notes);
    }
    let mut rows = Vec::new();
    for part in [&train, &test] {
        let propensities = part.propensities.as_ref().expect("propensities");
        for (row, id) in part.ids.iter().enumerate() {
            let number: usize = id["dec_".len()..].parse().expect("a number");
            let served = number % 2;
            assert_eq!(part.prompts[row], format!("prompt {number}"));
            let score = f32::from(u8::from(number.is_multiple_of(3)));
            assert_eq!(part.scores[[row, served]], score, "{id}");
            assert!(part.scores[[row, 1 - served]].is_nan(), "{id}");
            assert_eq!(part.cost_usd[[row, served]], 0.25);
            // Also where the score is not known.
            assert_eq!(propensities.values.row(row).to_vec(), [0.8, 0.2]);
            rows.push(number);
        }
    }
    rows.sort_unstable();
    assert_eq!(rows, [0, 1, 2, 3, 4, 8, 9]);
}

#[test]
fn a_log_without_exploration_says_so() {
    let bench = bench();
    let plain = |i| {
        let mut line = request(i, (i % 2) as usize);
        line.explore = 0.0;
        line.models.iter_mut().for_each(|it| it.propensity = None);
        // And without costs: tokens and a price list, where the upstream reported any.
        line.cost_usd = None;
        if i == 0
            && let Some(usage) = &mut line.usage
        {
            usage.source = AmountSource::Estimated;
        }
        line
    };
    write(&bench, (0..8).map(plain));
    bench.succeed(&[&INPUT[..], &["--prices", "prices.toml"]].concat());
    let (info, train, test) = bench.read("mine");
    assert!(train.propensities.is_none());
    let notes = info.notes.join("\n");
    assert!(notes.contains("the log has no exploration"), "{notes}");
    assert!(
        notes.contains("left out 1 requests without a known cost"),
        "{notes}"
    );
    for part in [train, test] {
        for (row, id) in part.ids.iter().enumerate() {
            let number: usize = id["dec_".len()..].parse().expect("a number");
            let n_in = 10.0 + number as f64;
            // The price list of the bench: 1 and 2, and 10 and 30 dollars per million tokens.
            let expected = [n_in + 10.0, 10.0 * n_in + 150.0][number % 2] * 1e-6;
            let found = part.cost_usd[[row, number % 2]];
            assert!((found - expected).abs() < 1e-15, "{id}: {found}");
        }
    }
}

#[test]
fn logs_that_hold_no_data_are_refused() {
    let bench = bench();
    let without_prompts = (0..4).map(|i| DecisionLine {
        prompt: None,
        ..request(i, 0)
    });
    write(&bench, without_prompts);
    bench.refuse(&INPUT, 1, "set `log-prompts = true`");
    let long = [&INPUT[..], &["--long", "prompt=prompt,model=m,score=s"]].concat();
    bench.refuse(&long, 2, "is a decision log");

    let bench = crate::bench::bench();
    let line = serde_json::to_string(&Line::Decision(request(0, 0).into())).expect("JSON");
    bench.write("log.jsonl", format!("{line}\n"));
    bench.refuse(&INPUT, 1, "`POST /v1/feedback`");
    bench.write(
        "log.jsonl",
        format!("{line}\n{{\"log\":\"other\"}}\n{line}\n"),
    );
    bench.refuse(&INPUT, 1, "line 2 of `log.jsonl` is not of a decision log");
}
