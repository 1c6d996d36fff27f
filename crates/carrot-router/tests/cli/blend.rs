//! A blend that does not route, and what `route` makes of it.

use dataset::{CostKind, MeanCost, Quantity};
use ndarray::{Axis, array};
use routers::{Blend, BlendCandidate, BlendParts, BlendReport, BlendTarget};
use saved_routers::{EmbeddingFormat, NewFolder};
use serde_json::json;

use crate::bench::{
    MODELS, PRICES, PROMPTS, Tiny, assert_refused, decisions, number, output_tokens, record, run,
    scores, stderr,
};

const MODEL: &str = "models/tiny/carrot-blend";
/// What the LLMs cost in the mean, where dollars were observed.
const MEAN_USD: [f64; 3] = [0.02, 0.002, 0.003];
/// Mean tokens of a prompt.
const MEAN_INPUT: f64 = 100.0;

fn bench(kind: CostKind) -> Tiny {
    let bench = Tiny::empty();
    let embedder = bench.embed().embedder;
    let input = array![MEAN_INPUT, MEAN_INPUT, MEAN_INPUT];
    let (cost, quantity) = match kind {
        CostKind::Usd => (
            MeanCost::Usd(MEAN_USD.to_vec().into()),
            Some(Quantity::StandardizedUsd),
        ),
        CostKind::OutputTokens => {
            let output = output_tokens().mapv(f64::from).mean_axis(Axis(0));
            let output = output.expect("three prompts");
            (
                MeanCost::Tokens { input, output },
                Some(Quantity::OutputTokens),
            )
        }
        CostKind::Known => {
            let output = array![0.0, 0.0, 0.0];
            (MeanCost::Tokens { input, output }, None)
        }
    };
    let folder = NewFolder::create(&bench.join(MODEL)).expect("created");
    let scores = scores().mapv(f64::from).mean_axis(Axis(0));
    let scores = scores.expect("three prompts").to_vec();
    let quantities: Vec<Quantity> = [Quantity::Score].into_iter().chain(quantity).collect();
    let target = |quantity| BlendTarget {
        target: format!("{quantity:?}"),
        learners: Vec::new(),
    };
    let blend = Blend::from_parts(BlendParts {
        dim: embedder.dim,
        means: vec![scores; quantities.len()],
        mean_costs_usd: MEAN_USD.to_vec(),
        report: BlendReport {
            routes: false,
            scale: 0.0,
            taken: BlendCandidate::LeastError,
            tried: Vec::new(),
            few_scores: None,
            gains: Vec::new(),
            targets: quantities.iter().map(target).collect(),
        },
        knn: None,
        linear: None,
        kernel: None,
        cluster: None,
    });
    let contents = folder.write_blend(&saved_routers::BlendParts {
        blend: &blend.expect("a blend"),
        quantities: &quantities,
        mean_cost: &cost,
        format: EmbeddingFormat::F32,
    });
    let mut record = record("carrot-blend", kind, contents.expect("written"));
    record.embedder = Some(embedder);
    folder.commit(&record).expect("committed");
    bench
}

/// By the numbers above: (.9 + .25 + 1) / 3 and (.5 + .75 + 0) / 3.
const MEAN_SCORES: [f64; 3] = [2.15 / 3.0, 1.25 / 3.0, 1.25 / 3.0];

#[test]
fn every_prompt_goes_to_the_same_llm_whatever_mu_is() {
    // (1000 + 40 + 30) / 3 output tokens of the dear one, 20 of the others.
    let of_tokens = |idx: usize, output: [f64; 3]| {
        (MEAN_INPUT * PRICES[idx].0 + output[idx] * PRICES[idx].1) / 1e6
    };
    for kind in [CostKind::OutputTokens, CostKind::Usd, CostKind::Known] {
        let bench = bench(kind);
        let long = "b 1 c 2 ".repeat(60);
        let prompts = format!("{}\n{long}\n", PROMPTS.join("\n"));
        for mu in ["0", "0.1", "0.3", "0.9", "1"] {
            let output = bench.route(&["--model", MODEL, "--mu", mu, "--json"], &prompts);
            let note = stderr(&output);
            assert_eq!(note.matches("does not route").count(), 2, "{note}");
            let decisions = decisions(&output);
            assert_eq!(decisions.len(), 4);
            let weight: f64 = mu.parse().expect("a number");
            let utility = |idx: usize| {
                let usd = match kind {
                    CostKind::Usd => MEAN_USD[idx],
                    CostKind::OutputTokens => of_tokens(idx, [1070.0 / 3.0, 20.0, 20.0]),
                    CostKind::Known => of_tokens(idx, [0.0; 3]),
                };
                (
                    (1.0 - weight) * MEAN_SCORES[idx] - weight * 100.0 * usd,
                    usd,
                )
            };
            let mut best = 0;
            for idx in 1..3 {
                if utility(idx).0 > utility(best).0 {
                    best = idx;
                }
            }
            for decision in &decisions {
                assert_eq!(decision["selected"], json!(MODELS[best]), "{kind:?} {mu}");
                assert_eq!(decision["routes"], json!(false));
                assert_eq!(decision["truncated"], json!(false), "nothing read it");
                for (idx, model) in decision["models"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .enumerate()
                {
                    assert!((number(model, "cost_usd") - utility(idx).1).abs() < 1e-12);
                    assert!((number(model, "score") - MEAN_SCORES[idx]).abs() < 1e-6);
                    assert_eq!(model["output_tokens"], json!(null));
                }
            }
            // Of the prompt itself, though no cost depends on it.
            assert_eq!(number(&decisions[0]["models"][0], "input_tokens"), 2.0);
        }
    }
}

#[test]
fn other_prices_make_other_mean_costs() {
    let bench = bench(CostKind::Known);
    bench.write(
        "prices.toml",
        "[models.twin]\ninput_usd_per_mtok = 0.5\noutput_usd_per_mtok = 2\n",
    );
    let args = [
        "so",
        "--model",
        MODEL,
        "--mu",
        "1",
        "--prices",
        "prices.toml",
    ];
    let decision = bench.decisions(&args, "").remove(0);
    assert_eq!(decision["selected"], json!("twin"));
    assert!((number(&decision["models"][2], "cost_usd") - 0.5 * MEAN_INPUT / 1e6).abs() < 1e-15);

    let bench = self::bench(CostKind::Usd);
    bench.write(
        "prices.toml",
        "[models.twin]\ninput_usd_per_mtok = 0.5\noutput_usd_per_mtok = 2\n",
    );
    let output = bench.route(&args, "");
    assert_refused(&output, 1, "so other prices have no effect");
}

#[test]
fn the_text_says_that_it_does_not_route() {
    let bench = bench(CostKind::Usd);
    let output = run(
        &mut bench.route_command(&["so", "--model", MODEL, "--mu", "0.5"]),
        "",
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("this blend does not route"), "{text}");
}
