//! The labels of a figure, with the legend at the place that leaves them most room.

use crate::{
    canvas::text_width,
    geometry::{Point, Rect, Segment},
    labels::{self, Effort, Layout, Obstacles, Request},
    theme,
};

/// What labels are placed by, besides their texts and the legend.
pub(super) struct Placing<'a> {
    pub(super) markers: &'a [Point],
    pub(super) frame: Rect,
    pub(super) oracle: Option<Point>,
    pub(super) segments: &'a [Segment],
    pub(super) font_size: f64,
}

impl Placing<'_> {
    /// Tries all places of the legend, each with its own cost, and labels the figure with the best one.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn place_with_legend(
        &self,
        texts: &[String],
        places: &[(Option<Rect>, f64)],
    ) -> anyhow::Result<(Option<Rect>, Layout)> {
        let (mut best, mut least) = (None, f64::INFINITY);
        for &(place, extra) in places {
            let cost = extra + self.place(texts, place, Effort::Quick)?.cost;
            if cost < least {
                (best, least) = (place, cost);
            }
        }
        Ok((best, self.place(texts, best, Effort::Thorough)?))
    }

    /// Labels the figure with the legend at a given place.
    ///
    /// # Errors
    /// When the font is broken.
    pub(super) fn place(
        &self,
        texts: &[String],
        legend: Option<Rect>,
        effort: Effort,
    ) -> anyhow::Result<Layout> {
        let mut requests = Vec::with_capacity(texts.len());
        for (text, &marker) in texts.iter().zip(self.markers) {
            requests.push(Request {
                marker,
                radius: theme::MARKER_RADIUS,
                width: text_width(text, self.font_size)?,
                height: (theme::ASCENT + theme::DESCENT) * self.font_size,
            });
        }
        let rects = self
            .oracle
            .map(oracle_rect)
            .into_iter()
            .chain(legend)
            .collect();
        let obstacles = Obstacles {
            rects,
            segments: self.segments.to_vec(),
        };
        Ok(labels::place(&requests, self.frame, &obstacles, effort))
    }
}

/// What the oracle's marker covers.
pub(super) fn oracle_rect(oracle: Point) -> Rect {
    Rect::around(oracle, theme::ORACLE_RADIUS)
}
