//! A page to draw on, in points, over plotters' SVG backend.

use anyhow::anyhow;
use plotters::{
    coord::Shift,
    element::{Drawable, PointCollection},
    prelude::{
        Circle, DrawingArea, IntoDrawingArea as _, PathElement, Polygon, Rectangle, SVGBackend,
        Text,
    },
    style::{
        Color as _, FontStyle, FontTransform, IntoFont as _, RGBColor, ShapeStyle, TextStyle,
        register_font,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::{
    geometry::{Point, Rect},
    marker::{Outline, Shape},
    theme,
};

/// The backend counts in whole pixels; ten to a point make lines smooth.
const PIXELS_PER_POINT: f64 = 10.0;
/// plotters takes a font's size for its height and divides by this before it writes `font-size`.
const HEIGHT_PER_SIZE: f64 = 1.24;
/// Height of the shipped font (ascender 1,854 and descender 434 of 2,048 units), which is what plotters' text measure counts in.
const HEIGHT_PER_EM: f64 = (1854.0 + 434.0) / 2048.0;

/// How a line is drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pen {
    pub(crate) color: RGBColor,
    /// In points.
    pub(crate) width: f64,
    pub(crate) dash: theme::Dash,
}

impl Pen {
    pub(crate) fn solid(color: RGBColor, width: f64) -> Self {
        Self {
            color,
            width,
            dash: &[],
        }
    }

    fn style(self) -> ShapeStyle {
        self.color.stroke_width(pixels(self.width).max(1) as u32)
    }
}

/// Which point of a text stands at the place given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A text on one line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    /// Font size in points.
    pub(crate) size: f64,
    pub(crate) color: RGBColor,
    pub(crate) anchor: Anchor,
}

/// An SVG under way.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

impl<'a> Canvas<'a> {
    /// Draws a page of `width` x `height` points and returns it as SVG.
    ///
    /// # Errors
    /// Whatever `draw` returns.
    pub(crate) fn svg(
        width: f64,
        height: f64,
        draw: impl FnOnce(&Canvas<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<String> {
        register()?;
        let mut svg = String::new();
        let size = (pixels(width) as u32, pixels(height) as u32);
        {
            let canvas = Canvas {
                area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
            };
            canvas
                .area
                .fill(&theme::BACKGROUND)
                .map_err(|error| anyhow!("cannot draw: {error}"))?;
            draw(&canvas)?;
            canvas
                .area
                .present()
                .map_err(|error| anyhow!("cannot draw: {error}"))?;
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

    /// Draws a line through all points.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn line(&self, points: &[Point], pen: Pen) -> anyhow::Result<()> {
        if pen.dash.is_empty() {
            return self.draw(&PathElement::new(
                points.iter().map(|&point| at(point)).collect::<Vec<_>>(),
                pen.style(),
            ));
        }
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
    pub(crate) fn fill(&self, rect: Rect, color: RGBColor) -> anyhow::Result<()> {
        let corners = [
            at(Point::new(rect.left, rect.top)),
            at(Point::new(rect.right, rect.bottom)),
        ];
        self.draw(&Rectangle::new(corners, color.filled()))
    }

    /// Fills what lies between corners, so thinly that what is below shows through.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn area(
        &self,
        corners: &[Point],
        color: RGBColor,
        opacity: f64,
    ) -> anyhow::Result<()> {
        let corners: Vec<(i32, i32)> = corners.iter().map(|&corner| at(corner)).collect();
        self.draw(&Polygon::new(corners, color.mix(opacity).filled()))
    }

    /// Draws the sides of a box.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn outline(&self, rect: Rect, pen: Pen) -> anyhow::Result<()> {
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

    /// Draws a marker.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn marker(
        &self,
        center: Point,
        shape: Shape,
        radius: f64,
        color: RGBColor,
    ) -> anyhow::Result<()> {
        let place = |(x, y): (f64, f64)| Point::new(center.x + radius * x, center.y + radius * y);
        let pen = Pen::solid(color, theme::MARKER_LINE_WIDTH);
        let stroke = |from: (f64, f64), to: (f64, f64)| self.line(&[place(from), place(to)], pen);
        let inside = if shape.is_hollow {
            theme::BACKGROUND
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
                let radius = pixels(0.9 * radius) as u32;
                self.draw(&Circle::new(at(center), radius, inside.filled()))?;
                if shape.is_hollow {
                    self.draw(&Circle::new(at(center), radius, pen.style()))
                } else {
                    Ok(())
                }
            }
            outline => {
                let mut corners: Vec<Point> = outline.corners().into_iter().map(place).collect();
                let filled: Vec<(i32, i32)> = corners.iter().map(|&corner| at(corner)).collect();
                self.draw(&Polygon::new(filled, inside.filled()))?;
                if !shape.is_hollow {
                    return Ok(());
                }
                // On past the first corner, so that it is joined like the others.
                corners.extend_from_within(..2);
                self.line(&corners, pen)
            }
        }
    }

    /// Writes a text whose baseline passes through `place`.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn text(&self, line: Line<'_>, place: Point) -> anyhow::Result<()> {
        // A centered text is moved down by 0.5 ex, which is 0.25 of the font's size to all viewers that do not look into the font.
        self.write(
            line,
            Point::new(place.x, place.y - 0.25 * line.size),
            FontTransform::None,
        )
    }

    /// Writes a text that runs upwards, with its baseline to the right; `place` is the middle of the baseline.
    ///
    /// # Errors
    /// When the backend fails.
    pub(crate) fn upward_text(&self, line: Line<'_>, place: Point) -> anyhow::Result<()> {
        self.write(
            line,
            Point::new(place.x - 0.25 * line.size, place.y),
            FontTransform::Rotate270,
        )
    }

    fn write(&self, line: Line<'_>, place: Point, transform: FontTransform) -> anyhow::Result<()> {
        let h_pos = match line.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let size = line.size * PIXELS_PER_POINT * HEIGHT_PER_SIZE;
        let style = TextStyle::from((theme::FONT_FAMILY, size).into_font())
            .color(&line.color)
            .transform(transform)
            .pos(Pos::new(h_pos, VPos::Center));
        self.draw(&Text::new(line.text, at(place), style))
    }

    fn draw<'e, E>(&self, element: &'e E) -> anyhow::Result<()>
    where
        &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<SVGBackend<'a>>,
    {
        self.area
            .draw(element)
            .map_err(|error| anyhow!("cannot draw: {error}"))
    }
}

/// Width of a text in points.
///
/// # Errors
/// When the shipped font is broken.
pub(crate) fn text_width(text: &str, size: f64) -> anyhow::Result<f64> {
    register()?;
    // Measured large, since plotters rounds to whole pixels.
    let ((left, _), (right, _)) = (theme::FONT_FAMILY, 1000.0 * HEIGHT_PER_EM)
        .into_font()
        .layout_box(text)
        .map_err(|error| anyhow!("cannot measure a text: {error}"))?;
    Ok(f64::from(right - left) / 1000.0 * size)
}

fn register() -> anyhow::Result<()> {
    register_font(theme::FONT_FAMILY, FontStyle::Normal, theme::FONT)
        .map_err(|_| anyhow!("the shipped font is broken"))
}

fn pixels(points: f64) -> i32 {
    (points * PIXELS_PER_POINT).round() as i32
}

fn at(point: Point) -> (i32, i32) {
    (pixels(point.x), pixels(point.y))
}

/// Cuts a line into dashes; a dash may bend.
fn dashes(points: &[Point], dash: &[f64]) -> Vec<Vec<Point>> {
    let Some(&first) = points.first() else {
        return Vec::new();
    };
    let mut drawn = vec![vec![first]];
    let (mut piece, mut left) = (0, dash[0]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = from.distance(to);
            let is_drawn = piece % 2 == 0;
            let last = drawn.last_mut().expect("there is one from the start");
            if length < left {
                left -= length;
                if is_drawn {
                    last.push(to);
                }
                break;
            }
            let share = left / length;
            from = Point::new(
                from.x + share * (to.x - from.x),
                from.y + share * (to.y - from.y),
            );
            if is_drawn {
                last.push(from);
            } else {
                drawn.push(vec![from]);
            }
            piece += 1;
            left = dash[piece % dash.len()];
        }
    }
    drawn.retain(|dash| dash.len() > 1);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_the_font_says() {
        // Advances of Liberation Sans in 1/2048 em: `A` 1366, `V` 1366, `i` 455; `AV` is kerned by -152.
        let width = |text| text_width(text, 2048.0).expect("measured");
        assert!((width("iii") - 3.0 * 455.0).abs() < 4.0, "{}", width("iii"));
        assert!((width("A") - 1366.0).abs() < 4.0, "{}", width("A"));
        assert!(width("AV") <= 2.0 * 1366.0);
    }

    #[test]
    fn dashes_cover_the_line_in_turn() {
        let line: Vec<Point> = (0..=20).map(|i| Point::new(f64::from(i), 0.0)).collect();
        let starts: Vec<(f64, f64)> = dashes(&line, &[4.0, 2.0])
            .iter()
            .map(|dash| (dash[0].x, dash[dash.len() - 1].x))
            .collect();
        assert_eq!(
            starts,
            [(0.0, 4.0), (6.0, 10.0), (12.0, 16.0), (18.0, 20.0)]
        );
        assert!(dashes(&[], &[4.0, 2.0]).is_empty());
    }

    #[test]
    fn a_page_has_its_size_in_points() {
        let svg = Canvas::svg(100.0, 50.0, |canvas| {
            canvas.text(
                Line {
                    text: "a < b",
                    size: 8.0,
                    color: theme::TEXT,
                    anchor: Anchor::Start,
                },
                Point::new(10.0, 20.0),
            )
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
    }
}
