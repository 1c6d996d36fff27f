use crate::{
    Error, Result,
    worth::{
        estimate::{Estimate, Spread},
        prompt_gains::PromptGains,
        report::{GainSettings, check},
    },
};

/// By how much one router's mean gain over the worths exceeds another's: the mean over the prompts that both are judged by of the difference of
/// their gains, so that what a prompt does to both alike cancels. Positive where the first is better. `groups` as for
/// [`crate::worth::GainReport::new`].
///
/// # Errors
/// [`Error::Shape`] when the two are of different numbers of prompts, or there is not one group per prompt; [`Error::BadLevel`];
/// [`Error::NoResamples`].
pub fn gain_difference(
    first: &PromptGains,
    second: &PromptGains,
    groups: Option<&[usize]>,
    settings: &GainSettings,
) -> Result<Estimate> {
    let groups = check(first, groups, settings)?;
    if first.n_prompts() != second.n_prompts() {
        return Err(Error::Shape {
            what: "gains of the other router",
            expected: (first.n_prompts(), 1),
            found: (second.n_prompts(), 1),
        });
    }
    let of_both = first.over_worths().into_iter().zip(second.over_worths());
    let differences: Vec<f64> = of_both.map(|(a, b)| a - b).collect();
    let spread = Spread {
        groups: groups.as_deref(),
        level: settings.level,
        // Each fold's choices hang on the rows that judge the others, of either router.
        inflation: first.inflation().max(second.inflation()),
    };
    Ok(spread.of_mean(&differences))
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;
    use crate::{
        Predicted, Truth,
        worth::{Baseline, CrossFit, prompt_gains},
    };

    #[test]
    fn what_both_share_cancels() {
        let scores = array![[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]];
        let costs = Array2::from_elem((4, 2), 1.0);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        // The first chooses well for three prompts, the second for two of these.
        let choices = [
            array![[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]],
            array![[0.0, 1.0], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]],
        ];
        let gains = choices.map(|predicted| {
            let fit = CrossFit {
                predicted: Predicted::new(predicted.view(), costs.view()).expect("of all"),
                baseline: Baseline::Means {
                    scores: &[0.5, 0.4],
                    costs_usd: &[1.0, 1.0],
                },
            };
            prompt_gains(&truth, &[fit], &[f64::INFINITY]).expect("judged")
        });
        let settings = GainSettings {
            level: 0.95,
            n_resamples: 10,
            seed: 1,
        };
        let [first, second] = &gains;
        let found = gain_difference(first, second, None, &settings).expect("of one shape");
        // Differences 0, 0, 1, 0: mean 1/4, variance of the mean (1/4 - 1/16) / 3 = 1/16.
        assert_eq!(found.value, 0.25);
        assert!((found.standard_error - 0.25).abs() < 1e-12, "{found:?}");
        let same = gain_difference(first, first, None, &settings).expect("of one shape");
        assert_eq!((same.value, same.standard_error), (0.0, 0.0));
        let reversed = gain_difference(second, first, None, &settings).expect("of one shape");
        assert_eq!((reversed.value, reversed.low), (-0.25, -found.high));
    }
}
