//! How often a goal that was promised with a confidence of .95 is missed by new prompts, in worlds with known distributions; minutes.
//!
//! `cargo run -p evaluation --example promises -- 1000` draws each world 1,000 times. Fails where a promise is missed in more than 7% of the draws.
#![expect(clippy::print_stdout, reason = "the rates are what this is for")]

#[path = "../tests/promise_worlds/mod.rs"]
mod promise_worlds;

use std::{env, process::ExitCode};

use evaluation::choice::Goal;

use crate::promise_worlds::{Costs, Known, Setup, rates};

const CONFIDENCE: f64 = 0.95;
const MOST_MISSED: f64 = 0.07;

fn main() -> ExitCode {
    let n_draws = env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000);
    let budget = Goal::Cost {
        at_most_usd: 2.5e-4,
    };
    let relative = Goal::RelativeCost {
        model_idx: 3,
        at_most: 0.3,
    };
    let accuracy = Goal::Accuracy { at_least: 0.6 };
    let share = Goal::Share {
        model_idx: 3,
        share: 0.3,
    };
    let mut setups = Vec::new();
    for costs in [
        Costs::Normal,
        Costs::LogNormal(0.6),
        Costs::LogNormal(1.2),
        Costs::Pareto(2.5),
        Costs::Rare,
    ] {
        for (n_given, n_new) in [(100, 100), (1_000, 100), (1_000, 1_000), (1_000, 10_000)] {
            setups.push((costs, Known::All, budget, n_given, n_new));
        }
    }
    for goal in [relative, accuracy, share] {
        for (n_given, n_new) in [(100, 100), (1_000, 1_000), (1_000, 10_000)] {
            setups.push((Costs::LogNormal(0.9), Known::All, goal, n_given, n_new));
        }
    }
    for known in [Known::AtRandom(0.4), Known::OnePerPrompt] {
        for goal in [budget, accuracy] {
            setups.push((Costs::LogNormal(0.9), known, goal, 1_000, 1_000));
        }
    }
    println!(
        "missed, in % of {n_draws} draws, with a confidence of {CONFIDENCE} and without; the means are of new prompts where it was promised"
    );
    println!(
        "{:<76} {:>7} {:>7} {:>5} {:>8} {:>7} {:>8}",
        "", "given", "new", "with", "without", "refused", "accuracy"
    );
    let mut is_kept = true;
    for (costs, known, goal, n_given, n_new) in setups {
        let setup = Setup {
            costs,
            known,
            goal,
            n_given,
            n_new,
            confidence: CONFIDENCE,
        };
        let found = rates(setup, n_draws);
        let percent = |n: usize| 100.0 * n as f64 / n_draws as f64;
        let n_promised = (n_draws - found.refused) as f64;
        let [with, without] = found.accuracy.map(|sum| sum / n_promised);
        let [spent, spent_without] = found.cost_usd.map(|sum| sum / n_promised);
        println!(
            "{:<76} {n_given:>7} {n_new:>7} {:>5.1} {:>8.1} {:>7.1} {:>8.4} for {:.0}% of the cost, {without:.4} without",
            format!("{costs:?} {known:?} {goal:?}"),
            percent(found.missed),
            percent(found.missed_without),
            percent(found.refused),
            with,
            100.0 * spent / spent_without,
        );
        is_kept &= found.missed as f64 <= MOST_MISSED * n_draws as f64;
    }
    match is_kept {
        true => ExitCode::SUCCESS,
        false => {
            println!(
                "a promise was missed in more than {:.0}%",
                100.0 * MOST_MISSED
            );
            ExitCode::FAILURE
        }
    }
}
