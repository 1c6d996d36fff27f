//! The left frame: the gain against what a whole score is worth.

use charts::{
    draw::{
        axes::{self, Axes},
        axis::{Axis, Tick, range},
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
        marker::Shape,
        style::Style,
        text::text_width,
        theme,
    },
    error::Result,
};

use super::drawing::POINTS;
use crate::{
    data::{
        gains::{Gains, RouterGains},
        series::Series,
    },
    products::interval_bar::interval_bar,
};

/// Most routers whose bands are shaded. Of more, nobody could say which band is whose.
const MAX_BANDS: usize = 2;
/// How much of a band's color is seen where nothing else is.
pub(super) const OPACITY: f64 = 0.13;
/// How many worths lie between markers along a line.
const MARK_EVERY: usize = 6;

/// The routers whose bands are shaded, by position: all of a few, else the one that leads.
pub(super) fn with_bands(gains: &Gains) -> impl Iterator<Item = usize> {
    let lead = gains.lead().map(|of| &of.series);
    let all = gains.routers.len() <= MAX_BANDS;
    let routers = gains.routers.iter().enumerate();
    routers.filter_map(move |(i, of)| (all || Some(&of.series) == lead).then_some(i))
}

/// Draws the frame into a part of the page.
///
/// # Errors
/// When the font or the backend fails.
pub(super) fn draw(gains: &Gains, canvas: &Canvas<'_>, part: Rect, style: &Style) -> Result<()> {
    let y = gain_axis(gains, style);
    let mut x = worth_axis(gains);
    let width = axes::frame(part, &x, &y, style)?.width();
    thin_out(&mut x, width, style)?;
    let title = format!("{}: gain over the best single LLM", gains.dataset);
    let axes = Axes {
        left: part.left,
        frame: axes::frame(part, &x, &y, style)?,
        x: &x,
        y: &y,
        title: if style.has_titles { &title } else { "" },
        x_title: if gains.has_curves() {
            "US dollars per right answer"
        } else {
            "All LLMs cost the same"
        },
        y_title: "Gain, points",
    };
    axes.draw(canvas, style)?;
    if gains.has_curves() {
        for router_idx in with_bands(gains) {
            shade(gains, &gains.routers[router_idx], canvas, &axes)?;
        }
    }
    let zero = [axes.frame.left, axes.frame.right].map(|x| Point::new(x, axes.place(1.0, 0.0).y));
    let line = Series::NotRouting.line(canvas.look());
    canvas.line(&zero, Pen::of(line, style.curve_width_pt))?;
    for (router_idx, of) in gains.routers.iter().enumerate() {
        if gains.has_curves() {
            draw_curve(gains, router_idx, canvas, &axes, style)?;
        } else {
            let place = (router_idx as f64 + 0.5) / gains.routers.len() as f64;
            draw_alone(of, place, canvas, &axes)?;
        }
    }
    Ok(())
}

/// All lines and the shaded bands, and 0. Bands of the others may leave the frame's range, as they are not drawn.
fn gain_axis(gains: &Gains, style: &Style) -> Axis {
    let shaded: Vec<usize> = with_bands(gains).collect();
    let ends = gains.routers.iter().enumerate().flat_map(|(i, of)| {
        let has_band = shaded.contains(&i);
        of.report.curve.iter().flat_map(move |at| {
            let ends = match (has_band, gains.has_curves()) {
                (_, false) => [at.gain.low, at.gain.high],
                (true, true) => [at.band_low, at.band_high],
                (false, true) => [at.gain.value; 2],
            };
            [at.gain.value, ends[0], ends[1]]
        })
    });
    let ends = ends.filter(|end| end.is_finite()).chain([0.0]);
    let range = range(ends.map(|end| POINTS * end)).unwrap_or((0.0, 0.0));
    Axis::linear(range, (f64::NEG_INFINITY, f64::INFINITY), style.max_ticks)
}

fn worth_axis(gains: &Gains) -> Axis {
    match range(gains.worths_usd.iter().copied()) {
        Some(range) if gains.has_curves() => Axis::log(range),
        _ => {
            let mut axis = Axis::linear((0.0, 1.0), (0.0, 1.0), 2);
            axis.ticks = vec![Tick {
                value: 0.5,
                label: "any".to_owned(),
            }];
            axis
        }
    }
}

/// Takes labels away where they would run into each other: small dollars have many zeros. First those of 5, then those of 2.
fn thin_out(x: &mut Axis, width: f64, style: &Style) -> Result<()> {
    for digit in ['5', '2'] {
        let mut ends = Vec::with_capacity(x.ticks.len());
        for tick in &x.ticks {
            let half = text_width(&tick.label, style.tick_pt)? / 2.0 + theme::GAP;
            let middle = width * x.position(tick.value);
            ends.push((middle - half, middle + half));
        }
        if ends.windows(2).all(|pair| pair[0].1 <= pair[1].0) {
            break;
        }
        let (dropped, kept) = (x.ticks.drain(..)).partition(|tick| tick.label.contains(digit));
        x.ticks = kept;
        x.minor
            .extend(dropped.into_iter().map(|tick: Tick| tick.value));
    }
    Ok(())
}

fn shade(gains: &Gains, of: &RouterGains, canvas: &Canvas<'_>, axes: &Axes<'_>) -> Result<()> {
    let known = |end: f64| end.is_finite();
    let ends = (gains.worths_usd.iter().zip(&of.report.curve))
        .filter(|(_, at)| known(at.band_low) && known(at.band_high));
    let (low, high): (Vec<Point>, Vec<Point>) = ends
        .map(|(&worth_usd, at)| {
            let place = |gain: f64| axes.place(worth_usd, POINTS * gain);
            (place(at.band_low), place(at.band_high))
        })
        .unzip();
    if low.len() < 2 {
        return Ok(());
    }
    let color = of.series.line(canvas.look()).color;
    let corners: Vec<Point> = low.iter().chain(high.iter().rev()).copied().collect();
    canvas.area(&corners, color, OPACITY)?;
    for edge in [low, high] {
        canvas.line(&edge, Pen::solid(color, theme::GRID_WIDTH))?;
    }
    Ok(())
}

fn draw_curve(
    gains: &Gains,
    router_idx: usize,
    canvas: &Canvas<'_>,
    axes: &Axes<'_>,
    style: &Style,
) -> Result<()> {
    let of = &gains.routers[router_idx];
    let line = of.series.line(canvas.look());
    let points: Vec<Point> = (gains.worths_usd.iter().zip(&of.report.curve))
        .filter(|(_, at)| at.gain.value.is_finite())
        .map(|(&worth_usd, at)| axes.place(worth_usd, POINTS * at.gain.value))
        .collect();
    canvas.line(&points, Pen::of(line, style.curve_width_pt))?;
    if let Some(mark) = line.mark {
        // Not all at the same worths, where lines may lie on one another.
        for &point in points
            .iter()
            .skip(1 + router_idx % MARK_EVERY)
            .step_by(MARK_EVERY)
        {
            canvas.marker(point, mark, theme::MARK_RADIUS, line.color)?;
        }
    }
    Ok(())
}

/// The one gain of a router where costs do not differ.
fn draw_alone(of: &RouterGains, place: f64, canvas: &Canvas<'_>, axes: &Axes<'_>) -> Result<()> {
    let line = of.series.line(canvas.look());
    for at in of
        .report
        .curve
        .iter()
        .filter(|at| at.gain.value.is_finite())
    {
        let [low, middle, high] =
            [at.gain.low, at.gain.value, at.gain.high].map(|gain| axes.place(place, POINTS * gain));
        if low.y.is_finite() && high.y.is_finite() {
            interval_bar(canvas, low, high, line)?;
        }
        let shape = line.mark.unwrap_or(Shape::DOT);
        canvas.marker(middle, shape, theme::MARKER_RADIUS, line.color)?;
    }
    Ok(())
}
