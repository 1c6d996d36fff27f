use std::{fmt, str::FromStr};

use dataset::Precision;

use crate::{DeviceChoice, Error, Result, forward::has_amx};

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
    /// The precision, where `auto` is bfloat16 if that is gained by.
    pub fn or_bf16_if(self, is_gained_by: bool) -> Precision {
        match self {
            Self::Given(precision) => precision,
            Self::Auto if is_gained_by => Precision::Bf16,
            Self::Auto => Precision::F32,
        }
    }
}

/// Whether this processor multiplies bfloat16 by instructions of its own, as libtorch uses them: AVX-512-BF16, which every processor with AMX has too.
pub fn has_bf16_products() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Whether this crate multiplies bfloat16 by instructions for it, several times as fast as float32: on processors with AMX, under Linux. Elsewhere its
/// products in bfloat16 have the same bits and take longer than in float32.
pub fn multiplies_bf16() -> bool {
    has_amx()
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
    fn auto_alone_looks_at_the_processor() {
        for (choice, expected) in [
            (PrecisionChoice::Given(Precision::F32), [Precision::F32; 2]),
            (
                PrecisionChoice::Given(Precision::Bf16),
                [Precision::Bf16; 2],
            ),
            (PrecisionChoice::Auto, [Precision::F32, Precision::Bf16]),
        ] {
            assert_eq!([false, true].map(|it| choice.or_bf16_if(it)), expected);
        }
    }
}
