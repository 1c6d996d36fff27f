use anyhow::ensure;

/// Bounds far beyond whatever makes sense: within them no sum overflows, and no draw takes for ever.
pub(crate) const MAX: f64 = 1e6;
/// Expected tokens of an answer. Drawn lengths are many times longer now and then, and have to fit into 32 bits.
pub(crate) const MAX_TOKENS: f64 = 1e5;
/// At this deviation of the logarithm, one length in a thousand is 60 times the mean.
pub(crate) const MAX_SIGMA: f64 = 2.0;
/// Steps of a score, which are drawn one by one.
pub(crate) const MAX_STEPS: u32 = 1000;

pub(crate) fn positive(key: &str, value: f64, most: f64) -> anyhow::Result<()> {
    ensure!(
        value > 0.0 && value <= most,
        "`{key}` is {value}, expected a number above 0, at most {most}"
    );
    Ok(())
}

pub(crate) fn not_negative(key: &str, value: f64, most: f64) -> anyhow::Result<()> {
    ensure!(
        (0.0..=most).contains(&value),
        "`{key}` is {value}, expected a number from 0 to {most}"
    );
    Ok(())
}

/// Of either sign.
pub(super) fn moderate(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.abs() <= MAX,
        "`{key}` is {value}, expected a number from -{MAX} to {MAX}"
    );
    Ok(())
}
