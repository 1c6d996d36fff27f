use std::{fmt, str::FromStr};

use crate::{Error, Result};

/// The device that a user asks for: `auto`, `cpu`, `cuda`, `cuda:<index>` or `mps`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first CUDA device, else Apple's GPU, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// A CUDA device by its index.
    Cuda(usize),
    /// Apple's GPU.
    Mps,
}

impl DeviceChoice {
    /// Whether the CPU is meant, for whoever has nothing else.
    ///
    /// # Errors
    /// [`Error::NoDevice`] for any other device.
    pub fn check_is_cpu(self) -> Result<()> {
        match self {
            Self::Auto | Self::Cpu => Ok(()),
            Self::Cuda(_) | Self::Mps => Err(Error::NoDevice {
                device: self.to_string(),
                why: "this program was built without libtorch, which GPUs need".to_owned(),
            }),
        }
    }
}

impl FromStr for DeviceChoice {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let error = || Error::DeviceName {
            name: name.to_owned(),
        };
        match name {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            "mps" => Ok(Self::Mps),
            _ => {
                let index = name.strip_prefix("cuda:").ok_or_else(error)?;
                index.parse().map(Self::Cuda).map_err(|_| error())
            }
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Mps => f.write_str("mps"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (name, choice, shown) in [
            ("auto", DeviceChoice::Auto, "auto"),
            ("cpu", DeviceChoice::Cpu, "cpu"),
            ("cuda", DeviceChoice::Cuda(0), "cuda:0"),
            ("cuda:1", DeviceChoice::Cuda(1), "cuda:1"),
            ("mps", DeviceChoice::Mps, "mps"),
        ] {
            assert_eq!(
                name.parse::<DeviceChoice>().expect("a good name"),
                choice,
                "{name}"
            );
            assert_eq!(choice.to_string(), shown);
        }
        for name in ["", "CPU", "gpu", "cuda:", "cuda:x", "cuda:-1", "mps:0"] {
            let error = name.parse::<DeviceChoice>().expect_err("a bad name");
            assert!(matches!(error, Error::DeviceName { .. }), "{name}");
        }
    }

    #[test]
    fn only_the_cpu_is_the_cpu() {
        assert!(DeviceChoice::Auto.check_is_cpu().is_ok());
        assert!(DeviceChoice::Cpu.check_is_cpu().is_ok());
        let error = DeviceChoice::Cuda(1).check_is_cpu().expect_err("a GPU");
        assert!(error.to_string().contains("device `cuda:1`"), "{error}");
        assert!(error.to_string().contains("without libtorch"), "{error}");
    }
}
