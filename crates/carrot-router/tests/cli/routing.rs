use carrot_router::{CarrotRouter, Decision};
use dataset::{CostKind, Truncate};
use encoder::DeviceChoice;
use serde_json::{Value, json};

use crate::bench::{
    MODELS, PRICES, PROMPTS, Tiny, cost_usd, number, output_tokens, run, scores, stderr,
};

/// The tiny tokenizer splits words that it does not know into letters and digits; these it knows.
const N_TOKENS: [f64; 3] = [2.0, 2.0, 4.0];
/// float64 on dollars of about 1e-2; z-scores are float32, whose way back costs 1e-7 of the deviation.
const SAME_USD: f64 = 1e-8;

/// Every number that is printed for the train prompts, which are their own neighbors.
fn check_numbers(kind: CostKind, cost: impl Fn(usize, usize) -> f64) {
    let bench = Tiny::new(kind);
    let mu = 0.25;
    for (row, prompt) in PROMPTS.iter().enumerate() {
        let decisions = bench.decisions(&[prompt, "--mu", "0.25"], "");
        assert_eq!(decisions.len(), 1);
        let decision = &decisions[0];
        assert_eq!(decision["prompt"], json!(prompt));
        assert_eq!(decision["routes"], json!(true));
        let models = decision["models"].as_array().expect("a list");
        assert_eq!(models.len(), MODELS.len());
        let mut best: Option<(f64, &str)> = None;
        for (idx, model) in models.iter().enumerate() {
            let at = format!("{kind:?}, `{prompt}`, {model}");
            assert_eq!(model["name"], json!(MODELS[idx]), "{at}");
            let score = f64::from(scores()[[row, idx]]);
            assert!((number(model, "score") - score).abs() < 1e-6, "{at}");
            assert_eq!(number(model, "input_tokens"), N_TOKENS[row], "{at}");
            let expected_tokens = match kind {
                CostKind::OutputTokens => json!(output_tokens()[[row, idx]]),
                _ => Value::Null,
            };
            assert_eq!(model["output_tokens"], expected_tokens, "{at}");
            let expected_cost = cost(row, idx);
            let cost_usd = number(model, "cost_usd");
            assert!((cost_usd - expected_cost).abs() < SAME_USD, "{at}");
            let expected = (1.0 - mu) * score - mu * 100.0 * expected_cost;
            assert!((number(model, "utility") - expected).abs() < 1e-5, "{at}");
            if best.is_none_or(|(utility, _)| expected > utility) {
                best = Some((expected, MODELS[idx]));
            }
        }
        assert_eq!(decision["selected"], json!(best.expect("three LLMs").1));
    }
}

#[test]
fn output_tokens_make_costs() {
    check_numbers(CostKind::OutputTokens, |row, idx| {
        let (input, output) = PRICES[idx];
        (N_TOKENS[row] * input + f64::from(output_tokens()[[row, idx]]) * output) / 1e6
    });
}

#[test]
fn dollars_are_predicted() {
    check_numbers(CostKind::Usd, |row, idx| cost_usd()[[row, idx]]);
}

#[test]
fn input_tokens_make_known_costs() {
    check_numbers(CostKind::Known, |row, idx| {
        N_TOKENS[row] * PRICES[idx].0 / 1e6
    });
}

#[test]
fn mu_0_is_the_most_accurate_and_mu_1_the_cheapest() {
    let bench = Tiny::new(CostKind::OutputTokens);
    // `cheap` ties with `twin`, and stands before it.
    for (prompt, mu, expected) in [
        (PROMPTS[0], "0", "owner/dear"),
        (PROMPTS[0], "0.3", "cheap"),
        (PROMPTS[0], "1", "cheap"),
        (PROMPTS[1], "0", "cheap"),
        (PROMPTS[2], "0", "owner/dear"),
        (PROMPTS[2], "0.3", "owner/dear"),
        (PROMPTS[2], "1", "cheap"),
    ] {
        let decisions = bench.decisions(&[prompt, "--mu", mu], "");
        assert_eq!(decisions[0]["selected"], json!(expected), "{prompt} {mu}");
        assert_eq!(
            decisions[0]["mu"],
            json!(mu.parse::<f64>().expect("a number"))
        );
    }
}

#[test]
fn a_line_of_json_has_these_keys() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let decisions = bench.decisions(&["so", "--mu", "0.3"], "");
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let mut found = keys(&decisions[0]);
    found.sort();
    assert_eq!(
        found,
        ["models", "mu", "prompt", "routes", "selected", "truncated"]
    );
    let mut found = keys(&decisions[0]["models"][0]);
    found.sort();
    let expected = [
        "cost_usd",
        "input_tokens",
        "input_tokens_from",
        "name",
        "output_tokens",
        "score",
        "utility",
    ];
    assert_eq!(found, expected);
}

#[test]
fn prompts_come_from_a_file_or_standard_input_in_their_order() {
    let bench = Tiny::new(CostKind::OutputTokens);
    // More than one chunk, of different lengths.
    let prompts: Vec<String> = (0..300).map(|i| "so b ".repeat(1 + i % 5)).collect();
    let lines: Vec<String> = prompts
        .iter()
        .map(|prompt| json!({"id": 1, "prompt": prompt}).to_string())
        .collect();
    bench.write("prompts.jsonl", lines.join("\n"));
    let from_file = bench.decisions(&["--mu", "0.5", "--input", "prompts.jsonl"], "");
    let found: Vec<&str> = from_file
        .iter()
        .map(|decision| decision["prompt"].as_str().expect("a text"))
        .collect();
    assert_eq!(found, prompts);
    let mixed = [&lines[..150], &prompts[150..]].concat().join("\n");
    assert_eq!(bench.decisions(&["--mu", "0.5"], &mixed), from_file);
    let alone = bench.decisions(&[&prompts[299], "--mu", "0.5"], "");
    assert_eq!(alone[0]["selected"], from_file[299]["selected"]);
    assert_eq!(alone[0]["models"], from_file[299]["models"]);
}

#[test]
fn long_prompts_are_flagged_and_counted_to_the_end() {
    let bench = Tiny::new(CostKind::OutputTokens);
    // sentence_bert_config.json allows 16 tokens, of which two are special.
    for (n_words, truncated) in [(1, false), (14, false), (15, true), (400, true)] {
        let prompt = ["so"].repeat(n_words).join(" ");
        let decision = &bench.decisions(&[&prompt, "--mu", "0"], "")[0];
        assert_eq!(decision["truncated"], json!(truncated), "{n_words}");
        assert_eq!(decision["models"][0]["input_tokens"], json!(n_words));
    }
}

/// In the window of 16 tokens of the tiny embedder lie 14 words; what is behind or before them decides where it is kept.
#[test]
fn long_prompts_are_cut_as_the_router_was_fitted() {
    let [head, tail] = [PROMPTS[0], PROMPTS[1]].map(|text| format!("{text} ").repeat(8));
    let prompt = format!("{head}{tail}");
    let scores = |truncate| {
        let bench = Tiny::with(CostKind::Known, |record| {
            record.embedder.as_mut().expect("there is one").truncate = truncate;
        });
        let found = bench.decisions(&[&prompt, "--mu", "0"], "").remove(0);
        assert_eq!(found["truncated"], json!(true));
        found["models"].as_array().expect("a list").clone()
    };
    let whole = |prompt: &str| {
        let bench = Tiny::new(CostKind::Known);
        let found = bench.decisions(&[prompt, "--mu", "0"], "").remove(0);
        found["models"].as_array().expect("a list").clone()
    };
    let score = |models: &[Value]| models[0]["score"].clone();
    let [first, last] = [whole(&head), whole(&tail)].map(|models| score(&models));
    assert_ne!(
        first, last,
        "the two ends must differ for this to show anything"
    );
    assert_eq!(score(&scores(None)), first);
    assert_eq!(score(&scores(Some(Truncate::Right))), first);
    assert_eq!(score(&scores(Some(Truncate::Left))), last);
}

#[test]
fn the_table_names_the_choice_the_rule_and_what_counts_tokens() {
    let bench = Tiny::new(CostKind::Known);
    let output = bench.route(&[PROMPTS[0], "--mu", "1"], "");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.starts_with("cheap  at mu 1\n"), "{text}");
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with("* ")).collect();
    assert!(marked[0].starts_with("* cheap "), "{text}");
    assert!(text.contains("mu * 100 * cost"), "{text}");
    assert!(text.contains("tiny-bert`, standing in"), "{text}");
}

#[test]
fn a_moved_models_folder_still_has_its_embedder() {
    let bench = Tiny::new(CostKind::Known);
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let router = bench.router();
    let router = router.to_str().expect("text");
    let mut command = bench.route_command(&["so", "--mu", "0", "--model", router]);
    let output = run(command.current_dir(elsewhere.path()), "");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn the_library_decides_as_the_program_does() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let router = CarrotRouter::open(&bench.router(), DeviceChoice::Cpu).expect("opened");
    assert!(router.describe().contains("of 3 prompts"));
    let prompts = PROMPTS.map(str::to_owned);
    let decisions = router.route(&prompts, 0.3).expect("routed");
    let printed = bench.decisions(&["--mu", "0.3"], &PROMPTS.join("\n"));
    for ((decision, prompt), printed) in decisions.iter().zip(PROMPTS).zip(&printed) {
        assert_eq!(
            decision.models[decision.selected_idx].name,
            decision.selected
        );
        assert_eq!(json!(decision.selected), printed["selected"]);
        // The other prompts of a call change the last bits of an embedding.
        let of_rule = |decision: Decision| Decision {
            sketch: None,
            ..decision
        };
        let explained = router.explain(prompt, 0.3).expect("explained");
        assert_eq!(of_rule(explained), of_rule(decision.clone()));
    }
    assert!(router.route(&[], 0.3).expect("nothing to do").is_empty());
    assert!(router.route(&prompts, 1.5).is_err());
}
