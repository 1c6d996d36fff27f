//! The right frame: gains by task, a row each, with their intervals.

use charts::{
    draw::{
        axes::{self, Axes},
        axis::{Axis, Tick, range},
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
        marker::Shape,
        shorten::{curve_labels, shortened_to},
        style::Style,
        text::text_width,
        theme,
    },
    error::Result,
};

use evaluation::worth::TaskGain;

use super::drawing::{POINTS, labels};
use crate::{
    data::{
        gains::{Gains, RouterGains},
        series::Series,
    },
    products::interval_bar::interval_bar,
};

/// Most bars in the frame with those of all routers; beyond, only the one that leads is shown.
const MAX_BARS: usize = 36;
/// Most routers side by side in a row.
const MAX_ROUTERS: usize = 4;
/// Room of a bar, and between rows, in points.
const BAR: f64 = 6.0;
const BETWEEN: f64 = 4.0;
/// Least width of the frame, in points.
const LEAST_FRAME: f64 = 130.0;
/// Most characters of a task's name, and the least font size in parts of the configured one.
const MAX_CHARS: usize = 32;
const LEAST_SCALE: f64 = 0.7;

/// The frame's contents with their sizes.
pub(super) struct ByTask<'a> {
    routers: Vec<&'a RouterGains>,
    /// Whose gains are shown, where it is one of several.
    alone: Option<String>,
    rows: Vec<Row>,
    style: Style,
    /// Of the part of the page, in points.
    width: f64,
}

/// A task, or all of them.
struct Row {
    label: String,
    /// One per router; `None` where it was measured on no prompt of the task.
    gains: Vec<Option<TaskGain>>,
}

impl<'a> ByTask<'a> {
    /// Chooses what is shown on a page of `width` points.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn new(gains: &'a Gains, page_width: f64, style: &Style) -> Result<Self> {
        let n_tasks = tasks(gains.routers.iter()).len();
        let n_rows = if n_tasks > 1 { n_tasks + 1 } else { 1 };
        let n_routers = gains.routers.len();
        let all = n_routers <= MAX_ROUTERS && n_rows * n_routers <= MAX_BARS || n_rows == 1;
        let routers: Vec<&RouterGains> = match gains.lead() {
            Some(lead) if !all => vec![lead],
            _ => gains.routers.iter().collect(),
        };
        let alone = (routers.len() < n_routers).then(|| {
            let position = gains
                .routers
                .iter()
                .position(|of| of.series == routers[0].series);
            labels(gains).swap_remove(position.unwrap_or(0))
        });
        let rows = rows(&routers, n_tasks);
        // Long names are written smaller before they take the frame's room.
        let mut widest = 0.0;
        for row in &rows {
            widest = f64::max(widest, text_width(&row.label, style.tick_pt)?);
        }
        let scale = (0.26 * page_width / widest).clamp(LEAST_SCALE, 1.0);
        let titles = 3.0 * theme::MARGIN + style.axis_title_pt;
        let width = (scale * widest + titles + LEAST_FRAME).max(0.42 * page_width);
        Ok(Self {
            routers,
            alone,
            rows,
            style: Style {
                tick_pt: scale * style.tick_pt,
                ..*style
            },
            width,
        })
    }

    /// Width of its part of the page, in points.
    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// The least height of its part of the page, in points.
    pub(super) fn height(&self, style: &Style) -> f64 {
        let titles = 2.0 * theme::MARGIN + 2.0 * style.axis_title_pt;
        self.row_height() * self.rows.len() as f64 + axes::room_below(style) + titles
    }

    fn row_height(&self) -> f64 {
        let bars = BAR * self.routers.len() as f64 + BETWEEN;
        bars.max(1.35 * self.style.tick_pt)
    }

    /// Draws the frame into a part of the page.
    ///
    /// # Errors
    /// When the font or the backend fails.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, part: Rect, style: &Style) -> Result<()> {
        let n_rows = self.rows.len() as f64;
        let middle = |row_idx: usize| n_rows - 0.5 - row_idx as f64;
        let mut y = Axis::linear((0.0, n_rows), (0.0, n_rows), 2);
        let tick = |(i, row): (usize, &Row)| Tick {
            value: middle(i),
            label: row.label.clone(),
        };
        y.ticks = self.rows.iter().enumerate().map(tick).collect();
        let x = self.gain_axis(style);
        let frame = axes::frame(part, &x, &y, &self.style)?;
        let what = match self.rows.len() {
            1 => "all worths",
            _ => "by task",
        };
        let title = match &self.alone {
            Some(router) => format!("{router}, {what}"),
            None => format!(
                "All worths together{}",
                if self.rows.len() > 1 { ", by task" } else { "" }
            ),
        };
        let axes = Axes {
            left: part.left,
            frame,
            x: &x,
            y: &y,
            title: if style.has_titles { &title } else { "" },
            x_title: "Gain, points",
            y_title: "",
        };
        axes.draw(canvas, &self.style)?;
        let zero = axes.place(0.0, 0.0).x;
        let zero = [frame.top, frame.bottom].map(|y| Point::new(zero, y));
        let line = Series::NotRouting.line(canvas.look());
        canvas.line(&zero, Pen::of(line, style.curve_width_pt))?;
        // What all prompts say is apart from what some of them say.
        if self.rows.len() > 1 {
            let y = axes.place(0.0, n_rows - 1.0).y;
            let ends = [frame.left, frame.right].map(|x| Point::new(x, y));
            canvas.line(&ends, Pen::solid(canvas.palette().frame, theme::GRID_WIDTH))?;
        }
        let step = frame.height() / (n_rows * 1.08) / (self.routers.len() as f64 + 1.0);
        for (row_idx, row) in self.rows.iter().enumerate() {
            for (i, (of, gain)) in self.routers.iter().zip(&row.gains).enumerate() {
                let shift =
                    step.min(1.6 * BAR) * (i as f64 - (self.routers.len() as f64 - 1.0) / 2.0);
                let place = |gain: f64| {
                    let point = axes.place(POINTS * gain, middle(row_idx));
                    // An interval that leaves the frame has no end in it.
                    let x = point.x.clamp(frame.left, frame.right);
                    Point::new(x, point.y + shift)
                };
                if let Some(gain) = gain {
                    draw_gain(of, gain, place, canvas)?;
                }
            }
        }
        Ok(())
    }

    fn gain_axis(&self, style: &Style) -> Axis {
        let gains = || self.rows.iter().flat_map(|row| row.gains.iter().flatten());
        let ends = gains().flat_map(|gain| [gain.gain.low, gain.gain.value, gain.gain.high]);
        let ends = ends.filter(|end| end.is_finite()).chain([0.0]);
        let range = range(ends.map(|end| POINTS * end)).unwrap_or((0.0, 0.0));
        // Half a page holds fewer labels.
        let max_ticks = style.max_ticks.saturating_sub(1).max(2);
        Axis::linear(range, (f64::NEG_INFINITY, f64::INFINITY), max_ticks)
    }
}

/// All prompts first, then the tasks by the gain of the first router, the largest first; a single task is all prompts.
fn rows(routers: &[&RouterGains], n_tasks: usize) -> Vec<Row> {
    let all = Row {
        label: label("all prompts", routers.iter().map(|of| of.report.n_prompts)),
        gains: routers.iter().map(|of| Some(of.all())).collect(),
    };
    let mut rows = vec![all];
    if n_tasks < 2 {
        return rows;
    }
    let names = tasks(routers.iter().copied());
    let cut = curve_labels(&names);
    let mut tasks: Vec<Row> = (names.iter().zip(cut))
        .map(|(&name, cut)| {
            let gains: Vec<Option<TaskGain>> = routers.iter().map(|of| of.task(name)).collect();
            let n_prompts = gains.iter().flatten().map(|gain| gain.n_prompts);
            Row {
                label: label(&shortened_to(&cut, MAX_CHARS), n_prompts),
                gains,
            }
        })
        .collect();
    let rank = |row: &Row| {
        let gain = row.gains.first().copied().flatten();
        gain.map_or(f64::NEG_INFINITY, |gain| gain.gain.value)
    };
    tasks.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    rows.append(&mut tasks);
    rows
}

/// A name with the number of prompts, where that is one number.
fn label(name: &str, n_prompts: impl Iterator<Item = usize> + Clone) -> String {
    match (n_prompts.clone().min(), n_prompts.max()) {
        (Some(least), Some(most)) if least == most => format!("{name} ({least})"),
        (Some(least), Some(most)) => format!("{name} ({least}\u{2013}{most})"),
        _ => name.to_owned(),
    }
}

/// The tasks of any of the routers.
fn tasks<'a>(routers: impl Iterator<Item = &'a RouterGains>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for (task, _) in routers.flat_map(|of| &of.tasks) {
        if !names.contains(&task.as_str()) {
            names.push(task);
        }
    }
    names
}

fn draw_gain(
    of: &RouterGains,
    gain: &TaskGain,
    place: impl Fn(f64) -> Point,
    canvas: &Canvas<'_>,
) -> Result<()> {
    let gain = gain.gain;
    if !gain.value.is_finite() {
        return Ok(());
    }
    let line = of.series.line(canvas.look());
    if gain.low.is_finite() && gain.high.is_finite() {
        interval_bar(canvas, place(gain.low), place(gain.high), line)?;
    }
    let shape = line.mark.unwrap_or(Shape::DOT);
    canvas.marker(place(gain.value), shape, theme::MARKER_RADIUS, line.color)
}
