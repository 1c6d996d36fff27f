use std::path::Path;

use crate::{Error, Result};

/// A field of one LLM's columns, `<model>/<field>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// How good the LLM's answer was, in [0, 1].
    Score,
    /// Tokens of the prompt under the LLM's own tokenizer.
    InputTokens,
    /// Tokens of the LLM's answer.
    OutputTokens,
    /// What the call cost, in US dollars.
    CostUsd,
    /// The probability in (0, 1] with which the LLM was asked, and so with which its score is known, see [`crate::check_propensities`].
    Propensity,
}

/// How far a score may lie outside of [0, 1] and still be meant to lie inside: some roundings of float32, in which scores are stored. The mean
/// of ten scores of 1 may be 1.0000000000000002.
const SCORE_ROUNDING: f64 = 1e-6;

impl Field {
    /// All fields in the order of their columns.
    pub const ALL: [Self; 5] = [
        Self::Score,
        Self::InputTokens,
        Self::OutputTokens,
        Self::CostUsd,
        Self::Propensity,
    ];

    /// The field's name on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::CostUsd => "cost_usd",
            Self::Propensity => "propensity",
        }
    }

    /// Whether the field's columns may hold a value. NaN may: it is how an unknown value is written in memory.
    pub fn admits(self, value: f64) -> bool {
        value.is_nan()
            || match self {
                Self::Score => (0.0..=1.0).contains(&value),
                // Counts are stored as 32-bit integers.
                Self::InputTokens | Self::OutputTokens => {
                    (0.0..=f64::from(u32::MAX)).contains(&value) && value.fract() == 0.0
                }
                Self::CostUsd => value.is_finite() && value >= 0.0,
                // What is known had a chance of being so: a weight of 1 / 0 would be no number.
                Self::Propensity => value > 0.0 && value <= 1.0,
            }
    }

    /// The value without what rounding added: a score just outside of [0, 1] is brought back to its end.
    ///
    /// ```
    /// use dataset::Field;
    /// assert_eq!(Field::Score.without_rounding(1.000_000_000_000_000_2), 1.0);
    /// assert_eq!(Field::Score.without_rounding(1.01), 1.01);
    /// ```
    pub fn without_rounding(self, value: f64) -> f64 {
        let nearest = value.clamp(0.0, 1.0);
        let is_rounded = self == Self::Score && (value - nearest).abs() <= SCORE_ROUNDING;
        if is_rounded { nearest } else { value }
    }

    /// The values that the field admits, in words.
    pub fn range(self) -> &'static str {
        match self {
            Self::Score => "a number in [0, 1]",
            Self::InputTokens | Self::OutputTokens => "a whole number of at least 0 and below 2^32",
            Self::CostUsd => "a finite number of at least 0",
            Self::Propensity => "a probability above 0 and up to 1",
        }
    }

    /// Refuses a model's column that holds a value outside the field's range. Takes each value with its row number, from 1; `path` is
    /// the file that the rows are in.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] with the first such row.
    pub fn check_range(
        self,
        path: &Path,
        model: &str,
        rows: impl IntoIterator<Item = (usize, f64)>,
    ) -> Result<()> {
        let mut rows = rows.into_iter();
        match rows.find(|&(_, value)| !self.admits(value)) {
            None => Ok(()),
            Some((row, value)) => Err(Error::OutOfRange {
                path: path.to_owned(),
                column: column_name(model, self),
                row,
                value,
                expected: self.range(),
            }),
        }
    }
}

/// Values with their row numbers, from 1.
pub(crate) fn numbered(values: impl Iterator<Item = f64>) -> impl Iterator<Item = (usize, f64)> {
    values.enumerate().map(|(i, value)| (i + 1, value))
}

/// The column of a model's field: `gpt-4o/score`.
pub fn column_name(model: &str, field: Field) -> String {
    format!("{model}/{}", field.name())
}

/// Splits a column name into model and field. A model's name may hold `/`; the field is what follows the last one.
/// Returns `None` for columns that belong to no model.
///
/// ```
/// use dataset::{Field, parse_column_name};
/// assert_eq!(parse_column_name("google/gemma-2b-it/score"), Some(("google/gemma-2b-it", Field::Score)));
/// assert_eq!(parse_column_name("prompt"), None);
/// ```
pub fn parse_column_name(column: &str) -> Option<(&str, Field)> {
    // From the right, as hub ids have a slash of their own.
    let (model, name) = column.rsplit_once('/')?;
    let field = Field::ALL.into_iter().find(|field| field.name() == name)?;
    (!model.is_empty()).then_some((model, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_adds_to_a_score_is_taken_away() {
        let score = |value| Field::Score.without_rounding(value);
        for (value, expected) in [
            (1.0 + f64::EPSILON, 1.0),
            (f64::from(1.0_f32 + f32::EPSILON), 1.0),
            (-1e-17, 0.0),
            (0.3, 0.3),
            (1.001, 1.001),
            (-0.1, -0.1),
            (f64::INFINITY, f64::INFINITY),
        ] {
            assert_eq!(score(value), expected, "{value}");
        }
        assert!(score(f64::NAN).is_nan());
        assert_eq!(Field::CostUsd.without_rounding(-1e-17), -1e-17);
    }

    #[test]
    fn each_field_has_its_range() {
        let two_to_32 = 4_294_967_296.0;
        for (field, good, bad) in [
            (Field::Score, [0.0, 1.0], [-0.1, 1.001]),
            (Field::InputTokens, [0.0, two_to_32 - 1.0], [0.5, two_to_32]),
            (Field::OutputTokens, [7.0, 9.0], [-1.0, f64::INFINITY]),
            (Field::CostUsd, [0.0, 1e9], [-1e-9, f64::INFINITY]),
            (Field::Propensity, [1e-9, 1.0], [0.0, 1.001]),
        ] {
            let check = |value| field.check_range(Path::new("t"), "m", [(3, value)]);
            assert!(check(f64::NAN).is_ok(), "{field:?}: unknown");
            for value in good {
                assert!(check(value).is_ok(), "{field:?}: {value}");
            }
            for value in bad {
                let error = check(value).expect_err("out of range").to_string();
                let expected = format!(
                    "column `m/{}` of `t` is {value} in row 3, expected {}",
                    field.name(),
                    field.range()
                );
                assert_eq!(error, expected);
            }
        }
    }
}
