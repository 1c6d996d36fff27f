//! A figure of panels, two beside each other: lines, dots and a few words in each.

use crate::{
    axes::{self, Axes, text},
    axis::Axis,
    canvas::{Anchor, Canvas, Pen, text_width},
    geometry::{Point, Rect, Segment, simplify},
    marker::Shape,
    settings::{PageSettings, Settings},
    theme::{self, Look, Series},
};

/// How far a drawn line may be from the exact one, in points.
const TOLERANCE: f64 = 0.05;
/// Distance of baselines in parts of the font size.
const LINE_HEIGHT: f64 = 1.35;
/// Space between a panel's words and what they must not touch, in points.
const CLEARANCE: f64 = 4.0;
/// Space between the entries of the key, in points.
const KEY_GAP: f64 = 16.0;

/// One frame with what is in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x_title: &'static str,
    pub(crate) y_title: &'static str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) lines: Vec<PanelLine>,
    pub(crate) dots: Vec<(f64, f64)>,
    /// Words in the corner that has room; left out where none has.
    pub(crate) notes: Vec<String>,
}

/// A line in data units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PanelLine {
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) series: Series,
}

/// Draws panels under a title and a key that holds for all; the same panels and settings give the same bytes.
///
/// The page is that of two rows; fewer or more panels make it shorter or longer.
///
/// # Errors
/// When the font or the backend fails.
pub(crate) fn draw(
    title: &str,
    key: &[Series],
    panels: &[Panel],
    look: Look,
    page: PageSettings,
    settings: &Settings,
) -> anyhow::Result<String> {
    let n_rows = panels.len().div_ceil(2);
    let width = 72.0 * page.width_in;
    let below_title = if settings.title {
        theme::MARGIN + LINE_HEIGHT * settings.axis_title_pt
    } else {
        0.0
    };
    let top = if key.is_empty() {
        below_title
    } else {
        below_title + theme::MARGIN + LINE_HEIGHT * settings.legend_pt
    };
    let row_height = (72.0 * page.height_in - top) / 2.0;
    let height = top + row_height * n_rows as f64;
    Canvas::svg(look, width, height, |canvas| {
        if settings.title {
            let baseline = theme::MARGIN + theme::ASCENT * settings.axis_title_pt;
            canvas.text(
                text(title, settings.axis_title_pt, Anchor::Middle),
                Point::new(width / 2.0, baseline),
            )?;
        }
        draw_key(canvas, key, Point::new(width / 2.0, below_title), settings)?;
        let width = width / 2.0;
        let part = |i: usize| {
            let (column, row) = ((i % 2) as f64, (i / 2) as f64);
            Rect::new(column * width, top + row * row_height, width, row_height)
        };
        let mut frames = Vec::with_capacity(panels.len());
        for (i, panel) in panels.iter().enumerate() {
            frames.push(axes::frame(part(i), &panel.x, &panel.y, settings)?);
        }
        for (i, panel) in panels.iter().enumerate() {
            // One above the other, frames begin and end together.
            let column = frames.iter().skip(i % 2).step_by(2);
            let frame = column.fold(frames[i], |frame, other| Rect {
                left: frame.left.max(other.left),
                right: frame.right.min(other.right),
                ..frame
            });
            panel.draw(canvas, part(i).left, frame, settings)?;
        }
        Ok(())
    })
}

/// Samples of lines with their names, side by side below `top`.
fn draw_key(
    canvas: &Canvas<'_>,
    key: &[Series],
    top: Point,
    settings: &Settings,
) -> anyhow::Result<()> {
    let mut widths = Vec::with_capacity(key.len());
    for series in key {
        let name = text_width(&series.name(), settings.legend_pt)?;
        widths.push(theme::LEGEND_LINE + theme::GAP + name);
    }
    let gaps = KEY_GAP * key.len().saturating_sub(1) as f64;
    let mut left = top.x - (widths.iter().sum::<f64>() + gaps) / 2.0;
    let middle = top.y + theme::MARGIN + LINE_HEIGHT * settings.legend_pt / 2.0;
    for (series, width) in key.iter().zip(widths) {
        let sample = [left, left + theme::LEGEND_LINE].map(|x| Point::new(x, middle));
        let style = series.line(canvas.look());
        canvas.line(&sample, Pen::of(style, settings.curve_width_pt))?;
        let baseline = middle + theme::CAP_HEIGHT / 2.0 * settings.legend_pt;
        canvas.text(
            text(&series.name(), settings.legend_pt, Anchor::Start),
            Point::new(left + theme::LEGEND_LINE + theme::GAP, baseline),
        )?;
        left += width + KEY_GAP;
    }
    Ok(())
}

impl Panel {
    fn draw(
        &self,
        canvas: &Canvas<'_>,
        left: f64,
        frame: Rect,
        settings: &Settings,
    ) -> anyhow::Result<()> {
        let axes = Axes {
            left,
            frame,
            x: &self.x,
            y: &self.y,
            title: if settings.title { &self.title } else { "" },
            x_title: self.x_title,
            y_title: self.y_title,
        };
        axes.draw(canvas, settings)?;
        let mut segments = Vec::new();
        for line in &self.lines {
            let points: Vec<Point> = line.points.iter().map(|&(x, y)| axes.place(x, y)).collect();
            let kept: Vec<Point> = simplify(&points, TOLERANCE)
                .into_iter()
                .map(|i| points[i])
                .collect();
            let style = line.series.line(canvas.look());
            match kept[..] {
                [] => {}
                [point] => canvas.marker(point, Shape::DOT, theme::MARKER_RADIUS, style.color)?,
                _ => canvas.line(&kept, Pen::of(style, settings.curve_width_pt))?,
            }
            segments.extend(kept.windows(2).map(|pair| Segment::new(pair[0], pair[1])));
        }
        for &(x, y) in &self.dots {
            let dot = axes.place(x, y);
            canvas.marker(
                dot,
                Shape::DOT,
                theme::MARKER_RADIUS,
                canvas.palette().marker,
            )?;
            segments.push(Segment::new(dot, dot));
        }
        self.draw_notes(canvas, axes.frame, &segments, settings)
    }

    /// The notes in the first corner where they touch no line: lower right, upper right, upper left, lower left.
    fn draw_notes(
        &self,
        canvas: &Canvas<'_>,
        frame: Rect,
        lines: &[Segment],
        settings: &Settings,
    ) -> anyhow::Result<()> {
        let mut width = 0.0;
        for note in &self.notes {
            width = f64::max(width, text_width(note, settings.legend_pt)?);
        }
        let height = LINE_HEIGHT * settings.legend_pt * self.notes.len() as f64;
        let (left, right) = (frame.left + CLEARANCE, frame.right - CLEARANCE - width);
        let (top, bottom) = (frame.top + CLEARANCE, frame.bottom - CLEARANCE - height);
        let place = [(right, bottom), (right, top), (left, top), (left, bottom)]
            .map(|(left, top)| Rect::new(left, top, width, height))
            .into_iter()
            .find(|rect| !lines.iter().any(|line| line.meets(rect.grown(CLEARANCE))));
        let Some(rect) = place.filter(|_| !self.notes.is_empty()) else {
            return Ok(());
        };
        // Grid lines would run through the words.
        canvas.fill(rect.grown(1.0), canvas.palette().background)?;
        for (i, note) in self.notes.iter().enumerate() {
            let middle = rect.top + (i as f64 + 0.5) * LINE_HEIGHT * settings.legend_pt;
            let baseline = middle + theme::CAP_HEIGHT / 2.0 * settings.legend_pt;
            canvas.text(
                text(note, settings.legend_pt, Anchor::Start),
                Point::new(rect.left, baseline),
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::Path};

    use super::*;

    fn settings() -> Settings {
        Settings::read(None).expect("the built-in settings are good")
    }

    fn panel(points: Vec<(f64, f64)>, notes: &[&str]) -> Panel {
        let most = points.iter().map(|point| point.0).fold(1.0, f64::max);
        Panel {
            title: "A panel".to_owned(),
            x_title: "Components",
            y_title: "Share",
            x: Axis::linear((0.0, most), (0.0, f64::INFINITY), 6),
            y: Axis::linear((0.0, 1.0), (0.0, 1.0), 6),
            dots: points.last().copied().into_iter().collect(),
            lines: vec![PanelLine {
                points,
                series: Series::Spectrum,
            }],
            notes: notes.iter().map(|&note| note.to_owned()).collect(),
        }
    }

    fn drawn(panels: &[Panel; 4]) -> String {
        let settings = settings();
        draw(
            "A title",
            &[],
            panels,
            Look::Color,
            settings.embedding_dim.page,
            &settings,
        )
        .expect("drawn")
    }

    // Of fixed numbers: computed eigenvalues differ in their last digits from processor to processor.
    #[test]
    fn four_panels_stay_as_they_are() {
        let rising: Vec<(f64, f64)> = (1..=9)
            .map(|i| (f64::from(i), f64::from(i) / 9.0))
            .collect();
        let falling = rising.iter().map(|&(x, y)| (x, 1.0 - y)).collect();
        let svg = drawn(&[
            panel(rising, &["lower right"]),
            panel(falling, &["upper right", "in two lines"]),
            panel(vec![(1.0, 0.5)], &[]),
            panel(Vec::new(), &["of nothing"]),
        ]);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/panels.svg");
        if env::var_os("PLOTS_BLESS").is_some() {
            fs::write(&path, &svg).expect("the snapshot is written");
        }
        let expected =
            fs::read_to_string(&path).expect("the snapshot is there; PLOTS_BLESS=1 makes it");
        assert!(
            svg == expected,
            "`panels.svg` changed; look at it, then bless it with PLOTS_BLESS=1"
        );
    }

    #[test]
    fn notes_without_room_are_left_out() {
        // A line through all four corners and the words between them.
        let zigzag: Vec<(f64, f64)> = (0..200).map(|i| (f64::from(i), f64::from(i % 2))).collect();
        let nothing = || panel(Vec::new(), &[]);
        let note = "nowhere";
        let crowded = drawn(&[panel(zigzag, &[note]), nothing(), nothing(), nothing()]);
        assert!(!crowded.contains(note));
        let free = drawn(&[panel(Vec::new(), &[note]), nothing(), nothing(), nothing()]);
        assert!(free.contains(note));
    }
}
