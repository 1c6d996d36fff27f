use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::kernels::{add_scaled, dot};

/// The noise of training, drawn as what it does to a step rather than component by component.
///
/// ```text
/// e_i   noise of the batch's row i, N(0, s^2 I)              z_i = (x_i + e_i) . v
/// d_i   derivative of the loss by z_i                        g   = sum over i of d_i (x_i + e_i)
/// ```
///
/// A step sees its rows only through the logits `z` and through `g` (see `gradient.rs`), and so only through these two draws:
///
/// ```text
/// t_i = e_i . v                ~ N(0, s^2 |v|^2)                                         z_i = x_i . v + t_i
/// f   = sum of d_i e_i, across v,
///       given all t            ~ N(0, s^2 (sum of d_i^2) (I - v v^T / |v|^2))            g   = sum of d_i x_i + (sum of d_i t_i) v / |v|^2 + f
/// ```
///
/// Proof. Split `e_i = t_i v / |v|^2 + f_i`. The two parts are linear in a normal vector and uncorrelated, as
/// `E[f_i t_i] = E[e_i e_i^T] v - E[t_i^2] v / |v|^2 = s^2 v - s^2 v = 0`, so they are independent, and `f_i ~ N(0, s^2 (I - v v^T / |v|^2))`.
/// `d_i` is a function of `z_i`, thus of `t_i`. Given all `t`, the `d_i` are constants, and `f = sum of d_i f_i` is a sum of independent
/// normal vectors with the covariance above. Each step draws its own noise, independent of the weights; so not only a step but the whole
/// training has the distribution that it has with all components drawn. It takes `batch + text_dim` normal numbers, not `batch * text_dim`:
/// 1,600 in place of 98,304 for 64 rows of 1,536.
#[derive(Debug)]
pub(super) struct Noise {
    std: f64,
    rng: ChaCha8Rng,
    across: Vec<f32>,
}

impl Noise {
    /// Noise with a standard deviation, for embeddings of `text_dim` components.
    pub(super) fn new(std: f64, text_dim: usize, rng: ChaCha8Rng) -> Self {
        Self {
            std,
            rng,
            across: vec![0.; text_dim],
        }
    }

    /// What the noise of one row adds to its logit: `t_i`, given `|v|`.
    pub(super) fn along(&mut self, norm: f64) -> f64 {
        self.std * norm * self.rng.sample::<f64, _>(StandardNormal)
    }

    /// Adds to `g` what the noise of all rows adds to it, given the direction `v`, `|v|^2`, and the sums of `d_i t_i` and of `d_i^2`.
    pub(super) fn add_to(
        &mut self,
        g: &mut [f32],
        direction: &[f32],
        squared_norm: f64,
        sum_dt: f64,
        sum_dd: f64,
    ) {
        for x in &mut self.across {
            *x = self.rng.sample(StandardNormal);
        }
        let scale = self.std * sum_dd.sqrt();
        // Without a direction there is nothing along it: t is 0, and f has all components.
        let along = if squared_norm > 0. {
            let projected = f64::from(dot(&self.across, direction));
            (sum_dt - scale * projected) / squared_norm
        } else {
            0.
        };
        add_scaled(g, scale as f32, &self.across);
        add_scaled(g, along as f32, direction);
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;
    use crate::mf::gradient::{Table, TextGradient, log_likelihood, sigmoid, text_gradient};

    const N_DRAWS: usize = 100_000;
    const TEXT_DIM: usize = 3;
    /// So strong that the loss is far from linear in it.
    const STD: f64 = 1.5;
    const EMBEDDINGS: [[f32; TEXT_DIM]; 3] = [[0.5, -1., 0.2], [1.5, 0.3, 0.], [-0.4, 0.1, 2.]];
    const LABELS: [f32; 3] = [1., 0., 1.];
    const DIRECTION: [f32; TEXT_DIM] = [0.8, -0.5, 1.1];

    /// What a step sees: `g` and the loss.
    type Step = [f64; TEXT_DIM + 1];

    /// How noise is drawn component by component.
    #[derive(Clone, Copy)]
    enum Rows {
        /// As the reference does: the same in the logit and in the gradient.
        Shared,
        /// Wrong: drawn a second time for the gradient.
        Anew,
    }

    fn by_effect(direction: [f32; TEXT_DIM]) -> Vec<Step> {
        let mut noise = Noise::new(STD, TEXT_DIM, ChaCha8Rng::seed_from_u64(1));
        let mut gradient = TextGradient {
            g: vec![0.; TEXT_DIM],
            d_sum: 0.,
            loss_sum: 0.,
        };
        let table = Table {
            embeddings: EMBEDDINGS.as_flattened(),
            labels: &LABELS,
            text_dim: TEXT_DIM,
        };
        let draw = |_| {
            text_gradient(
                table,
                &[0, 1, 2],
                (&direction, 0.),
                Some(&mut noise),
                &mut gradient,
            );
            let [a, b, c] = gradient.g[..] else {
                panic!("three components")
            };
            [a.into(), b.into(), c.into(), gradient.loss_sum]
        };
        (0..N_DRAWS).map(draw).collect()
    }

    fn by_rows(direction: [f32; TEXT_DIM], rows: Rows) -> Vec<Step> {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut noisy = |x: [f32; TEXT_DIM]| {
            x.map(|x| f64::from(x) + STD * rng.sample::<f64, _>(StandardNormal))
        };
        let mut draw = |_| {
            let mut step = [0.; TEXT_DIM + 1];
            for (x, y) in EMBEDDINGS.into_iter().zip(LABELS.map(f64::from)) {
                let seen = noisy(x);
                let z = seen
                    .iter()
                    .zip(direction)
                    .map(|(x, v)| x * f64::from(v))
                    .sum();
                let d = (sigmoid(z) - y) / LABELS.len() as f64;
                let learned = match rows {
                    Rows::Shared => seen,
                    Rows::Anew => noisy(x),
                };
                for (sum, x) in step.iter_mut().zip(learned) {
                    *sum += d * x;
                }
                step[TEXT_DIM] -= log_likelihood(z, y);
            }
            step
        };
        (0..N_DRAWS).map(&mut draw).collect()
    }

    /// The largest difference of all mixed moments up to the third order, in standard errors.
    fn largest_difference(a: &[Step], b: &[Step]) -> f64 {
        let mean_and_error = |steps: &[Step], factors: [usize; 3]| {
            // Factor 0 is the constant 1, so orders one and two are among the products of three.
            let product = |step: &Step| -> f64 {
                let of = |factor: usize| if factor == 0 { 1. } else { step[factor - 1] };
                factors.map(of).iter().product()
            };
            let n = steps.len() as f64;
            let mean = steps.iter().map(product).sum::<f64>() / n;
            let squares = steps.iter().map(|step| (product(step) - mean).powi(2));
            (mean, squares.sum::<f64>() / (n * n))
        };
        let mut largest = 0_f64;
        for i in 0..=TEXT_DIM + 1 {
            for j in 0..=i {
                for k in 0..=j {
                    if i == 0 {
                        continue;
                    }
                    let (mean_a, error_a) = mean_and_error(a, [i, j, k]);
                    let (mean_b, error_b) = mean_and_error(b, [i, j, k]);
                    let error = (error_a + error_b).sqrt();
                    if error > 0. {
                        largest = largest.max((mean_a - mean_b).abs() / error);
                    } else {
                        assert!((mean_a - mean_b).abs() < 1e-6, "{i} {j} {k}");
                    }
                }
            }
        }
        largest
    }

    #[test]
    fn a_step_has_the_distribution_that_it_has_with_noise_on_every_component() {
        // 34 moments: the largest of so many standard normal values is above 4.5 once in 4,000 tests.
        let drawn = by_effect(DIRECTION);
        let difference = largest_difference(&drawn, &by_rows(DIRECTION, Rows::Shared));
        assert!(difference < 4.5, "{difference}");
        // The measure tells a wrong distribution apart.
        let difference = largest_difference(&drawn, &by_rows(DIRECTION, Rows::Anew));
        assert!(difference > 45., "{difference}");
    }

    #[test]
    fn without_a_direction_noise_reaches_the_gradient_alone() {
        let zero = [0.; TEXT_DIM];
        let drawn = by_effect(zero);
        let difference = largest_difference(&drawn, &by_rows(zero, Rows::Shared));
        assert!(difference < 4.5, "{difference}");
    }
}
