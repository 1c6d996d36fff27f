use serde_json::{Value, json};
use test_support::{Hub, Planted, SPROUT_MODELS};

use crate::{
    bench::{Tiny, decisions, number, run, stderr},
    networks::{LLMS, PAIR, SCORES, TOKENS, pair, write, write_varying},
};

/// To be sent, and not to be seen.
const TOKEN: &str = "hf_plantedToken0123";
/// float32 through a sigmoid, on numbers of about 1.
const SAME: f64 = 1e-6;
/// Rounding in sums over batches of another shape, twice through a network.
const SAME_IN_A_BATCH: f64 = 1e-5;

fn models(decision: &Value) -> &[Value] {
    decision["models"].as_array().expect("a list")
}

/// The tokenizer has a token for each byte.
#[test]
fn thousands_of_tokens_and_prices_make_costs() {
    let bench = pair();
    let decide = |mu: &str| {
        let args = [&["so so", "--mu", mu], &PAIR[..]].concat();
        bench.decisions(&args, "").remove(0)
    };
    let decision = decide("0.3");
    // 5 tokens at 10 $ and 500 at 20 $ per million; 5 at 1 $ and 20 at 2 $; nothing, as fewer than no tokens are none.
    let expected = [
        (1.0 / (1.0 + f64::exp(-2.0)), 500.0, 50e-6 + 10e-3),
        (0.5, 20.0, 5e-6 + 40e-6),
        (1.0 / (1.0 + f64::exp(1.0)), 0.0, 0.0),
    ];
    for (idx, (model, (score, tokens, cost))) in models(&decision).iter().zip(expected).enumerate()
    {
        assert_eq!(model["name"], LLMS[idx]);
        assert_eq!(number(model, "input_tokens"), 5.0);
        let utility = 0.7 * score - 0.3 * 100.0 * cost;
        for (key, expected, bound) in [
            ("score", score, SAME),
            ("output_tokens", tokens, 1e3 * SAME),
            // A billionth of a dollar, as float32 tokens at 2e-5 $ are off by less.
            ("cost_usd", cost, 1e-9),
            ("utility", utility, SAME),
        ] {
            let found = number(model, key);
            assert!((found - expected).abs() < bound, "{idx} {key}: {found}");
        }
    }
    // .617 - .302 against .350 - .001 and .188.
    assert_eq!(decision["selected"], "cheap");
    assert_eq!(decide("0")["selected"], "owner/dear");
    assert_eq!(decide("1")["selected"], "free");
}

#[test]
fn a_batch_decides_as_one_prompt_at_a_time_does() {
    let bench = pair();
    let [perf, cost] = ["perf", "cost"].map(|name| bench.path().join(name));
    write_varying(&perf, &LLMS, SCORES, &[0.5, 0.4, 0.3], 0.5);
    write_varying(&cost, &LLMS, TOKENS, &[0.1, 0.1, 0.1], 0.1);
    let prompts: Vec<String> = (0..60)
        .map(|i| ["Why? ", "ab", "1+1=", "é"][i % 4].repeat(1 + i * 7 % 13))
        .collect();
    let args = [&["--mu", "0.2"], &PAIR[..]].concat();
    let together = bench.decisions(&args, &prompts.join("\n"));
    assert_eq!(together.len(), prompts.len());
    let mut chosen: Vec<&str> = Vec::new();
    for (row, prompt) in prompts.iter().enumerate().step_by(6) {
        let alone = bench
            .decisions(&[&[&**prompt], &args[..]].concat(), "")
            .remove(0);
        assert_eq!(alone["selected"], together[row]["selected"], "{prompt}");
        assert_eq!(alone["truncated"], together[row]["truncated"], "{prompt}");
        for (a, b) in models(&alone).iter().zip(models(&together[row])) {
            for key in ["score", "cost_usd", "utility"] {
                let (a, b) = (number(a, key), number(b, key));
                assert!((a - b).abs() < SAME_IN_A_BATCH, "{prompt} {key}: {a} {b}");
            }
        }
        chosen.push(together[row]["selected"].as_str().expect("a name"));
    }
    // Or nothing would depend on the prompt.
    let first = number(&models(&together[0])[0], "score");
    assert!(
        together
            .iter()
            .any(|other| (number(&models(other)[0], "score") - first).abs() > 1e-3),
        "{chosen:?}"
    );
}

#[test]
fn long_prompts_are_flagged_one_by_one_and_counted_to_the_end() {
    let bench = pair();
    // 80 positions, of which two are never a token's and two the special tokens'.
    let lengths = [76, 77, 1, 400];
    let prompts = lengths.map(|n| "a".repeat(n));
    let args = [&["--mu", "0"], &PAIR[..]].concat();
    let found = bench.decisions(&args, &prompts.join("\n"));
    for (decision, n) in found.iter().zip(lengths) {
        assert_eq!(decision["truncated"], json!(n > 76), "{n}");
        assert_eq!(number(&models(decision)[0], "input_tokens"), n as f64);
    }
}

#[test]
fn a_label_order_comes_before_the_networks_own_names() {
    let bench = pair();
    let args =
        |order: &'static str| [&["so", "--mu", "0", "--label-order", order], &PAIR[..]].concat();
    // The first output is called dear, and now said to be free's.
    let decision = &bench.decisions(&args("free,cheap,owner/dear"), "")[0];
    assert_eq!(decision["selected"], "free");
    assert_eq!(models(decision)[0]["name"], "free");
    // Outputs of the cost network in another order are found by their names.
    write(
        &bench.path().join("cost"),
        &["free", "owner/dear", "cheap"],
        TOKENS,
        &[0.0, 0.5, 0.02],
    );
    let args = [&["so", "--mu", "0"], &PAIR[..]].concat();
    let decision = &bench.decisions(&args, "")[0];
    let tokens: Vec<f64> = models(decision)
        .iter()
        .map(|model| number(model, "output_tokens"))
        .collect();
    assert_eq!(tokens, [500.0, 20.0, 0.0]);
}

#[test]
fn the_released_pair_comes_from_the_hub() {
    let bench = Tiny::empty();
    let unnamed: Vec<String> = (0..13).map(|idx| format!("LABEL_{idx}")).collect();
    let unnamed: Vec<&str> = unnamed.iter().map(String::as_str).collect();
    let thousands: Vec<f32> = (0..13).map(|idx| idx as f32 / 10.0).collect();
    let hub = |labels: &[&str]| {
        let [perf, cost] = ["perf", "cost"].map(|name| bench.path().join(name));
        write(&perf, labels, SCORES, &[0.0; 13]);
        write(&cost, labels, TOKENS, &thousands);
        Hub::start()
            .token(TOKEN)
            .model("CARROT-LLM-Routing/Performance", perf.as_path())
            .model("CARROT-LLM-Routing/Cost", cost.as_path())
    };
    let route = |hub: &Hub, args: &[&str]| {
        let args = [&["so so", "--mu", "0.3", "--json"], args].concat();
        let mut command = bench.route_command(&args);
        command
            .env_remove("HF_HUB_OFFLINE")
            .env("HF_ENDPOINT", hub.url())
            .env("HF_TOKEN", TOKEN)
            .env("CARROT_LOG", "trace");
        let output = run(&mut command, "");
        Planted(&[TOKEN]).assert_hidden(&bench, &output, "at trace");
        output
    };
    let names = |decision: &Value| -> Vec<String> {
        let names = models(decision).iter();
        names
            .map(|model| model["name"].as_str().expect("a name").to_owned())
            .collect()
    };

    // A pair of which one is not available is not downloaded in part.
    let gated = hub(&unnamed).gate("CARROT-LLM-Routing/Cost", "hf_good");
    let output = route(&gated, &[]);
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("`CARROT-LLM-Routing/Cost`"), "{message}");
    assert!(gated.seen().iter().all(|seen| !seen.is_storage));

    let without_names = hub(&unnamed);
    let output = route(&without_names, &[]);
    let message = stderr(&output);
    assert!(
        message.contains("neither network names its outputs"),
        "{message}"
    );
    assert!(message.contains("charged 0.8 and 3.2"), "{message}");
    assert!(
        message.contains("the networks `CARROT-LLM-Routing/Performance` and"),
        "{message}"
    );
    let decision = decisions(&output).remove(0);
    assert_eq!(names(&decision), SPROUT_MODELS);
    // 5 tokens at 3 $ and none; at .8 $ and 100 at 3.2 $; at 2.5 $ and 200 at 10 $ per million.
    for (model, expected) in models(&decision)
        .iter()
        .zip([15e-6, 4e-6 + 320e-6, 12.5e-6 + 2e-3])
    {
        let cost = number(model, "cost_usd");
        assert!((cost - expected).abs() < 1e-9, "{model}");
    }

    // With an order of the user's there is nothing to warn of.
    let order: Vec<&str> = SPROUT_MODELS.iter().rev().copied().collect();
    let order = order.join(",");
    let output = route(&without_names, &["--label-order", &order]);
    assert!(
        !stderr(&output).contains("neither network"),
        "{}",
        stderr(&output)
    );
    assert_eq!(names(&decisions(&output)[0]).join(","), order);

    // Networks that name their outputs are believed.
    let mut reversed = SPROUT_MODELS;
    reversed.reverse();
    let output = route(&hub(&reversed), &[]);
    assert!(
        !stderr(&output).contains("neither network"),
        "{}",
        stderr(&output)
    );
    assert_eq!(names(&decisions(&output)[0]), reversed);

    // An id and a folder, with built-in prices.
    let args = [
        "--performance",
        "CARROT-LLM-Routing/Performance",
        "--cost",
        "cost",
    ];
    let output = route(&hub(&SPROUT_MODELS), &args);
    assert_eq!(names(&decisions(&output)[0]), SPROUT_MODELS);
    let output = route(
        &without_names,
        &["--performance", "nobody/nothing", "--cost", "cost"],
    );
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(
        message.contains("`nobody/nothing` is not a local folder")
            && message.contains("the hub has no model"),
        "{message}"
    );
}
