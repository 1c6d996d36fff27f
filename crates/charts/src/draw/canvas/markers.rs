//! Markers.

use plotters::{
    element::{Circle, Polygon},
    style::Color as _,
};

use super::{Canvas, Pen, at, pixels};
use crate::{
    draw::{
        color::Color,
        geometry::Point,
        marker::{Outline, Shape},
        theme,
    },
    error::Result,
};

impl Canvas<'_> {
    /// Draws a marker.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn marker(&self, center: Point, shape: Shape, radius: f64, color: Color) -> Result<()> {
        let place = |(x, y): (f64, f64)| Point::new(center.x + radius * x, center.y + radius * y);
        let pen = Pen::solid(color, theme::MARKER_LINE_WIDTH);
        let stroke = |from: (f64, f64), to: (f64, f64)| self.line(&[place(from), place(to)], pen);
        let inside = if shape.is_hollow {
            self.look.palette().background
        } else {
            color
        };
        match shape.outline {
            Outline::Cross => {
                stroke((-0.8, -0.8), (0.8, 0.8))?;
                stroke((-0.8, 0.8), (0.8, -0.8))
            }
            Outline::Plus => {
                stroke((-1.0, 0.0), (1.0, 0.0))?;
                stroke((0.0, -1.0), (0.0, 1.0))
            }
            Outline::Circle => {
                // The other shapes have their corners on the circle of this radius, so a full disc would look larger than they do.
                let radius = pixels(0.9 * radius) as u32;
                self.draw(&Circle::new(at(center), radius, inside.to_rgb().filled()))?;
                if shape.is_hollow {
                    self.draw(&Circle::new(at(center), radius, pen.style()))
                } else {
                    Ok(())
                }
            }
            outline => {
                let mut corners: Vec<Point> = outline.corners().into_iter().map(place).collect();
                let filled: Vec<(i32, i32)> = corners.iter().map(|&corner| at(corner)).collect();
                self.draw(&Polygon::new(filled, inside.to_rgb().filled()))?;
                if !shape.is_hollow {
                    return Ok(());
                }
                // On past the first corner, so that it is joined like the others.
                corners.extend_from_within(..2);
                self.line(&corners, pen)
            }
        }
    }
}
