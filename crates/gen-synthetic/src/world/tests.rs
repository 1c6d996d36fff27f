//! Each built-in world is what it promises to be.

use std::collections::HashMap;

use dataset::{PerModel, worth};
use test_support::try_mutations;

use super::{config::BUILT_IN, *};
use crate::{bayes::bayes_gain, rows::Chunk};

/// Rounding of expectations to float32, and of sums over thousands of rows.
const ROUNDING: f64 = 1e-7;
/// Five standard errors: a chance of about one in a million per comparison.
const N_ERRORS: f64 = 5.0;

fn config(name: &str) -> WorldConfig {
    let built_in = BUILT_IN.into_iter().find(|(world, _)| *world == name);
    let text = built_in.expect("a built-in world").1.text;
    let config: WorldConfig = toml::from_str(text).expect("it parses");
    config.check().expect("it can be used")
}

fn world(name: &str, seed: u32, n_prompts: usize) -> World {
    World::new(config(name), seed, n_prompts, 0).expect("a world")
}

fn rows(world: &World) -> Chunk {
    let numbers: Vec<u32> = (0..world.n_prompts as u32).collect();
    WorldRows::new(world).chunk(&numbers)
}

/// Of each row the LLM of the highest expected score.
fn best(expectations: &PerModel) -> Vec<usize> {
    let rows = expectations.scores.rows().into_iter();
    rows.map(|scores| {
        let models = 0..scores.len();
        models
            .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))
            .expect("some LLMs")
    })
    .collect()
}

/// The mean of the expected scores of one LLM per row.
fn value(expectations: &PerModel, choices: &[usize]) -> f64 {
    let rows = expectations.scores.rows().into_iter().zip(choices);
    let scores = rows.map(|(scores, &m)| f64::from(scores[m]));
    scores.sum::<f64>() / choices.len() as f64
}

#[test]
fn without_signal_nothing_can_be_gained() {
    for seed in 0..5 {
        let Chunk {
            expectations,
            split,
        } = rows(&world("no-signal", seed, 500));
        assert!(bayes_gain(&expectations).abs() < ROUNDING);
        for (scores, costs) in expectations
            .scores
            .rows()
            .into_iter()
            .zip(expectations.cost_usd.rows())
        {
            assert_eq!(scores, expectations.scores.row(0));
            for (&a, &b) in costs.iter().zip(expectations.cost_usd.row(0)) {
                assert!((a - b).abs() < ROUNDING * b, "{a} {b}");
            }
        }
        // What was drawn differs from prompt to prompt all the same, and a wrong measure would find something to choose by.
        assert!((1..500).any(|i| split.scores.row(i) != split.scores.row(0)));
        assert!((1..500).any(|i| split.cost_usd.row(i) != split.cost_usd.row(0)));
    }
}

#[test]
fn a_dominant_llm_is_best_and_cheapest_on_every_prompt() {
    for seed in 0..5 {
        let world = world("dominant", seed, 1000);
        let Chunk { expectations, .. } = rows(&world);
        assert!(bayes_gain(&expectations).abs() < ROUNDING);
        let best = best(&expectations);
        assert!(best.iter().all(|&m| m == best[0]), "seed {seed}");
        let cheapest = world.pair().expect("two LLMs").small;
        assert_eq!(world.names[best[0]], cheapest);
        // Among the others routing would pay.
        let others: Vec<usize> = (0..world.names.len()).filter(|&m| m != best[0]).collect();
        let mut without = expectations.clone();
        without.scores = without.scores.select(ndarray::Axis(1), &others);
        without.cost_usd = without.cost_usd.select(ndarray::Axis(1), &others);
        assert!(bayes_gain(&without) > 0.003, "{}", bayes_gain(&without));
    }
}

/// The gain of each row, averaged over worths, to know the error of their mean.
fn gains(world: &World, expectations: &PerModel) -> Vec<f64> {
    let costs = expectations.cost_usd.row(0).to_vec();
    let worths = worth::grid(&costs);
    let rows = expectations.scores.rows().into_iter();
    rows.map(|scores| {
        let gains = worths.iter().map(|&worth_usd| {
            let utility = |m: usize| worth::utility(f64::from(scores[m]), costs[m], worth_usd);
            let single = worth::best_constant(world.skills.qualities(), &costs, worth_usd);
            let best = (0..costs.len()).map(utility).fold(f64::MIN, f64::max);
            best - utility(single.expect("an LLM"))
        });
        gains.sum::<f64>() / worths.len() as f64
    })
    .collect()
}

#[test]
fn the_gain_is_the_one_that_is_asked_for() {
    for (name, n_prompts, expected) in [("close", 6000, 0.01), ("shift", 6000, 0.04)] {
        for seed in 0..3 {
            let world = world(name, seed, n_prompts);
            assert!((world.skills.gain() - expected).abs() < 1e-9, "{name}");
            let Chunk { expectations, .. } = rows(&world);
            let gains = gains(&world, &expectations);
            let mean = gains.iter().sum::<f64>() / gains.len() as f64;
            let squares = gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>();
            // Prompts of a conversation are of one family, so their gains count once.
            let n_together = world.config.conversations.map_or(1, |it| it.n_prompts);
            let n_apart = gains.len() as f64 / f64::from(n_together);
            let error = (squares / gains.len() as f64 / n_apart).sqrt();
            assert!(
                (mean - expected).abs() < N_ERRORS * error,
                "{name}, {seed}: {mean} +- {error}"
            );
            // The best single LLM of these very rows takes a little of it.
            let found = bayes_gain(&expectations);
            assert!(
                (found - mean).abs() < N_ERRORS * error,
                "{name}, {seed}: {found} {mean}"
            );
        }
    }
}

#[test]
fn in_a_close_world_the_seeming_best_is_mostly_luck() {
    for seed in 0..3 {
        let world = world("close", seed, 1600);
        let near = world
            .skills
            .qualities()
            .iter()
            .filter(|&&q| q > 0.68)
            .count();
        assert!(near >= 10, "{near} LLMs within .02 of the best");
        let Chunk {
            split,
            expectations,
        } = rows(&world);
        // The best LLM of each task by drawn scores, as a learner that does not shrink would choose.
        let mut sums: HashMap<&str, Vec<f64>> = HashMap::new();
        for (task, scores) in split.tasks.iter().zip(split.scores.rows()) {
            let sums = sums.entry(task).or_insert_with(|| vec![0.0; scores.len()]);
            sums.iter_mut()
                .zip(scores)
                .for_each(|(sum, &score)| *sum += f64::from(score));
        }
        let choice = |task: &String| {
            let sums = &sums[task.as_str()];
            (0..sums.len())
                .max_by(|&a, &b| sums[a].total_cmp(&sums[b]))
                .expect("some LLMs")
        };
        let choices: Vec<usize> = split.tasks.iter().map(choice).collect();
        let seeming = {
            let rows = split.scores.rows().into_iter().zip(&choices);
            rows.map(|(scores, &m)| f64::from(scores[m])).sum::<f64>() / choices.len() as f64
        };
        let true_value = value(&expectations, &choices);
        assert!(
            seeming > true_value + 0.02,
            "seed {seed}: {seeming} {true_value}"
        );
    }
}

#[test]
fn in_a_shifting_world_what_was_learned_first_is_wrong_last() {
    let world = world("shift", 1, 6000);
    let Chunk {
        split,
        expectations,
    } = rows(&world);
    let of = |from: usize, to: usize| {
        let rows: Vec<usize> = (from..to).collect();
        let part = PerModel {
            scores: expectations.scores.select(ndarray::Axis(0), &rows),
            ..expectations.clone()
        };
        (split.select(&rows), part)
    };
    let ((first, first_truth), (last, last_truth)) = (of(0, 1200), of(4800, 6000));
    // The best LLM of each task in the first fifth.
    let mut by_task: HashMap<&str, Vec<f64>> = HashMap::new();
    for (task, scores) in first.tasks.iter().zip(first_truth.scores.rows()) {
        let sums = by_task
            .entry(task)
            .or_insert_with(|| vec![0.0; scores.len()]);
        sums.iter_mut()
            .zip(scores)
            .for_each(|(sum, &score)| *sum += f64::from(score));
    }
    let choices = |tasks: &[String]| -> Vec<usize> {
        let choice = |task: &String| {
            let sums = by_task
                .get(task.as_str())
                .expect("all tasks come first, too");
            (0..sums.len())
                .max_by(|&a, &b| sums[a].total_cmp(&sums[b]))
                .expect("some LLMs")
        };
        tasks.iter().map(choice).collect()
    };
    // How far below the Bayes router it is.
    let loss = |tasks: &[String], truth: &PerModel| {
        value(truth, &best(truth)) - value(truth, &choices(tasks))
    };
    let (early, late) = (
        loss(&first.tasks, &first_truth),
        loss(&last.tasks, &last_truth),
    );
    assert!(early < 0.01 && late > 0.03, "{early} {late}");
    // Prompts change, too.
    let share = |tasks: &[String]| {
        let n = tasks.iter().filter(|task| *task == "arithmetic").count();
        n as f64 / tasks.len() as f64
    };
    assert!(share(&first.tasks) > 1.3 * share(&last.tasks));

    let time = split.kept("time").expect("kept");
    assert_eq!((time[0].as_str(), time[5999].as_str()), ("0", "5999"));
    let conversations = split.kept("conversation").expect("kept");
    for (i, conversation) in conversations.iter().enumerate() {
        assert_eq!(*conversation, format!("conversation-{}", i / 4));
        assert_eq!(split.tasks[i], split.tasks[i / 4 * 4]);
    }
}

#[test]
fn means_of_draws_are_the_expectations() {
    for (name, _) in BUILT_IN {
        let world = world(name, 3, 8000);
        let Chunk {
            split,
            expectations,
        } = rows(&world);
        let n_together = world.config.conversations.map_or(1, |it| it.n_prompts);
        let n_apart = f64::from(8000 / n_together);
        for m in 0..world.names.len() {
            // Of conversations rather than of prompts, whose draws hang together.
            let difference = |drawn: f64, expected: f64| (drawn - expected) / 8000.0;
            let scores = split
                .scores
                .column(m)
                .into_iter()
                .zip(expectations.scores.column(m));
            let score: f64 = scores.map(|(&a, &b)| difference(a.into(), b.into())).sum();
            // A score's variance is at most 1/4.
            assert!(
                score.abs() < N_ERRORS * 0.5 / n_apart.sqrt(),
                "{name} {m}: {score}"
            );
            let costs = split
                .cost_usd
                .column(m)
                .into_iter()
                .zip(expectations.cost_usd.column(m));
            let cost: f64 = costs.map(|(&a, &b)| difference(a, b) / b).sum();
            // exp(.4^2) - 1 is .42^2.
            assert!(
                cost.abs() < N_ERRORS * 0.42 / 8000_f64.sqrt(),
                "{name} {m}: {cost}"
            );
        }
    }
}

#[test]
fn conversations_make_prompts_hang_together() {
    let world = world("shift", 2, 8000);
    let Chunk {
        split,
        expectations,
    } = rows(&world);
    // The mean over pairs of prompts of one conversation of the product of their differences from what is expected: effect^2.
    let (mut sum, mut n) = (0.0, 0.0);
    for m in 0..world.names.len() {
        let difference = |i: usize| f64::from(split.scores[(i, m)] - expectations.scores[(i, m)]);
        for first in (0..8000).step_by(4) {
            sum += difference(first) * difference(first + 1)
                + difference(first + 2) * difference(first + 3);
            n += 2.0;
        }
    }
    // A product's deviation is at most 1/4.
    assert!(
        (sum / n - 0.0225).abs() < N_ERRORS * 0.25 / f64::sqrt(n),
        "{}",
        sum / n
    );
}

#[test]
fn a_row_depends_on_the_seed_and_its_number_and_each_seed_is_another_world() {
    let numbers = [3, 1, 4];
    for (name, _) in BUILT_IN {
        let one = world(name, 7, 40);
        let together = WorldRows::new(&one).chunk(&numbers);
        for (i, number) in numbers.into_iter().enumerate() {
            let alone = WorldRows::new(&one).chunk(&[number]);
            assert_eq!(alone.split, together.split.select(&[i]), "{name}");
        }
        let longer = world(name, 7, 80);
        let longer = WorldRows::new(&longer).chunk(&numbers).expectations;
        assert_eq!(longer == together.expectations, name != "shift", "{name}");
        let other = world(name, 8, 40);
        assert_ne!(WorldRows::new(&other).chunk(&numbers).split, together.split);
        let order = |world: &World| -> Vec<u64> {
            world
                .skills
                .qualities()
                .iter()
                .map(|q| q.to_bits())
                .collect()
        };
        assert_ne!(
            order(&one),
            order(&other),
            "{name}: LLMs are in another order"
        );
    }
}

#[test]
fn settings_that_no_world_has_are_refused() {
    let text = BUILT_IN[0].1.text;
    for (from, to, expected) in [
        ("n-models = 24", "n-models = 0", "`n-models` is 0"),
        (
            "best-score = 0.7",
            "best-score = 1.8",
            "`best-score` is 1.8",
        ),
        ("spread = 0.04", "spread = -0.1", "`spread` is -0.1"),
        ("score-steps = 1", "score-steps = 0", "`score-steps` is 0"),
        ("gain = 0.01", "gain = 0.9", "allow at most 0."),
        (
            "gain = 0.01",
            "deviation = 0.5",
            "out of [0, 1]; at most 0.",
        ),
        ("gain = 0.01", "gain = nan", "`signal.gain` is NaN"),
        (
            "difficulty-slope = 0.1",
            "difficulty-slope = 0.9",
            "leaves [0, 1] by `difficulty-slope`",
        ),
        (
            "cheapest-usd = 1e-4",
            "cheapest-usd = 1",
            "more than `costs.dearest-usd`",
        ),
        (
            "dearest-usd = 3e-3",
            "dearest-usd = inf",
            "`costs.dearest-usd` is inf",
        ),
        (
            "answer-tokens = 200",
            "answer-tokens = 1",
            "`costs.answer-tokens` is 0",
        ),
        (
            "length-sigma = 0.4",
            "length-sigma = 3",
            "`costs.length-sigma` is 3",
        ),
        (
            "[signal]",
            "[conversations]\nn-prompts = 0\neffect = 0.0\n[signal]",
            "`conversations.n-prompts` is 0",
        ),
        (
            "[signal]",
            "[drift]\nskills = 2\nfamilies = 0\n[signal]",
            "`drift.skills` is 2",
        ),
        ("[signal]", "[sign]", "unknown field `sign`"),
    ] {
        assert!(text.contains(from), "{from}");
        let config = toml::from_str::<WorldConfig>(&text.replacen(from, to, 1));
        let config = config
            .map_err(anyhow::Error::from)
            .and_then(WorldConfig::check);
        let world = config.and_then(|config| World::new(config, 1, 10, 0));
        let message = format!("{:#}", world.expect_err(expected));
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_system_prompt_is_billed_and_changes_nothing_else() {
    const N_TOKENS: u32 = 1500;
    for (name, _) in BUILT_IN {
        let plain = rows(&world(name, 5, 60));
        let with = World::new(config(name), 5, 60, N_TOKENS).expect("a world");
        let prompted = rows(&with);
        assert_eq!(plain.split.prompts, prompted.split.prompts);
        assert_eq!(plain.split.output_tokens, prompted.split.output_tokens);
        let tokens = |chunk: &Chunk| chunk.split.input_tokens.clone().expect("there");
        assert_eq!(tokens(&plain) + f64::from(N_TOKENS), tokens(&prompted));
        for m in 0..with.names.len() {
            let price = &with.prices[m];
            assert_eq!(4.0 * price.input_usd_per_mtok, price.output_usd_per_mtok);
            let input = price.input_cost_usd(tokens(&prompted)[(7, m)]);
            for (plain, prompted) in [
                (&plain.split.cost_usd, &prompted.split.cost_usd),
                (
                    &plain.expectations.cost_usd,
                    &prompted.expectations.cost_usd,
                ),
            ] {
                let found = prompted[(7, m)] - plain[(7, m)];
                assert!(
                    (found / input - 1.0).abs() < 1e-9,
                    "{name}: {found} {input}"
                );
            }
        }
    }
}

#[test]
fn one_llm_makes_a_world_without_a_choice() {
    let mut config = config("no-signal");
    config.n_models = 1;
    let world = World::new(config, 1, 20, 0).expect("a world");
    assert_eq!(world.pair(), None);
    assert!(bayes_gain(&rows(&world).expectations).abs() < ROUNDING);
}

#[test]
fn mutations_of_the_settings_make_rows_or_are_refused() {
    let texts = BUILT_IN.map(|(_, built_in)| built_in.text.as_bytes().to_vec());
    try_mutations(&texts, |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let config = toml::from_str::<WorldConfig>(&text).map_err(anyhow::Error::from);
        if let Ok(config) = config.and_then(WorldConfig::check)
            && config.n_models < 50
            && let Ok(world) = World::new(config, 1, 10, 0)
        {
            WorldRows::new(&world).chunk(&[0, 1, 2]);
        }
    });
}
