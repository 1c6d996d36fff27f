//! Whose curve it is, how it is called, and how it looks.

pub(crate) mod colors;
pub(crate) mod routers;

use charts::draw::{
    color::Color,
    line_style::{DASH_DOTTED, DASHED, DOTTED, Dash, LineStyle, NamedLine, SOLID},
    look::Look,
    marker::Shape,
};

use self::{
    colors::{BLUE, ORANGE, RED},
    routers::IN_BINARY_FIGURES,
};

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
    /// The best single LLM for every prompt.
    NotRouting,
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
    /// CARROT (KNN) with its number of neighbors by the rule that ships.
    ChosenK,
}

const BLACK: Color = Color::gray(0);
// References are thin and gray, so that the eye goes to the routers.
const BAYES: LineStyle = thin(0.8, 26, DASHED);
const ZERO: LineStyle = thin(0.7, 130, DOTTED);
const NOT_ROUTING: LineStyle = thin(0.8, 0, SOLID);
const SPECTRUM: LineStyle = LineStyle::colored(BLUE, SOLID);
const RATE_FITTED: LineStyle = LineStyle::colored(RED, SOLID);
const RATE_INTERVAL: LineStyle = thin(0.6, 55, SOLID);
const RATE_BOUND: LineStyle = thin(0.8, 26, DASHED);
const ONE_NEIGHBOR: LineStyle = LineStyle::colored(BLUE, DASH_DOTTED);
const RANDOM: LineStyle = LineStyle::colored(Color::gray(130), DOTTED);
const CHOSEN_K: LineStyle = LineStyle::colored(ORANGE, DASHED);

/// A gray line, of a width in points and a level of gray in which 0 is black.
const fn thin(width: f64, level: u8, dash: Dash) -> LineStyle {
    LineStyle {
        width,
        ..LineStyle::colored(Color::gray(level), dash)
    }
}

impl Series {
    /// The name in figures and tables.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Router(router) => {
                routers::known(router).map_or_else(|| router.clone(), |known| known.name.to_owned())
            }
            Self::Rule(router) => routers::rule(router).map_or_else(
                || format!("RouterBench ({router})"),
                |(name, _)| name.to_owned(),
            ),
            Self::Bayes => "Bayes-optimal".to_owned(),
            Self::Zero => "Zero router".to_owned(),
            Self::NotRouting => "Not routing".to_owned(),
            Self::Spectrum => "Spectrum".to_owned(),
            Self::RateFitted => "CARROT (KNN), fitted".to_owned(),
            Self::RateInterval => "95% interval".to_owned(),
            Self::RateBound => "slope of the bound".to_owned(),
            Self::OneNeighbor => "1 neighbor".to_owned(),
            Self::Random => "random choice".to_owned(),
            Self::ChosenK => "k by the shipped rule".to_owned(),
        }
    }

    /// The name in CSV files.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Router(router) => router.clone(),
            // A router's name is that of a file, which cannot contain a slash, so no router has the key
            // of a rule.
            Self::Rule(router) => format!("routerbench-rule/{router}"),
            Self::Bayes => "bayes-optimal".to_owned(),
            Self::Zero => "zero-router".to_owned(),
            Self::NotRouting => "not-routing".to_owned(),
            Self::Spectrum => "spectrum".to_owned(),
            Self::RateFitted => "rate-fitted".to_owned(),
            Self::RateInterval => "rate-interval".to_owned(),
            Self::RateBound => "rate-bound".to_owned(),
            Self::OneNeighbor => "1-nn".to_owned(),
            Self::Random => "random".to_owned(),
            Self::ChosenK => "carrot-knn-chosen-k".to_owned(),
        }
    }

    /// The name with the line of each look, as charts take them.
    pub(crate) fn named_line(&self) -> NamedLine {
        NamedLine {
            name: self.name(),
            color: self.line(Look::Color),
            bw: self.line(Look::Bw),
        }
    }

    /// The line. A router that the paper does not know takes one by its name, so that it looks the same in every figure.
    pub(crate) fn line(&self, look: Look) -> LineStyle {
        match (self, look) {
            (Self::Router(router), _) => routers::line(router, look),
            (Self::Rule(router), Look::Color) => routers::rule(router).map_or_else(
                || {
                    // The router's own color says whose scores the rule takes; only the dashes
                    // distinguish the two.
                    let own = routers::line(router, look);
                    LineStyle {
                        dash: if own.dash == DASH_DOTTED {
                            DOTTED
                        } else {
                            DASH_DOTTED
                        },
                        ..own
                    }
                },
                |(_, color)| LineStyle::colored(color, DASHED),
            ),
            // Filled, but of the router's own shape, a mark still says whose scores the rule takes.
            (Self::Rule(router), Look::Bw) => {
                let own = routers::line(router, look);
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
                color: BLACK,
                ..BAYES
            },
            (Self::Zero, Look::Color) => ZERO,
            (Self::Zero, Look::Bw) => LineStyle {
                color: Color::gray(90),
                width: 0.9,
                ..ZERO
            },
            (Self::NotRouting, _) => NOT_ROUTING,
            (Self::Spectrum, Look::Color) => SPECTRUM,
            (Self::Spectrum, Look::Bw) => LineStyle::colored(BLACK, SOLID),
            (Self::RateFitted, Look::Color) => RATE_FITTED,
            (Self::RateInterval, Look::Color) => RATE_INTERVAL,
            (Self::RateBound, Look::Color) => RATE_BOUND,
            (Self::OneNeighbor, Look::Color) => ONE_NEIGHBOR,
            (Self::Random, Look::Color) => RANDOM,
            (Self::ChosenK, Look::Color) => CHOSEN_K,
            // Dashes distinguish these, and only the fitted line has dots on it.
            (
                Self::RateFitted
                | Self::RateInterval
                | Self::RateBound
                | Self::OneNeighbor
                | Self::Random
                | Self::ChosenK,
                Look::Bw,
            ) => LineStyle {
                color: BLACK,
                ..self.line(Look::Color)
            },
        }
    }
}

/// Whether the paper shows a curve in its figures of CARROT against routers of two LLMs.
pub(crate) fn is_in_binary_figures(series: &Series) -> bool {
    matches!(series, Series::Router(router) if IN_BINARY_FIGURES.contains(&router.as_str()))
}

#[cfg(test)]
mod tests {
    use dataset::router_names::{MF, ROBERTA_BINARY, RORF};

    use super::{
        routers::{ROUTERS, RULES, rank},
        *,
    };

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
                let is_of_pair = [MF, RORF, ROBERTA_BINARY].contains(&other.key().as_str());
                assert!(
                    (a.color, a.dash) != (b.color, b.dash) || (is_rule && is_of_pair),
                    "{series:?} {other:?}"
                );
                // Without color and without gray.
                let (a, b) = lines(Look::Bw);
                assert!((a.mark, a.dash) != (b.mark, b.dash), "{series:?} {other:?}");
                assert!(series.key() != other.key() && series.name() != other.name());
            }
            let Color(red, green, blue) = series.line(Look::Bw).color;
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
