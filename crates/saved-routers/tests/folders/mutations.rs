//! Routers that were damaged are refused, or open and predict; none ends the program.

use std::{fs, path::Path};

use dataset::Source;
use saved_routers::{
    CALIBRATION_FORMAT_VERSION, CalibratedSetting, Calibration, CalibrationTarget, Drawn,
    EmbeddingFormat, Expected, InTheMean, ModelShare, Promised, Range, Realized, SavedRouter,
};
use test_support::try_mutations;

use crate::{
    blend,
    fixtures::{DIM, MODELS, fitted, forget_files, numbers, place, write_forest, write_knn},
    learners, mf,
};

/// Opens the router with this file mutated, and predicts with it where it opens.
fn mutate(place: &Path, file: &str) {
    let path = place.join(file);
    let whole = fs::read(&path).unwrap();
    let queries = numbers((3, DIM), 9);
    try_mutations(std::slice::from_ref(&whole), |bytes| {
        // Removed and not written over: an opened file may be mapped.
        fs::remove_file(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        if let Ok(router) = SavedRouter::open(place) {
            _ = router.model.predict(queries.view(), &|_| ());
        }
    });
    fs::write(&path, whole).unwrap();
    SavedRouter::open(place).unwrap();
}

#[test]
fn mutations_of_nearest_neighbors() {
    for format in [EmbeddingFormat::F32, EmbeddingFormat::F16] {
        let (_folder, place) = place();
        write_knn(&place, &fitted(2), format);
        mutate(&place, "router.json");
        // Without the hashes, or no mutation would get as far as the tensors.
        forget_files(&place);
        mutate(&place, "router.json");
        mutate(&place, "router.safetensors");
        mutate(&place, "cost.safetensors");
    }
}

#[test]
fn mutations_of_a_forest() {
    let (_folder, place) = place();
    write_forest(&place);
    forget_files(&place);
    mutate(&place, "router.json");
    mutate(&place, "router.safetensors");
}

#[test]
fn mutations_of_a_factorization() {
    let (_folder, place) = place();
    mf::write(&place);
    forget_files(&place);
    mutate(&place, "router.json");
    mutate(&place, mf::FILE);
}

#[test]
fn mutations_of_learners_on_embeddings() {
    for kind in learners::KINDS {
        let (_folder, place) = place();
        learners::write(&place, kind);
        forget_files(&place);
        mutate(&place, "router.json");
        mutate(&place, learners::TENSORS);
    }
}

#[test]
fn mutations_of_a_blend() {
    for kind in blend::KINDS {
        let (_folder, place) = place();
        blend::write(&place, kind);
        forget_files(&place);
        mutate(&place, "router.json");
        mutate(&place, learners::TENSORS);
    }
}

#[test]
fn mutations_of_a_calibration() {
    let (_folder, place) = place();
    write_forest(&place);
    let range = Range {
        estimate: 0.5,
        low: 0.25,
        high: 0.75,
    };
    let shares = |share: Range| {
        let share = |model: &str| ModelShare {
            model: model.to_owned(),
            share,
        };
        MODELS.map(share).to_vec()
    };
    let calibration = Calibration {
        format_version: CALIBRATION_FORMAT_VERSION,
        name: "cheap".to_owned(),
        dataset: "tiny".to_owned(),
        router: "some-router".to_owned(),
        target: CalibrationTarget::UsdPer1k { at_most: 2.5 },
        rule: "a rule".to_owned(),
        setting: CalibratedSetting::Weight {
            mu: 0.5,
            cost_multiplier: 100.0,
            lambda: 50.0,
        },
        drawn: Drawn {
            seed: 42,
            holdout_share: 0.5,
            n_chosen_on: 10,
            n_resamples: 100,
            out_of_reach: 0.0,
        },
        expected: Expected {
            n_new_prompts: 10,
            level: 0.95,
            usd_per_1k: range,
            accuracy: range,
            shares: shares(range),
            missed: Some(0.05),
        },
        realized: Realized {
            n_prompts: 10,
            usd_per_1k: 2.0,
            accuracy: 0.5,
            shares: Vec::new(),
        },
        promise: Some(Promised {
            confidence: 0.95,
            limit: 2.4,
            n_testing: 10,
            in_the_mean: InTheMean {
                setting: CalibratedSetting::Threshold {
                    threshold: 0.5,
                    small: MODELS[0].to_owned(),
                    large: MODELS[1].to_owned(),
                },
                usd_per_1k: range,
                accuracy: range,
                missed: 0.4,
            },
        }),
        model_sha256: Calibration::model_sha256_of(&place).unwrap(),
        inputs: vec![Source {
            path: "gone".into(),
            sha256: "abc".to_owned(),
            n_bytes: 3,
        }],
        made_by: "a test".to_owned(),
    };
    let path = calibration.write(&place).unwrap();
    assert_eq!(Calibration::open(&place, "cheap").unwrap(), calibration);
    try_mutations(&[fs::read(&path).unwrap()], |bytes| {
        fs::write(&path, bytes).unwrap();
        _ = Calibration::open(&place, "cheap");
    });
}
