//! The limited-memory BFGS method for a convex function, started from a preconditioner.

use std::collections::VecDeque;

use ndarray::{Array2, Zip};

/// Pairs of steps and differences of gradients that are remembered. Nocedal and Wright (2006, section 7.2) recommend 3 to 20.
const MEMORY: usize = 10;
/// What a step must gain of what the slope promises, as in Nocedal and Wright (2006, section 3.1).
const ARMIJO: f64 = 1e-4;
/// Halvings of a step before rounding is all that is left to gain.
const MOST_HALVINGS: usize = 40;
/// More than a well-conditioned problem needs by far.
const MOST_STEPS: usize = 500;

/// A smooth convex function of a matrix.
pub(super) trait Convex {
    /// Value and gradient.
    fn at(&self, x: &Array2<f64>) -> (f64, Array2<f64>);

    /// Something near the inverse of the second derivative, times a gradient; symmetric and positive definite.
    fn precondition(&self, gradient: &Array2<f64>) -> Array2<f64>;

    /// Half the product of gradient and preconditioned gradient, which is about what is left to gain, at which a point will do.
    fn tolerance(&self) -> f64;
}

/// The point where the function is least, from a start.
///
/// Source: Nocedal and Wright (2006), "Numerical optimization", algorithms 7.4 and 7.5, with the preconditioner for the first matrix, scaled as
/// in (7.20). Steps are halved until they gain enough; of a convex function, each then bends upwards, which is all that the update needs.
pub(super) fn minimize(function: &dyn Convex, start: Array2<f64>) -> Array2<f64> {
    let mut x = start;
    let (mut value, mut gradient) = function.at(&x);
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY + 1);
    for _ in 0..MOST_STEPS {
        if 0.5 * dot(&gradient, &function.precondition(&gradient)) <= function.tolerance() {
            break;
        }
        let direction = direction(function, &gradient, &memory);
        let slope = dot(&gradient, &direction);
        let mut length = 1.0;
        let mut next = None;
        for _ in 0..MOST_HALVINGS {
            let at = &x + &(length * &direction);
            let (at_value, at_gradient) = function.at(&at);
            if at_value <= value + ARMIJO * length * slope {
                next = Some((at, at_value, at_gradient));
                break;
            }
            length *= 0.5;
        }
        let Some((next, next_value, next_gradient)) = next else {
            break;
        };
        let step = &next - &x;
        let change = &next_gradient - &gradient;
        let curvature = dot(&step, &change);
        if curvature > 0.0 {
            memory.push_back(Pair {
                scale: curvature / dot(&change, &function.precondition(&change)),
                step,
                change,
                curvature,
            });
            if memory.len() > MEMORY {
                memory.pop_front();
            }
        }
        (x, value, gradient) = (next, next_value, next_gradient);
    }
    x
}

struct Pair {
    step: Array2<f64>,
    change: Array2<f64>,
    /// Their product.
    curvature: f64,
    /// What the preconditioner is multiplied by.
    scale: f64,
}

/// The two-loop recursion.
fn direction(
    function: &dyn Convex,
    gradient: &Array2<f64>,
    memory: &VecDeque<Pair>,
) -> Array2<f64> {
    let mut left = gradient.clone();
    let mut factors = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let factor = dot(&pair.step, &left) / pair.curvature;
        left.scaled_add(-factor, &pair.change);
        factors.push(factor);
    }
    let mut direction = function.precondition(&left);
    direction *= memory.back().map_or(1.0, |pair| pair.scale);
    for (pair, factor) in memory.iter().zip(factors.into_iter().rev()) {
        let back = dot(&pair.change, &direction) / pair.curvature;
        direction.scaled_add(factor - back, &pair.step);
    }
    -direction
}

fn dot(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    Zip::from(a).and(b).fold(0.0, |sum, x, y| sum + x * y)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    /// sum of (x - target)^4 + curvature (x - target)^2, badly scaled.
    struct Bowl;

    const TARGETS: [f64; 3] = [1.0, -2.0, 0.5];
    const CURVATURES: [f64; 3] = [1.0, 1e4, 1e-2];

    impl Convex for Bowl {
        fn at(&self, x: &Array2<f64>) -> (f64, Array2<f64>) {
            let mut gradient = Array2::zeros(x.dim());
            let mut value = 0.0;
            for i in 0..3 {
                let d = x[[i, 0]] - TARGETS[i];
                value += d.powi(4) + CURVATURES[i] * d * d;
                gradient[[i, 0]] = 4.0 * d.powi(3) + 2.0 * CURVATURES[i] * d;
            }
            (value, gradient)
        }

        fn precondition(&self, gradient: &Array2<f64>) -> Array2<f64> {
            Array2::from_shape_fn(gradient.dim(), |(i, _)| {
                gradient[[i, 0]] / (2.0 * CURVATURES[i])
            })
        }

        fn tolerance(&self) -> f64 {
            1e-20
        }
    }

    #[test]
    fn finds_the_bottom_of_a_badly_scaled_bowl() {
        let found = minimize(&Bowl, array![[5.0], [5.0], [-30.0]]);
        for (i, target) in TARGETS.into_iter().enumerate() {
            assert!((found[[i, 0]] - target).abs() < 1e-8, "{found}");
        }
        // It stays where it is the least already.
        let at = array![[1.0], [-2.0], [0.5]];
        assert_eq!(minimize(&Bowl, at.clone()), at);
    }
}
