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
    /// The precision for whoever has the forward pass of this crate alone.
    ///
    /// # Errors
    /// [`Error::NoPrecision`] for bfloat16 where [`multiplies_bf16`] says no.
    pub fn find_here(self) -> Result<Precision> {
        match self {
            Self::Auto | Self::Given(Precision::Bf16) if multiplies_bf16() => Ok(Precision::Bf16),
            Self::Auto | Self::Given(Precision::F32) => Ok(Precision::F32),
            Self::Given(precision) => Err(Error::NoPrecision {
                precision,
                why: "this processor has no AMX, and this program was built without libtorch, which would take these products",
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

/// Whether this crate multiplies bfloat16 by instructions for it: on processors with AMX, under Linux.
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
    fn bfloat16_is_for_processors_that_have_it() {
        let given = PrecisionChoice::Given;
        let f32 = given(Precision::F32).find_here();
        assert_eq!(f32.expect("everywhere"), Precision::F32);
        let [bf16, auto] = [given(Precision::Bf16), PrecisionChoice::Auto].map(|it| it.find_here());
        if multiplies_bf16() {
            assert_eq!(bf16.expect("it has"), Precision::Bf16);
            assert_eq!(auto.expect("any"), Precision::Bf16);
        } else {
            let error = bf16.expect_err("it has not");
            assert!(error.to_string().contains("no AMX"), "{error}");
            assert_eq!(auto.expect("any"), Precision::F32);
        }
    }
}
