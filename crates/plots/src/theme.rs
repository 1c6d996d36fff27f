//! How figures look: every color, dash, size and display name. Sizes that people change are in configs/plots.toml instead.

use plotters::style::RGBColor;

/// The shipped font: Liberation Sans has the widths of Arial and Helvetica, so a figure keeps its layout in a viewer that has only those.
pub(crate) const FONT: &[u8] = include_bytes!("../fonts/LiberationSans-Regular.ttf");
/// The font's own name, then its metric twins.
pub(crate) const FONT_FAMILY: &str = "Liberation Sans, Arimo, Helvetica, Arial, sans-serif";
/// Heights of the font in parts of the font size.
pub(crate) const ASCENT: f64 = 0.73;
pub(crate) const DESCENT: f64 = 0.21;
pub(crate) const CAP_HEIGHT: f64 = 0.69;

pub(crate) const BACKGROUND: RGBColor = RGBColor(255, 255, 255);
pub(crate) const TEXT: RGBColor = RGBColor(26, 26, 26);
/// Frame and tick marks.
pub(crate) const FRAME: RGBColor = RGBColor(90, 90, 90);
pub(crate) const GRID: RGBColor = RGBColor(225, 225, 225);
pub(crate) const GRID_MINOR: RGBColor = RGBColor(240, 240, 240);
pub(crate) const MARKER: RGBColor = RGBColor(55, 55, 55);
pub(crate) const LEADER: RGBColor = RGBColor(140, 140, 140);

/// Line widths in points.
pub(crate) const FRAME_WIDTH: f64 = 0.6;
pub(crate) const GRID_WIDTH: f64 = 0.5;
pub(crate) const LEADER_WIDTH: f64 = 0.4;
pub(crate) const MARKER_LINE_WIDTH: f64 = 0.8;
/// Half the width of a marker, in points.
pub(crate) const MARKER_RADIUS: f64 = 2.2;
/// The oracle's star is larger, and hollow: an LLM may stand at the same place.
pub(crate) const ORACLE_RADIUS: f64 = 3.8;

/// Space between parts of the figure, in points.
pub(crate) const MARGIN: f64 = 4.0;
pub(crate) const TICK_LENGTH: f64 = 2.5;
pub(crate) const GAP: f64 = 3.0;
/// Length of the line beside a legend's text, in points.
pub(crate) const LEGEND_LINE: f64 = 19.0;
/// Longest label of an LLM, in characters; longer names lose their middle.
pub(crate) const MAX_LABEL_CHARS: usize = 28;

/// Dashes in points: drawn and left out by turns; empty is a solid line.
pub(crate) type Dash = &'static [f64];
const SOLID: Dash = &[];
const DASHED: Dash = &[4.2, 2.2];
const DOTTED: Dash = &[1.1, 1.7];
const DASH_DOTTED: Dash = &[5.0, 1.8, 1.1, 1.8];

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LineStyle {
    pub(crate) color: RGBColor,
    pub(crate) dash: Dash,
    /// Relative to the configured width.
    pub(crate) width: f64,
}

const fn line(color: RGBColor, dash: Dash) -> LineStyle {
    LineStyle {
        color,
        dash,
        width: 1.0,
    }
}

/// Name on disk, name in the figure and line of the routers that the paper shows, in the order of the legend.
///
/// The hues are the paper's (red, orange, blue, green, purple) in shades that stay apart under protanopia, deuteranopia and tritanopia:
/// after Machado et al. (2009), at full severity, the least CIE76 distance between any two of the five is 19. Dashes tell them apart in
/// print without color.
const ROUTERS: [(&str, &str, LineStyle); 6] = [
    (
        "carrot-knn",
        "CARROT (KNN)",
        line(RGBColor(0xC8, 0x10, 0x2E), SOLID),
    ),
    (
        "carrot-knn-sbert",
        "CARROT (KNN, SBERT)",
        line(RGBColor(0xEE, 0x88, 0x99), SOLID),
    ),
    (
        "carrot-roberta",
        "CARROT (RoBERTa)",
        line(RGBColor(0xF2, 0xA1, 0x04), SOLID),
    ),
    (
        "mf",
        "RouteLLM (MF)",
        line(RGBColor(0x0F, 0x5F, 0xA8), DASHED),
    ),
    (
        "rorf",
        "Not-Diamond RoRF",
        line(RGBColor(0x2C, 0xA5, 0x8D), DASH_DOTTED),
    ),
    (
        "roberta-binary",
        "RouteLLM (RoBERTa)",
        line(RGBColor(0xB2, 0x7B, 0xC0), DOTTED),
    ),
];

/// Lines of routers that the paper does not know.
const OTHERS: [LineStyle; 6] = [
    line(RGBColor(0x7A, 0x5C, 0x3E), SOLID),
    line(RGBColor(0x00, 0x9F, 0xC4), SOLID),
    line(RGBColor(0x6B, 0x7A, 0x12), DASHED),
    line(RGBColor(0x4B, 0x3F, 0x8F), DASH_DOTTED),
    line(RGBColor(0xD8, 0x6C, 0x9B), DASHED),
    line(RGBColor(0x50, 0x60, 0x70), DOTTED),
];

/// The curve of the true expectations, which no router can beat on average.
pub(crate) const BAYES: LineStyle = LineStyle {
    color: RGBColor(26, 26, 26),
    dash: DASHED,
    width: 0.8,
};
pub(crate) const BAYES_NAME: &str = "Bayes-optimal";
/// What a random mixture of single LLMs reaches: RouterBench's zero router.
pub(crate) const MIXTURE: LineStyle = LineStyle {
    color: RGBColor(130, 130, 130),
    dash: DOTTED,
    width: 0.7,
};
pub(crate) const MIXTURE_NAME: &str = "Zero router";

/// The RouterBench rule with the scores of the routers that the paper shows, in the paper's hues (purple, blue); dashed, since it often
/// runs close to the router itself.
const RULES: [(&str, &str, LineStyle); 3] = [
    (
        "carrot-knn",
        "RouterBench (KNN)",
        line(RGBColor(0x7E, 0x4B, 0x96), DASHED),
    ),
    (
        "carrot-knn-sbert",
        "RouterBench (KNN, SBERT)",
        line(RGBColor(0xB2, 0x7B, 0xC0), DASHED),
    ),
    (
        "carrot-roberta",
        "RouterBench (RoBERTa)",
        line(RGBColor(0x0F, 0x5F, 0xA8), DASHED),
    ),
];

/// What the RouterBench rule with a router's scores is called.
pub(crate) fn rule_name(router: &str) -> String {
    RULES.iter().find(|(name, ..)| *name == router).map_or_else(
        || format!("RouterBench ({router})"),
        |(_, display, _)| (*display).to_owned(),
    )
}

/// The line of the RouterBench rule with a router's scores: of a router that the paper does not know its own, dash-dotted.
pub(crate) fn rule_style(router: &str) -> LineStyle {
    let own = || LineStyle {
        dash: DASH_DOTTED,
        ..line_style(router)
    };
    RULES
        .iter()
        .find(|(name, ..)| *name == router)
        .map_or_else(own, |(_, _, style)| *style)
}

/// A spectrum of embeddings.
pub(crate) const SPECTRUM: LineStyle = line(RGBColor(0x0F, 0x5F, 0xA8), SOLID);

/// The study of rates: estimates with their intervals, the line fitted through them, the slope of the bound, and routers that do not learn.
pub(crate) const RATE_FITTED: LineStyle = line(RGBColor(0xC8, 0x10, 0x2E), SOLID);
pub(crate) const RATE_INTERVAL: LineStyle = LineStyle {
    width: 0.6,
    ..line(MARKER, SOLID)
};
pub(crate) const RATE_BOUND: LineStyle = LineStyle {
    width: 0.8,
    ..line(TEXT, DASHED)
};
pub(crate) const RATE_ONE_NEIGHBOR: LineStyle = line(RGBColor(0x0F, 0x5F, 0xA8), DASH_DOTTED);
pub(crate) const RATE_RANDOM: LineStyle = line(RGBColor(130, 130, 130), DOTTED);

/// A router's name in figures and tables.
pub(crate) fn display_name(router: &str) -> &str {
    ROUTERS
        .iter()
        .find(|(name, ..)| *name == router)
        .map_or(router, |(_, display, _)| display)
}

/// Where a router stands in legends and tables: known ones in the paper's order, then others by name.
pub(crate) fn rank(router: &str) -> (usize, &str) {
    (
        ROUTERS
            .iter()
            .position(|(name, ..)| *name == router)
            .unwrap_or(ROUTERS.len()),
        router,
    )
}

/// A router's line. A router that the paper does not know takes one by its name, so that it looks the same in every figure.
pub(crate) fn line_style(router: &str) -> LineStyle {
    let by_name = || {
        // FNV-1a, 32 bits.
        let hash = router.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        OTHERS[hash as usize % OTHERS.len()]
    };
    ROUTERS
        .iter()
        .find(|(name, ..)| *name == router)
        .map_or_else(by_name, |(_, _, style)| *style)
}

/// An LLM's name as a label: without its owner, and without its middle where it is too long.
pub(crate) fn short_name(model: &str) -> String {
    let name = model
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or(model);
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= MAX_LABEL_CHARS {
        return name.to_owned();
    }
    let n_tail = (MAX_LABEL_CHARS - 1) / 2;
    let n_head = MAX_LABEL_CHARS - 1 - n_tail;
    chars[..n_head]
        .iter()
        .chain(&['\u{2026}'])
        .chain(&chars[chars.len() - n_tail..])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened() {
        for (model, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
            ("owner/", "owner"),
            (
                "a-model-whose-name-goes-on-and-on-without-end-7B-Instruct",
                "a-model-whose-\u{2026}d-7B-Instruct",
            ),
        ] {
            assert_eq!(short_name(model), expected);
            assert!(short_name(model).chars().count() <= MAX_LABEL_CHARS);
        }
    }

    #[test]
    fn routers_of_the_paper_look_alike_nowhere() {
        for (i, (router, name, style)) in ROUTERS.iter().enumerate() {
            assert_eq!(
                (display_name(router), rank(router).0, line_style(router)),
                (*name, i, *style)
            );
            assert!(
                ROUTERS[..i]
                    .iter()
                    .all(|(.., other)| other.color != style.color)
            );
        }
        assert_eq!(display_name("my-router"), "my-router");
        assert_eq!(line_style("my-router"), line_style("my-router"));
    }
}
