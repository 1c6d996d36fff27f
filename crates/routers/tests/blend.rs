//! The blend through its public API: it routes where there is something to gain, does not where there is not, and survives what tables hold.

use dataset::worth;
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use routers::{
    Backend, Blend, BlendCandidate, BlendLearners, BlendParams, BlendReport, CheckedBlendParams,
    ClusterParams, Error, KernelParams, KnnParams, LinearParams, RoutingCosts, Selection, Setting,
    Target,
};

const DIM: usize = 8;

fn params() -> CheckedBlendParams {
    let (n_folds, seed) = (4, 42);
    let knn = KnnParams {
        n_neighbors: vec![2, 8, 32],
        n_folds,
        selection: Selection::Paper,
        seed,
        backend: Backend::Gemm,
    };
    let linear = LinearParams {
        alphas: vec![100.0, 10.0, 1.0],
        n_folds,
        seed,
    };
    let kernel = KernelParams {
        gammas: vec![0.5, 2.0],
        alphas: vec![10.0, 1.0],
        n_landmarks: 60,
        n_folds,
        seed,
    };
    let cluster = ClusterParams {
        n_clusters: vec![4, 16],
        prior_rows: 5.0,
        max_iterations: 30,
        tolerance: 1e-3,
        n_folds,
        seed,
    };
    let learners = BlendLearners {
        knn: knn.check().expect("good"),
        linear: linear.check().expect("good"),
        kernel: kernel.check().expect("good"),
        cluster: cluster.check().expect("good"),
    };
    let blend = BlendParams {
        n_folds,
        seed,
        scales: vec![0.125, 0.25, 0.5, 0.75, 1.0, 1.25],
    };
    blend.check(learners).expect("good")
}

/// Embeddings, scores and costs of a made-up table.
struct World {
    embeddings: Array2<f32>,
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
}

impl World {
    /// LLM m answers right with probability 1/2 + 1/2 tanh(`signal` * value m of the embedding); later LLMs cost more.
    fn new(n_rows: usize, n_models: usize, signal: f64, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let embeddings =
            Array2::from_shape_simple_fn((n_rows, DIM), || StandardNormal.sample(&mut rng));
        let scores = Array2::from_shape_fn((n_rows, n_models), |(row, m)| {
            let value: f32 = embeddings[[row, m % DIM]];
            let right = 0.5 + 0.5 * (signal * f64::from(value)).tanh();
            f32::from(u8::from(rng.random_bool(right)))
        });
        let cost_usd = Array2::from_shape_fn((n_rows, n_models), |(_, m)| {
            1e-3 * (1 + m) as f64 * rng.random_range(0.5..1.5)
        });
        Self {
            embeddings,
            scores,
            cost_usd,
        }
    }

    /// Scores and dollars as targets.
    fn targets(&self) -> [Target; 2] {
        let target = |name: &str, values| Target {
            name: name.to_owned(),
            values,
        };
        [
            target("score", self.scores.clone()),
            target("cost", self.cost_usd.mapv(|it| it as f32)),
        ]
    }

    fn fit(&self) -> Blend {
        self.try_fit(&params()).expect("fitted")
    }

    fn try_fit(&self, params: &CheckedBlendParams) -> Result<Blend, Error> {
        let costs = self.costs();
        params.fit(self.embeddings.view(), &self.targets(), &costs, &|_| ())
    }

    /// The cost target is dollars as they are.
    fn costs(&self) -> RoutingCosts<'_> {
        RoutingCosts {
            cost_usd: self.cost_usd.view(),
            predicted_usd: &|predicted| predicted.expect("a cost target").mapv(f64::from),
        }
    }

    /// The same prompts with other rows' scores and costs.
    fn permuted(mut self, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.scores.nrows()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        self.scores = self.scores.select(Axis(0), &order);
        self.cost_usd = self.cost_usd.select(Axis(0), &order);
        self
    }

    /// The mean gain of a blend on this table over the best constant of another.
    fn gain(&self, blend: &Blend, fitted: &Self) -> f64 {
        let predicted = predict(blend, &self.embeddings);
        let mean = |values: Array2<f64>| values.mean_axis(Axis(0)).expect("rows").to_vec();
        let scores = mean(fitted.scores.mapv(f64::from));
        let costs = mean(fitted.cost_usd.clone());
        let worths = worth::grid(&costs);
        let mut total = 0.0;
        for &v in &worths {
            let constant = worth::best_constant(&scores, &costs, v).expect("known");
            for row in 0..self.scores.nrows() {
                let cost = |m: usize| f64::from(predicted[1][[row, m]]);
                let utility = |m| f64::from(predicted[0][[row, m]]) - cost(m) / v;
                let best = |a: usize, b| if utility(b) > utility(a) { b } else { a };
                let choice = (0..self.scores.ncols()).reduce(best).expect("LLMs");
                let real = |m| f64::from(self.scores[[row, m]]) - self.cost_usd[[row, m]] / v;
                total += real(choice) - real(constant);
            }
        }
        total / (worths.len() * self.scores.nrows()) as f64
    }
}

fn predict(blend: &Blend, embeddings: &Array2<f32>) -> Vec<Array2<f32>> {
    blend
        .predict(embeddings.view(), &|_| ())
        .expect("predicted")
}

fn bits(predicted: &[Array2<f32>]) -> Vec<Array2<u32>> {
    predicted.iter().map(|it| it.mapv(f32::to_bits)).collect()
}

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
fn costs_known_before_the_call_need_no_target() {
    let world = World::new(500, 3, 1.5, 11);
    let known = |predicted: Option<&Array2<f32>>| {
        assert!(predicted.is_none());
        world.cost_usd.clone()
    };
    let costs = RoutingCosts {
        cost_usd: world.cost_usd.view(),
        predicted_usd: &known,
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

/// Many LLMs of which only one of two halves of the prompts tells a little: a plane through much noise.
fn hardly_different(seed: u64) -> World {
    let mut world = World::new(400, 8, 0.0, seed);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1_000);
    for (row, mut scores) in world.scores.outer_iter_mut().enumerate() {
        let is_half = world.embeddings[[row, 0]] > 0.0;
        for (m, score) in scores.iter_mut().enumerate() {
            let right = if is_half == (m % 2 == 0) { 0.6 } else { 0.4 };
            *score = f32::from(u8::from(rng.random_bool(right)));
        }
    }
    world
}

#[test]
fn the_candidate_that_routes_with_the_higher_gain_less_its_error_is_taken() {
    let (mut n_smoothest, mut n_least_error) = (0, 0);
    for seed in 0..8 {
        let world = hardly_different(seed);
        let blend = world.fit();
        let report = blend.report();
        let [least_error, smoothest] = &report.tried[..] else {
            panic!("two candidates: {:?}", report.tried)
        };
        assert_eq!(least_error.candidate, BlendCandidate::LeastError);
        assert_eq!(smoothest.candidate, BlendCandidate::Smoothest);
        let bound = |it: &routers::CandidateGain| {
            it.best.gain.expect("known") - it.best.standard_error.expect("known")
        };
        let highest = bound(least_error).max(bound(smoothest));
        assert_eq!(report.routes, highest > 0.0);
        let is_smoothest = bound(smoothest) > bound(least_error).max(0.0);
        let settings: Vec<Setting> = (report.targets[0].learners.iter())
            .map(|it| it.setting)
            .collect();
        if is_smoothest {
            n_smoothest += 1;
            assert_eq!(report.taken, BlendCandidate::Smoothest);
            assert_eq!(report.scale, smoothest.best.scale);
            assert!(report.gains.contains(&smoothest.best));
            assert_eq!(settings[0], Setting::Knn { n_neighbors: 32 });
            assert_eq!(settings[1], Setting::Linear { alpha: 100.0 });
            assert!(matches!(settings[2], Setting::Kernel { alpha: 10.0, .. }));
            assert_eq!(settings[3], Setting::Cluster { n_clusters: 4 });
        } else {
            n_least_error += 1;
            assert_eq!(report.taken, BlendCandidate::LeastError);
            assert!(report.gains.contains(&least_error.best));
        }
        // The settings of costs are those of the least error, whatever was taken.
        for learner in &report.targets[1].learners {
            let error = |it: &routers::SettingScore| it.difference_error.expect("known");
            let least =
                (learner.cross_validation.iter()).min_by(|a, b| error(a).total_cmp(&error(b)));
            assert_eq!(learner.setting, least.expect("tried").setting);
        }
    }
    assert!(
        n_smoothest > 0 && n_least_error > 0,
        "{n_smoothest}, {n_least_error}"
    );
}

#[test]
fn the_smoothest_are_kept_when_g_is_decided_once_more() {
    let worlds = (0..8).map(hardly_different);
    let mut fits = worlds.map(|world| (world.fit(), world));
    let taken = fits.find(|(blend, _)| blend.report().taken == BlendCandidate::Smoothest);
    let (blend, world) = taken.expect("one of them is smooth");
    let report = blend.report();
    let keeping = params().keeping(report).expect("good settings");
    let prepared = keeping
        .prepare(world.embeddings.view(), &|_| ())
        .expect("prepared");
    let kept = prepared
        .fit_kept(&world.targets(), &world.costs(), report)
        .expect("fitted");
    assert_eq!(kept.report().taken, BlendCandidate::Smoothest);
    assert_eq!(kept.report().gains, report.gains);
    assert!(kept.report().tried.is_empty());
    assert_eq!(
        bits(&predict(&kept, &world.embeddings)),
        bits(&predict(&blend, &world.embeddings))
    );
}

#[test]
fn reports_without_candidates_are_of_the_least_error() {
    let text = r#"{"routes": false, "scale": 0.0, "gains": [], "targets": []}"#;
    let read: BlendReport = serde_json::from_str(text).expect("read");
    assert_eq!(read.taken, BlendCandidate::LeastError);
    assert!(read.tried.is_empty());
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
        for (predicted, truth) in predict(&blend, &world.embeddings).iter().zip(world.targets()) {
            for (predicted, truth) in predicted.axis_iter(Axis(1)).zip(truth.values.axis_iter(Axis(1))) {
                // Known somewhere, it is predicted everywhere; known nowhere, nowhere.
                let is_known = truth.iter().any(|it| !it.is_nan());
                prop_assert!(predicted.iter().all(|it| it.is_finite() == is_known));
            }
        }
    }
}
