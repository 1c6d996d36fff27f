//! Whether routing is worth it: gains over the best single LLM, by what a whole score is worth and by task.

mod by_task;
mod by_worth;
mod drawing;
mod report;

use dataset::DatasetDir;

use crate::{
    data::{
        gains::Gains,
        inputs::{Found, Inputs},
    },
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

pub(super) fn make(job: &Job, dir: &DatasetDir, outcome: &mut Outcome) -> anyhow::Result<()> {
    let name = dir.name();
    let stem = job.settings.stem(Product::Worth, name);
    let what = format!("{name}/{stem}");
    outcome.uses_inputs_of(Product::Worth, dir, None)?;
    let test = match Inputs::read(dir)? {
        Found::Inputs(inputs) => Some(inputs),
        // Out-of-fold predictions need none for the test part.
        Found::Nothing { .. } if !dir.cross_fit_routers()?.is_empty() => None,
        Found::Nothing { why, cure } => {
            outcome.skip(what, why, cure);
            return Ok(());
        }
    };
    let gains = match Gains::measure(dir, test.as_deref(), job.settings.bootstrap)? {
        Ok(gains) => gains,
        Err((why, cure)) => {
            outcome.skip(what, why, cure);
            return Ok(());
        }
    };
    let csv = report::csv(&gains);
    for &look in &job.looks {
        let svg = drawing::draw(&gains, look, job.settings.worth.page, &job.settings.style())?;
        outcome.write_figure(job, name, look, &stem, &svg, &csv)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use charts::draw::{look::Look, render::Picture};
    use evaluation::worth::{Estimate, GainAt, GainReport, TaskGain};

    use super::*;
    use crate::{
        data::{
            gains::{Gains, MeasuredOn, RouterGains},
            series::Series,
        },
        settings::Settings,
    };
    use charts::draw::style::PageSize;

    fn estimate(value: f64, standard_error: f64) -> Estimate {
        Estimate {
            value,
            standard_error,
            low: value - 2.0 * standard_error,
            high: value + 2.0 * standard_error,
            p_above: 0.5,
            p_below: 0.5,
        }
    }

    fn at(worth_usd: f64, value: f64) -> GainAt {
        let gain = estimate(value, 0.003);
        GainAt {
            worth_usd,
            gain,
            band_low: gain.low - 0.002,
            band_high: gain.high + 0.002,
            best_constant: Some(0),
            best_constant_share: 1.0,
            differing_share: 0.5,
            routed_shares: Vec::new(),
        }
    }

    /// Made-up gains of routers on tasks.
    fn gains(routers: &[&str], tasks: &[&str], worths_usd: Vec<f64>) -> Gains {
        let of_task = |router_idx: usize, (t, task): (usize, &&str)| {
            let n_prompts = 10 + 37 * t;
            let value = 0.02 * (1.7 * (t + router_idx) as f64).sin();
            let gain = estimate(value, 0.1 / (n_prompts as f64).sqrt());
            ((*task).to_owned(), TaskGain { n_prompts, gain })
        };
        let curve = |router_idx: usize| {
            let value = move |w: usize| (0.3 * w as f64).sin() / (1.0 + router_idx as f64);
            let worths = worths_usd.iter().enumerate();
            worths
                .map(|(w, &worth_usd)| at(worth_usd, 0.03 * value(w) - 0.004 * router_idx as f64))
                .collect()
        };
        let of = |(i, &router): (usize, &&str)| RouterGains {
            series: Series::Router(router.to_owned()),
            measured_on: if router.contains("roberta") {
                MeasuredOn::TestPart
            } else {
                MeasuredOn::OutOfFold
            },
            report: GainReport {
                n_prompts: 2825,
                n_groups: 2825,
                n_repeats: 1,
                level: 0.95,
                mean: estimate(0.012 - 0.006 * i as f64, 0.003),
                routes: true,
                curve: curve(i),
            },
            tasks: tasks
                .iter()
                .enumerate()
                .map(|task| of_task(i, task))
                .collect(),
            of_prompts: Vec::new(),
        };
        Gains {
            dataset: "zeroeval".to_owned(),
            routers: routers.iter().enumerate().map(of).collect(),
            worths_usd,
            level: 0.95,
        }
    }

    #[test]
    fn look_at_it() {
        let settings = Settings::read(None).expect("built in");
        let page = PageSize {
            width_in: 6.8,
            height_in: 3.4,
        };
        let grid = dataset::worth::grid(&[0.0001, 0.0123]);
        let tasks = |n: usize| -> Vec<String> {
            (0..n)
                .map(|i| {
                    if i % 7 == 3 {
                        format!("a-very-long-name-of-a-task-that-nobody-can-read-{i}")
                    } else {
                        format!("task_{i}")
                    }
                })
                .collect()
        };
        for (name, routers, tasks, grid) in [
            (
                "two",
                &["carrot-blend", "carrot-knn"][..],
                tasks(1),
                grid.clone(),
            ),
            (
                "many",
                &[
                    "carrot-knn",
                    "carrot-blend",
                    "carrot-roberta",
                    "carrot-linear",
                    "carrot-kernel",
                    "carrot-cluster",
                    "mf",
                    "rorf",
                    "my-very-own-router-with-a-long-name",
                ][..],
                tasks(39),
                grid.clone(),
            ),
            (
                "four",
                &["carrot-knn", "carrot-blend", "carrot-roberta", "mf"][..],
                tasks(5),
                grid.clone(),
            ),
            (
                "flat",
                &["carrot-knn", "carrot-blend", "carrot-roberta"][..],
                tasks(3),
                vec![f64::INFINITY],
            ),
        ] {
            for look in [Look::Color, Look::Bw] {
                let svg = drawing::draw(
                    &gains(
                        routers,
                        &tasks.iter().map(String::as_str).collect::<Vec<_>>(),
                        grid.clone(),
                    ),
                    look,
                    page,
                    &settings.style(),
                )
                .expect("drawn");
                let picture = Picture::read(&svg).expect("read");
                std::fs::write(
                    format!("/tmp/worth-{name}-{look:?}.png"),
                    picture.png(150.0).expect("png"),
                )
                .expect("written");
            }
        }
    }
}
