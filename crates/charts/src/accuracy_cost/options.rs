//! How an accuracy-cost figure is drawn.

use super::scale_rules::ScaleRules;
use crate::draw::{
    look::Look,
    style::{PageSize, Style},
};

/// How a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// For screens or for print.
    pub look: Look,
    /// Of one scene. The page grows downwards for a legend or a key that has no room inside.
    pub page: PageSize,
    /// Sizes of text and lines.
    pub style: Style,
    /// How the axes are chosen.
    pub rules: ScaleRules,
}
