use crate::{Error, Result};

/// The least alpha. Features of a row have a length of at most 1, so the rounding of a Gram matrix of a billion rows is below it, and the system
/// stays positive definite.
const LEAST: f64 = 1e-6;

/// Refuses alphas that no fit can use.
///
/// # Errors
/// [`Error::BadParameter`] unless they descend, to at least 1e-6.
pub(crate) fn check_alphas(alphas: &[f64]) -> Result<()> {
    let descends = alphas.windows(2).all(|pair| pair[0] > pair[1]);
    let is_usable = |&alpha: &f64| alpha.is_finite() && alpha >= LEAST;
    if alphas.is_empty() || !descends || !alphas.iter().all(is_usable) {
        return Err(Error::BadParameter {
            name: "alphas",
            found: format!("{alphas:?}"),
            expected: "a descending list of numbers of at least 1e-6",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alphas_descend_and_are_not_tiny() {
        for (alphas, is_good) in [
            (&[10.0, 1.0][..], true),
            (&[1e-6], true),
            (&[], false),
            (&[1.0, 10.0], false),
            (&[1.0, 1.0], false),
            (&[1.0, 0.0], false),
            (&[f64::NAN], false),
            (&[f64::INFINITY, 1.0], false),
        ] {
            assert_eq!(check_alphas(alphas).is_ok(), is_good, "{alphas:?}");
        }
    }
}
