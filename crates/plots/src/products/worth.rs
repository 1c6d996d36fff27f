//! Whether routing is worth it: gains over the best single LLM, by what a whole score is worth and by task.

mod by_task;
mod by_worth;
mod drawing;

#[cfg(test)]
mod tests {
    use charts::draw::{look::Look, render::Picture};

    use super::*;
    use crate::{
        data::{
            gains::{Gain, GainAt, Gains, MeasuredOn, RouterGains},
            series::Series,
        },
        settings::Settings,
    };
    use charts::draw::style::PageSize;

    fn gain(estimate: f64, standard_error: f64, n_prompts: usize) -> Gain {
        Gain {
            estimate,
            standard_error,
            low: estimate - 2.0 * standard_error,
            high: estimate + 2.0 * standard_error,
            n_prompts,
            p_gain: 0.5,
            p_loss: 0.5,
        }
    }

    /// Made-up gains of routers on tasks.
    fn gains(routers: &[&str], tasks: &[String], worths_usd: Vec<f64>) -> Gains {
        let of = |(i, router): (usize, &&str)| RouterGains {
            series: Series::Router((*router).to_owned()),
            measured_on: if router.contains("oberta") {
                MeasuredOn::TestPart
            } else {
                MeasuredOn::OutOfFold { n_repeats: 1 }
            },
            mean: gain(0.012 - 0.006 * i as f64, 0.003, 2825),
            curve: (0..worths_usd.len())
                .map(|w| {
                    let gain = gain(
                        0.03 * (0.3 * w as f64).sin() / (1.0 + i as f64) - 0.004 * i as f64,
                        0.003,
                        2825,
                    );
                    GainAt {
                        gain,
                        band_low: gain.low - 0.002,
                        band_high: gain.high + 0.002,
                    }
                })
                .collect(),
            tasks: (tasks.iter().enumerate())
                .map(|(t, task)| {
                    let n = 10 + 37 * t;
                    let se = 0.1 / (n as f64).sqrt();
                    (
                        task.clone(),
                        gain(0.02 * (1.7 * (t + i) as f64).sin(), se, n),
                    )
                })
                .collect(),
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
                    &gains(routers, &tasks, grid.clone()),
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
