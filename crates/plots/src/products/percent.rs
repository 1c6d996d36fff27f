//! Shares in percent.

/// A share in percent, to two decimals at most: .95 as `95%`. Times 100 alone, .58 would be 57.99999999999999.
pub(super) fn percent(share: f64) -> String {
    format!("{}%", (10_000.0 * share).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_readable() {
        for (share, expected) in [
            (0.95, "95%"),
            (0.999, "99.9%"),
            (0.58, "58%"),
            (1.0, "100%"),
        ] {
            assert_eq!(percent(share), expected);
        }
    }
}
