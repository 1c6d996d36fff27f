//! A per-LLM router at parts of the large LLM's cost, benchmark by benchmark.

mod around;
mod bars;
mod benchmarks;
mod caption;
mod csv;
mod figure;
mod hatch;
mod legend;
mod look;
mod numbers;
mod radar;
mod radial_scale;
mod words;

use charts::draw::look::Look;

use self::numbers::LambdaBy;
use super::evaluated::Evaluated;
use crate::{
    output::outcome::Outcome,
    settings::product::{Product, SPIDER_BARS},
};

pub(super) fn make(of: &Evaluated<'_>, outcome: &mut Outcome) -> anyhow::Result<()> {
    draw(of, LambdaBy::OtherFolds, outcome)?;
    if of.job.reference_quirks {
        draw(of, LambdaBy::Test, outcome)?;
    }
    Ok(())
}

/// The radar chart, and the bars, which are what is printed.
fn draw(of: &Evaluated<'_>, lambda_by: LambdaBy, outcome: &mut Outcome) -> anyhow::Result<()> {
    let (job, dataset) = (of.job, &of.inputs.name);
    let name = job.settings.stem(Product::Spider, dataset);
    let version = match lambda_by {
        LambdaBy::OtherFolds => "",
        LambdaBy::Test => "-reference",
    };
    let stem = format!("{name}{version}");
    let what = || format!("{dataset}/{stem}");
    let drawn = match figure::draw(of.inputs, &job.settings, lambda_by)? {
        Ok(drawn) => drawn,
        Err(not_made) => {
            outcome.skip(what(), not_made.why, not_made.cure);
            return Ok(());
        }
    };
    for &look in &job.looks {
        match (look, &drawn.radar) {
            (Look::Color, Ok(svg)) => {
                outcome.write_figure(job, dataset, look, &stem, svg, &drawn.csv)?;
            }
            (Look::Color, Err(not_made)) => {
                outcome.skip(what(), not_made.why.clone(), not_made.cure.clone());
            }
            // Overlapping polygons cannot be told apart without color, so the print version has bars.
            (Look::Bw, _) => {
                let stem = format!("{name}{SPIDER_BARS}{version}");
                outcome.write_figure(job, dataset, look, &stem, &drawn.bars, &drawn.csv)?;
            }
        }
    }
    Ok(())
}
