//! Whether routing is worth it: gains over the best single LLM, by what a whole score is worth and by task.

mod by_task;
mod by_worth;
mod drawing;
pub(super) mod of_record;
mod report;

use dataset::DatasetDir;

use crate::{
    data::{gains::Gains, inputs::Inputs},
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

/// From out-of-fold predictions, and from those for the test part where there are any.
pub(super) fn make(
    job: &Job,
    dir: &DatasetDir,
    test: Option<&Inputs>,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let name = dir.name();
    let stem = job.settings.stem(Product::Worth, name);
    outcome.uses_inputs_of(Product::Worth, dir, None)?;
    if test.is_none() && dir.cross_fit_routers()?.is_empty() {
        // Missing predictions are reported once for the data set.
        return Ok(());
    }
    let gains = match Gains::measure(dir, test, job.settings.comparisons())? {
        Ok(gains) => gains,
        Err((why, cure)) => {
            outcome.skip(format!("{name}/{stem}"), why, cure);
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
    use std::{env, fs, path::Path};

    use charts::draw::look::Look;
    use evaluation::worth::{Estimate, GainAt, GainReport, Support, TaskGain};

    use super::*;
    use crate::{
        data::{
            gains::{Gains, MeasuredOn, RouterGains},
            series::Series,
        },
        settings::Settings,
    };

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
                support: Support::of_all_known(2825),
            },
            tasks: tasks
                .iter()
                .enumerate()
                .map(|task| of_task(i, task))
                .collect(),
            null: None,
        };
        Gains {
            dataset: "zeroeval".to_owned(),
            routers: routers.iter().enumerate().map(of).collect(),
            differences: Vec::new(),
            worths_usd,
            level: 0.95,
        }
    }

    fn draw(gains: &Gains, look: Look) -> String {
        let settings = Settings::read(None).expect("built in");
        drawing::draw(gains, look, settings.worth.page, &settings.style()).expect("drawn")
    }

    fn grid() -> Vec<f64> {
        dataset::worth::grid(&[0.0001, 0.0123])
    }

    // Of fixed numbers: the program's own tests have too few prompts for a figure worth looking at.
    #[test]
    fn curves_and_tasks_stay_as_they_are() {
        let tasks = [
            "algebra",
            "a-task-with-a-name-that-no-figure-has-room-for",
            "code",
        ];
        let routers = ["carrot-knn", "carrot-blend", "carrot-roberta"];
        for (look, name) in [(Look::Color, "worth.svg"), (Look::Bw, "bw/worth.svg")] {
            let svg = draw(&gains(&routers, &tasks, grid()), look);
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
            let path = folder.join(name);
            if env::var_os("PLOTS_BLESS").is_some() {
                fs::write(&path, &svg).expect("the snapshot is written");
            }
            let expected = fs::read_to_string(&path).expect("PLOTS_BLESS=1 writes it");
            assert!(
                svg == expected,
                "`{name}` changed; look at it, then bless it"
            );
        }
    }

    #[test]
    fn what_has_no_room_is_left_to_the_one_that_leads() {
        let names: Vec<String> = (0..39).map(|i| format!("task {i}")).collect();
        let tasks: Vec<&str> = names.iter().map(String::as_str).collect();
        let routers = ["carrot-knn", "mf", "carrot-roberta", "carrot-blend", "own"];
        let svg = draw(&gains(&routers, &tasks, grid()), Look::Color);
        for expected in [
            "CARROT (blend), by task",
            "95% band of CARROT (blend)",
            "CARROT (RoBERTa), test part",
            "Not routing",
            "task 38 (1416)",
        ] {
            assert!(svg.contains(expected), "no {expected}");
        }
        let height = |svg: &str| -> f64 {
            let (_, rest) = svg.split_once("height=\"").expect("a height");
            let (height, _) = rest.split_once("pt").expect("in points");
            height.parse().expect("a number")
        };
        let short = draw(&gains(&routers, &tasks[..1], grid()), Look::Color);
        assert!(height(&svg) > 500.0 && height(&short) < 300.0);
        assert!(!short.contains("by task") && short.contains("all prompts (2825)"));
    }

    #[test]
    fn without_a_spread_of_costs_there_are_points_and_no_band() {
        let svg = draw(
            &gains(&["carrot-knn"], &[], vec![f64::INFINITY]),
            Look::Color,
        );
        assert!(svg.contains("All LLMs cost the same") && !svg.contains("band"));
        let mut unknown = gains(&["carrot-knn"], &["t"], grid());
        let of = &mut unknown.routers[0];
        let nan = Estimate {
            value: f64::NAN,
            ..estimate(0.0, f64::NAN)
        };
        of.report.mean = nan;
        for at in &mut of.report.curve {
            (at.gain, at.band_low, at.band_high) = (nan, f64::NAN, f64::NAN);
        }
        assert!(!draw(&unknown, Look::Color).contains("NaN"));
    }

    #[test]
    fn labels_of_small_dollars_are_thinned_out() {
        let svg = |worths_usd| draw(&gains(&["carrot-knn"], &[], worths_usd), Look::Color);
        let has = |svg: &str, label: &str| svg.contains(&format!("\n{label}\n"));
        let wide = svg(dataset::worth::grid(&[0.0, 0.3]));
        assert!(has(&wide, "0.5") && has(&wide, "2"), "{wide}");
        let narrow = svg(dataset::worth::grid(&[0.0, 0.000_003]));
        assert!(has(&narrow, "0.00001") && !has(&narrow, "0.00005"));
    }

    #[test]
    fn the_csv_has_every_number() {
        let gains = gains(
            &["carrot-knn", "carrot-roberta"],
            &["a, b"],
            vec![0.5, 100.0],
        );
        let csv = report::csv(&gains);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 1 + 2 * (1 + 2 + 1));
        assert!(
            lines[1].starts_with("mean,carrot-knn,out-of-fold,,,2825,0.012,0.003,0.006,0.018"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].starts_with("worth,carrot-knn,out-of-fold,0.5,,2825,0,"),
            "{}",
            lines[2]
        );
        assert!(
            lines[4].starts_with("task,carrot-knn,out-of-fold,,\"a, b\",10,"),
            "{}",
            lines[4]
        );
        assert!(lines[5].contains("test-part"));
    }
}
