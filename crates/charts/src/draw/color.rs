//! Colors.

use plotters::style::RGBColor;

/// Red, green and blue, from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u8, pub u8, pub u8);

impl Color {
    /// A gray, from 0 (black) to 255 (white).
    #[must_use]
    pub const fn gray(level: u8) -> Self {
        Self(level, level, level)
    }

    /// As the backend takes it, which nobody outside of this crate needs to know.
    pub(crate) const fn to_rgb(self) -> RGBColor {
        RGBColor(self.0, self.1, self.2)
    }
}
