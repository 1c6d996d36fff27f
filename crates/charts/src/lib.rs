//! Draws charts: accuracy against cost, and panels of lines.
//!
//! In come numbers in data units, with the names and line styles to show them in, and the sizes of text and page. Out goes an SVG as text, the
//! same bytes for the same input on every machine; [`draw::render`] turns it into a PDF with real text and into a PNG.
//!
//! [`accuracy_cost`] and [`panels`] are finished figures. [`draw`] holds what they are built from, for figures of other kinds: a canvas in
//! points, axes, legends, keys and markers.
//!
//! Must not know where numbers come from: no data sets, no routers and their colors, no settings files, no folders. Whoever calls decides what
//! is shown, under which name and in which [`LineStyle`](draw::line_style::LineStyle).

pub mod accuracy_cost;
pub mod draw;
pub mod error;
pub mod panels;
