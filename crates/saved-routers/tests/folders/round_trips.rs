use dataset::{PredictedCost, Quantity};
use std::fs;

use routers::{Knn, Rorf};
use saved_routers::{Contents, EmbeddingFormat, Error, Model, NetworkCost, NewFolder, SavedRouter};

use crate::fixtures::{
    DIM, N_ROWS, check_same_bits, fitted, forest, knn_record, names, numbers, place, record,
    without_files, write_forest, write_knn,
};

#[test]
fn nearest_neighbors_predict_the_same_bits_after_a_round_trip() {
    let queries = numbers((40, DIM), 9);
    for n_targets in [1, 2] {
        let fitted = fitted(n_targets);
        if n_targets == 2 {
            let ks: Vec<usize> = fitted.knn.fits().iter().map(|it| it.n_neighbors).collect();
            assert_ne!(ks[0], ks[1], "a case with two ks");
        }
        let (_folder, place) = place();
        write_knn(&place, &fitted, EmbeddingFormat::F32);
        let router = SavedRouter::open(&place).unwrap();
        let record = without_files(router.record);
        assert_eq!(record, knn_record(&fitted, EmbeddingFormat::F32));
        let Model::Knn(knn) = router.model else {
            panic!("nearest neighbors")
        };
        assert_eq!(knn.n_rows(), N_ROWS);
        let expected = fitted.knn.predict(queries.view(), &|_| ()).unwrap();
        let found = knn.predict(queries.view(), &|_| ()).unwrap();
        assert_eq!(
            found.scores.mapv(f32::to_bits),
            expected[0].mapv(f32::to_bits)
        );
        match (found.cost, expected.get(1)) {
            (PredictedCost::Known, None) => {}
            (PredictedCost::Usd(costs), Some(z_scores)) => {
                let expected = fitted.standardizer.restore(z_scores);
                assert_eq!(costs.mapv(f64::to_bits), expected.mapv(f64::to_bits));
            }
            other => panic!("{other:?}"),
        }
        let error = knn
            .predict(numbers((2, DIM + 1), 1).view(), &|_| ())
            .unwrap_err();
        assert!(matches!(error, Error::Dimension { expected: DIM, .. }));
    }
}

#[test]
fn neighbors_that_know_are_counted_after_a_round_trip() {
    let mut fitted = fitted(2);
    // Neighbors that know one LLM are not those that know another.
    let values = &mut fitted.targets[0].values;
    for ((row, m), value) in values.indexed_iter_mut() {
        if (row + m) % 3 != 0 {
            *value = f32::NAN;
        }
    }
    let held = fitted.knn.in_memory().unwrap();
    let (rows, backend) = (held.rows().clone(), held.backend());
    let ks: Vec<usize> = fitted.knn.fits().iter().map(|it| it.n_neighbors).collect();
    let all = Knn::from_parts(rows, &fitted.targets, &ks, backend).unwrap();
    fitted.knn = all.clone().counting_known(&[Some(0.1), None]).unwrap();
    let (_folder, place) = place();
    write_knn(&place, &fitted, EmbeddingFormat::F32);
    let Model::Knn(knn) = SavedRouter::open(&place).unwrap().model else {
        panic!("nearest neighbors")
    };
    let queries = numbers((40, DIM), 9);
    let bits = |knn: &Knn| {
        let predicted = knn.predict(queries.view(), &|_| ()).unwrap().remove(0);
        predicted.mapv(f32::to_bits)
    };
    let found = knn.predict(queries.view(), &|_| ()).unwrap();
    assert_eq!(found.scores.mapv(f32::to_bits), bits(&fitted.knn));
    assert_ne!(bits(&all), bits(&fitted.knn));
}

#[test]
fn a_router_that_is_replaced_stays_as_it_was_for_who_has_it_open() {
    let fitted = fitted(2);
    let queries = numbers((40, DIM), 9);
    let (_folder, place) = place();
    write_knn(&place, &fitted, EmbeddingFormat::F32);
    let Model::Knn(knn) = SavedRouter::open(&place).unwrap().model else {
        panic!("nearest neighbors")
    };
    let before = knn.predict(queries.view(), &|_| ()).unwrap();
    write_forest(&place);
    assert!(matches!(
        SavedRouter::open(&place).unwrap().model,
        Model::Rorf(_)
    ));
    assert_eq!(knn.predict(queries.view(), &|_| ()).unwrap(), before);
}

#[test]
fn half_precision_takes_half_the_space_and_predicts_nearly_the_same() {
    let fitted = fitted(2);
    let queries = numbers((40, DIM), 9);
    let mut sizes = Vec::new();
    let mut scores = Vec::new();
    for format in [EmbeddingFormat::F32, EmbeddingFormat::F16] {
        let (_folder, place) = place();
        write_knn(&place, &fitted, format);
        sizes.push(
            fs::metadata(place.join("router.safetensors"))
                .unwrap()
                .len(),
        );
        let Model::Knn(knn) = SavedRouter::open(&place).unwrap().model else {
            panic!("nearest neighbors")
        };
        scores.push(knn.predict(queries.view(), &|_| ()).unwrap().scores);
    }
    let saved = (N_ROWS * DIM * 2) as u64;
    assert!(sizes[0].abs_diff(sizes[1] + saved) < 64, "{sizes:?}");
    // A neighbor changes here and there.
    let difference = (&scores[0] - &scores[1]).mapv(f32::abs).mean().unwrap();
    assert!(difference < 0.01, "{difference}");
}

#[test]
fn a_forest_predicts_the_same_bits_after_a_round_trip() {
    let (_folder, place) = place();
    write_forest(&place);
    let Model::Rorf(found) = SavedRouter::open(&place).unwrap().model else {
        panic!("a forest")
    };
    assert_eq!(found, forest());
    let queries = numbers((40, DIM), 9);
    let predict = |rorf: &Rorf| rorf.predict(queries.view()).unwrap();
    check_same_bits(&predict(&found), &predict(&forest()));
}

#[test]
fn networks_are_named_by_their_folders() {
    let (_folder, place) = place();
    let folder = NewFolder::create(&place).unwrap();
    for name in ["performance", "cost"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("config.json"), "{}").unwrap();
    }
    let contents = Contents::Roberta {
        performance: "performance".to_owned(),
        cost: Some(NetworkCost {
            folder: "cost".to_owned(),
            quantity: Quantity::ThousandsOfOutputTokens,
        }),
    };
    folder.commit(&record(contents)).unwrap();
    let Model::Roberta { performance, cost } = SavedRouter::open(&place).unwrap().model else {
        panic!("networks")
    };
    assert_eq!(performance, place.join("performance"));
    let cost = cost.unwrap();
    assert_eq!(cost.folder, place.join("cost"));
    assert!(cost.scale.is_none());
    fs::remove_dir_all(&cost.folder).unwrap();
    let error = SavedRouter::open(&place).unwrap_err();
    assert!(matches!(error, Error::MissingNetwork { .. }), "{error}");
}

#[test]
fn the_same_router_gives_the_same_bytes_and_a_card() {
    let fitted = fitted(2);
    let (_folder, place) = place();
    let read = || {
        names(&place)
            .iter()
            .map(|name| fs::read(place.join(name)).unwrap())
            .collect::<Vec<_>>()
    };
    write_knn(&place, &fitted, EmbeddingFormat::F32);
    let files = [
        "README.md",
        "cost.safetensors",
        "router.json",
        "router.safetensors",
    ];
    assert_eq!(names(&place), files);
    let first = read();
    write_knn(&place, &fitted, EmbeddingFormat::F32);
    assert!(first == read());
    let card = fs::read_to_string(place.join("README.md")).unwrap();
    for part in [
        "license: apache-2.0",
        "# some-router on tiny",
        "SHA-256 `abc`",
        "| owner/dear | 0.15 | 0.6 |",
        "Pair: `cheap` or `owner/dear`",
        "\"r2\": 0.25",
        "\"seed\": 42",
    ] {
        assert!(card.contains(part), "`{part}` is not in {card}");
    }
}
