//! The figure `spider` (the paper's Plot 1): a per-LLM router at parts of the large LLM's cost, benchmark by benchmark, against that LLM; as a
//! radar chart, as bars for print, and as the numbers that both were drawn from.
//!
//! From data to page: `benchmarks` says which prompts belong together, `numbers` evaluates, `caption` puts into words how lambda was chosen and
//! what is missing, `radar` and `bars` draw with `around`, `hatch`, `legend` and `words`, `csv` writes the rest. Looks are in `look`.

use charts::draw::look::Look;

use super::{
    bars,
    benchmarks::MIN_AXES,
    csv,
    numbers::{LambdaBy, NotMade, Spider},
    radar,
};
use crate::{data::inputs::Inputs, settings::Settings};

/// The figure in both forms, and its numbers.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// SVG; or why only bars can be drawn.
    pub(crate) radar: Result<String, NotMade>,
    /// SVG, in black and white.
    pub(crate) bars: String,
    pub(crate) csv: String,
}

/// Draws the figure of a data set, or says why it cannot be. The same inputs and settings give the same bytes.
///
/// # Errors
/// When predictions cannot be evaluated, the font is broken or the backend fails.
pub(crate) fn draw(
    inputs: &Inputs,
    settings: &Settings,
    lambda_by: LambdaBy,
) -> anyhow::Result<Result<Drawn, NotMade>> {
    let spider = match Spider::new(inputs, settings, lambda_by)? {
        Ok(spider) => spider,
        Err(why) => return Ok(Err(why)),
    };
    let style = settings.style();
    let (width, _) = settings.page(Look::Color).in_points();
    let n_benchmarks = spider.benchmarks.len();
    // Too few benchmarks do not fail the figure as a whole, since the bars can show any number of them.
    let radar = if n_benchmarks < MIN_AXES {
        Err(NotMade {
            why: format!(
                "a radar chart needs {MIN_AXES} benchmarks, and the data set has {n_benchmarks}"
            ),
            cure: "the bars show the same numbers".to_owned(),
        })
    } else {
        Ok(radar::draw(&spider, width, &style)?)
    };
    Ok(Ok(Drawn {
        radar,
        bars: bars::draw(&spider, settings.spider.bars, &style)?,
        csv: csv::csv(&spider),
    }))
}
