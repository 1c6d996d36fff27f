use saved_routers::TokenRange;

use crate::{CalibrationError, Decision, TokenSource, UsableCalibration, decision::Candidate};

/// From so many prompts on their mean is compared, below it the range.
const MIN_PROMPTS: usize = 30;
/// Means that differ by less than this factor are alike: prices and answers move costs as much.
const FACTOR: f64 = 1.5;
/// Means whose difference is less than so many standard errors are alike. It is compared again and again as prompts come.
const N_ERRORS: f64 = 4.0;

/// Compares the input tokens of the prompts that are routed at a calibration with those that it was made on, whose costs it promises.
///
/// ```text
/// fewer than 30 prompts so far   refused when their mean is below the least or above the most tokens of a prompt that the calibration was made on
/// 30 prompts or more             refused when the means differ by more than a factor of 1.5
///                                and by more than 4 standard errors, sqrt(deviation^2 / n + calibrated deviation^2 / calibrated n)
/// ```
///
/// A prompt's tokens are the mean over the LLMs, as the decision has them: given, expected by each LLM's line, or counted. A calibration that does not
/// know what was billed, or an earlier version's, refuses nothing.
#[derive(Debug, Clone)]
pub struct TokenWatch {
    calibration: String,
    expected: Option<TokenRange>,
    /// Of the prompts so far: how many, their sum and their sum of squares, each less the expected mean.
    n_prompts: usize,
    sum: f64,
    squares: f64,
    /// How the last prompt's tokens are known.
    source: Option<TokenSource>,
}

impl TokenWatch {
    /// Watches over a calibration.
    pub fn of(usable: &UsableCalibration) -> Self {
        let calibration = &usable.calibration;
        Self::new(&calibration.name, calibration.input_tokens)
    }

    fn new(calibration: &str, expected: Option<TokenRange>) -> Self {
        Self {
            calibration: calibration.to_owned(),
            expected,
            n_prompts: 0,
            sum: 0.0,
            squares: 0.0,
            source: None,
        }
    }

    /// Adds some prompts to those seen so far.
    ///
    /// # Errors
    /// [`CalibrationError::OtherTokens`] when they are no longer like those that the calibration was made on.
    pub fn add(&mut self, decisions: &[Decision]) -> Result<(), CalibrationError> {
        let Some(expected) = self.expected else {
            return Ok(());
        };
        for Decision { models, .. } in decisions {
            let sum: f64 = models
                .iter()
                .map(|it: &Candidate| it.input_tokens as f64)
                .sum();
            let difference = sum / models.len() as f64 - expected.mean;
            self.n_prompts += 1;
            self.sum += difference;
            self.squares += difference.powi(2);
            self.source = models.first().map(|it| it.input_tokens_from);
        }
        match self.is_alike(&expected) {
            true => Ok(()),
            false => Err(CalibrationError::OtherTokens {
                name: self.calibration.clone(),
                n_prompts: self.n_prompts,
                mean: self.mean(&expected),
                expected,
                are_given: self.source == Some(TokenSource::Given),
            }),
        }
    }

    fn mean(&self, expected: &TokenRange) -> f64 {
        expected.mean + self.sum / self.n_prompts.max(1) as f64
    }

    fn is_alike(&self, expected: &TokenRange) -> bool {
        let (n, mean) = (self.n_prompts as f64, self.mean(expected));
        if self.n_prompts == 0 {
            return true;
        }
        if self.n_prompts < MIN_PROMPTS {
            return (expected.least..=expected.most).contains(&mean);
        }
        let difference = self.sum / n;
        let variance = (self.squares / n - difference.powi(2)).max(0.0);
        let of_expected = expected.deviation.powi(2) / expected.n_prompts as f64;
        let error = (variance / n + of_expected).sqrt();
        let is_near = mean <= FACTOR * expected.mean && expected.mean <= FACTOR * mean;
        is_near || difference.abs() <= N_ERRORS * error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: TokenRange = TokenRange {
        n_prompts: 400,
        mean: 1530.0,
        deviation: 20.0,
        least: 1504.0,
        most: 1700.0,
    };

    fn decision(tokens: [usize; 2]) -> Decision {
        let candidate = |input_tokens| Candidate {
            name: String::new(),
            score: 0.5,
            input_tokens,
            input_tokens_from: TokenSource::StandIn,
            output_tokens: None,
            cost_usd: 0.0,
            utility: 0.0,
        };
        Decision {
            prompt: String::new(),
            selected: String::new(),
            selected_idx: 0,
            mu: 0.0,
            truncated: false,
            routes: true,
            shards_missing: 0,
            sketch: None,
            models: tokens.map(candidate).to_vec(),
        }
    }

    /// How many prompts of these tokens are taken, up to 1,000.
    fn taken(expected: Option<TokenRange>, tokens: impl Fn(usize) -> usize) -> usize {
        let mut watch = TokenWatch::new("cheap", expected);
        let refused = (0..1000).find(|&i| watch.add(&[decision([tokens(i); 2])]).is_err());
        refused.unwrap_or(1000)
    }

    #[test]
    fn prompts_like_those_of_the_calibration_are_taken() {
        assert_eq!(taken(Some(EXPECTED), |i| 1510 + i * 7 % 41), 1000);
        // Up to a factor, whatever the error of the mean.
        assert_eq!(taken(Some(EXPECTED), |_| 1690), 1000);
        // A long one among them.
        let one_long = |i: usize| if i == 40 { 9000 } else { 1530 };
        assert_eq!(taken(Some(EXPECTED), one_long), 1000);
        // Nothing is known of what was billed.
        assert_eq!(taken(None, |_| 30), 1000);
        // The mean over the LLMs is a prompt's.
        let mut watch = TokenWatch::new("cheap", Some(EXPECTED));
        assert!(watch.add(&[decision([1000, 2060])]).is_ok());
    }

    #[test]
    fn other_prompts_are_refused() {
        assert_eq!(
            taken(Some(EXPECTED), |_| 30),
            0,
            "without the system prompt"
        );
        assert_eq!(taken(Some(EXPECTED), |_| 1701), 0, "longer than any");
        // Ever longer: told once the mean is too far.
        let found = taken(Some(EXPECTED), |i| if i < 5 { 1530 } else { 2600 });
        assert!((1..MIN_PROMPTS).contains(&found), "{found}");
        let wide = TokenRange {
            deviation: 3000.0,
            least: 1.0,
            most: 90_000.0,
            ..EXPECTED
        };
        // Within the range of single prompts, until there are enough for a mean.
        assert_eq!(taken(Some(wide), |_| 3000), MIN_PROMPTS - 1);
        // A few long ones do not prove anything where lengths vary that much.
        let found = taken(Some(wide), |i| if i % 100 == 0 { 80_000 } else { 700 });
        assert_eq!(found, 1000);
        let error = TokenWatch::new("cheap", Some(EXPECTED)).add(&[decision([30, 34])]);
        let message = error.expect_err("too short").to_string();
        for part in ["`cheap`", "1,530", "1,504 to 1,700", "has 32"] {
            assert!(message.contains(part), "no `{part}` in: {message}");
        }
    }
}
