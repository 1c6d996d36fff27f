//! The figure `regret`: against the number of train prompts on the left, against lambda on the right, one legend below both.

use charts::{
    draw::{
        axes::{self, Axes},
        axis::{Axis, range},
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
        legend::{Entry, Sample},
        line_style::LineStyle,
        look::Look,
        marker::Shape,
        shorten,
        style::{PageSize, Style},
        theme,
    },
    error::Result,
};

use super::numbers::Regrets;
use crate::products::{interval_bar::interval_bar, legend_below::legend_below};

/// Distance of the bars of routers at the same number of train prompts, in points: those that do as well would hide each other.
const SHIFT: f64 = 2.6;
/// How many lambdas lie between markers along a line.
const MARK_EVERY: usize = 12;

/// Draws the figure; the same regrets and settings give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
pub(super) fn draw(regrets: &Regrets, look: Look, page: PageSize, style: &Style) -> Result<String> {
    let (width, height) = page.in_points();
    let legend = legend_below(entries(regrets, look), width, style)?;
    let bottom = height - legend.height() - 2.0 * theme::MARGIN;
    Canvas::svg(look, width, height, |canvas| {
        let title = format!("{}: regret against the Bayes router", regrets.dataset);
        axes::draw_page_title(canvas, &title, width, style)?;
        // A frame leaves room for a title of its own; here the page's title takes that room.
        let half = |i: f64| Rect::new(i * width / 2.0, 0.0, width / 2.0, bottom);
        by_size(regrets, canvas, half(0.0), style)?;
        by_lambda(regrets, canvas, half(1.0), style)?;
        let left = (width - legend.width()) / 2.0;
        let place = Rect::new(
            left,
            bottom + theme::MARGIN,
            legend.width(),
            legend.height(),
        );
        legend.draw(canvas, place, style.curve_width_pt)
    })
}

/// The routers with their lines.
fn entries(regrets: &Regrets, look: Look) -> Vec<Entry> {
    let names: Vec<String> = (regrets.by_lambda.iter().map(|of| of.series.name())).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let labels = shorten::curve_labels(&names);
    let entries = labels.into_iter().zip(&regrets.by_lambda);
    entries
        .map(|(text, of)| Entry {
            text,
            sample: Sample::Curve(of.series.line(look)),
        })
        .collect()
}

/// Regret over all lambdas against the number of train prompts, both on logarithmic axes. What is not above 0 has no place there.
fn by_size(regrets: &Regrets, canvas: &Canvas<'_>, part: Rect, style: &Style) -> Result<()> {
    let zero = regrets
        .by_lambda
        .iter()
        .filter(|of| regrets.n_train(&of.series).is_none());
    let zero: Vec<_> = zero.filter(|of| of.integrated.estimate > 0.0).collect();
    let of_sizes = || regrets.by_size.iter().flat_map(|of| &of.sizes);
    let counts = of_sizes().map(|&(n_train, _)| n_train as f64);
    let intervals = of_sizes().map(|(_, found)| &found.integrated);
    let ends = intervals.chain(zero.iter().map(|of| &of.integrated));
    let ends = ends.flat_map(|found| [found.low, found.estimate, found.high]);
    let x = Axis::log(range(counts).unwrap_or((1.0, 10.0)));
    let y = Axis::log(range(ends.filter(|&end| end > 0.0)).unwrap_or((0.01, 1.0)));
    let titles = ["Train prompts", "Regret over all lambdas"];
    let axes = drawn_axes(canvas, part, [&x, &y], titles, style)?;
    // A router that is not fitted has one regret whatever the number of prompts. As a level line it
    // shows from how many prompts on fitting pays.
    for of in zero {
        let y = axes.place(1.0, of.integrated.estimate).y;
        let ends = [
            Point::new(axes.frame.left, y),
            Point::new(axes.frame.right, y),
        ];
        let line = of.series.line(canvas.look());
        canvas.line(&ends, Pen::of(line, style.curve_width_pt))?;
    }
    // Routers at the same number of prompts are moved apart, to both sides of it alike, so that the group as a whole stays over its number.
    let middle = (regrets.by_size.len() as f64 - 1.0) / 2.0;
    for (i, of) in regrets.by_size.iter().enumerate() {
        let line = of.series.line(canvas.look());
        let shift = SHIFT * (i as f64 - middle);
        let place = |n_train: usize, regret: f64| {
            let point = axes.place(n_train as f64, regret);
            Point::new(point.x + shift, point.y)
        };
        let shown: Vec<_> = (of.sizes.iter())
            .filter(|(_, found)| found.integrated.estimate > 0.0)
            .collect();
        let points: Vec<Point> = (shown.iter())
            .map(|(n_train, found)| place(*n_train, found.integrated.estimate))
            .collect();
        if points.len() > 1 {
            canvas.line(&points, Pen::of(line, style.curve_width_pt))?;
        }
        for ((n_train, found), &point) in shown.into_iter().zip(&points) {
            let high = place(*n_train, found.integrated.high);
            let low = if found.integrated.low > 0.0 {
                place(*n_train, found.integrated.low)
            } else {
                // An interval that reaches 0 has no end on a logarithmic axis, so its bar runs to the edge of the frame.
                Point::new(point.x, axes.frame.bottom)
            };
            interval_bar(canvas, low, high, line)?;
            canvas.marker(point, shape(line), theme::MARKER_RADIUS, line.color)?;
        }
    }
    Ok(())
}

/// Regret of the routers fitted on all train prompts, against lambda.
fn by_lambda(regrets: &Regrets, canvas: &Canvas<'_>, part: Rect, style: &Style) -> Result<()> {
    let values = regrets.by_lambda.iter().flat_map(|of| &of.at);
    let most = values.map(|found| found.estimate).fold(0.0, f64::max);
    let x = Axis::linear((0.0, 1.0), (0.0, 1.0), style.max_ticks);
    let y = Axis::linear((0.0, most), (0.0, f64::INFINITY), style.max_ticks);
    let titles = ["Lambda, the weight of cost", "Regret"];
    let axes = drawn_axes(canvas, part, [&x, &y], titles, style)?;
    for (i, of) in regrets.by_lambda.iter().enumerate() {
        let line = of.series.line(canvas.look());
        let points = regrets.grid.iter().zip(&of.at);
        let points: Vec<Point> = points
            .map(|(&lambda, found)| axes.place(lambda, found.estimate))
            .collect();
        canvas.line(&points, Pen::of(line, style.curve_width_pt))?;
        if let Some(mark) = line.mark {
            // Not all at the same lambdas, where lines may lie on one another.
            for &point in points.iter().skip(1 + 2 * i).step_by(MARK_EVERY) {
                canvas.marker(point, mark, theme::MARK_RADIUS, line.color)?;
            }
        }
    }
    Ok(())
}

/// Draws a half's axes, the horizontal one first. Neither half has a title of its own: the page's says what both show.
fn drawn_axes<'a>(
    canvas: &Canvas<'_>,
    part: Rect,
    [x, y]: [&'a Axis; 2],
    [x_title, y_title]: [&'a str; 2],
    style: &Style,
) -> Result<Axes<'a>> {
    let axes = Axes {
        left: part.left,
        frame: axes::frame(part, x, y, style)?,
        x,
        y,
        title: "",
        x_title,
        y_title,
    };
    axes.draw(canvas, style)?;
    Ok(axes)
}

fn shape(line: LineStyle) -> Shape {
    line.mark.unwrap_or(Shape::DOT)
}
