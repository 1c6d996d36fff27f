//! What routers lose against the true expectations, which only synthetic data has.

mod drawing;
mod numbers;
mod report;

use dataset::{DatasetDir, Part, router_names::CARROT_KNN};

use self::numbers::Regrets;
use crate::{
    data::inputs::{Found, Inputs},
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

pub(super) fn make(job: &Job, dir: &DatasetDir, outcome: &mut Outcome) -> anyhow::Result<()> {
    let name = dir.name();
    let stem = job.settings.stem(Product::Regret, name);
    let what = format!("{name}/{stem}");
    if !dir.truth(Part::Test).is_file() {
        let cure = "only data sets created by gen-synthetic have them";
        outcome.skip(what, "the data set has no true expectations", cure);
        return Ok(());
    }
    outcome.uses_inputs_of(Product::Regret, dir, None)?;
    let inputs = match Inputs::read(dir)? {
        Found::Inputs(inputs) => inputs,
        Found::Nothing { why, cure } => {
            outcome.skip(what, why, cure);
            return Ok(());
        }
    };
    let regrets = Regrets::new(&inputs, &job.settings)?;
    // The figure is drawn all the same: its right half needs no learning curve.
    if regrets.by_size.iter().all(|of| of.sizes.len() < 2) {
        outcome.skip(
            format!("{what} against the number of train prompts"),
            "no router has been fitted on subsets of the training split",
            format!("`cargo run -p train-and-infer -- --dataset {name} --routers {CARROT_KNN} --train-sizes 200,400,800` fits one"),
        );
    }
    let csv = report::csv(&regrets);
    for &look in &job.looks {
        let svg = drawing::draw(
            &regrets,
            look,
            job.settings.regret.page,
            &job.settings.style(),
        )?;
        outcome.write_figure(job, name, look, &stem, &svg, &csv)?;
    }
    // Only Markdown: the CSV beside the figure already has these numbers in full.
    let path = job.folder(name).join(format!("{stem}.md"));
    outcome.write(path, report::document(&regrets).markdown().as_bytes())
}
