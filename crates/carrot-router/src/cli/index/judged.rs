//! The test part, predicted through the index: what `calibrate` needs of a router, and what the index changes.

use carrot_router::predict_with_index;
use dataset::{
    DatasetDir, Embeddings, FolderName, MadeFrom, Part, PartTable, PerModel, Predictions,
    RunManifest, Source, Timings, sha256_file,
};
use serde::Serialize;
use tracing::info;

use super::job::IndexJob;

/// The weight of cost at which choices are compared: the best answer, whatever it costs.
const MU: f64 = 0.0;

/// Predictions through the index beside those without.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) n_prompts: usize,
    pub(super) mu: f64,
    pub(super) share_equal: f64,
    pub(super) mean_score: f64,
    pub(super) mean_score_without: f64,
}

/// Predicts the test part, where the data set has it with its embeddings and with the predictions of the router that was indexed.
pub(super) fn predict_test_part(job: &IndexJob) -> anyhow::Result<Option<Judged>> {
    let record = &job.record;
    let skip = |what: &str| {
        info!(
            "the test part is not predicted through the index, and the router cannot be calibrated: {what}"
        );
        Ok(None)
    };
    let Ok(dir) = DatasetDir::existing(&job.data_dir, &record.dataset) else {
        return skip("the data set is not there");
    };
    let name = |path: &std::path::Path| {
        let name = path.file_name()?.to_str()?;
        name.parse::<FolderName>().ok().map(|_| name.to_owned())
    };
    let (Some(old), Some(new)) = (name(&job.plan.model), name(&job.plan.output)) else {
        return skip("the router's folder has no plain name");
    };
    let Some(embedder) = &record.embedder else {
        return skip("its embedder is not known");
    };
    let embeddings = dir.embeddings(&embedder.name, Part::Test);
    let (manifest, predictions) = (dir.manifest(&old), dir.predictions(&old));
    if [&embeddings, &manifest, &predictions]
        .iter()
        .any(|path| !path.is_file())
    {
        return skip("its embeddings or the predictions of the router are not there");
    }
    let manifest = RunManifest::read(&manifest)?;
    if manifest.config != record.config || manifest.results != record.results {
        return skip("the predictions are of another fit");
    }
    let test = dir.split(Part::Test);
    let table = PartTable::read(&test)?;
    let embeddings = {
        let read = Embeddings::read(&embeddings)?;
        read.check_ids(&embeddings, &test, &table.ids)?;
        read
    };
    let outputs = predict_with_index(&job.plan.output, &job.plan.place, embeddings.values.view())?;
    let found = PerModel::of_split(&record.models, &table, outputs.scores, outputs.cost);
    let without = Predictions::read(&predictions)?;
    let judged = match &without {
        Predictions::PerModel(without) => Some(judge(&found, without, &table)),
        Predictions::SmallWins(_) => None,
    };
    let mut inputs = manifest.inputs.clone();
    inputs.push(Source::of(&predictions)?);
    let made_from = MadeFrom {
        split_sha256: sha256_file(&test)?,
        made_by: Some(MADE_BY.to_owned()),
        router: Some(new.clone()),
        embedder: Some(embedder.name.clone()),
        train_sha256: Some(record.train_sha256.clone()),
        other_sha256: inputs.iter().skip(2).map(|it| it.sha256.clone()).collect(),
    };
    let path = dir.predictions(&new);
    Predictions::PerModel(found).write(&path, &made_from)?;
    RunManifest {
        router: new.clone(),
        made_by: MADE_BY.to_owned(),
        inputs,
        predictions_sha256: Some(sha256_file(&path)?),
        timings: Timings::default(),
        ..manifest
    }
    .write(&dir.manifest(&new))?;
    Ok(judged)
}

const MADE_BY: &str = concat!("carrot-router ", env!("CARGO_PKG_VERSION"));

/// By the score alone: at other weights costs, which vary less, decide with it.
fn judge(found: &PerModel, without: &PerModel, table: &PartTable) -> Judged {
    let choice = |scores: ndarray::ArrayView1<'_, f32>| {
        let known = scores
            .iter()
            .enumerate()
            .filter(|(_, score)| !score.is_nan());
        let best = known.max_by(|(i, a), (j, b)| a.total_cmp(b).then(j.cmp(i)));
        best.map(|(model, _)| model)
    };
    let (mut n_equal, mut sums, mut n_known) = (0, [0.0; 2], 0);
    let rows = found.scores.outer_iter().zip(without.scores.outer_iter());
    for (row, (ours, theirs)) in rows.enumerate() {
        let (ours, theirs) = (choice(ours), choice(theirs));
        n_equal += usize::from(ours == theirs);
        let got = [ours, theirs].map(|model| model.map(|model| table.scores[[row, model]]));
        if let [Some(ours), Some(theirs)] = got
            && !ours.is_nan()
            && !theirs.is_nan()
        {
            sums = [sums[0] + f64::from(ours), sums[1] + f64::from(theirs)];
            n_known += 1;
        }
    }
    let n_prompts = table.n_prompts();
    Judged {
        n_prompts,
        mu: MU,
        share_equal: n_equal as f64 / n_prompts as f64,
        mean_score: sums[0] / f64::from(n_known),
        mean_score_without: sums[1] / f64::from(n_known),
    }
}
