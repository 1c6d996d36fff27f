//! One frame: where curves and markers lie, and how they are drawn.

use super::{
    curves::PlannedCurve,
    marks,
    scales::CostAxis,
    scene::{DataPoint, Scene},
};
use crate::draw::{
    axis::Axis,
    canvas::{Canvas, Pen},
    geometry::{Point, Rect, Segment},
    look::Look,
    marker::Shape,
    style::Style,
    theme,
};
use crate::error::Result;

/// A scene on the page, but for names and axes.
pub(super) struct Drawing {
    pub(super) frame: Rect,
    pub(super) markers: Vec<Point>,
    pub(super) oracle: Option<Point>,
    curves: Vec<PlannedCurve>,
    /// Markers along each curve.
    marks: Vec<Vec<Point>>,
}

impl Drawing {
    pub(super) fn new(
        scene: &Scene,
        oracle: Option<DataPoint>,
        frame: Rect,
        costs: &CostAxis,
        accuracy: &Axis,
        look: Look,
    ) -> Self {
        let place = |point: DataPoint| {
            Point::new(
                frame.left + frame.width() * costs.axis.position(costs.factor * point.cost_usd),
                frame.bottom - frame.height() * accuracy.position(point.accuracy),
            )
        };
        let curves: Vec<PlannedCurve> = scene
            .curves
            .iter()
            .map(|curve| PlannedCurve::new(curve, &costs.axis, place))
            .collect();
        let models = scene.models.iter();
        let mut drawing = Self {
            frame,
            markers: models.map(|model| place(model.point)).collect(),
            oracle: oracle.map(place),
            curves,
            marks: Vec::new(),
        };
        // Marks go last, since they alone can move: along their curve, out of the way of LLMs and of the marks of other curves.
        let mut taken = drawing.covered();
        let n_curves = scene.curves.len();
        for (i, (curve, planned)) in scene.curves.iter().zip(&drawing.curves).enumerate() {
            let mut marks = Vec::new();
            if curve.line.style(look).mark.is_some() {
                // Curves that run along together have their markers by turns.
                let start = (i as f64 + 0.5) / n_curves as f64;
                marks = marks::along(&planned.line, start, &taken);
            }
            taken.extend(marks.iter().map(|&mark| around_mark(mark)));
            drawing.marks.push(marks);
        }
        drawing
    }

    /// Which points of each curve are drawn.
    pub(super) fn kept(&self) -> Vec<Vec<usize>> {
        self.curves.iter().map(|curve| curve.kept.clone()).collect()
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        self.curves
            .iter()
            .flat_map(|curve| curve.line.windows(2))
            .map(|pair| Segment::new(pair[0], pair[1]))
            .collect()
    }

    /// What markers cover.
    pub(super) fn covered(&self) -> Vec<Rect> {
        let models = self.markers.iter();
        models
            .map(|&marker| Rect::around(marker, theme::MARKER_RADIUS))
            .chain(self.covered_beside_models())
            .collect()
    }

    /// What the oracle and the markers along curves cover.
    pub(super) fn covered_beside_models(&self) -> impl Iterator<Item = Rect> {
        let oracle = self
            .oracle
            .map(|oracle| Rect::around(oracle, theme::ORACLE_RADIUS));
        let marks = self.marks.iter().flatten();
        oracle
            .into_iter()
            .chain(marks.map(|&mark| around_mark(mark)))
    }

    pub(super) fn draw_curves(
        &self,
        canvas: &Canvas<'_>,
        scene: &Scene,
        style: &Style,
    ) -> Result<()> {
        let line = |i: usize| scene.curves[i].line.style(canvas.look());
        // The first curve of the legend lies on top, but for solid ones, which would hide a dashed one that runs along with them.
        let mut order: Vec<usize> = (0..scene.curves.len()).rev().collect();
        order.sort_by_key(|&i| (!scene.curves[i].is_mixture, !line(i).dash.is_empty()));
        for &i in &order {
            let pen = Pen::of(line(i), style.curve_width_pt);
            match self.curves[i].line[..] {
                // A router with a single operating point is a dot.
                [point] => canvas.marker(point, Shape::DOT, pen.width, pen.color)?,
                _ => canvas.line(&self.curves[i].line, pen)?,
            }
        }
        for &i in &order {
            if let Some(mark) = line(i).mark {
                for &place in &self.marks[i] {
                    canvas.marker(place, mark, theme::MARK_RADIUS, line(i).color)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn draw_markers(&self, canvas: &Canvas<'_>) -> Result<()> {
        // All LLMs in one gray: color is for curves, and a shape in color would read as belonging to the curve of that color.
        let color = canvas.palette().marker;
        if let Some(oracle) = self.oracle {
            canvas.marker(oracle, Shape::ORACLE, theme::ORACLE_RADIUS, color)?;
        }
        for (i, &marker) in self.markers.iter().enumerate() {
            let shape = canvas.look().model_shape(i);
            canvas.marker(marker, shape, theme::MARKER_RADIUS, color)?;
        }
        Ok(())
    }
}

fn around_mark(mark: Point) -> Rect {
    Rect::around(mark, theme::MARK_RADIUS)
}
