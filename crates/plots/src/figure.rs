//! The accuracy-cost figure: from scenes in data units to a page.

mod curves;
mod drawing;
mod marks;
mod names;

use crate::{
    axes::{self, Axes},
    axis::Axis,
    canvas::Canvas,
    geometry::{Point, Rect},
    legend::{Entry, Legend, Sample},
    marker::Shape,
    scales::{CostAxis, accuracy_axis, cost_axis, oracles_that_fit},
    scene::{Scene, SceneCurve},
    settings::Settings,
    theme::{self, Look},
};

use self::{drawing::Drawing, names::Names};

/// What a legend below the frame costs, in the units of [`crate::labels`]: as much as a few long leader lines.
const COST_LEGEND_BELOW: f64 = 150.0;

/// A finished figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    pub(crate) svg: String,
    /// For each curve of each scene, which of its points were drawn: the others lie on the line between these, as far as one can see.
    pub(crate) drawn_points: Vec<Vec<Vec<usize>>>,
}

/// Draws scenes side by side, with common axes and one legend. The same scenes and settings give the same bytes.
///
/// # Errors
/// When the font or the backend fails.
pub(crate) fn draw(scenes: &[Scene], look: Look, settings: &Settings) -> anyhow::Result<Figure> {
    let page = Page::new(scenes, look, settings)?;
    let svg = Canvas::svg(look, page.width, page.height, |canvas| {
        page.draw(canvas, scenes, settings)
    })?;
    Ok(Figure {
        svg,
        drawn_points: page.plots.iter().map(|plot| plot.drawing.kept()).collect(),
    })
}

/// Where everything stands, in points.
struct Page {
    width: f64,
    height: f64,
    costs: CostAxis,
    accuracy: Axis,
    plots: Vec<Plot>,
    legend: Legend,
    legend_rect: Rect,
    /// Upper edge of the keys below the frames.
    key_top: f64,
}

/// One scene's frame.
struct Plot {
    /// Left edge of its part of the page.
    left: f64,
    drawing: Drawing,
    names: Names,
}

impl Page {
    fn new(scenes: &[Scene], look: Look, settings: &Settings) -> anyhow::Result<Self> {
        let oracles = oracles_that_fit(scenes, settings);
        let costs = cost_axis(scenes, &oracles, settings);
        let accuracy = accuracy_axis(scenes, &oracles, settings);
        let page = settings.page(look);
        let (part_width, height) = (72.0 * page.width_in, 72.0 * page.height_in);
        let width = part_width * scenes.len() as f64;

        let mut drawings = Vec::with_capacity(scenes.len());
        for (i, (scene, oracle)) in scenes.iter().zip(&oracles).enumerate() {
            let part = Rect::new(i as f64 * part_width, 0.0, part_width, height);
            let frame = axes::frame(part, &costs.axis, &accuracy, settings)?;
            drawings.push(Drawing::new(scene, *oracle, frame, &costs, &accuracy, look));
        }
        let frame = drawings[0].frame;
        let right = drawings[drawings.len() - 1].frame.right;
        let entries = legend_entries(scenes, &oracles, look);
        let inside = Legend::new(entries.clone(), settings.legend_pt, 1)?;
        let below = legend_below(entries, right - theme::MARGIN, settings)?;

        let mut places = vec![(None, COST_LEGEND_BELOW)];
        if let [drawing] = &drawings[..] {
            let inside = inside.places(frame, &drawing.covered(), &drawing.segments());
            let inside = inside.into_iter().map(|(rect, cost)| (Some(rect), cost));
            places.splice(0..0, inside);
        }
        let (mut plots, mut chosen) = (Vec::with_capacity(scenes.len()), None);
        for (i, (scene, drawing)) in scenes.iter().zip(drawings).enumerate() {
            let (place, names) = Names::new(scene, &drawing, &places, settings)?;
            chosen = place;
            plots.push(Plot {
                left: i as f64 * part_width,
                drawing,
                names,
            });
        }

        let below_axis = frame.bottom + axes::room_below(settings);
        let (legend, legend_rect, key_top) = match chosen {
            Some(rect) => (inside, rect, below_axis),
            None => {
                let left = (frame.left + right - below.width()) / 2.0;
                let rect = Rect::new(
                    left.max(theme::MARGIN),
                    below_axis,
                    below.width(),
                    below.height(),
                );
                let bottom = if below.is_empty() {
                    below_axis
                } else {
                    rect.bottom + theme::GAP
                };
                (below, rect, bottom)
            }
        };
        let key_height = plots
            .iter()
            .map(|plot| plot.names.key_height())
            .fold(0.0, f64::max);
        Ok(Self {
            width,
            height: key_top + key_height + theme::MARGIN,
            costs,
            accuracy,
            plots,
            legend,
            legend_rect,
            key_top,
        })
    }

    fn draw(
        &self,
        canvas: &Canvas<'_>,
        scenes: &[Scene],
        settings: &Settings,
    ) -> anyhow::Result<()> {
        for (plot, scene) in self.plots.iter().zip(scenes) {
            let axes = Axes {
                left: plot.left,
                frame: plot.drawing.frame,
                x: &self.costs.axis,
                y: &self.accuracy,
                title: if settings.title { &scene.title } else { "" },
                x_title: self.costs.title,
                y_title: "Accuracy",
            };
            axes.draw(canvas, settings)?;
            plot.drawing.draw_curves(canvas, scene, settings)?;
            plot.names.draw_leaders(canvas)?;
            plot.drawing.draw_markers(canvas)?;
            plot.names.draw(canvas, settings)?;
            let corner = Point::new(plot.drawing.frame.left, self.key_top);
            plot.names.draw_key(canvas, corner)?;
        }
        if self.legend.is_empty() {
            return Ok(());
        }
        self.legend
            .draw(canvas, self.legend_rect, settings.curve_width_pt)
    }
}

/// Every curve once, and the oracles.
fn legend_entries(
    scenes: &[Scene],
    shown_oracles: &[Option<evaluation::Point>],
    look: Look,
) -> Vec<Entry> {
    let mut curves: Vec<&SceneCurve> = Vec::new();
    for curve in scenes.iter().flat_map(|scene| &scene.curves) {
        if curves.iter().all(|known| known.series != curve.series) {
            curves.push(curve);
        }
    }
    let mut entries: Vec<Entry> = curves
        .iter()
        .map(|curve| Entry {
            text: theme::shortened(&curve.series.name()),
            sample: Sample::Curve(curve.series.line(look)),
        })
        .collect();
    let sample = Sample::Marker(Shape::ORACLE);
    if shown_oracles.iter().any(Option::is_some) {
        let text = "Oracle".to_owned();
        entries.push(Entry { text, sample });
    } else {
        entries.extend(
            scenes
                .iter()
                .filter_map(|scene| scene.oracle)
                .map(|oracle| {
                    let text = format!("Oracle {:.3} (off scale)", oracle.accuracy);
                    Entry { text, sample }
                }),
        );
    }
    entries
}

/// The legend in as many columns as `width` holds.
fn legend_below(entries: Vec<Entry>, width: f64, settings: &Settings) -> anyhow::Result<Legend> {
    let mut legend = Legend::new(entries.clone(), settings.legend_pt, 1)?;
    for n_columns in 2..=entries.len().max(1) {
        let wider = Legend::new(entries.clone(), settings.legend_pt, n_columns)?;
        if wider.width() > width {
            break;
        }
        legend = wider;
    }
    Ok(legend)
}
