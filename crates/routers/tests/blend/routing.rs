//! Whether it routes.

use ndarray::{Array2, Axis, array};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{RoutingCosts, Setting};

use crate::world::{World, params, predict};

#[test]
fn routes_where_there_is_something_to_gain() {
    let world = World::new(600, 4, 1.5, 1);
    let blend = world.fit();
    assert!(blend.routes());
    let gain = World::new(600, 4, 1.5, 2).gain(&blend, &world);
    // Half of what an oracle of the probabilities gains is more than .1.
    assert!(gain > 0.1, "{gain}");
    let report = blend.report();
    let chosen = report.gains.iter().find(|it| it.scale == report.scale);
    let chosen = chosen.expect("it is one of them");
    assert!(chosen.gain > chosen.standard_error);
    assert_eq!(report.targets.len(), 2);
    for target in &report.targets {
        assert_eq!(target.learners.len(), 4);
    }
    let cv: Vec<usize> = (report.targets[0].learners.iter())
        .map(|it| it.cross_validation.len())
        .collect();
    assert_eq!(cv, [3, 3, 4, 2]);
}

#[test]
fn does_not_route_by_prompts_that_say_nothing() {
    for seed in 0..6 {
        let world = World::new(400, 4, 1.5, seed).permuted(seed + 100);
        let blend = world.fit();
        let gain = World::new(2_000, 4, 1.5, seed + 50)
            .permuted(seed)
            .gain(&blend, &world);
        // Either it does not route, or it hardly departs from not routing. KNN alone loses .1 here.
        assert!(
            gain > -0.01,
            "seed {seed}: {gain}, {:?}",
            blend.report().gains
        );
        assert!(!blend.routes() || blend.report().scale * gain.abs() < 0.01);
    }
}

#[test]
fn not_routing_predicts_one_thing_for_all() {
    let world = World::new(300, 3, 0.0, 3);
    let blend = world.fit();
    assert!(!blend.routes(), "{:?}", blend.report().gains);
    let parts = blend.parts();
    assert!(parts.knn.is_none() && parts.linear.is_none());
    assert!(parts.kernel.is_none() && parts.cluster.is_none());
    let mean = world.cost_usd.mean_axis(Axis(0)).expect("rows");
    for (found, expected) in blend.mean_costs_usd().iter().zip(&mean) {
        assert!((found - expected).abs() < 1e-12);
    }
    let mean = world.scores.mean_axis(Axis(0)).expect("rows");
    for row in predict(&blend, &world.embeddings)[0].outer_iter() {
        assert!((&row - &mean).iter().all(|it| it.abs() < 1e-6));
    }
    // What was weighed is still told: a later fit with other LLMs goes by it.
    assert_eq!(blend.report().targets[0].learners.len(), 4);
}

#[test]
fn learners_without_weight_are_dropped() {
    // LLM 0 answers right where the first value is positive: a plane, which means over clusters and neighbors only approach.
    let mut world = World::new(500, 2, 0.0, 5);
    for (row, mut scores) in world.scores.outer_iter_mut().enumerate() {
        let first = f64::from(world.embeddings[[row, 0]]);
        let length = world
            .embeddings
            .row(row)
            .mapv(f64::from)
            .mapv(|it| it * it)
            .sum()
            .sqrt();
        scores.assign(&array![(first / length) as f32, 0.0]);
    }
    let blend = world.fit();
    assert!(blend.routes());
    for (setting, is_there) in [
        (Setting::Knn { n_neighbors: 2 }, blend.parts().knn.is_some()),
        (
            Setting::Linear { alpha: 1.0 },
            blend.parts().linear.is_some(),
        ),
        (
            Setting::Cluster { n_clusters: 4 },
            blend.parts().cluster.is_some(),
        ),
    ] {
        assert_eq!(blend.report().has_weight(setting), is_there);
    }
    assert!(blend.parts().linear.is_some());
}

#[test]
fn costs_known_before_the_call_need_no_target() {
    let world = World::new(500, 3, 1.5, 11);
    let known = |predicted: Option<&Array2<f32>>| {
        assert!(predicted.is_none());
        world.cost_usd.clone()
    };
    let costs = RoutingCosts {
        cost_usd: world.cost_usd.view(),
        predicted_usd: &known,
        inverse_propensities: None,
    };
    let scores = &world.targets()[..1];
    let fitted = params().fit(world.embeddings.view(), scores, &costs, &|_| ());
    let blend = fitted.expect("fitted");
    assert!(blend.routes());
    assert_eq!(predict(&blend, &world.embeddings).len(), 1);
    // A price list that every prompt knows, and no scores to tell LLMs apart: cheap prompts are no reason to route.
    let blind = world.permuted(3);
    let known = |_: Option<&Array2<f32>>| blind.cost_usd.clone();
    let costs = RoutingCosts {
        cost_usd: blind.cost_usd.view(),
        predicted_usd: &known,
        inverse_propensities: None,
    };
    let fitted = params().fit(
        blind.embeddings.view(),
        &blind.targets()[..1],
        &costs,
        &|_| (),
    );
    assert_eq!(fitted.expect("fitted").mean_costs_usd().len(), 3);
}

#[test]
fn a_log_of_one_answer_per_prompt_is_learned_from() {
    let whole = World::new(3_000, 3, 2.0, 12);
    let mut log = World {
        embeddings: whole.embeddings.clone(),
        scores: whole.scores.clone(),
        cost_usd: whole.cost_usd.clone(),
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for row in 0..3_000 {
        let kept = rng.random_range(0..3);
        for m in (0..3).filter(|&m| m != kept) {
            log.scores[[row, m]] = f32::NAN;
            log.cost_usd[[row, m]] = f64::NAN;
        }
    }
    let blend = log.fit();
    assert!(blend.routes(), "{:?}", blend.report().gains);
    assert!(World::new(500, 3, 2.0, 13).gain(&blend, &whole) > 0.05);
}
