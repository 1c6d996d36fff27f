//! What curves are called, and their lines in either look.

use plotters::style::RGBColor;

use super::{Look, look::gray};
use crate::marker::{Outline, Shape};

/// Dashes in points: drawn and left out by turns; empty is a solid line.
pub(crate) type Dash = &'static [f64];
const SOLID: Dash = &[];
const DASHED: Dash = &[4.2, 2.2];
const LONG_DASHED: Dash = &[9.0, 2.4];
const DOTTED: Dash = &[1.1, 1.7];
const DASH_DOTTED: Dash = &[5.0, 1.8, 1.1, 1.8];

/// How a curve is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct LineStyle {
    pub(crate) color: RGBColor,
    pub(crate) dash: Dash,
    /// Relative to the configured width.
    pub(crate) width: f64,
    /// Stands along the curve, again and again.
    pub(crate) mark: Option<Shape>,
}

const fn line(color: RGBColor, dash: Dash) -> LineStyle {
    LineStyle {
        color,
        dash,
        width: 1.0,
        mark: None,
    }
}

/// A black line with hollow markers.
const fn black(dash: Dash, outline: Outline) -> LineStyle {
    LineStyle {
        color: gray(0),
        dash,
        width: 0.8,
        mark: Some(Shape {
            outline,
            is_hollow: true,
        }),
    }
}

/// Whose curve it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Series {
    /// A router, by its name on disk.
    Router(String),
    /// The RouterBench rule with the scores of a router.
    Rule(String),
    /// The true expectations, which no router can beat on average.
    Bayes,
    /// What a random mixture of single LLMs reaches: RouterBench's zero router.
    Zero,
    /// A spectrum of embeddings.
    Spectrum,
    /// In a study of rates, the power law through the excess risks of CARROT (KNN).
    RateFitted,
    /// The interval of one of them.
    RateInterval,
    /// The slope that theory bounds them by.
    RateBound,
    /// A router that takes the nearest prompt's best LLM.
    OneNeighbor,
    /// A router that throws dice.
    Random,
}

/// A router that the paper shows.
struct Known {
    /// On disk.
    router: &'static str,
    /// In figures and tables.
    name: &'static str,
    color: LineStyle,
    bw: LineStyle,
}

/// The routers that the paper shows, in the order of the legend.
///
/// The hues are the paper's (red, orange, blue, green, purple) in shades that stay apart under protanopia, deuteranopia and tritanopia:
/// after Machado et al. (2009), at full severity, the least CIE76 distance between any two of the five is 19. Dashes tell them apart in
/// print without color.
const ROUTERS: [Known; 6] = [
    Known {
        router: "carrot-knn",
        name: "CARROT (KNN)",
        color: line(RGBColor(0xC8, 0x10, 0x2E), SOLID),
        bw: black(SOLID, Outline::Circle),
    },
    Known {
        router: "carrot-knn-sbert",
        name: "CARROT (KNN, SBERT)",
        color: line(RGBColor(0xEE, 0x88, 0x99), SOLID),
        bw: black(LONG_DASHED, Outline::Diamond),
    },
    Known {
        router: "carrot-roberta",
        name: "CARROT (RoBERTa)",
        color: line(RGBColor(0xF2, 0xA1, 0x04), SOLID),
        bw: black(SOLID, Outline::Square),
    },
    Known {
        router: "mf",
        name: "RouteLLM (MF)",
        color: line(RGBColor(0x0F, 0x5F, 0xA8), DASHED),
        bw: black(DASHED, Outline::Up),
    },
    Known {
        router: "rorf",
        name: "Not-Diamond RoRF",
        color: line(RGBColor(0x2C, 0xA5, 0x8D), DASH_DOTTED),
        bw: black(DASH_DOTTED, Outline::Down),
    },
    Known {
        router: "roberta-binary",
        name: "RouteLLM (RoBERTa)",
        color: line(RGBColor(0xB2, 0x7B, 0xC0), DOTTED),
        bw: black(DOTTED, Outline::Pentagon),
    },
];

/// Lines of routers that the paper does not know, in color and in black.
const OTHERS: [(LineStyle, LineStyle); 6] = [
    (
        line(RGBColor(0x7A, 0x5C, 0x3E), SOLID),
        black(SOLID, Outline::Left),
    ),
    (
        line(RGBColor(0x00, 0x9F, 0xC4), SOLID),
        black(LONG_DASHED, Outline::Right),
    ),
    (
        line(RGBColor(0x6B, 0x7A, 0x12), DASHED),
        black(DASHED, Outline::Left),
    ),
    (
        line(RGBColor(0x4B, 0x3F, 0x8F), DASH_DOTTED),
        black(DASH_DOTTED, Outline::Right),
    ),
    (
        line(RGBColor(0xD8, 0x6C, 0x9B), DASHED),
        black(DASHED, Outline::Star),
    ),
    (
        line(RGBColor(0x50, 0x60, 0x70), DOTTED),
        black(DOTTED, Outline::Star),
    ),
];

const BAYES: LineStyle = LineStyle {
    width: 0.8,
    ..line(gray(26), DASHED)
};
const ZERO: LineStyle = LineStyle {
    width: 0.7,
    ..line(gray(130), DOTTED)
};
const SPECTRUM: LineStyle = line(RGBColor(0x0F, 0x5F, 0xA8), SOLID);
const RATE_FITTED: LineStyle = line(RGBColor(0xC8, 0x10, 0x2E), SOLID);
const RATE_INTERVAL: LineStyle = LineStyle {
    width: 0.6,
    ..line(gray(55), SOLID)
};
const RATE_BOUND: LineStyle = LineStyle {
    width: 0.8,
    ..line(gray(26), DASHED)
};
const ONE_NEIGHBOR: LineStyle = line(RGBColor(0x0F, 0x5F, 0xA8), DASH_DOTTED);
const RANDOM: LineStyle = line(gray(130), DOTTED);

/// The RouterBench rule with the scores of the routers that the paper shows: name, and line in the paper's hues (purple, blue); dashed, since
/// it often runs close to the router itself.
const RULES: [(&str, &str, RGBColor); 3] = [
    (
        "carrot-knn",
        "RouterBench (KNN)",
        RGBColor(0x7E, 0x4B, 0x96),
    ),
    (
        "carrot-knn-sbert",
        "RouterBench (KNN, SBERT)",
        RGBColor(0xB2, 0x7B, 0xC0),
    ),
    (
        "carrot-roberta",
        "RouterBench (RoBERTa)",
        RGBColor(0x0F, 0x5F, 0xA8),
    ),
];

impl Series {
    /// The name in figures and tables.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Router(router) => {
                known(router).map_or_else(|| router.clone(), |known| known.name.to_owned())
            }
            Self::Rule(router) => rule(router).map_or_else(
                || format!("RouterBench ({router})"),
                |(name, _)| name.to_owned(),
            ),
            Self::Bayes => "Bayes-optimal".to_owned(),
            Self::Zero => "Zero router".to_owned(),
            Self::Spectrum => "Spectrum".to_owned(),
            Self::RateFitted => "CARROT (KNN), fitted".to_owned(),
            Self::RateInterval => "95% interval".to_owned(),
            Self::RateBound => "slope of the bound".to_owned(),
            Self::OneNeighbor => "1 neighbor".to_owned(),
            Self::Random => "random choice".to_owned(),
        }
    }

    /// The name in CSV files.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Router(router) => router.clone(),
            Self::Rule(router) => format!("routerbench-rule/{router}"),
            Self::Bayes => "bayes-optimal".to_owned(),
            Self::Zero => "zero-router".to_owned(),
            Self::Spectrum => "spectrum".to_owned(),
            Self::RateFitted => "rate-fitted".to_owned(),
            Self::RateInterval => "rate-interval".to_owned(),
            Self::RateBound => "rate-bound".to_owned(),
            Self::OneNeighbor => "1-nn".to_owned(),
            Self::Random => "random".to_owned(),
        }
    }

    /// The line. A router that the paper does not know takes one by its name, so that it looks the same in every figure.
    pub(crate) fn line(&self, look: Look) -> LineStyle {
        match (self, look) {
            (Self::Router(router), _) => of_router(router, look),
            (Self::Rule(router), Look::Color) => rule(router).map_or_else(
                || {
                    let own = of_router(router, look);
                    LineStyle {
                        dash: if own.dash == DASH_DOTTED {
                            DOTTED
                        } else {
                            DASH_DOTTED
                        },
                        ..own
                    }
                },
                |(_, color)| line(color, DASHED),
            ),
            // The router's own markers, filled.
            (Self::Rule(router), Look::Bw) => {
                let own = of_router(router, look);
                let filled = |shape: Shape| Shape {
                    is_hollow: false,
                    ..shape
                };
                LineStyle {
                    dash: if own.dash == DASHED {
                        DASH_DOTTED
                    } else {
                        DASHED
                    },
                    mark: own.mark.map(filled),
                    ..own
                }
            }
            (Self::Bayes, Look::Color) => BAYES,
            (Self::Bayes, Look::Bw) => LineStyle {
                color: gray(0),
                ..BAYES
            },
            (Self::Zero, Look::Color) => ZERO,
            (Self::Zero, Look::Bw) => LineStyle {
                color: gray(90),
                width: 0.9,
                ..ZERO
            },
            (Self::Spectrum, Look::Color) => SPECTRUM,
            (Self::Spectrum, Look::Bw) => line(gray(0), SOLID),
            (Self::RateFitted, Look::Color) => RATE_FITTED,
            (Self::RateInterval, Look::Color) => RATE_INTERVAL,
            (Self::RateBound, Look::Color) => RATE_BOUND,
            (Self::OneNeighbor, Look::Color) => ONE_NEIGHBOR,
            (Self::Random, Look::Color) => RANDOM,
            // Dashes tell these apart, and dots stand on the fitted line alone.
            (
                Self::RateFitted
                | Self::RateInterval
                | Self::RateBound
                | Self::OneNeighbor
                | Self::Random,
                Look::Bw,
            ) => LineStyle {
                color: gray(0),
                ..self.line(Look::Color)
            },
        }
    }
}

/// Where a router stands in legends and tables: known ones in the paper's order, then others by name.
pub(crate) fn rank(router: &str) -> (usize, &str) {
    let position = ROUTERS.iter().position(|known| known.router == router);
    (position.unwrap_or(ROUTERS.len()), router)
}

fn known(router: &str) -> Option<&'static Known> {
    ROUTERS.iter().find(|known| known.router == router)
}

fn rule(router: &str) -> Option<(&'static str, RGBColor)> {
    let found = RULES.iter().find(|(name, ..)| *name == router);
    found.map(|&(_, name, color)| (name, color))
}

fn of_router(router: &str, look: Look) -> LineStyle {
    let (color, bw) = known(router).map_or_else(
        || {
            // FNV-1a, 32 bits.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn router(name: &str) -> Series {
        Series::Router(name.to_owned())
    }

    #[test]
    fn series_of_the_paper_look_alike_nowhere() {
        let routers = || ROUTERS.iter().map(|known| router(known.router));
        let rules = RULES
            .iter()
            .map(|(name, ..)| Series::Rule((*name).to_owned()));
        let all: Vec<Series> = routers()
            .chain(rules)
            .chain([Series::Bayes, Series::Zero])
            .collect();
        for (i, series) in all.iter().enumerate() {
            for other in &all[..i] {
                let lines = |look| (series.line(look), other.line(look));
                let (a, b) = lines(Look::Color);
                // No figure has both a rule and a router of two LLMs.
                let is_rule = matches!(series, Series::Rule(_));
                let is_of_pair = ["mf", "rorf", "roberta-binary"].contains(&other.key().as_str());
                assert!(
                    (a.color, a.dash) != (b.color, b.dash) || (is_rule && is_of_pair),
                    "{series:?} {other:?}"
                );
                // Without color and without gray.
                let (a, b) = lines(Look::Bw);
                assert!((a.mark, a.dash) != (b.mark, b.dash), "{series:?} {other:?}");
                assert!(series.key() != other.key() && series.name() != other.name());
            }
            let RGBColor(red, green, blue) = series.line(Look::Bw).color;
            assert!(red == green && green == blue, "{series:?}");
        }
        for (i, router) in ROUTERS.iter().enumerate() {
            assert_eq!(rank(router.router).0, i);
        }
    }

    #[test]
    fn others_keep_their_line() {
        let own = router("my-router");
        assert_eq!(own.name(), "my-router");
        assert_eq!(own.line(Look::Bw), router("my-router").line(Look::Bw));
        let rule = Series::Rule("my-router".to_owned());
        for look in [Look::Color, Look::Bw] {
            let (own, rule) = (own.line(look), rule.line(look));
            assert!((own.dash, own.mark) != (rule.dash, rule.mark));
        }
        assert_eq!(rank("my-router").0, ROUTERS.len());
    }
}
