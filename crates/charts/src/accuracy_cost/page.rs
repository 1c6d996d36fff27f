//! Where everything goes on the page.
//!
//! The order matters. Axes come first, since the width of their labels decides how large a frame is; then curves and markers, which stand where
//! the data say; then, in what they leave free, the legend and the names of LLMs together, since each place of the legend takes room from other
//! names. What finds no room inside goes below the frame, and the page grows.

use super::{
    drawing::Drawing,
    legends::{below_frames, entries},
    names::Names,
    options::Options,
    scales::{CostAxis, accuracy_axis, cost_axis, oracles_that_fit},
    scene::{DataPoint, Scene},
};
use crate::{
    draw::{
        axes::{self, Axes},
        axis::Axis,
        canvas::Canvas,
        geometry::{Point, Rect},
        legend::Legend,
        style::Style,
        theme,
    },
    error::Result,
};

/// What a legend below the frame costs, in the units of [`crate::draw::labels`]: as much as a few long leader lines.
const COST_LEGEND_BELOW: f64 = 150.0;

/// A planned page, in points.
pub(super) struct Page {
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

/// Where the legend stands, and where what is below it begins.
struct LegendPlace {
    legend: Legend,
    rect: Rect,
    bottom: f64,
}

impl Page {
    /// Plans the page.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn new(scenes: &[Scene], options: &Options) -> Result<Self> {
        let style = &options.style;
        let oracles = oracles_that_fit(scenes, &options.rules);
        let costs = cost_axis(scenes, &oracles, &options.rules, style.max_ticks);
        let accuracy = accuracy_axis(scenes, &oracles, style.max_ticks);
        let (part_width, _) = options.page.in_points();
        let drawings = drawings(scenes, &oracles, &costs, &accuracy, options)?;
        let frame = drawings[0].frame;
        let right = drawings[drawings.len() - 1].frame.right;

        let entries = entries(scenes, &oracles, options.look);
        // One column inside the frame, where free room is rather high than wide; as many as fit below it, where the page is wide.
        let inside = Legend::new(entries.clone(), style.legend_pt, 1)?;
        let below = below_frames(entries, right - theme::MARGIN, style)?;
        // The one below comes last.
        let mut places = vec![(None, COST_LEGEND_BELOW)];
        // Inside one of several frames a legend for all would look like that frame's own.
        if let [drawing] = &drawings[..] {
            let inside = inside.places(frame, &drawing.covered(), &drawing.segments());
            let inside = inside.into_iter().map(|(rect, cost)| (Some(rect), cost));
            places.splice(0..0, inside);
        }
        let (mut plots, mut chosen) = (Vec::with_capacity(scenes.len()), None);
        for (i, (scene, drawing)) in scenes.iter().zip(drawings).enumerate() {
            let (place, names) = Names::new(scene, &drawing, &places, style)?;
            // With several scenes there is a single place to choose, so every scene chooses the same one.
            chosen = place;
            plots.push(Plot {
                left: i as f64 * part_width,
                drawing,
                names,
            });
        }

        let below_axis = frame.bottom + axes::room_below(style);
        let place = match chosen {
            Some(rect) => LegendPlace {
                legend: inside,
                rect,
                bottom: below_axis,
            },
            None => LegendPlace::below(below, (frame.left + right) / 2.0, below_axis),
        };
        let key_height = plots
            .iter()
            .map(|plot| plot.names.key_height())
            .fold(0.0, f64::max);
        Ok(Self {
            width: part_width * scenes.len() as f64,
            // The height of the page follows from what is on it. A page of fixed height would have to shrink the frame for a key, and
            // figures of one paper would differ in the size of their frames.
            height: place.bottom + key_height + theme::MARGIN,
            costs,
            accuracy,
            plots,
            legend: place.legend,
            legend_rect: place.rect,
            key_top: place.bottom,
        })
    }

    /// Width and height in points.
    pub(super) fn size(&self) -> (f64, f64) {
        (self.width, self.height)
    }

    /// For each curve of each scene, which of its points are drawn.
    pub(super) fn drawn_points(&self) -> Vec<Vec<Vec<usize>>> {
        self.plots.iter().map(|plot| plot.drawing.kept()).collect()
    }

    /// Draws what was planned.
    ///
    /// # Errors
    /// When the backend fails.
    pub(super) fn draw(&self, canvas: &Canvas<'_>, scenes: &[Scene], style: &Style) -> Result<()> {
        for (plot, scene) in self.plots.iter().zip(scenes) {
            let axes = Axes {
                left: plot.left,
                frame: plot.drawing.frame,
                x: &self.costs.axis,
                y: &self.accuracy,
                title: if style.has_titles { &scene.title } else { "" },
                x_title: self.costs.title,
                y_title: "Accuracy",
            };
            axes.draw(canvas, style)?;
            plot.drawing.draw_curves(canvas, scene, style)?;
            // Leaders run over curves, and markers over both: a marker is the end of its leader.
            plot.names.draw_leaders(canvas)?;
            plot.drawing.draw_markers(canvas)?;
            plot.names.draw(canvas, style)?;
            let corner = Point::new(plot.drawing.frame.left, self.key_top);
            plot.names.draw_key(canvas, corner)?;
        }
        if self.legend.is_empty() {
            return Ok(());
        }
        self.legend
            .draw(canvas, self.legend_rect, style.curve_width_pt)
    }
}

impl LegendPlace {
    /// Below the axis titles, centered but on the page.
    fn below(legend: Legend, center_x: f64, top: f64) -> Self {
        let left = (center_x - legend.width() / 2.0).max(theme::MARGIN);
        let rect = Rect::new(left, top, legend.width(), legend.height());
        let bottom = if legend.is_empty() {
            top
        } else {
            rect.bottom + theme::GAP
        };
        Self {
            legend,
            rect,
            bottom,
        }
    }
}

/// Curves and markers of all scenes, side by side.
fn drawings(
    scenes: &[Scene],
    oracles: &[Option<DataPoint>],
    costs: &CostAxis,
    accuracy: &Axis,
    options: &Options,
) -> Result<Vec<Drawing>> {
    let (width, height) = options.page.in_points();
    let mut drawings = Vec::with_capacity(scenes.len());
    for (i, (scene, oracle)) in scenes.iter().zip(oracles).enumerate() {
        let part = Rect::new(i as f64 * width, 0.0, width, height);
        let frame = axes::frame(part, &costs.axis, accuracy, &options.style)?;
        drawings.push(Drawing::new(
            scene,
            *oracle,
            frame,
            costs,
            accuracy,
            options.look,
        ));
    }
    Ok(drawings)
}
