//! The print version: for each benchmark hatched bars of accuracy, black on white.

use super::{
    caption,
    hatch::Hatch,
    legend::{Legend, Sample},
    look,
    numbers::{Benchmark, Cell, Spider},
    words::{Label, Paragraph},
};
use crate::{products::percent::percent, settings::spider::BarSettings};
use charts::{
    draw::{
        axes,
        axis::{Axis, Tick},
        canvas::{Canvas, Pen},
        geometry::{Point, Rect},
        look::Look,
        shorten,
        style::{POINTS_PER_INCH, Style},
        text::{ASCENT, Anchor, CAP_HEIGHT, DESCENT, text, text_width},
        theme,
    },
    error::Result,
};

/// Width of a bar in parts of the room that it has.
const BAR_WIDTH: f64 = 0.74;
/// Half the width of a whisker's end, in points.
const WHISKER_END: f64 = 1.8;
const WHISKER_WIDTH: f64 = 0.7;
/// The white line below a whisker, which keeps it apart from the hatching.
const HALO_WIDTH: f64 = 2.2;
/// Space between panels, in points.
const PANEL_GAP: f64 = 8.0;

/// Draws the bars. The same numbers and settings give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
pub(super) fn draw(spider: &Spider, page: BarSettings, style: &Style) -> Result<String> {
    let width = POINTS_PER_INCH * page.width_in;
    let inner = width - 2.0 * theme::MARGIN;
    let grid = Grid::new(spider, page, style)?;
    let legend = Legend::new(entries(spider), inner, style.legend_pt)?;
    let caption = Paragraph::new(&words(spider), inner, style.label_pt)?;
    let legend_top = grid.bottom() + 2.0 * theme::GAP;
    let caption_top = legend_top + legend.height() + theme::GAP;
    let height = caption_top + caption.height() + theme::MARGIN;
    Canvas::svg(Look::Bw, width, height, |canvas| {
        axes::draw_page_title(canvas, &caption::title(spider), width, style)?;
        for (i, (benchmark, name)) in spider.benchmarks.iter().zip(&grid.names).enumerate() {
            grid.draw_panel(canvas, i, benchmark, name, style)?;
        }
        for row in 0..grid.n_rows {
            let frame = grid.frame(row * grid.n_columns);
            let baseline = theme::MARGIN + ASCENT * style.axis_title_pt;
            canvas.upward_text(
                text("Accuracy", style.axis_title_pt, Anchor::Middle),
                Point::new(baseline, frame.center().y),
            )?;
        }
        legend.draw(canvas, width / 2.0, legend_top)?;
        caption.draw(canvas, Point::new(theme::MARGIN, caption_top))
    })
}

/// Above each panel: the benchmark's name, shortened in its middle until it fits, and its number of prompts. Names that would come to look
/// alike are written smaller instead.
fn panel_names(spider: &Spider, room: f64, size: f64) -> Result<Vec<Label>> {
    let names = caption::benchmark_names(spider);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let words = |i: usize, name: &str| format!("{name} (n = {})", spider.benchmarks[i].n_prompts);
    let mut short = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let mut n_chars = name.chars().count().max(1);
        let shortened = loop {
            let name = shorten::shortened_to(name, n_chars);
            if n_chars <= 1 || text_width(&words(i, &name), size)? <= room {
                break name;
            }
            n_chars -= 1;
        };
        short.push(shortened);
    }
    let short: Vec<&str> = short.iter().map(String::as_str).collect();
    let shown = if shorten::are_apart(&short) {
        short
    } else {
        names
    };
    let mut labels = Vec::with_capacity(shown.len());
    for (i, name) in shown.into_iter().enumerate() {
        let words = words(i, name);
        let width = text_width(&words, size)?;
        labels.push(Label::new(vec![words], size * (room / width).min(1.0))?);
    }
    Ok(labels)
}

/// One panel per benchmark, all with the same scale.
struct Grid {
    n_columns: usize,
    n_rows: usize,
    /// Left edge of the first frame, and top of the first row.
    corner: Point,
    panel_width: f64,
    row_height: f64,
    /// Height of a panel's name.
    name_height: f64,
    names: Vec<Label>,
    /// Accuracy at the upper edge of a frame; the lower one is 0.
    top_value: f64,
    ticks: Vec<Tick>,
}

impl Grid {
    fn new(spider: &Spider, page: BarSettings, style: &Style) -> Result<Self> {
        let width = POINTS_PER_INCH * page.width_in;
        let n_panels = spider.benchmarks.len();
        // Rows as even as they can be: four panels as two and two, not three and one.
        let n_columns = match n_panels {
            0..=3 => n_panels.max(1),
            4 => 2,
            5..=9 => 3,
            _ => 4,
        };
        let most = most(spider);
        // From 0, because bars are compared by their lengths, which an axis that begins elsewhere
        // distorts.
        let axis = Axis::linear((0.0, most), (0.0, 1.0), style.max_ticks);
        let mut widest = 0.0;
        for tick in &axis.ticks {
            widest = f64::max(widest, text_width(&tick.label, style.tick_pt)?);
        }
        let title = (ASCENT + DESCENT) * style.axis_title_pt;
        let left = theme::MARGIN + title + theme::GAP + widest + theme::GAP + theme::TICK_LENGTH;
        let panel_width = (width - theme::MARGIN - left) / n_columns as f64;
        let names = panel_names(spider, panel_width - PANEL_GAP, style.tick_pt)?;
        let top = theme::MARGIN
            + if style.has_titles {
                title + theme::GAP
            } else {
                0.0
            };
        let name_height = (ASCENT + DESCENT) * style.tick_pt + theme::GAP;
        let row_height = POINTS_PER_INCH * page.panel_height_in;
        // Above the tallest bar there is room for its value.
        let plot_height = row_height - name_height - PANEL_GAP;
        let value_height = style.label_pt + 2.0 * theme::GAP;
        Ok(Self {
            n_columns,
            n_rows: n_panels.div_ceil(n_columns),
            corner: Point::new(left, top),
            panel_width,
            row_height,
            name_height,
            names,
            top_value: most * plot_height / (plot_height - value_height),
            ticks: axis.ticks,
        })
    }

    fn bottom(&self) -> f64 {
        self.corner.y + self.n_rows as f64 * self.row_height
    }

    fn frame(&self, panel_idx: usize) -> Rect {
        let (row, column) = (panel_idx / self.n_columns, panel_idx % self.n_columns);
        Rect::new(
            self.corner.x + column as f64 * self.panel_width,
            self.corner.y + row as f64 * self.row_height + self.name_height,
            self.panel_width - PANEL_GAP,
            self.row_height - self.name_height - PANEL_GAP,
        )
    }

    fn draw_panel(
        &self,
        canvas: &Canvas<'_>,
        panel_idx: usize,
        benchmark: &Benchmark,
        name: &Label,
        style: &Style,
    ) -> Result<()> {
        let frame = self.frame(panel_idx);
        let height = |value: f64| frame.bottom - frame.height() * value / self.top_value;
        name.draw(canvas, frame.center().x, frame.top - self.name_height)?;
        for tick in self.ticks.iter().filter(|tick| tick.value < self.top_value) {
            let y = height(tick.value);
            let ends = [frame.left, frame.right].map(|x| Point::new(x, y));
            canvas.line(&ends, Pen::solid(canvas.palette().grid, theme::GRID_WIDTH))?;
            if panel_idx.is_multiple_of(self.n_columns) {
                let baseline = y + CAP_HEIGHT / 2.0 * style.tick_pt;
                let right = frame.left - theme::TICK_LENGTH - theme::GAP;
                canvas.text(
                    text(&tick.label, style.tick_pt, Anchor::End),
                    Point::new(right, baseline),
                )?;
            }
        }
        let bars = bars(benchmark);
        let room = frame.width() / bars.len() as f64;
        for (i, bar) in bars.into_iter().enumerate() {
            let middle = frame.left + (i as f64 + 0.5) * room;
            bar.draw(canvas, middle, room, height, style)?;
        }
        canvas.outline(
            frame,
            Pen::solid(canvas.palette().frame, theme::FRAME_WIDTH),
        )
    }
}

/// One bar.
struct Bar {
    hatch: Hatch,
    /// Accuracy with the ends of its interval; `None` where it is missing.
    value: Option<(f64, f64, f64)>,
}

impl Bar {
    fn draw(
        &self,
        canvas: &Canvas<'_>,
        middle: f64,
        room: f64,
        height: impl Fn(f64) -> f64,
        style: &Style,
    ) -> Result<()> {
        let bottom = height(0.0);
        let write = |words: &str, baseline: f64| {
            canvas.text(
                text(words, style.label_pt, Anchor::Middle),
                Point::new(middle, baseline),
            )
        };
        let Some((value, low, high)) = self.value else {
            // A dash in place of the bar; the caption says why.
            return write("\u{2013}", bottom - theme::GAP);
        };
        let width = BAR_WIDTH * room;
        let top = height(value);
        self.hatch.draw(
            canvas,
            Rect::new(middle - width / 2.0, top, width, bottom - top),
        )?;
        let mut clear = top;
        if low < high {
            let (low, high) = (height(low), height(high));
            let level =
                |y: f64| [middle - WHISKER_END, middle + WHISKER_END].map(|x| Point::new(x, y));
            let upright = [Point::new(middle, low), Point::new(middle, high)];
            // A whisker over hatching disappears among the lines; a white line below it keeps it apart.
            let halo = Pen::solid(canvas.palette().background, HALO_WIDTH);
            let pen = Pen::solid(canvas.palette().text, WHISKER_WIDTH);
            for line in [upright, level(low), level(high)] {
                canvas.line(&line, halo)?;
            }
            for line in [upright, level(low), level(high)] {
                canvas.line(&line, pen)?;
            }
            clear = clear.min(high);
        }
        // Values must not touch those of the next bar. A third digit is worth having only where there is room for it.
        let digits = if text_width("0.888", style.label_pt)? < room {
            3
        } else {
            2
        };
        write(&format!("{value:.digits$}"), clear - 0.8 * theme::GAP)
    }
}

/// A benchmark's bars: one per share, then the large LLM's.
fn bars(benchmark: &Benchmark) -> Vec<Bar> {
    let cells = benchmark.cells.iter().enumerate();
    let mut bars: Vec<Bar> = cells
        .map(|(share_idx, cell)| Bar {
            hatch: look::of_series(share_idx).hatch,
            value: of_router(cell),
        })
        .collect();
    bars.push(Bar {
        hatch: Hatch::Empty,
        value: of_large(benchmark),
    });
    bars
}

fn of_router(cell: &Cell) -> Option<(f64, f64, f64)> {
    let accuracy = cell.accuracy().ok()?;
    let interval = cell.intervals.router?.accuracy;
    Some((accuracy, interval.low, interval.high))
}

fn of_large(benchmark: &Benchmark) -> Option<(f64, f64, f64)> {
    let cell = benchmark.cells.first()?;
    let interval = cell.intervals.reference_accuracy;
    Some((cell.point.reference.accuracy, interval.low, interval.high))
}

/// The highest value drawn, whiskers included; 1 where all are 0.
fn most(spider: &Spider) -> f64 {
    let all = spider.benchmarks.iter().flat_map(bars);
    let most = all
        .filter_map(|bar| bar.value)
        .map(|(value, _, high)| value.max(high))
        .fold(0.0, f64::max);
    if most > 0.0 { most } else { 1.0 }
}

fn entries(spider: &Spider) -> Vec<(Sample, String)> {
    let series = spider.shares.iter().enumerate().map(|(share_idx, &share)| {
        let hatch = look::of_series(share_idx).hatch;
        (Sample::Hatch(hatch), caption::series(spider, share))
    });
    let large = (Sample::Hatch(Hatch::Empty), caption::large(spider));
    series.chain([large]).collect()
}

fn words(spider: &Spider) -> String {
    let mut words = format!(
        "{} Whiskers: {} bootstrap intervals over test prompts.",
        caption::method(spider),
        percent(spider.level)
    );
    for sentence in caption::missing(spider, Cell::accuracy) {
        words += " ";
        words += &sentence;
    }
    words
}
