//! What can go wrong while drawing.

use std::error::Error as StdError;

/// The result of drawing.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a figure was not drawn or converted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The font that is built in was not accepted.
    #[error("the built-in font is broken")]
    BrokenFont,
    /// A text could not be measured.
    #[error("cannot measure the text `{text}`")]
    Measure {
        /// The text.
        text: String,
        /// What the font library says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The backend that writes SVG failed.
    #[error("cannot draw on the canvas")]
    Draw(#[source] Box<dyn StdError + Send + Sync>),
    /// An SVG could not be read back.
    #[error("cannot read the figure's SVG")]
    Read(#[source] Box<dyn StdError + Send + Sync>),
    /// A figure could not be written in another format.
    #[error("cannot convert the figure to {format}")]
    Convert {
        /// `PDF` or `PNG`.
        format: &'static str,
        /// What the converter says.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A picture has no pixels, or more than fit in memory.
    #[error("a picture of {width} x {height} px at {dpi} dots per inch is empty or too large")]
    PictureSize {
        /// Width in CSS pixels, 96 to an inch.
        width: f32,
        /// Height in CSS pixels.
        height: f32,
        /// The resolution that was asked for.
        dpi: f64,
    },
}
