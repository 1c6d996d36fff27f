use anyhow::ensure;

pub(super) fn positive(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value > 0.0,
        "`{key}` is {value}, expected a finite number above 0"
    );
    Ok(())
}

pub(super) fn not_negative(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value >= 0.0,
        "`{key}` is {value}, expected a finite number of at least 0"
    );
    Ok(())
}
