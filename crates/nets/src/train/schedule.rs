use super::params::{TrainParams, WarmUp};

/// The learning rate of each step: linearly up from 0, then linearly down to 0.
///
/// ```text
/// step / max(1, n_warm_up)                              below n_warm_up     steps count from 0
/// (n_steps - step) / max(1, n_steps - n_warm_up)        from there on
/// ```
///
/// Source: transformers' `get_linear_schedule_with_warmup` in `optimization.py`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    learning_rate: f64,
    n_warm_up: u64,
    n_steps: u64,
}

impl Schedule {
    pub(super) fn new(params: &TrainParams, n_steps: u64) -> Self {
        Self {
            learning_rate: params.learning_rate,
            n_warm_up: match params.warm_up {
                WarmUp::Ratio(ratio) => (ratio * n_steps as f64) as u64,
                WarmUp::Steps(steps) => steps,
            },
            n_steps,
        }
    }

    pub(super) fn learning_rate(&self, step: u64) -> f64 {
        let Self {
            learning_rate,
            n_warm_up,
            n_steps,
        } = *self;
        let factor = if step < n_warm_up {
            step as f64 / n_warm_up.max(1) as f64
        } else {
            n_steps.saturating_sub(step) as f64 / n_steps.saturating_sub(n_warm_up).max(1) as f64
        };
        learning_rate * factor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_and_falls_linearly() {
        for (n_warm_up, n_steps, expected) in [
            (2, 5, &[0., 0.5, 1., 2. / 3., 1. / 3., 0., 0.][..]),
            (0, 2, &[1., 0.5, 0.]),
            (0, 0, &[0.]),
            // Never fully up.
            (4, 2, &[0., 0.25]),
        ] {
            let schedule = Schedule {
                learning_rate: 3.,
                n_warm_up,
                n_steps,
            };
            for (step, expected) in (0..).zip(expected) {
                let found = schedule.learning_rate(step);
                assert!(
                    (found - 3. * expected).abs() < 1e-12,
                    "{n_warm_up} {step}: {found}"
                );
            }
        }
    }
}
