use encoder::{DeviceChoice, Error, Result};
use tch::Device;

/// The device that is asked for, if this machine has it: for `auto` the first CUDA device, else Apple's GPU, else the CPU.
///
/// # Errors
/// [`Error::NoDevice`], which says how to get it.
pub fn find_device(choice: DeviceChoice) -> Result<Device> {
    let no_device = |why: String| Error::NoDevice {
        device: choice.to_string(),
        why,
    };
    match choice {
        DeviceChoice::Auto if tch::Cuda::is_available() => Ok(Device::Cuda(0)),
        DeviceChoice::Auto if tch::utils::has_mps() => Ok(Device::Mps),
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Cuda(_) if !tch::Cuda::is_available() => Err(no_device(
            "it needs an NVIDIA GPU, its driver, and a libtorch built for CUDA; set LIBTORCH to one and build again".to_owned(),
        )),
        DeviceChoice::Cuda(index) => match usize::try_from(tch::Cuda::device_count()).unwrap_or(0) {
            n_devices if index < n_devices => Ok(Device::Cuda(index)),
            n_devices => Err(no_device(format!("libtorch sees {n_devices} CUDA devices, counted from 0; CUDA_VISIBLE_DEVICES may hide some"))),
        },
        DeviceChoice::Mps if tch::utils::has_mps() => Ok(Device::Mps),
        DeviceChoice::Mps => Err(no_device("it needs an Apple GPU under macOS and a libtorch for macOS on arm64".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_not_there_is_refused() {
        assert_eq!(
            find_device(DeviceChoice::Cpu).expect("there is a CPU"),
            Device::Cpu
        );
        assert!(find_device(DeviceChoice::Auto).is_ok());
        let error = find_device(DeviceChoice::Cuda(4_096)).expect_err("nobody has that many");
        assert!(error.to_string().contains("device `cuda:4096`"), "{error}");
    }
}
