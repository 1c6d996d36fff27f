//! Changes of a blend's LLMs: what is kept, and what the rule decides.

use dataset::ModelScores;
use ndarray::{Array2, Axis, array, s};
use routers::{RoutingCosts, Setting};
use saved_routers::{Addition, Contents, EditNeeds, Error, PoolEdit, SavedRouter, TrainPart};
use serde_json::json;

use crate::pool_world::{
    N, TOKENS, blend, embeddings, nothing, params, predict, prices, reopened, saved, table, targets,
};

#[test]
fn a_change_of_nothing_changes_nothing() {
    let (_folder, router) = saved(&[0, 1, 2]);
    let (table, embeddings) = (table(&[0, 1, 2]), embeddings());
    let same = prices("[models.a]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 0\n");
    let edit = PoolEdit {
        prices: Some(&same),
        train: Some(TrainPart {
            table: &table,
            embeddings: Some(embeddings.view()),
        }),
        ..nothing()
    };
    let edited = router.edit(&edit, &|_| ()).unwrap();
    let rule = edited.rule().unwrap();
    assert_eq!(rule.before.scale, rule.after.scale);
    let [before, after] = [&rule.before, &rule.after].map(|it| it.gain.unwrap());
    assert!((before - after).abs() < 1e-9, "{before} {after}");
    // What the record says is what was decided.
    let noted = &edited.record().config["edits"][0]["rule"];
    assert_eq!(*noted, json!(rule));

    let (_folder, found) = reopened(&edited);
    let weights = |router: &SavedRouter| {
        let report = blend(router).blend().report().clone();
        let learners = report.targets[0].learners.clone();
        learners
            .into_iter()
            .filter(|it| it.deviation_weight > 0.0 || it.level_weight > 0.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(weights(&found), weights(&router));
    let [found, expected] = [&found, &router].map(|it| predict(it).scores);
    let difference = (&found - &expected).mapv(f32::abs);
    let largest = difference.iter().copied().fold(0.0, f32::max);
    // Embeddings of the fit and those that are stored differ by their lengths.
    assert!(largest < 1e-5, "{largest}");
}

#[test]
fn without_anything_to_gain_it_stops_to_route_and_may_start_again() {
    let (_folder, router) = saved(&[0, 1, 2]);
    let (table, embeddings) = (table(&[0, 1, 2]), embeddings());
    let train = Some(TrainPart {
        table: &table,
        embeddings: Some(embeddings.view()),
    });
    let removed = ["b", "c"].map(str::to_owned);
    let edit = PoolEdit {
        removed: &removed,
        train,
        ..nothing()
    };
    let edited = router.edit(&edit, &|_| ()).unwrap();
    let rule = edited.rule().unwrap();
    assert!(rule.before.routes() && !rule.after.routes(), "{rule:?}");
    let (_folder, alone) = reopened(&edited);
    assert!(!alone.model.routes());
    let parts = blend(&alone).blend().parts();
    assert!(parts.knn.is_none() && parts.kernel.is_none());
    let mean = table.scores.column(0).mean().unwrap();
    let scores = predict(&alone).scores;
    assert!(scores.iter().all(|score| (score - mean).abs() < 1e-6));

    // It stores no embeddings now, and keeps its weights all the same.
    assert_eq!(alone.edit_needs(), EditNeeds::TableAndEmbeddings);
    let ids = table.ids.clone();
    let back = ModelScores {
        ids: ids.clone(),
        models: vec!["b".to_owned(), "c".to_owned()],
        scores: table.scores.slice(s![.., 1..]).to_owned(),
        output_tokens: None,
        cost_usd: None,
    };
    let same = prices(
        "[models.b]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 0\n\
         [models.c]\ninput_usd_per_mtok = 1\noutput_usd_per_mtok = 0\n",
    );
    let edit = PoolEdit {
        prices: Some(&same),
        added: Some(Addition {
            table: &back,
            train_ids: &ids,
        }),
        train,
        ..nothing()
    };
    let edited = alone.edit(&edit, &|_| ()).unwrap();
    assert!(edited.rule().unwrap().after.routes());
    let edits = edited.record().config["edits"].as_array().unwrap();
    assert_eq!(edits.len(), 2);
    let added: Vec<(&str, usize)> = (edited.added().iter())
        .map(|it| (&*it.name, it.n_scored))
        .collect();
    assert_eq!(added, [("b", N), ("c", N)]);
    assert!(edited.added().iter().all(|it| it.r2.unwrap() > 0.3));
    let (_folder, back) = reopened(&edited);
    let [found, expected] = [&back, &router].map(|it| predict(it).scores);
    let difference = (&found - &expected).mapv(f32::abs);
    let largest = difference.iter().copied().fold(0.0, f32::max);
    assert!(largest < 1e-5, "{largest}");
}

#[test]
fn an_added_llm_is_fitted_as_the_learners_fit_it() {
    let (_folder, router) = saved(&[0, 1]);
    let (train, embeddings, ids) = (table(&[0, 1]), embeddings(), table(&[0]).ids);
    // Of every other prompt, in another order, with one that the router does not know.
    let all = table(&[2]);
    let some: Vec<usize> = (0..N).rev().step_by(2).collect();
    let mut scores = all.scores.select(Axis(0), &some);
    scores.append(Axis(0), array![[1.0_f32]].view()).unwrap();
    let mut ids_of_table: Vec<String> = some.iter().map(|&row| ids[row].clone()).collect();
    ids_of_table.push("elsewhere".to_owned());
    let addition = ModelScores {
        ids: ids_of_table,
        models: vec!["c".to_owned()],
        scores,
        output_tokens: None,
        cost_usd: None,
    };
    let half = prices("[models.c]\ninput_usd_per_mtok = 0.5\noutput_usd_per_mtok = 0\n");
    let edit = PoolEdit {
        prices: Some(&half),
        added: Some(Addition {
            table: &addition,
            train_ids: &ids,
        }),
        train: Some(TrainPart {
            table: &train,
            embeddings: Some(embeddings.view()),
        }),
        ..nothing()
    };
    let edited = router.edit(&edit, &|_| ()).unwrap();
    assert_eq!(edited.added()[0].n_scored, N / 2);

    // The same by the learners themselves.
    let mut expected = table(&[0, 1, 2]);
    for row in (0..N).filter(|row| !some.contains(row)) {
        expected.scores[[row, 2]] = f32::NAN;
    }
    expected.cost_usd.column_mut(2).fill(0.5 * TOKENS / 1e6);
    let known = |_: Option<&Array2<f32>>| expected.cost_usd.clone();
    let costs = RoutingCosts {
        cost_usd: expected.cost_usd.view(),
        predicted_usd: &known,
        inverse_propensities: None,
    };
    let Contents::Blend(contents) = &router.record.contents else {
        panic!("a blend")
    };
    let stored = blend(&router).blend().parts().knn.as_ref();
    let rows = stored.map_or(embeddings.clone(), |it| {
        let held = it.in_memory().unwrap();
        held.rows().to_unit_rows().view().to_owned()
    });
    let kept = params().keeping(&contents.report).unwrap();
    let prepared = kept.prepare(rows.view(), &|_| ()).unwrap();
    let fit = prepared.fit_kept(&targets(&expected), &costs, &contents.report);
    let fit = fit.unwrap();
    assert_eq!(edited.rule().unwrap().after.scale, fit.report().scale);
    let (_folder, found) = reopened(&edited);
    let expected = fit.predict(embeddings.view(), &|_| ()).unwrap();
    assert_eq!(predict(&found).scores, expected[0]);
    let price = found.record.models[2].price.as_ref().unwrap();
    assert_eq!(price.input_usd_per_mtok, 0.5);
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let (_folder, router) = saved(&[0, 1]);
    let (train, embeddings) = (table(&[0, 1]), embeddings());
    let part = TrainPart {
        table: &train,
        embeddings: Some(embeddings.view()),
    };
    let removed = ["a".to_owned()];
    let refused = |router: &SavedRouter, edit: &PoolEdit<'_>| {
        let error = router.edit(edit, &|_| ()).expect_err("a bad change");
        error.to_string()
    };
    let edit = PoolEdit {
        removed: &removed,
        ..nothing()
    };
    let message = refused(&router, &edit);
    assert!(
        message.contains("cannot be changed without the train part"),
        "{message}"
    );
    // One that stores no embeddings, without them.
    let (_folder, alone) = reopened(
        &router
            .edit(
                &PoolEdit {
                    train: Some(part),
                    ..edit
                },
                &|_| (),
            )
            .unwrap(),
    );
    let only_table = TrainPart {
        embeddings: None,
        ..part
    };
    let message = refused(
        &alone,
        &PoolEdit {
            train: Some(only_table),
            ..nothing()
        },
    );
    assert!(message.contains("cannot be changed without"), "{message}");

    for (what, table, expected) in [
        (
            "fewer prompts",
            {
                let mut table = train.clone();
                table.ids.truncate(3);
                table
            },
            "the train part has 3 prompts",
        ),
        ("another train part", table(&[0, 2]), "no scores of `b`"),
    ] {
        let part = TrainPart {
            table: &table,
            embeddings: Some(embeddings.view()),
        };
        let message = refused(
            &router,
            &PoolEdit {
                train: Some(part),
                removed: &removed,
                ..nothing()
            },
        );
        assert!(message.contains(expected), "{what}: {message}");
    }

    let mut broken = router.clone();
    broken
        .record
        .config
        .as_object_mut()
        .unwrap()
        .remove("kernel");
    let message = refused(
        &broken,
        &PoolEdit {
            train: Some(part),
            ..edit
        },
    );
    assert!(message.contains("key `kernel`"), "{message}");

    let mut without_tokens = train.clone();
    without_tokens.input_tokens = None;
    let part = TrainPart {
        table: &without_tokens,
        ..part
    };
    let cheap = prices("[models.b]\ninput_usd_per_mtok = 0.5\noutput_usd_per_mtok = 0\n");
    let message = refused(
        &router,
        &PoolEdit {
            prices: Some(&cheap),
            train: Some(part),
            ..nothing()
        },
    );
    assert!(
        message.contains("only removing LLMs is possible"),
        "{message}"
    );
    let is_knn = |setting| matches!(setting, Setting::Knn { .. });
    let report = blend(&router).blend().report();
    assert!(
        report.targets[0]
            .learners
            .iter()
            .any(|it| is_knn(it.setting))
    );
    assert!(matches!(
        router.edit(&nothing(), &|_| ()),
        Err(Error::EditWithoutTrain { .. })
    ));
}
