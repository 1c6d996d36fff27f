//! Copies of a prompt on both sides of an inner fold would look like something learned.

use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Blend, PreparedBlend, Rows};

use crate::world::{World, bits, params, predict};

const N_COPIES: usize = 5;

/// Prompts that say nothing, `N_COPIES` times each with the same answers, and the prompt of each row. `jitter` moves each copy's embedding.
fn copies(n_prompts: usize, jitter: f32, seed: u64) -> (World, Vec<usize>) {
    let prompts = World::new(n_prompts, 4, 0.0, seed);
    let of_row: Vec<usize> = (0..n_prompts * N_COPIES)
        .map(|row| row % n_prompts)
        .collect();
    let mut embeddings = prompts.embeddings.select(Axis(0), &of_row);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    if jitter > 0.0 {
        embeddings.mapv_inplace(|value| value + jitter * rng.random_range(-1.0..1.0));
    }
    let world = World {
        embeddings,
        scores: prompts.scores.select(Axis(0), &of_row),
        cost_usd: prompts.cost_usd.select(Axis(0), &of_row),
    };
    (world, of_row)
}

fn rows<'a>(world: &'a World, groups: Option<&'a [usize]>) -> Rows<'a> {
    Rows {
        embeddings: world.embeddings.view(),
        groups,
    }
}

fn prepare(world: &World, groups: Option<&[usize]>) -> PreparedBlend {
    let prepared = params().prepare(rows(world, groups), &|_| ());
    prepared.expect("prepared")
}

fn fit(world: &World, groups: Option<&[usize]>) -> Blend {
    let fitted = prepare(world, groups).fit(&world.targets(), &world.costs());
    fitted.expect("fitted")
}

/// How many of ten fits route, and the mean of what they gain on new prompts.
fn routing(jitter: f32, has_groups: bool) -> (usize, f64) {
    let (mut n_routes, mut total) = (0, 0.0);
    for seed in 0..10 {
        let (world, prompts) = copies(100, jitter, seed);
        let blend = fit(&world, has_groups.then_some(&prompts));
        n_routes += usize::from(blend.routes());
        total += World::new(2_000, 4, 0.0, seed + 50).gain(&blend, &world);
    }
    (n_routes, total / 10.0)
}

// One hundred prompts without copies of them route in every second draw, too, and lose .005 on average: the rule takes one standard error.
#[test]
fn copies_of_noise_do_not_route() {
    let (n_routes, gain) = routing(0.0, false);
    assert!(n_routes <= 6 && gain > -0.005, "{n_routes}, {gain}");
}

#[test]
fn groups_of_noise_do_not_route() {
    let (n_routes, gain) = routing(1e-3, false);
    // Near copies are not known as such.
    assert!(n_routes == 10 && gain < -0.02, "{n_routes}, {gain}");
    let (n_routes, gain) = routing(1e-3, true);
    assert!(n_routes <= 6 && gain > -0.005, "{n_routes}, {gain}");
}

#[test]
fn groups_of_one_change_nothing() {
    let world = World::new(300, 3, 1.5, 21);
    let alone: Vec<usize> = (0..300).map(|row| 1_000 - row).collect();
    let blend = fit(&world, Some(&alone));
    let expected = predict(&world.fit(), &world.embeddings);
    assert_eq!(bits(&predict(&blend, &world.embeddings)), bits(&expected));
    let refused = params().prepare(rows(&world, Some(&alone[1..])), &|_| ());
    assert!(refused.is_err());
    // Nothing can be held out of rows that are all together.
    assert!(!fit(&world, Some(&[7; 300])).routes());
    let same = World {
        embeddings: Array2::ones((300, 8)),
        ..world
    };
    assert!(!fit(&same, None).routes());
}
