//! The radar chart: one axis per benchmark, the large LLM a circle.

use charts::{
    draw::{
        axes,
        canvas::{Canvas, Pen},
        geometry::{Point, Rect, Segment},
        key::Key,
        look::Look,
        style::Style,
        text::{ASCENT, Anchor, DESCENT, text, text_width},
        theme,
    },
    error::Result,
};

use super::{
    around::{Place, along, direction, place},
    caption,
    legend::{Legend, Sample},
    look,
    numbers::{Cell, Spider},
    radial_scale::RadialScale,
    words::{Label, Paragraph, broken},
};

/// Radius of the chart in parts of the page's width: as large as labels let it be, in between.
const RADIUS: (f64, f64) = (0.25, 0.36);
/// Benchmarks whose labels also say how many prompts they have, at most: more labels need the room.
const MAX_WITH_COUNTS: usize = 8;
/// In how many pieces a circle is bent.
const CIRCLE_PIECES: u32 = 180;

/// Draws the chart. The same numbers and settings give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
pub(super) fn draw(spider: &Spider, width: f64, style: &Style) -> Result<String> {
    let plan = Plan::new(spider, width, style)?;
    Canvas::svg(Look::Color, plan.width, plan.height, |canvas| {
        plan.draw(canvas, spider, style)
    })
}

/// Where everything goes, in points.
struct Plan {
    width: f64,
    height: f64,
    center: Point,
    radius: f64,
    scale: RadialScale,
    labels: Vec<Label>,
    places: Vec<Place>,
    key: Key,
    legend: Legend,
    legend_top: f64,
    caption: Paragraph,
}

impl Plan {
    fn new(spider: &Spider, width: f64, style: &Style) -> Result<Self> {
        let inner = width - 2.0 * theme::MARGIN;
        let scale = RadialScale::of(spider);
        let mut labels = names(spider, style)?;
        let mut key = Key::default();
        let radius = match fitting_radius(width, &labels) {
            Some(radius) => radius,
            None => {
                // Names that leave no room for the chart go below it.
                let names = caption::benchmark_names(spider);
                let numbers: Vec<String> = (0..labels.len()).map(|i| key.add(i)).collect();
                key.lay_out(|i| names[i].clone(), |_| true, inner, style.label_pt)?;
                labels = numbers
                    .into_iter()
                    .map(|number| Label::new(vec![number], style.tick_pt))
                    .collect::<Result<_>>()?;
                // Numbers need hardly any room, so the chart is as large as it may be.
                RADIUS.1 * width
            }
        };
        let at_origin = place(Point::new(0.0, 0.0), radius, &sizes(&labels));
        let top = at_origin
            .iter()
            .map(|place| place.rect.top)
            .fold(-radius, f64::min);
        let title = if style.has_titles {
            (ASCENT + DESCENT) * style.axis_title_pt + 2.0 * theme::GAP
        } else {
            0.0
        };
        let center = Point::new(width / 2.0, theme::MARGIN + title - top);
        let places = place(center, radius, &sizes(&labels));
        let bottom = places
            .iter()
            .map(|place| place.rect.bottom)
            .fold(center.y + radius, f64::max);
        let legend = Legend::new(entries(spider, style), inner, style.legend_pt)?;
        let caption = Paragraph::new(&words(spider, &scale), inner, style.label_pt)?;
        let legend_top = bottom + 2.0 * theme::GAP + key.height();
        let caption_bottom = legend_top + legend.height() + theme::GAP + caption.height();
        Ok(Self {
            width,
            height: caption_bottom + theme::MARGIN,
            center,
            radius,
            scale,
            labels,
            places,
            key,
            legend,
            legend_top,
            caption,
        })
    }

    fn draw(&self, canvas: &Canvas<'_>, spider: &Spider, style: &Style) -> Result<()> {
        axes::draw_page_title(canvas, &caption::title(spider), self.width, style)?;
        let series: Vec<Vec<Option<Point>>> = (0..spider.shares.len())
            .map(|share_idx| self.corners(spider, share_idx))
            .collect();
        for (share_idx, corners) in series.iter().enumerate() {
            // What is missing has no place, so an area with a gap has no edge.
            if let Some(corners) = corners.iter().copied().collect::<Option<Vec<Point>>>() {
                let color = look::of_series(share_idx).color;
                canvas.area(&corners, color, look::AREA_OPACITY)?;
            }
        }
        // Areas lie below the grid and lines above it: an area over the grid would dim it, a line under it would be cut by every ring.
        self.draw_grid(canvas)?;
        self.draw_circle(canvas, 1.0, large_pen(style))?;
        for (share_idx, corners) in series.iter().enumerate() {
            let pen = series_pen(share_idx, style);
            for line in edges(corners) {
                canvas.line(&line, pen)?;
            }
        }
        self.draw_ticks(canvas, &series, style)?;
        for (share_idx, corners) in series.iter().enumerate() {
            let look = look::of_series(share_idx);
            for &corner in corners.iter().flatten() {
                canvas.marker(corner, look.shape, theme::MARKER_RADIUS, look.color)?;
            }
        }
        for (label, place) in self.labels.iter().zip(&self.places) {
            if let Some(leader) = place.leader {
                let pen = Pen::solid(canvas.palette().leader, theme::LEADER_WIDTH);
                canvas.line(&[leader.from, leader.to], pen)?;
            }
            label.draw(canvas, place.rect.center().x, place.rect.top)?;
        }
        let left = theme::MARGIN;
        self.key.draw(
            canvas,
            Point::new(left, self.legend_top - self.key.height() - theme::GAP),
        )?;
        self.legend
            .draw(canvas, self.width / 2.0, self.legend_top)?;
        let caption_top = self.legend_top + self.legend.height() + theme::GAP;
        self.caption.draw(canvas, Point::new(left, caption_top))
    }

    fn n_axes(&self) -> usize {
        self.places.len()
    }

    /// The corners of one share's polygon; `None` where a number is missing.
    fn corners(&self, spider: &Spider, share_idx: usize) -> Vec<Option<Point>> {
        let corner = |(axis_idx, cell): (usize, &Cell)| {
            let ratio = cell.accuracy_ratio().ok()?;
            let direction = direction(axis_idx as f64, self.n_axes());
            Some(along(self.center, direction, self.distance(ratio)))
        };
        spider
            .benchmarks
            .iter()
            .map(|benchmark| &benchmark.cells[share_idx])
            .enumerate()
            .map(corner)
            .collect()
    }

    /// The distance of a value from the center.
    fn distance(&self, value: f64) -> f64 {
        self.radius * self.scale.position(value)
    }

    fn draw_circle(&self, canvas: &Canvas<'_>, value: f64, pen: Pen) -> Result<()> {
        let circle: Vec<Point> = (0..=CIRCLE_PIECES)
            .map(|i| {
                let direction = direction(f64::from(i), CIRCLE_PIECES as usize);
                along(self.center, direction, self.distance(value))
            })
            .collect();
        canvas.line(&circle, pen)
    }

    /// Rings and axes.
    fn draw_grid(&self, canvas: &Canvas<'_>) -> Result<()> {
        let grid = Pen::solid(canvas.palette().grid, theme::GRID_WIDTH);
        let rim = Pen::solid(canvas.palette().frame, theme::FRAME_WIDTH);
        for tick in &self.scale.ticks {
            if tick.value > self.scale.center {
                let is_rim = tick.value == self.scale.rim;
                self.draw_circle(canvas, tick.value, if is_rim { rim } else { grid })?;
            }
        }
        for axis_idx in 0..self.n_axes() {
            let end = along(
                self.center,
                direction(axis_idx as f64, self.n_axes()),
                self.radius,
            );
            canvas.line(&[self.center, end], grid)?;
        }
        Ok(())
    }

    /// The rings' values, each on a ground of its own: no line runs through it.
    fn draw_ticks(
        &self,
        canvas: &Canvas<'_>,
        series: &[Vec<Option<Point>>],
        style: &Style,
    ) -> Result<()> {
        let rects = self.tick_rects(series, style)?;
        for (tick, rect) in self.scale.ticks.iter().zip(rects) {
            canvas.fill(rect, canvas.palette().background)?;
            canvas.text(
                text(&tick.label, style.label_pt, Anchor::Start),
                Point::new(rect.left, rect.top + ASCENT * style.label_pt),
            )?;
        }
        Ok(())
    }

    /// Where the rings' values go: on the ray between two axes where the fewest of them lie on a line.
    fn tick_rects(&self, series: &[Vec<Option<Point>>], style: &Style) -> Result<Vec<Rect>> {
        let mut widths = Vec::new();
        for tick in &self.scale.ticks {
            widths.push(text_width(&tick.label, style.label_pt)?);
        }
        let lines: Vec<Segment> = series
            .iter()
            .flat_map(|corners| edges(corners))
            .flat_map(|line| {
                line.windows(2)
                    .map(|pair| Segment::new(pair[0], pair[1]))
                    .collect::<Vec<_>>()
            })
            .collect();
        let height = (ASCENT + DESCENT) * style.label_pt;
        // On an axis the labels would cover the corners of the polygons, which lie there. Between two axes only edges can be in the way.
        let on_ray = |axis_idx: usize| -> Vec<Rect> {
            let direction = direction(axis_idx as f64 + 0.5, self.n_axes());
            let ticks = self.scale.ticks.iter().zip(&widths);
            ticks
                .map(|(tick, &width)| {
                    let at = along(self.center, direction, self.distance(tick.value));
                    Rect::new(at.x - width / 2.0, at.y - height / 2.0, width, height)
                })
                .collect()
        };
        let n_covered = |axis_idx: &usize| {
            on_ray(*axis_idx)
                .iter()
                .filter(|rect| lines.iter().any(|line| line.meets(**rect)))
                .count()
        };
        let best = (0..self.n_axes()).min_by_key(n_covered).unwrap_or(0);
        Ok(on_ray(best))
    }
}

/// The largest radius that leaves room for the labels at both sides; `None` where that is too small.
fn fitting_radius(width: f64, labels: &[Label]) -> Option<f64> {
    let (least, most) = (RADIUS.0 * width, RADIUS.1 * width);
    let room = width / 2.0 - theme::MARGIN;
    let fits = |radius: &f64| {
        place(Point::new(0.0, 0.0), *radius, &sizes(labels))
            .iter()
            .all(|place| place.rect.left >= -room && place.rect.right <= room)
    };
    (0..=(most - least) as u32)
        .map(|i| most - f64::from(i))
        .find(fits)
}

fn sizes(labels: &[Label]) -> Vec<(f64, f64)> {
    labels
        .iter()
        .map(|label| (label.width, label.height))
        .collect()
}

/// The benchmarks' names, with their numbers of prompts where there is room.
fn names(spider: &Spider, style: &Style) -> Result<Vec<Label>> {
    let with_counts = spider.benchmarks.len() <= MAX_WITH_COUNTS;
    let label = |(name, n_prompts): (String, usize)| {
        let mut lines = broken(&name);
        if with_counts {
            lines.push(format!("n = {n_prompts}"));
        }
        Label::new(lines, style.label_pt)
    };
    let n_prompts = spider
        .benchmarks
        .iter()
        .map(|benchmark| benchmark.n_prompts);
    caption::benchmark_names(spider)
        .into_iter()
        .zip(n_prompts)
        .map(label)
        .collect()
}

/// The lines between neighbors that both have a place, the last and the first among them.
fn edges(corners: &[Option<Point>]) -> Vec<Vec<Point>> {
    if let Some(mut closed) = corners.iter().copied().collect::<Option<Vec<Point>>>() {
        // On past the first corner, so that it is joined like the others.
        closed.extend_from_within(..2.min(closed.len()));
        return vec![closed];
    }
    let next = |i: usize| corners[(i + 1) % corners.len()];
    corners
        .iter()
        .enumerate()
        .filter_map(|(i, corner)| Some(vec![(*corner)?, next(i)?]))
        .collect()
}

fn series_pen(share_idx: usize, style: &Style) -> Pen {
    Pen::solid(look::of_series(share_idx).color, style.curve_width_pt)
}

fn large_pen(style: &Style) -> Pen {
    Pen {
        color: look::LARGE.color,
        width: look::LARGE.width * style.curve_width_pt,
        dash: look::LARGE.dash,
    }
}

fn entries(spider: &Spider, style: &Style) -> Vec<(Sample, String)> {
    let series = spider.shares.iter().enumerate().map(|(share_idx, &share)| {
        let shape = look::of_series(share_idx).shape;
        (
            Sample::Line(series_pen(share_idx, style), Some(shape)),
            caption::series(spider, share),
        )
    });
    let large = (Sample::Line(large_pen(style), None), caption::large(spider));
    series.chain([large]).collect()
}

fn words(spider: &Spider, scale: &RadialScale) -> String {
    let center = &scale.ticks[0].label;
    let mut words = format!(
        "Distance from the center: accuracy over {}\u{2019}s; the center is {center}, the dashed circle 1. ",
        caption::large(spider)
    );
    words += &caption::method(spider);
    for sentence in caption::missing(spider, Cell::accuracy_ratio) {
        words += " ";
        words += &sentence;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_has_no_edges() {
        let point = |x: f64| Some(Point::new(x, 0.0));
        let n_lines = |corners: &[Option<Point>]| edges(corners).len();
        assert_eq!(edges(&[point(1.0), point(2.0), point(3.0)])[0].len(), 5);
        assert_eq!(n_lines(&[point(1.0), point(2.0), None]), 1);
        assert_eq!(n_lines(&[point(1.0), None, point(3.0), point(4.0)]), 2);
        assert_eq!(n_lines(&[point(1.0), None, None]), 0);
        assert_eq!(n_lines(&[None, None, None]), 0);
    }
}
