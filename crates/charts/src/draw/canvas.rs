//! A page to draw on, in points, over plotters' SVG backend.

mod dashes;
mod markers;
mod texts;

use plotters::{
    coord::Shift,
    element::{Drawable, PathElement, PointCollection, Polygon, Rectangle},
    prelude::{DrawingArea, IntoDrawingArea as _, SVGBackend},
    style::{Color as _, ShapeStyle},
};

use self::dashes::dashes;
use super::{
    color::Color,
    geometry::{Point, Rect},
    line_style::{Dash, LineStyle, SOLID},
    look::{Look, Palette},
    text::register_shipped_font,
};
use crate::error::{Error, Result};

/// The backend counts in whole pixels; ten to a point make lines smooth.
const PIXELS_PER_POINT: f64 = 10.0;

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Pen {
    /// Of all dashes.
    pub color: Color,
    /// In points.
    pub width: f64,
    /// Dashes and gaps.
    pub dash: Dash,
}

impl Pen {
    /// A line without gaps.
    #[must_use]
    pub fn solid(color: Color, width: f64) -> Self {
        Self {
            color,
            width,
            dash: SOLID,
        }
    }

    /// A curve's; `curve_width` is that of a style of width 1, in points.
    #[must_use]
    pub fn of(style: LineStyle, curve_width: f64) -> Self {
        Self {
            color: style.color,
            width: style.width * curve_width,
            dash: style.dash,
        }
    }

    fn style(self) -> ShapeStyle {
        self.color
            .to_rgb()
            .stroke_width(pixels(self.width).max(1) as u32)
    }
}

/// An SVG under way.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
    look: Look,
}

impl<'a> Canvas<'a> {
    /// Draws a page of `width` x `height` points and returns it as SVG.
    ///
    /// # Errors
    /// Whatever `draw` returns.
    pub fn svg(
        look: Look,
        width: f64,
        height: f64,
        draw: impl FnOnce(&Canvas<'_>) -> Result<()>,
    ) -> Result<String> {
        register_shipped_font()?;
        let mut svg = String::new();
        let size = (pixels(width) as u32, pixels(height) as u32);
        {
            let canvas = Canvas {
                area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
                look,
            };
            canvas
                .area
                .fill(&look.palette().background.to_rgb())
                .map_err(cannot_draw)?;
            draw(&canvas)?;
            canvas.area.present().map_err(cannot_draw)?;
        }
        // The backend knows neither units nor joins: the page gets its size in points, and curves round corners.
        let pixel_size = format!("width=\"{}\" height=\"{}\"", size.0, size.1);
        let point_size = format!(
            "width=\"{}pt\" height=\"{}pt\" stroke-linejoin=\"round\"",
            f64::from(size.0) / PIXELS_PER_POINT,
            f64::from(size.1) / PIXELS_PER_POINT
        );
        Ok(svg.replacen(&pixel_size, &point_size, 1))
    }

    /// For whom the figure is drawn.
    #[must_use]
    pub fn look(&self) -> Look {
        self.look
    }

    /// The colors of all but the curves.
    #[must_use]
    pub fn palette(&self) -> Palette {
        self.look.palette()
    }

    /// Draws a line through all points.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn line(&self, points: &[Point], pen: Pen) -> Result<()> {
        if pen.dash.is_empty() {
            return self.draw(&PathElement::new(
                points.iter().map(|&point| at(point)).collect::<Vec<_>>(),
                pen.style(),
            ));
        }
        // The backend writes no stroke-dasharray, so a dashed line is many short ones, cut here.
        for dash in dashes(points, pen.dash) {
            self.draw(&PathElement::new(
                dash.into_iter().map(at).collect::<Vec<_>>(),
                pen.style(),
            ))?;
        }
        Ok(())
    }

    /// Fills a box.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn fill(&self, rect: Rect, color: Color) -> Result<()> {
        let corners = [
            at(Point::new(rect.left, rect.top)),
            at(Point::new(rect.right, rect.bottom)),
        ];
        self.draw(&Rectangle::new(corners, color.to_rgb().filled()))
    }

    /// Fills what lies between corners, so thinly that what is below shows through.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn area(&self, corners: &[Point], color: Color, opacity: f64) -> Result<()> {
        let corners: Vec<(i32, i32)> = corners.iter().map(|&corner| at(corner)).collect();
        self.draw(&Polygon::new(corners, color.to_rgb().mix(opacity).filled()))
    }

    /// Draws the sides of a box.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn outline(&self, rect: Rect, pen: Pen) -> Result<()> {
        let corner = Point::new;
        let (left, top, right, bottom) = (rect.left, rect.top, rect.right, rect.bottom);
        // On past the first corner, so that it is joined like the others.
        let corners = [
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
            (right, top),
        ];
        self.line(&corners.map(|(x, y)| corner(x, y)), pen)
    }

    fn draw<'e, E>(&self, element: &'e E) -> Result<()>
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        self.area.draw(element).map_err(cannot_draw)
    }
}

fn cannot_draw(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Draw(Box::new(error))
}

fn pixels(points: f64) -> i32 {
    (points * PIXELS_PER_POINT).round() as i32
}

fn at(point: Point) -> (i32, i32) {
    (pixels(point.x), pixels(point.y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::text::{Anchor, text};

    #[test]
    fn a_page_has_its_size_in_points() {
        let svg = Canvas::svg(Look::Color, 100.0, 50.0, |canvas| {
            canvas.text(text("a < b", 8.0, Anchor::Start), Point::new(10.0, 20.0))?;
            canvas.text(text("n\u{0}l", 8.0, Anchor::Start), Point::new(10.0, 40.0))
        })
        .expect("drawn");
        assert!(
            svg.starts_with("<svg width=\"100pt\" height=\"50pt\""),
            "{svg}"
        );
        assert!(svg.contains("viewBox=\"0 0 1000 500\""), "{svg}");
        assert!(
            svg.contains("font-size=\"80\"") && svg.contains("a &lt; b"),
            "{svg}"
        );
        assert!(svg.contains("n\u{fffd}l"), "XML has no U+0000: {svg}");
    }
}
