//! Lines from counted to billed tokens, by least squares on the train part.

use std::collections::BTreeMap;

use dataset::PartTable;
use saved_routers::{TokenLine, TokenLines, TokenRange};

/// With fewer prompts of which an LLM's billed tokens are known, two outliers make a line.
const MIN_PROMPTS: usize = 10;

/// Fits each LLM's line; `counted` has the tokens of each prompt's text. None for a table without prompts.
///
/// ```text
/// b = cov(counted, billed) / var(counted),  a = mean billed - b mean counted        over the prompts of which billed is known
/// ```
///
/// Least squares and nothing more robust: the line's mean over the train prompts is then the mean that was billed, and a budget is a promise about a
/// mean. What a line that ignores long histories would leave out is paid for all the same. Two lines make no sense and are replaced: where
/// all counts are equal, by a slope of 1, since a token of text costs about a token; where the slope is negative, by the mean.
pub fn token_lines(train: &PartTable, counted: &[usize]) -> Option<TokenLines> {
    let counted: Vec<f64> = counted.iter().map(|&n| n as f64).collect();
    let mut lines = BTreeMap::new();
    if let Some(billed) = &train.input_tokens {
        for (model, billed) in train.models.iter().zip(billed.columns()) {
            let pairs = counted.iter().copied().zip(billed.iter().copied());
            let known: Vec<(f64, f64)> = pairs.filter(|(_, billed)| !billed.is_nan()).collect();
            if known.len() >= MIN_PROMPTS {
                lines.insert(model.clone(), line(&known));
            }
        }
    }
    let counted = TokenRange::of(counted)?;
    Some(TokenLines { counted, lines })
}

/// The line through pairs of counted and billed tokens, of which there are some.
fn line(pairs: &[(f64, f64)]) -> TokenLine {
    let mean =
        |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / pairs.len() as f64;
    let (x, y) = (mean(&|pair| pair.0), mean(&|pair| pair.1));
    let (xx, xy) = (
        mean(&|pair| (pair.0 - x).powi(2)),
        mean(&|pair| (pair.0 - x) * (pair.1 - y)),
    );
    let slope = if xx > 0.0 { (xy / xx).max(0.0) } else { 1.0 };
    let intercept = y - slope * x;
    let unexplained = mean(&|pair| (pair.1 - intercept - slope * pair.0).powi(2));
    let all = mean(&|pair| (pair.1 - y).powi(2));
    TokenLine {
        intercept,
        slope,
        r2: if all > 0.0 {
            1.0 - unexplained / all
        } else {
            1.0
        },
        n_prompts: pairs.len(),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    const NAN: f64 = f64::NAN;

    fn table(billed: Option<Array2<f64>>, n_rows: usize) -> PartTable {
        PartTable {
            ids: (0..n_rows).map(|i| i.to_string()).collect(),
            tasks: vec!["t".to_owned(); n_rows],
            prompts: vec!["p".to_owned(); n_rows],
            models: vec!["m".to_owned(), "n".to_owned()],
            scores: Array2::zeros((n_rows, 2)),
            input_tokens: billed,
            output_tokens: None,
            cost_usd: Array2::zeros((n_rows, 2)),
            propensities: None,
            kept: dataset::KeptColumns::default(),
        }
    }

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "{found}, expected {expected}"
        );
    }

    #[test]
    fn a_system_prompt_is_the_intercept_and_a_tokenizer_the_slope() {
        let counted: Vec<usize> = (0..40).map(|i| 10 + i * 7 % 50).collect();
        let billed = Array2::from_shape_fn((40, 2), |(i, m)| match (i % 2, m) {
            // One LLM for each prompt, as in a log.
            (0, 0) => 1500.0 + 1.25 * counted[i] as f64,
            (1, 1) => 40.0 + 0.5 * counted[i] as f64 + if i % 4 == 1 { 1.0 } else { -1.0 },
            _ => NAN,
        });
        let lines = token_lines(&table(Some(billed), 40), &counted).expect("prompts");
        let line = lines.of("m").expect("known");
        close(line.intercept, 1500.0);
        close(line.slope, 1.25);
        close(line.r2, 1.0);
        assert_eq!(line.n_prompts, 20);
        close(line.billed(100), 1625.0);
        let noisy = lines.of("n").expect("known");
        assert!(
            (noisy.slope - 0.5).abs() < 0.05 && noisy.r2 < 1.0,
            "{noisy:?}"
        );
        // An LLM that the train part does not have is taken for an average one.
        let unknown = lines.of("later").expect("the others'");
        close(unknown.intercept, (line.intercept + noisy.intercept) / 2.0);
        assert_eq!(lines.counted.n_prompts, 40);
        assert_eq!((lines.counted.least, lines.counted.most), (10.0, 59.0));
    }

    #[test]
    fn the_mean_of_the_line_is_the_mean_that_was_billed() {
        // One conversation with a history of a million tokens.
        let counted: Vec<usize> = (0..30).map(|i| 20 + i).collect();
        let billed = Array2::from_shape_fn(
            (30, 2),
            |(i, _)| {
                if i == 11 { 1e6 } else { 100.0 + i as f64 }
            },
        );
        let lines = token_lines(&table(Some(billed.clone()), 30), &counted).expect("prompts");
        let line = lines.of("m").expect("known");
        let mean = counted.iter().map(|&n| line.billed(n)).sum::<f64>() / 30.0;
        let expected = billed.column(0).sum() / 30.0;
        assert!((mean / expected - 1.0).abs() < 1e-9, "{mean} {expected}");
    }

    #[test]
    fn lines_without_sense_are_replaced() {
        let all = |of: fn(usize) -> f64| Array2::from_shape_fn((12, 2), |(i, _)| of(i));
        let equal = token_lines(&table(Some(all(|_| 130.0)), 12), &[30; 12]).expect("prompts");
        let line = equal.of("m").expect("known");
        assert_eq!((line.slope, line.intercept, line.r2), (1.0, 100.0, 1.0));
        let counted: Vec<usize> = (0..12).collect();
        let falling = all(|i| 100.0 - i as f64);
        let lines = token_lines(&table(Some(falling), 12), &counted).expect("prompts");
        let line = lines.of("m").expect("known");
        assert_eq!((line.slope, line.intercept), (0.0, 94.5));
        close(line.r2, 0.0);
    }

    #[test]
    fn what_is_not_known_makes_no_line() {
        let without = token_lines(&table(None, 3), &[1, 2, 3]).expect("prompts");
        assert_eq!(without.of("m"), None);
        assert_eq!(without.counted.mean, 2.0);
        let few = token_lines(&table(Some(array![[1.0, NAN], [2.0, 3.0]]), 2), &[1, 2]);
        assert_eq!(few.expect("prompts").of("m"), None);
        assert_eq!(token_lines(&table(None, 0), &[]), None);
    }
}
