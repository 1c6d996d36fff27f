use crate::{Point, Result, rule::check_multiplier};

/// Where a router is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Setting {
    /// A weight of cost, for a router of all LLMs: see [`crate::choice::choose`].
    Weight {
        /// The weight, in [0, 1].
        lambda: f64,
        /// The multiplier that it goes with.
        cost_multiplier: f64,
    },
    /// For a router of a pair: the small LLM answers where its probability is at least this.
    Threshold(f64),
}

/// What a router does on some prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Mean cost and mean score, over the prompts whose choice is known.
    pub point: Point,
    /// Which share of the prompts each LLM gets, known there or not.
    pub shares: Vec<f64>,
    /// How many prompts have an LLM to choose.
    pub n_prompts: usize,
}

impl Setting {
    /// The threshold that every probability reaches.
    pub const ALWAYS_SMALL: f64 = 0.0;
    /// A threshold that no probability reaches, and that JSON can hold, which has no infinity.
    pub const NEVER_SMALL: f64 = 2.0;

    /// The middle of what holds one point: from where it begins to where the next one does, or the end. At an end, rounding in another program
    /// could tip a prompt over.
    pub(in crate::choice) fn between(at: f64, next: Option<f64>, is_threshold: bool) -> Self {
        if is_threshold {
            return Self::Threshold(match next {
                _ if at.is_infinite() => Self::NEVER_SMALL,
                Some(next) => f64::midpoint(at, next),
                None => Self::ALWAYS_SMALL,
            });
        }
        Self::Weight {
            lambda: f64::midpoint(at, next.unwrap_or(1.0)),
            cost_multiplier: 1.0,
        }
    }

    /// The setting that decides the same with another multiplier; a threshold has none, and stays.
    ///
    /// ```text
    /// (1 - mu) * score - mu * k * cost   is proportional to   (1 - lambda) * score - lambda * l * cost
    /// where   k * mu / (1 - mu) = l * lambda / (1 - lambda),   so   mu = l * lambda / (l * lambda + k * (1 - lambda))
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::BadCostMultiplier`].
    ///
    /// ```
    /// use evaluation::choice::Setting;
    /// let paper = Setting::Weight { lambda: 0.5, cost_multiplier: 100.0 };
    /// let Setting::Weight { lambda, .. } = paper.with_multiplier(1.0)? else { unreachable!() };
    /// assert_eq!(lambda, 100.0 / 101.0);
    /// # Ok::<(), evaluation::Error>(())
    /// ```
    pub fn with_multiplier(self, cost_multiplier: f64) -> Result<Self> {
        check_multiplier(cost_multiplier)?;
        Ok(match self {
            Self::Threshold(_) => self,
            Self::Weight {
                lambda,
                cost_multiplier: own,
            } => {
                let of_cost = own * lambda;
                Self::Weight {
                    lambda: of_cost / (of_cost + cost_multiplier * (1.0 - lambda)),
                    cost_multiplier,
                }
            }
        })
    }
}
