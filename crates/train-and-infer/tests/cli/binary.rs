use dataset::{CostKind, Embeddings, Part};
use saved_routers::{Model, SavedRouter};

use crate::bench::{N_TEST, Tiny, names, topic};

const QUICK: [(&str, &str); 2] = [
    ("n-trees = 100", "n-trees = 20"),
    ("n-epochs = 100", "n-epochs = 300"),
];

#[test]
fn a_forest_learns_the_pair_and_is_kept() {
    let bench = Tiny::new(CostKind::Known);
    bench.write_settings(&QUICK);
    bench.fit("rorf", &["--config", "routers.toml"], 0);
    let wins = bench.small_wins("rorf");
    for (row, &p) in wins.probability.iter().enumerate() {
        // The small LLM is right on topic 0 only, as the embedding shows.
        let is_right = topic(row) == 0;
        assert!(if is_right { p > 0.9 } else { p < 0.1 }, "{row}: {p}");
    }
    let manifest = bench.manifest("rorf");
    assert_eq!(manifest.seed, Some(42));
    assert_eq!(manifest.results["n-trees"], 20);
    assert_eq!(
        manifest.results["train-outcomes"],
        serde_json::json!({"large-only": 10, "neither": 10, "both": 10, "small-only": 0})
    );

    let router = SavedRouter::open(&bench.model("rorf")).expect("opened");
    let pair = router.record.pair.expect("a pair");
    assert_eq!([pair.small, pair.large], ["cheap", "owner/dear"]);
    let Model::Rorf(rorf) = router.model else {
        panic!("a forest")
    };
    let embeddings = Embeddings::read(&bench.dir().embeddings("given", Part::Test)).expect("read");
    let found = rorf.predict(embeddings.values.view()).expect("predicted");
    assert_eq!(found.mapv(|p| p as f32), wins.probability);
}

#[test]
fn a_factorization_learns_the_pair_and_is_kept() {
    let bench = Tiny::new(CostKind::Known);
    bench.write_settings(&QUICK);
    bench.fit("mf", &["--config", "routers.toml"], 0);
    let wins = bench.small_wins("mf");
    assert_eq!(wins.ids.len(), N_TEST);
    // The small LLM does as well on topics 0 and 2.
    let of = |topic: usize| wins.probability[topic];
    assert!(of(0) > of(1) && of(2) > of(1), "{wins:?}");
    let manifest = bench.manifest("mf");
    assert_eq!(manifest.results["n-small-wins"], 20);
    assert_eq!(manifest.results["n-validation"], 3);

    let router = SavedRouter::open(&bench.model("mf")).expect("opened");
    let Model::Mf(mf) = router.model else {
        panic!("a factorization")
    };
    let embeddings = Embeddings::read(&bench.dir().embeddings("given", Part::Test)).expect("read");
    let found = mf.predict(embeddings.values.view()).expect("predicted");
    assert_eq!(found.mapv(|p| p as f32), wins.probability);
    let folder = bench.model("mf").join("factorization");
    assert_eq!(names(&folder), ["metrics.csv", "model.safetensors"]);
    let metrics = std::fs::read_to_string(folder.join("metrics.csv")).expect("read");
    assert_eq!(metrics.lines().count(), 1 + 300);
}

#[test]
fn a_pair_that_cannot_be_learned_does_not_stop_other_routers() {
    let bench = Tiny::new(CostKind::Known);
    bench.edit_split(Part::Train, |split| split.scores.fill(1.0));
    let message = bench.fit("carrot-knn,rorf,mf", &[], 1);
    for part in [
        "router `rorf` on `tiny` failed",
        "all 30 rows are of class 2",
        "router `mf` on `tiny` failed",
        "on 30 train prompts, and lower on 0",
        "2 of 3 routers failed: rorf, mf",
    ] {
        assert!(message.contains(part), "`{part}` is not in {message}");
    }
    assert_eq!(bench.dir().routers().expect("listed"), ["carrot-knn"]);
    assert_eq!(names(&bench.path().join("models/tiny")), ["carrot-knn"]);
}

#[test]
fn a_pair_must_be_two_llms_of_the_data_set() {
    let bench = Tiny::new(CostKind::Known);
    for (small, expected) in [
        ("nobody", "`nobody`"),
        ("owner/dear", "as both LLMs of its pair"),
    ] {
        bench.edit_info(|info| info.pair.as_mut().expect("a pair").small = small.to_owned());
        let message = bench.fit("rorf", &[], 1);
        assert!(message.contains(expected), "{message}");
    }
    bench.edit_info(|info| info.pair = None);
    let message = bench.fit("carrot-knn,rorf", &[], 2);
    assert!(message.contains("names no pair"), "{message}");
    assert!(bench.dir().routers().expect("listed").is_empty());
}
