//! What predictions are worth.

use std::rc::Rc;

use dataset::TestPredictions;
use evaluation::{
    Curve, Predicted, Truth,
    choice::Lambdas,
    curve::Grid,
    metric::qnc,
    study::{LambdaFrom, Rows, benchmark_points},
};

use super::data::no_score;
use crate::{
    Error, Result as VerdictResult,
    claims::Metric,
    obstacle::Obstacle,
    subject::{Subject, per_model},
};

type Number = Result<f64, Obstacle>;

/// A router's predictions. Numbers that were published for all documents of a source do not hold for a part.
fn read(
    subject: &Subject,
    router: &str,
    embedder: Option<&str>,
) -> Result<Rc<TestPredictions>, Obstacle> {
    let predictions = subject.router(router, embedder)?;
    if let Some((summary, _)) = subject.whole() {
        return Err(Obstacle::NotRun(format!(
            "the number is of {} test prompts, and {} of the source's {} documents have no text here",
            summary.n_test, summary.n_documents_without_text, summary.n_documents
        )));
    }
    Ok(predictions)
}

fn curve(
    subject: &Subject,
    predictions: &TestPredictions,
    truth: &Truth<'_>,
) -> VerdictResult<Curve> {
    Ok(subject.measured(predictions)?.curve(truth)?)
}

pub(super) fn prediction_accuracy(
    subject: &Subject,
    router: &str,
    embedder: Option<&str>,
    metric: &Metric,
) -> Number {
    let predictions = read(subject, router, embedder)?;
    let test = subject.test()?;
    let cost_kind = subject.info.cost_kind;
    let found = evaluation::metric::prediction_accuracy(test, per_model(&predictions)?, cost_kind)?;
    match metric {
        Metric::BinarizedAcc { .. } => Ok(found.binarized_acc),
        Metric::ScoreMae { .. } => Ok(found.score_mae),
        Metric::ScoreR2 { .. } => Ok(found.score_r2),
        Metric::RoutingAcc { .. } => Ok(found.routing_acc),
        Metric::GainOverBestSingle { .. } => Ok(found.routing_acc - found.best_single),
        _ => {
            let cost_mae = found.cost_mae.map(|mae| mae.mean);
            cost_mae
                .ok_or_else(|| Obstacle::NotRun("no cost is predicted on this data set".to_owned()))
        }
    }
}

pub(super) fn accuracy_at_cost(
    subject: &Subject,
    router: &str,
    embedder: Option<&str>,
    cost_usd: f64,
) -> Number {
    let predictions = read(subject, router, embedder)?;
    let test = subject.test()?;
    let curve = curve(subject, &predictions, &Truth::of(test)?)?;
    // Cheaper than the router can be: the number is not defined.
    Ok(curve
        .best_within(cost_usd)
        .map_or(f64::NAN, |point| point.accuracy))
}

pub(super) fn relative_cost(subject: &Subject, router: &str, embedder: Option<&str>) -> Number {
    let predictions = read(subject, router, embedder)?;
    let test = subject.test()?;
    let truth = Truth::of(test)?;
    let (_, best) = evaluation::baseline::best_single(&truth).ok_or_else(no_score)?;
    // Never reached is more than any cost.
    Ok(qnc(&curve(subject, &predictions, &truth)?.to_points(), best).unwrap_or(f64::INFINITY))
}

pub(super) fn least_lead(
    subject: &Subject,
    router: &str,
    over: &str,
    embedder: Option<&str>,
) -> Number {
    let leader = read(subject, router, embedder)?;
    let other = read(subject, over, embedder)?;
    let test = subject.test()?;
    let truth = Truth::of(test)?;
    let leader = curve(subject, &leader, &truth)?;
    let other = curve(subject, &other, &truth)?;
    // Costs below the leader's cheapest point are left out: it has no accuracy there to compare.
    let leads = other.points.iter().filter_map(|point| {
        let at_its_cost = leader.best_within(point.cost_usd)?;
        Some(at_its_cost.accuracy - point.accuracy)
    });
    Ok(leads.reduce(f64::min).unwrap_or(f64::NAN))
}

pub(super) fn least_benchmark_ratio(
    subject: &Subject,
    router: &str,
    embedder: Option<&str>,
    metric: &Metric,
) -> Number {
    let Metric::LeastBenchmarkRatio {
        reference,
        budget_ratio,
        n_steps,
        cost_multiplier,
        benchmarks,
        ..
    } = metric
    else {
        unreachable!("asked for by that metric");
    };
    let predictions = read(subject, router, embedder)?;
    let test = subject.test()?;
    let Some(reference_idx) = test.models.iter().position(|name| name == reference) else {
        return Err(Obstacle::NotRun(format!(
            "the data set has no LLM `{reference}`"
        )));
    };
    let labels = test.tasks.iter().map(|task| {
        let benchmark = benchmarks.iter().find(|name| task.contains(name.as_str()));
        benchmark.cloned().ok_or_else(|| Error::NoBenchmark {
            task: task.clone(),
            benchmarks: benchmarks.clone(),
        })
    });
    let labels: Vec<String> = labels.collect::<VerdictResult<_>>()?;
    let rows = Rows {
        truth: Truth::of(test)?,
        predicted: Predicted::of(per_model(&predictions)?)?,
        benchmarks: &labels,
    };
    let grid = Lambdas::Grid(Grid {
        n_steps: *n_steps,
        cost_multiplier: *cost_multiplier,
    });
    let points = benchmark_points(
        rows,
        LambdaFrom::Test,
        reference_idx,
        &[*budget_ratio],
        grid,
    )?;
    let missing = benchmarks
        .iter()
        .find(|name| points.iter().all(|point| point.benchmark != **name));
    if let Some(name) = missing {
        return Err(Obstacle::NotRun(format!(
            "no test prompt is of benchmark `{name}`"
        )));
    }
    // A benchmark that the router cannot do so cheaply is lost.
    let ratios = points.iter().map(|point| {
        point
            .router
            .as_ref()
            .map_or(0.0, |router| router.accuracy_ratio)
    });
    Ok(ratios.fold(f64::INFINITY, f64::min))
}
