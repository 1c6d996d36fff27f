//! How the axes of an accuracy-cost figure are chosen.

use serde::Deserialize;

/// Scale of the cost axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum XScale {
    /// Logarithmic only where a linear axis would crowd the LLMs.
    Auto,
    /// Linear.
    Linear,
    /// Logarithmic, unless something is free.
    Log,
}

/// What the cost axis counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum CostUnit {
    /// Per query, unless the ticks would have too many decimals.
    #[serde(rename = "auto")]
    Auto,
    /// US dollars per query.
    #[serde(rename = "per-query")]
    PerQuery,
    /// US dollars per 1,000 queries.
    #[serde(rename = "per-1000-queries")]
    PerThousandQueries,
}

/// How the axes are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleRules {
    /// Scale of the cost axis.
    pub x_scale: XScale,
    /// Unit of the cost axis.
    pub cost_unit: CostUnit,
    /// LLMs crowd when more than this share of them is cheap.
    pub crowd_share: f64,
    /// An LLM is cheap when it costs less than this share of the most expensive one.
    pub crowd_cost: f64,
    /// By how much, as a share of its span, the accuracy axis may grow to hold the oracle.
    pub oracle_room: f64,
}
