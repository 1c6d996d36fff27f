use pulp::Arch;

use super::params::MfParams;

/// Adam (Kingma and Ba 2015, arXiv 1412.6980) with weight decay as in `torch.optim.Adam`: in the gradient, not decoupled.
///
/// ```text
/// g <- g + decay w
/// m <- b1 m + (1 - b1) g        s <- b2 s + (1 - b2) g^2
/// w <- w - lr / (1 - b1^t) * m / ( sqrt(s) / sqrt(1 - b2^t) + eps )        t = 1, 2, ... counts steps
/// ```
#[derive(Debug, Clone, Copy)]
pub(super) struct AdamStep {
    decay: f32,
    /// 1 - b1
    share1: f32,
    beta2: f32,
    /// 1 - b2
    share2: f32,
    step_size: f32,
    /// 1 / sqrt(1 - b2^t)
    correction2: f32,
    epsilon: f32,
}

/// Running means of gradients and of their squares, one for each weight.
#[derive(Debug)]
pub(super) struct Moments {
    pub(super) mean: Vec<f32>,
    pub(super) mean_square: Vec<f32>,
}

impl Moments {
    pub(super) fn zeros(n_weights: usize) -> Self {
        Self {
            mean: vec![0.; n_weights],
            mean_square: vec![0.; n_weights],
        }
    }
}

impl AdamStep {
    /// The step after `step - 1` others.
    pub(super) fn new(params: &MfParams, step: u64) -> Self {
        let [beta1, beta2] = params.betas;
        let power = |beta: f64| beta.powi(i32::try_from(step).unwrap_or(i32::MAX));
        Self {
            decay: params.weight_decay as f32,
            share1: (1. - beta1) as f32,
            beta2: beta2 as f32,
            share2: (1. - beta2) as f32,
            step_size: (params.learning_rate / (1. - power(beta1))) as f32,
            correction2: (1. / (1. - power(beta2)).sqrt()) as f32,
            epsilon: params.epsilon as f32,
        }
    }

    /// Updates weights whose gradient is `scale * gradient`; all slices have the same length.
    pub(super) fn update(
        self,
        weights: &mut [f32],
        mean: &mut [f32],
        mean_square: &mut [f32],
        scale: f32,
        gradient: &[f32],
    ) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let moments = mean.iter_mut().zip(mean_square);
                for ((w, (m, s)), g) in weights.iter_mut().zip(moments).zip(gradient) {
                    let g = scale * g + self.decay * *w;
                    *m += self.share1 * (g - *m);
                    *s = self.beta2 * *s + self.share2 * g * g;
                    *w -= self.step_size * *m / (s.sqrt() * self.correction2 + self.epsilon);
                }
            },
        );
    }
}
