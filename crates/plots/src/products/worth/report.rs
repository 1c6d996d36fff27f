//! The numbers of the figure, for programs.

use evaluation::worth::Estimate;

use crate::{
    data::gains::{Gains, RouterGains},
    output::tables::csv_of,
};

const COLUMNS: [&str; 14] = [
    "kind",
    "router",
    "measured_on",
    "worth_usd",
    "task",
    "n_prompts",
    "gain",
    "standard_error",
    "low",
    "high",
    "band_low",
    "band_high",
    "p_gain",
    "p_loss",
];

/// All numbers, in scores. Of each router a row of kind `mean` over the worths, one `worth` for each of them, one `task` for each task. An infinite
/// worth, where costs do not differ, is `inf`; what is unknown is empty.
pub(super) fn csv(gains: &Gains) -> String {
    let mut records = vec![COLUMNS.map(str::to_owned).to_vec()];
    for of in &gains.routers {
        let report = &of.report;
        records.push(record(
            of,
            "mean",
            "",
            "",
            report.n_prompts,
            &report.mean,
            None,
        ));
        for at in &report.curve {
            let worth = at.worth_usd.to_string();
            let band = Some([at.band_low, at.band_high]);
            records.push(record(
                of,
                "worth",
                &worth,
                "",
                report.n_prompts,
                &at.gain,
                band,
            ));
        }
        for (task, gain) in &of.tasks {
            records.push(record(
                of,
                "task",
                "",
                task,
                gain.n_prompts,
                &gain.gain,
                None,
            ));
        }
    }
    csv_of(records)
}

fn record(
    of: &RouterGains,
    kind: &str,
    worth: &str,
    task: &str,
    n_prompts: usize,
    gain: &Estimate,
    band: Option<[f64; 2]>,
) -> Vec<String> {
    let [band_low, band_high] = band.unwrap_or([f64::NAN; 2]);
    let texts = [kind, &of.series.key(), of.measured_on.key(), worth, task];
    let numbers = [
        gain.value,
        gain.standard_error,
        gain.low,
        gain.high,
        band_low,
        band_high,
        gain.p_above,
        gain.p_below,
    ];
    let number = |value: f64| match value.is_nan() {
        true => String::new(),
        false => value.to_string(),
    };
    (texts.map(str::to_owned).into_iter())
        .chain([n_prompts.to_string()])
        .chain(numbers.map(number))
        .collect()
}
