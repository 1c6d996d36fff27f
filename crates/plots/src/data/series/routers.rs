//! How routers are called and drawn: those of the paper by its colors and names, others by a rule.

use charts::draw::{
    color::Color,
    line_style::{DASH_DOTTED, DASHED, DOTTED, LONG_DASHED, LineStyle, SOLID},
    look::Look,
    marker::Outline,
};
use dataset::router_names::{
    CARROT_BLEND, CARROT_CLUSTER, CARROT_KERNEL, CARROT_KNN, CARROT_KNN_SBERT, CARROT_LINEAR,
    CARROT_ROBERTA, MF, ROBERTA_BINARY, RORF,
};

use super::colors::{
    BLUE, BROWN, CYAN, DARK_PURPLE, GREEN, INDIGO, OLIVE, ORANGE, PINK, PURPLE, RED, ROSE, SLATE,
};

/// A router that has a name and a line of its own.
pub(super) struct Known {
    /// On disk.
    pub(super) router: &'static str,
    /// In figures and tables.
    pub(super) name: &'static str,
    pub(super) color: LineStyle,
    pub(super) bw: LineStyle,
}

/// The routers that come with the programs, in the order of the legend; those that the paper shows in its hues. Dashes distinguish them in print
/// without color.
pub(super) const ROUTERS: [Known; 10] = [
    Known {
        router: CARROT_KNN,
        name: "CARROT (KNN)",
        color: LineStyle::colored(RED, SOLID),
        bw: LineStyle::black(SOLID, Outline::Circle),
    },
    Known {
        router: CARROT_KNN_SBERT,
        name: "CARROT (KNN, SBERT)",
        color: LineStyle::colored(PINK, SOLID),
        bw: LineStyle::black(LONG_DASHED, Outline::Diamond),
    },
    Known {
        router: CARROT_ROBERTA,
        name: "CARROT (RoBERTa)",
        color: LineStyle::colored(ORANGE, SOLID),
        bw: LineStyle::black(SOLID, Outline::Square),
    },
    Known {
        router: CARROT_BLEND,
        name: "CARROT (blend)",
        color: LineStyle::colored(INDIGO, SOLID),
        bw: LineStyle::black(SOLID, Outline::Star),
    },
    Known {
        router: CARROT_KERNEL,
        name: "CARROT (kernel)",
        color: LineStyle::colored(CYAN, LONG_DASHED),
        bw: LineStyle::black(LONG_DASHED, Outline::Left),
    },
    Known {
        router: CARROT_LINEAR,
        name: "CARROT (linear)",
        color: LineStyle::colored(OLIVE, DASH_DOTTED),
        bw: LineStyle::black(DASHED, Outline::Right),
    },
    Known {
        router: CARROT_CLUSTER,
        name: "CARROT (clusters)",
        color: LineStyle::colored(BROWN, DOTTED),
        bw: LineStyle::black(DOTTED, Outline::Diamond),
    },
    Known {
        router: MF,
        name: "RouteLLM (MF)",
        color: LineStyle::colored(BLUE, DASHED),
        bw: LineStyle::black(DASHED, Outline::Up),
    },
    Known {
        router: RORF,
        name: "Not-Diamond RoRF",
        color: LineStyle::colored(GREEN, DASH_DOTTED),
        bw: LineStyle::black(DASH_DOTTED, Outline::Down),
    },
    Known {
        router: ROBERTA_BINARY,
        name: "RouteLLM (RoBERTa)",
        color: LineStyle::colored(PURPLE, DOTTED),
        bw: LineStyle::black(DOTTED, Outline::Pentagon),
    },
];

/// Lines of routers that the paper does not know, in color and in black.
const OTHERS: [(LineStyle, LineStyle); 6] = [
    // Left, right and star marks are reserved for these, so that in print none is mistaken for a router
    // of the paper.
    (
        LineStyle::colored(BROWN, SOLID),
        LineStyle::black(SOLID, Outline::Left),
    ),
    (
        LineStyle::colored(CYAN, SOLID),
        LineStyle::black(LONG_DASHED, Outline::Right),
    ),
    (
        LineStyle::colored(OLIVE, DASHED),
        LineStyle::black(DASHED, Outline::Left),
    ),
    (
        LineStyle::colored(INDIGO, DASH_DOTTED),
        LineStyle::black(DASH_DOTTED, Outline::Right),
    ),
    (
        LineStyle::colored(ROSE, DASHED),
        LineStyle::black(DASHED, Outline::Star),
    ),
    (
        LineStyle::colored(SLATE, DOTTED),
        LineStyle::black(DOTTED, Outline::Star),
    ),
];

/// The RouterBench rule with the scores of the routers that the paper shows: name, and line in the paper's hues (purple, blue); dashed, since
/// it often runs close to the router itself.
pub(super) const RULES: [(&str, &str, Color); 3] = [
    (CARROT_KNN, "RouterBench (KNN)", DARK_PURPLE),
    (CARROT_KNN_SBERT, "RouterBench (KNN, SBERT)", PURPLE),
    (CARROT_ROBERTA, "RouterBench (RoBERTa)", BLUE),
];

/// The routers of the paper's figures of CARROT against routers of two LLMs.
pub(crate) const IN_BINARY_FIGURES: [&str; 5] =
    [CARROT_KNN, CARROT_ROBERTA, MF, RORF, ROBERTA_BINARY];

/// The position of a router in legends and tables: known ones in the paper's order, then others by name.
pub(crate) fn rank(router: &str) -> (usize, &str) {
    let position = ROUTERS.iter().position(|known| known.router == router);
    (position.unwrap_or(ROUTERS.len()), router)
}

/// The paper's name and lines of a router, where it shows it.
pub(super) fn known(router: &str) -> Option<&'static Known> {
    ROUTERS.iter().find(|known| known.router == router)
}

/// The paper's name and color of the RouterBench rule with a router's scores, where it shows it.
pub(super) fn rule(router: &str) -> Option<(&'static str, Color)> {
    let found = RULES.iter().find(|(name, ..)| *name == router);
    found.map(|&(_, name, color)| (name, color))
}

/// A router's line. One that the paper does not know takes it by a hash of its name, not by its place in the legend, so that it looks the same
/// in every figure, whoever else is shown.
pub(super) fn line(router: &str, look: Look) -> LineStyle {
    let (color, bw) = known(router).map_or_else(
        || {
            // FNV-1a, 32 bits: the hashes of Rust's standard library may change with its version, and the figures with
            // them.
            let hash = router.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
                (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
            });
            OTHERS[hash as usize % OTHERS.len()]
        },
        |known| (known.color, known.bw),
    );
    match look {
        Look::Color => color,
        Look::Bw => bw,
    }
}
