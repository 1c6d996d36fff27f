//! The colors of curves, each named once.
//!
//! The first five hues are the paper's in shades that stay apart under protanopia, deuteranopia and tritanopia: after Machado et al. (2009), at
//! full severity, the least CIE76 distance between any two of the five is 19.

use charts::draw::color::Color;

pub(crate) const RED: Color = Color(0xC8, 0x10, 0x2E);
pub(crate) const ORANGE: Color = Color(0xF2, 0xA1, 0x04);
pub(crate) const BLUE: Color = Color(0x0F, 0x5F, 0xA8);
pub(crate) const GREEN: Color = Color(0x2C, 0xA5, 0x8D);
pub(crate) const PURPLE: Color = Color(0xB2, 0x7B, 0xC0);
pub(crate) const PINK: Color = Color(0xEE, 0x88, 0x99);
pub(crate) const DARK_PURPLE: Color = Color(0x7E, 0x4B, 0x96);
pub(crate) const BROWN: Color = Color(0x7A, 0x5C, 0x3E);
pub(crate) const CYAN: Color = Color(0x00, 0x9F, 0xC4);
pub(crate) const OLIVE: Color = Color(0x6B, 0x7A, 0x12);
pub(crate) const INDIGO: Color = Color(0x4B, 0x3F, 0x8F);
pub(crate) const ROSE: Color = Color(0xD8, 0x6C, 0x9B);
pub(crate) const SLATE: Color = Color(0x50, 0x60, 0x70);
