//! LLMs that have far fewer scores than others.

use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Blend, Error};

use crate::world::{World, bits, params, predict};

/// Of the first LLM's scores that are known.
const SHARE: f64 = 0.05;

/// The world where the first LLM has few scores, and so few costs.
fn with_few(mut world: World, seed: u64) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for row in 0..world.scores.nrows() {
        if !rng.random_bool(SHARE) {
            (world.scores[[row, 0]], world.cost_usd[[row, 0]]) = (f32::NAN, f64::NAN);
        }
    }
    world
}

/// The world without its first LLM.
fn without_first(world: &World) -> World {
    let others: Vec<usize> = (1..world.scores.ncols()).collect();
    World {
        embeddings: world.embeddings.clone(),
        scores: world.scores.select(Axis(1), &others),
        cost_usd: world.cost_usd.select(Axis(1), &others),
    }
}

#[test]
fn an_llm_of_few_scores_is_chosen_where_that_is_shown_to_be_better() {
    let mut world = World::new(1_200, 4, 1.5, 1);
    // Always right, and the cheapest.
    world.scores.column_mut(0).fill(1.0);
    let few = with_few(world, 2);
    let blend = few.fit();
    let found = blend.report().few_scores.as_ref().expect("it has few");
    assert_eq!((&found.models[..], found.held_back), (&[0][..], false));
    assert!(found.gain > found.standard_error, "{found:?}");
    let predicted = predict(&blend, &few.embeddings);
    for row in predicted[0].outer_iter() {
        assert!(row.iter().skip(1).all(|&other| row[0] > other), "{row}");
    }
}

#[test]
fn it_is_held_back_where_that_is_not_shown() {
    let mut n_held_back = 0;
    for seed in 0..4 {
        // The first LLM is right by chance alone, as often as the others on average.
        let mut world = World::new(1_000, 4, 1.5, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed + 10);
        let chance = || f32::from(u8::from(rng.random_bool(0.5)));
        let by_chance = Array2::from_shape_simple_fn((1_000, 1), chance);
        world.scores.column_mut(0).assign(&by_chance.column(0));
        world.cost_usd.column_mut(0).fill(2.5e-3);
        let few = with_few(world, seed + 20);
        let blend = few.fit();
        let report = blend.report();
        if report.held_back().is_empty() {
            continue;
        }
        n_held_back += 1;
        assert_eq!(report.held_back(), [0]);
        assert!(blend.parts().means[0][0].is_nan());
        // What it would cost is known.
        let predicted = predict(&blend, &few.embeddings);
        assert!(predicted[0].column(0).iter().all(|score| score.is_nan()));
        assert!(predicted[1].column(0).iter().all(|cost| cost.is_finite()));
        // And the others have what they would without it, but for how much all of a row is worth.
        let others = without_first(&few);
        let alone = others.fit();
        assert_eq!(alone.report().few_scores, None);
        assert_eq!(alone.report().scale, report.scale, "seed {seed}");
        let gain = |world: &World, blend: &Blend, others: &World| world.gain(blend, others);
        let test = without_first(&World::new(2_000, 4, 1.5, seed + 30));
        let of_alone = gain(&test, &alone, &others);
        assert!(of_alone > 0.05, "{of_alone}");
        let scores = predict(&blend, &test.embeddings).remove(0);
        let expected = predict(&alone, &test.embeddings).remove(0);
        for (found, expected) in scores.outer_iter().zip(expected.outer_iter()) {
            let best = |row: ndarray::ArrayView1<'_, f32>| {
                let best = |a: usize, b| if row[b] > row[a] { b } else { a };
                (0..row.len()).reduce(best).expect("LLMs")
            };
            let (found, expected) = (found.slice(ndarray::s![1..]), expected);
            let lost = expected[best(expected)] - expected[best(found)];
            assert!(lost < 0.1, "{found} {expected}");
        }
        let mut predicted = blend.parts().clone();
        predicted.means[0][0] = 0.5;
        let error = Blend::from_parts(predicted).expect_err("it would be chosen");
        assert!(error.to_string().contains("held back"), "{error}");
        let again = Blend::from_parts(blend.parts().clone()).expect("the same");
        let of = |blend| bits(&predict(blend, &test.embeddings));
        assert_eq!(of(&again), of(&blend));
    }
    assert!(n_held_back > 0);
}

#[test]
fn it_is_decided_again_with_what_was_kept() {
    let few = with_few(World::new(600, 3, 1.5, 5), 6);
    let blend = few.fit();
    let prepared = params()
        .keeping(blend.report())
        .expect("settings")
        .prepare(few.embeddings.view(), &|_| ());
    let prepared = prepared.expect("prepared");
    let again = prepared.fit_kept(&few.targets(), &few.costs(), blend.report());
    let again = again.expect("fitted");
    let few = [&again, &blend].map(|it| it.report().few_scores.clone().expect("it has few"));
    // Those among the others are with the weights that were kept, and not with their own.
    let gains = [&few[0], &few[1]].map(|it| it.gain.expect("known"));
    assert!((gains[0] - gains[1]).abs() < 0.01, "{gains:?}");
    let decided = few.map(|it| (it.models, it.held_back));
    assert_eq!(decided[0], decided[1]);
    assert_eq!(again.report().scale, blend.report().scale);
}

#[test]
fn an_llm_that_is_not_there_is_not_held_back() {
    let blend = with_few(World::new(600, 3, 1.5, 5), 6).fit();
    let mut parts = blend.parts().clone();
    let few = parts.report.few_scores.as_mut().expect("it has few");
    few.models = vec![3];
    let error = Blend::from_parts(parts).expect_err("no such LLM");
    assert!(
        matches!(
            error,
            Error::BadWeight {
                name: "few scores",
                ..
            }
        ),
        "{error}"
    );
}
