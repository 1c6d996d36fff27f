use std::{fmt, str::FromStr};

use tch::Device;

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
    /// The device, if this machine has it.
    ///
    /// # Errors
    /// [`Error::NoDevice`], which says how to get it.
    pub fn device(self) -> Result<Device> {
        let no_device = |why: String| Error::NoDevice {
            device: self.to_string(),
            why,
        };
        match self {
            Self::Auto if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
            Self::Auto if tch::utils::has_mps() => Ok(Device::Mps),
            Self::Auto | Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(_) if !tch::Cuda::is_available() => Err(no_device(
                "it needs an NVIDIA GPU, its driver, and a libtorch built for CUDA; set LIBTORCH to one and build again".to_owned(),
            )),
            Self::Cuda(index) => match usize::try_from(tch::Cuda::device_count()).unwrap_or(0) {
                n_devices if index < n_devices => Ok(Device::Cuda(index)),
                n_devices => Err(no_device(format!("libtorch sees {n_devices} CUDA devices, counted from 0; CUDA_VISIBLE_DEVICES may hide some"))),
            },
            Self::Mps if tch::utils::has_mps() => Ok(Device::Mps),
            Self::Mps => Err(no_device("it needs an Apple GPU under macOS and a libtorch for macOS on arm64".to_owned())),
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
    fn a_device_that_is_not_there_is_refused() {
        assert_eq!(
            DeviceChoice::Cpu.device().expect("there is a CPU"),
            Device::Cpu
        );
        assert!(DeviceChoice::Auto.device().is_ok());
        let error = DeviceChoice::Cuda(4_096)
            .device()
            .expect_err("nobody has that many");
        assert!(error.to_string().contains("device `cuda:4096`"), "{error}");
    }
}
