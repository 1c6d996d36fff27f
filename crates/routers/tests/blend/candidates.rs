//! The two candidates that may predict scores.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{BlendCandidate, BlendReport, Setting};

use crate::world::{World, bits, params, predict};

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
