//! What tables hold, what files hold, and what must not matter.

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{Blend, BlendReport, Error, RoutingCosts, Target};

use crate::world::{World, bits, params, predict};

#[test]
fn one_llm_two_and_few_rows_are_defined() {
    let alone = World::new(200, 1, 1.0, 7).fit();
    assert!(!alone.routes(), "there is no other to route to");
    let two = World::new(400, 2, 2.0, 8).fit();
    assert!(two.routes());
    for n_rows in [1, 3, 7] {
        let few = World::new(n_rows, 3, 2.0, 9);
        let blend = few.fit();
        assert!(!blend.routes() && blend.report().gains.is_empty());
        assert_eq!(predict(&blend, &few.embeddings)[0].dim(), (n_rows, 3));
    }
    let constant = World {
        scores: Array2::from_elem((100, 3), 0.5),
        cost_usd: Array2::from_elem((100, 3), 0.01),
        ..World::new(100, 3, 0.0, 10)
    };
    let blend = constant.fit();
    assert!(!blend.routes());
    let learners = &blend.report().targets[0].learners;
    assert!(learners.iter().all(|it| it.deviation_weight == 0.0));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let world = World::new(700, 3, 1.0, 14);
    let with = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build();
        pool.expect("a thread pool").install(|| {
            let blend = world.fit();
            (
                blend.report().clone(),
                bits(&predict(&blend, &world.embeddings)),
            )
        })
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
}

#[test]
fn parts_and_kept_weights_predict_what_the_fit_did() {
    let world = World::new(500, 4, 1.5, 15);
    let blend = world.fit();
    let expected = bits(&predict(&blend, &world.embeddings));
    let again = Blend::from_parts(blend.parts().clone()).expect("good parts");
    assert_eq!(bits(&predict(&again, &world.embeddings)), expected);
    let single = predict(&blend, &world.embeddings.select(Axis(0), &[77]));
    assert_eq!(
        single[1].row(0),
        predict(&blend, &world.embeddings)[1].row(77)
    );

    let report = blend.report().clone();
    let text = serde_json::to_string(&report).expect("written");
    let read: BlendReport = serde_json::from_str(&text).expect("read");
    assert_eq!((read.routes, read.scale), (report.routes, report.scale));
    for (read, written) in read.targets[0]
        .learners
        .iter()
        .zip(&report.targets[0].learners)
    {
        assert_eq!(read.setting, written.setting);
        let (read, written) = (read.deviation_weight, written.deviation_weight);
        // serde_json's reader may be off by the last bit.
        assert!((read - written).abs() <= 1e-15 * written);
    }
    let keeping = params().keeping(&report).expect("good settings");
    let prepared = keeping
        .prepare(world.embeddings.view(), &|_| ())
        .expect("prepared");
    let kept = prepared
        .fit_kept(&world.targets(), &world.costs(), &report)
        .expect("fitted");
    assert_eq!(bits(&predict(&kept, &world.embeddings)), expected);
    assert_eq!(kept.report().gains, report.gains);

    // One LLM less: the weights stay, g is decided once more.
    let fewer = World {
        embeddings: world.embeddings.clone(),
        scores: world.scores.select(Axis(1), &[0, 2]),
        cost_usd: world.cost_usd.select(Axis(1), &[0, 2]),
    };
    let edited = prepared
        .fit_kept(&fewer.targets(), &fewer.costs(), &report)
        .expect("fitted");
    for (new, old) in edited.report().targets[0]
        .learners
        .iter()
        .zip(&report.targets[0].learners)
    {
        assert_eq!(
            (new.setting, new.deviation_weight),
            (old.setting, old.deviation_weight)
        );
    }
    assert_ne!(edited.report().gains, report.gains);
    assert_eq!(predict(&edited, &world.embeddings)[0].ncols(), 2);
}

#[test]
fn what_no_fit_leaves_is_refused() {
    let blend = World::new(500, 3, 1.5, 16).fit();
    let refused = |change: &dyn Fn(&mut routers::BlendParts), expected: &str| {
        let mut parts = blend.parts().clone();
        change(&mut parts);
        let error = Blend::from_parts(parts).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    };
    refused(&|it| it.report.scale = f64::NAN, "`scale` is not a number");
    refused(&|it| it.report.routes = false, "`scale` is above 0");
    refused(
        &|it| it.report.targets[0].learners[2].level_weight = -1.0,
        "`weight` is not a number",
    );
    refused(&|it| it.linear = None, "of a learner that is not there");
    refused(&|it| it.dim = 3, "learner matrix has shape");
    refused(&|it| it.means[0].truncate(2), "blend matrix has shape");
    refused(&|it| it.means[1][0] = f64::INFINITY, "`means`");
    refused(&|it| it.mean_costs_usd.clear(), "at least one");
    refused(
        &|it| {
            let first = it.report.targets[0].learners[0].clone();
            it.report.targets[0].learners.push(first);
        },
        "twice",
    );
    let short = World::new(10, 3, 1.0, 1);
    let queries = short.embeddings.slice(ndarray::s![.., ..3]);
    assert!(matches!(
        blend.predict(queries, &|_| ()),
        Err(Error::Shape { .. })
    ));
    let mut queries = short.embeddings.clone();
    queries[[4, 0]] = f32::NAN;
    assert!(matches!(
        blend.predict(queries.view(), &|_| ()),
        Err(Error::NotFinite { row: 4 })
    ));
}

#[test]
fn targets_are_scores_and_costs() {
    let world = World::new(40, 2, 1.0, 17);
    let costs = world.costs();
    let fit = |targets: &[Target]| params().fit(world.embeddings.view(), targets, &costs, &|_| ());
    assert!(matches!(fit(&[]), Err(Error::RoutingTargets { n: 0 })));
    let other = Target {
        name: "score".to_owned(),
        values: Array2::zeros((40, 3)),
    };
    assert!(matches!(fit(&[other]), Err(Error::Shape { .. })));
    let wrong = |_: Option<&Array2<f32>>| Array2::zeros((1, 1));
    let wrong = RoutingCosts {
        cost_usd: world.cost_usd.view(),
        predicted_usd: &wrong,
        inverse_propensities: None,
    };
    let fitted = params().fit(world.embeddings.view(), &world.targets(), &wrong, &|_| ());
    assert!(matches!(
        fitted,
        Err(Error::Shape {
            what: "predicted cost",
            ..
        })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_pattern_of_unknowns_can_be_fitted(seed: u64, n_rows in 1_usize..40, n_models in 1_usize..4, share in 0.0..1.0_f64) {
        let mut world = World::new(n_rows, n_models, 1.0, seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        for at in ndarray::indices((n_rows, n_models)) {
            if rng.random_bool(share) {
                world.scores[at] = f32::NAN;
            }
            if rng.random_bool(share) {
                world.cost_usd[at] = f64::NAN;
            }
        }
        let blend = world.fit();
        // No score is predicted of an LLM that is never chosen.
        let held_back = [blend.report().held_back(), &[]];
        let predicted = predict(&blend, &world.embeddings);
        for ((predicted, truth), held_back) in predicted.iter().zip(world.targets()).zip(held_back) {
            let columns = predicted.axis_iter(Axis(1)).zip(truth.values.axis_iter(Axis(1)));
            for (m, (predicted, truth)) in columns.enumerate() {
                // Known somewhere, it is predicted everywhere; known nowhere, nowhere.
                let is_known = truth.iter().any(|it| !it.is_nan()) && !held_back.contains(&m);
                prop_assert!(predicted.iter().all(|it| it.is_finite() == is_known));
            }
        }
    }
}
