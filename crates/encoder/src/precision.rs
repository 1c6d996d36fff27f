use std::{fmt, str::FromStr};

use dataset::Precision;

use crate::{DeviceChoice, Error, Result};

/// The precision that a user asks for: `f32`, `bf16` or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrecisionChoice {
    /// That one.
    Given(Precision),
    /// bfloat16 where this machine and this program gain by it, else float32.
    Auto,
}

/// Where a model runs, and how exactly it multiplies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runtime {
    /// The device.
    pub device: DeviceChoice,
    /// The precision of products.
    pub precision: Precision,
}

impl Runtime {
    /// In float32.
    pub fn f32_on(device: DeviceChoice) -> Self {
        Self {
            device,
            precision: Precision::F32,
        }
    }
}

impl PrecisionChoice {
    /// The precision for whoever has float32 alone.
    ///
    /// # Errors
    /// [`Error::NoPrecision`] for any other that is asked for.
    pub fn check_is_f32(self) -> Result<Precision> {
        match self {
            Self::Auto | Self::Given(Precision::F32) => Ok(Precision::F32),
            Self::Given(precision) => Err(Error::NoPrecision {
                precision,
                why: "this program was built without libtorch, which takes these products",
            }),
        }
    }
}

/// Whether this processor multiplies bfloat16 by instructions of its own: AVX-512-BF16, which every processor with AMX has too.
pub fn has_bf16_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

impl FromStr for PrecisionChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let given = Precision::named(name).map(Self::Given);
        let choice = given.or_else(|| (name == "auto").then_some(Self::Auto));
        choice.ok_or_else(|| Error::PrecisionName {
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for PrecisionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(precision) => precision.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for name in ["f32", "bf16", "auto"] {
            let choice: PrecisionChoice = name.parse().expect("a good name");
            assert_eq!(choice.to_string(), name);
        }
        for name in ["", "BF16", "f16", "float32"] {
            let error = name.parse::<PrecisionChoice>().expect_err("a bad name");
            assert!(error.to_string().contains("`auto`"), "{error}");
        }
    }

    #[test]
    fn only_float32_is_float32() {
        let given = PrecisionChoice::Given;
        for choice in [PrecisionChoice::Auto, given(Precision::F32)] {
            assert_eq!(choice.check_is_f32().expect("it is"), Precision::F32);
        }
        let error = given(Precision::Bf16).check_is_f32().expect_err("it isn't");
        assert!(error.to_string().contains("without libtorch"), "{error}");
    }
}
