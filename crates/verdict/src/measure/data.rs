//! What data and split alone decide.

use evaluation::{Truth, baseline::single_models};

use crate::{obstacle::Obstacle, subject::Subject};

type Number = Result<f64, Obstacle>;

pub(super) fn n_rows(subject: &Subject) -> Number {
    let info = &subject.info;
    let whole = subject.whole();
    Ok(whole.map_or(info.n_train + info.n_test, |(summary, _)| {
        summary.n_documents
    }) as f64)
}

pub(super) fn n_train(subject: &Subject) -> Number {
    let whole = subject.whole();
    Ok(whole.map_or(subject.info.n_train, |(summary, _)| {
        summary.n_documents - summary.n_test
    }) as f64)
}

pub(super) fn n_test(subject: &Subject) -> Number {
    let whole = subject.whole();
    Ok(whole.map_or(subject.info.n_test, |(summary, _)| summary.n_test) as f64)
}

pub(super) fn n_validation(subject: &Subject) -> Number {
    Ok(subject.info.n_validation.unwrap_or(0) as f64)
}

pub(super) fn n_models(subject: &Subject) -> Number {
    Ok(subject.info.models.len() as f64)
}

pub(super) fn best_single(subject: &Subject) -> Number {
    // Published for all documents; without the texts of some, the test part here is a smaller one.
    if let Some((_, order)) = subject.whole() {
        return Ok(order.best_single_score);
    }
    let truth = Truth::of(subject.test()?)?;
    let (_, point) = evaluation::baseline::best_single(&truth).ok_or_else(no_score)?;
    Ok(point.accuracy)
}

pub(super) fn oracle(subject: &Subject) -> Number {
    if let Some((_, order)) = subject.whole() {
        return Ok(order.oracle);
    }
    let truth = Truth::of(subject.test()?)?;
    let point = evaluation::baseline::oracle(&truth).ok_or_else(no_score)?;
    Ok(point.accuracy)
}

pub(super) fn model_accuracy(subject: &Subject, model: &str) -> Number {
    if let Some((summary, order)) = subject.whole() {
        let position = summary.models.iter().position(|name| name == model);
        let position = position.ok_or_else(|| no_such_model(subject, model))?;
        let accuracy = order.accuracies.get(position);
        return accuracy.copied().ok_or_else(|| {
            Obstacle::NotRun(
                "the data set was made by an older generator, which did not record the LLMs' accuracies; regenerate it with --force".to_owned(),
            )
        });
    }
    Ok(point_of(subject, model)?.accuracy)
}

pub(super) fn model_cost(subject: &Subject, model: &str) -> Number {
    Ok(point_of(subject, model)?.cost_usd)
}

fn point_of(subject: &Subject, model: &str) -> Result<evaluation::Point, Obstacle> {
    let test = subject.test()?;
    let position = test.models.iter().position(|name| name == model);
    let position = position.ok_or_else(|| no_such_model(subject, model))?;
    let point = single_models(&Truth::of(test)?)[position];
    point.ok_or_else(|| Obstacle::nothing_known(format!("nothing is known of `{model}`")))
}

pub(super) fn no_score() -> Obstacle {
    Obstacle::nothing_known("no score is known")
}

fn no_such_model(subject: &Subject, model: &str) -> Obstacle {
    Obstacle::NotRun(format!("`{}` has no LLM `{model}`", subject.dir.name()))
}
