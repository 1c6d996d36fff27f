//! Input tokens that a prompt's text does not show: given with the request, or expected by the lines of the fit.

use std::collections::BTreeMap;

use carrot_router::{CarrotRouter, Error};
use dataset::CostKind;
use encoder::DeviceChoice;
use saved_routers::{TokenLine, TokenLines, TokenRange};
use serde_json::{Value, json};

use crate::bench::{MODELS, PRICES, Tiny, assert_refused, number, stderr};

/// Only float64 is between them.
const SAME_USD: f64 = 1e-15;

/// A router whose LLMs bill a system prompt; nothing is known of the last one's.
fn prompted() -> Tiny {
    let line = |intercept, slope| TokenLine {
        intercept,
        slope,
        r2: 0.75,
        n_prompts: 3,
    };
    Tiny::with(CostKind::OutputTokens, |record| {
        record.token_lines = Some(TokenLines {
            counted: TokenRange::of([2.0, 4.0]).expect("two"),
            lines: BTreeMap::from([
                (MODELS[0].to_owned(), line(1500.0, 1.0)),
                (MODELS[1].to_owned(), line(1400.0, 1.5)),
            ]),
        });
    })
}

/// Each LLM's input tokens, and whether costs follow from them.
fn tokens(decision: &Value) -> Vec<(f64, Value)> {
    let models = decision["models"].as_array().expect("a list");
    let of_model = |(model, (input, output)): (&Value, (f64, f64))| {
        let n = number(model, "input_tokens");
        let cost = (n * input + number(model, "output_tokens") * output) / 1e6;
        assert!(
            (number(model, "cost_usd") - cost).abs() < SAME_USD,
            "{model}"
        );
        (n, model["input_tokens_from"].clone())
    };
    models.iter().zip(PRICES).map(of_model).collect()
}

#[test]
fn what_was_billed_for_the_train_prompts_is_expected_of_new_ones() {
    let bench = prompted();
    // Two tokens; the LLM without a line of its own has the mean of the others'.
    let decision = bench.decisions(&["so so", "--mu", "0.3"], "").remove(0);
    let expected = [1502.0, 1403.0, 1453.0].map(|n| (n, json!("fitted")));
    assert_eq!(tokens(&decision), expected);
    let output = bench.route(&["so so", "--mu", "0.3"], "");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
    let words = "turned into what each LLM billed on the train prompts: 1,400 to 1,500 tokens and 1.00 to 1.50 for each counted one (R2 0.75)";
    assert_eq!(
        text.matches(words).count(),
        2,
        "in the log and below: {text}"
    );

    // Without lines the text is counted.
    let bench = Tiny::new(CostKind::OutputTokens);
    let decision = bench.decisions(&["so so", "--mu", "0.3"], "").remove(0);
    assert_eq!(tokens(&decision), [2.0; 3].map(|n| (n, json!("stand-in"))));
}

#[test]
fn what_was_billed_comes_before_a_tokenizer_and_that_is_told() {
    let bench = prompted();
    crate::tokenizers::give(&bench, MODELS[0]);
    let args = ["so so", "--mu", "0.3", "--tokenizers", "tokenizers"];
    let expected = [1502.0, 1403.0, 1453.0].map(|n| (n, json!("fitted")));
    assert_eq!(tokens(&bench.decisions(&args, "")[0]), expected);
    let output = bench.route(&args, "");
    let message = stderr(&output);
    assert!(
        message.contains(
            "the tokenizers under `tokenizers` are not used: this router knows what each LLM billed"
        ),
        "{message}"
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("comes before the tokenizers under `tokenizers`"),
        "{text}"
    );
    // Without lines they count.
    let bench = Tiny::new(CostKind::OutputTokens);
    crate::tokenizers::give(&bench, MODELS[0]);
    let decision = bench.decisions(&args, "").remove(0);
    assert_eq!(tokens(&decision)[0].1, json!("own-tokenizer"));
    assert!(!stderr(&bench.route(&args, "")).contains("not used"));
}

#[test]
fn a_request_knows_best_what_it_is_billed() {
    for bench in [prompted(), Tiny::new(CostKind::OutputTokens)] {
        let given = [7000.0; 3].map(|n| (n, json!("given")));
        let args = ["so so", "--mu", "0.3", "--input-tokens", "7000"];
        assert_eq!(tokens(&bench.decisions(&args, "")[0]), given);
        let lines = "{\"prompt\": \"so so\", \"input_tokens\": 7000}\nso so\n";
        let decisions = bench.decisions(&["--mu", "0.3"], lines);
        assert_eq!(tokens(&decisions[0]), given);
        let alone = bench.decisions(&["so so", "--mu", "0.3"], "");
        assert_eq!(decisions[1]["models"], alone[0]["models"]);
    }
    let bench = prompted();
    assert_refused(
        &bench.route(&["--mu", "0.3", "--input-tokens", "7"], "so so"),
        2,
        "PROMPT",
    );
    let line = "{\"prompt\": \"so so\", \"input_tokens\": -7}";
    assert_refused(
        &bench.route(&["--mu", "0.3"], line),
        1,
        "its `input_tokens` is -7, expected a whole number",
    );
}

#[test]
fn a_long_request_goes_to_whom_its_input_costs_less() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let selected = |tokens: &str| {
        let args = ["b 1 c 2", "--mu", "0.3", "--input-tokens", tokens];
        bench.decisions(&args, "")[0]["selected"].clone()
    };
    assert_eq!(selected("4"), json!("owner/dear"));
    assert_eq!(selected("4000"), json!("cheap"));
}

#[test]
fn counts_that_change_no_cost_are_told() {
    let bench = Tiny::new(CostKind::Usd);
    let args = ["so so", "--mu", "0.3"];
    let plain = bench.decisions(&args, "");
    let with = [&args[..], &["--input-tokens", "7000"]].concat();
    let decision = &bench.decisions(&with, "")[0];
    assert_eq!(
        number(&decision["models"][0], "cost_usd"),
        number(&plain[0]["models"][0], "cost_usd")
    );
    let message = stderr(&bench.route(&with, ""));
    assert!(
        message.contains("the counts given are shown, and change no cost"),
        "{message}"
    );
    let message = stderr(&bench.route(&args, ""));
    assert!(!message.contains("counts given"), "{message}");
}

#[test]
fn the_library_takes_a_count_for_each_prompt() {
    let bench = prompted();
    let folder = bench.router();
    let embedder = bench.join("models/tiny-bert");
    let source = carrot_router::EmbeddingSource::Folder(&embedder);
    let setup = carrot_router::Setup::on(DeviceChoice::Cpu);
    let router = CarrotRouter::open_saved(&folder, source, &setup).expect("opened");
    assert!(router.uses_input_tokens());
    let prompts = ["so so", "so so"].map(str::to_owned);
    let decisions = router
        .route_counted(&prompts, &[Some(9), None], 0.3)
        .expect("routed");
    let of = |i: usize| decisions[i].models[0].input_tokens;
    assert_eq!([of(0), of(1)], [9, 1502]);
    let error = router.route_counted(&prompts, &[None], 0.3);
    assert!(matches!(error, Err(Error::CountOfCounts { .. })));
}
