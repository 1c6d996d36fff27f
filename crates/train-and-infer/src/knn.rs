use std::collections::BTreeMap;

use cli_support::{Progress, peak_memory_bytes};
use dataset::{Part, PerModel, Predictions, RunManifest, Source, Split};
use ndarray::Array2;
use routers::{
    Target,
    labels::{CostTarget, cost_of_tokens},
};
use serde_json::json;

use crate::{args::Router, embeddings, job::Job, report::Report, stopwatch::Stopwatch};

/// Fits k-nearest-neighbors regression and predicts the test split.
pub(crate) fn run(job: &Job, router: Router) -> anyhow::Result<Report> {
    let mut stopwatch = Stopwatch::start();
    let embedder = job.embedder_of(router);
    let [train_path, test_path] = job.split_paths();
    let (train, test) = stopwatch.time("read splits", || {
        Ok((Split::read(&train_path)?, Split::read(&test_path)?))
    })?;
    let embeddings = stopwatch.time("embed", || embeddings::load(job, embedder, &train, &test))?;

    let cost_target = CostTarget::of(job.info.cost_kind, &train);
    let mut targets = vec![Target {
        name: "score".to_owned(),
        values: train.scores,
    }];
    if let Some((name, values)) = cost_target.values() {
        targets.push(Target {
            name: name.to_owned(),
            values: values.clone(),
        });
    }
    let knn = stopwatch.time("fit", || {
        let bar = Progress::bar(
            "finding neighbors",
            embeddings.train.nrows() as u64,
            job.quiet,
        );
        Ok(job.knn.fit(embeddings.train, targets, &|n| bar.add(n))?)
    })?;
    let predicted = stopwatch.time("predict", || {
        let bar = Progress::bar("predicting", embeddings.test.nrows() as u64, job.quiet);
        Ok(knn.predict(embeddings.test, &|n| bar.add(n))?)
    })?;

    let predictions = per_model(job, &test, &cost_target, predicted);
    let path = job.dir.predictions(&router.to_string());
    stopwatch.time("write", || {
        Ok(Predictions::PerModel(predictions).write(&path)?)
    })?;
    let vectors = Part::ALL.map(|part| job.dir.embeddings(&embedder.name, part));
    let inputs = [[train_path, test_path], vectors].concat();
    let manifest = RunManifest {
        dataset: job.dir.name().to_owned(),
        router: router.to_string(),
        embedder: Some(embedder.name.clone()),
        seed: None,
        made_by: concat!("train-and-infer ", env!("CARGO_PKG_VERSION")).to_owned(),
        config: json!({ "knn": job.knn.params(), "embedder": embedder.name }),
        inputs: inputs
            .iter()
            .map(|path| Source::of(path))
            .collect::<Result<_, _>>()?,
        results: json!({ "targets": knn.fits() }),
        stages: stopwatch.stages(),
        peak_memory_bytes: peak_memory_bytes(),
        environment: BTreeMap::from([("threads".to_owned(), n_threads())]),
    };
    manifest.write(&job.dir.manifest(&router.to_string()))?;
    Ok(Report {
        predictions: path,
        n_train: train.ids.len(),
        n_test: test.ids.len(),
        fits: knn.fits().to_vec(),
        manifest,
    })
}

/// Puts predicted targets, the score first, into the form of a prediction file.
fn per_model(
    job: &Job,
    test: &Split,
    cost_target: &CostTarget,
    predicted: Vec<Array2<f32>>,
) -> PerModel {
    let mut predicted = predicted.into_iter();
    let scores = predicted.next().expect("the score is always a target");
    let (output_tokens, cost_usd) = match (cost_target, predicted.next()) {
        (CostTarget::OutputTokens(_), Some(tokens)) => {
            let cost_usd = cost_of_tokens(&job.info, test, &tokens);
            (Some(tokens), cost_usd)
        }
        (CostTarget::Usd(_, standardizer), Some(z_scores)) => {
            (None, standardizer.restore(&z_scores))
        }
        _ => (None, test.cost_usd.clone()),
    };
    PerModel {
        ids: test.ids.clone(),
        models: test.models.clone(),
        scores,
        output_tokens,
        cost_usd,
    }
}

fn n_threads() -> String {
    std::thread::available_parallelism().map_or_else(|_| "unknown".to_owned(), |n| n.to_string())
}
