use cli_support::usage_error;
use nets::DeviceChoice;

use super::roberta::RobertaSettings;
use crate::{config::RobertaConfig, roberta_args::RobertaArgs};

/// What concerns networks, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) device: DeviceChoice,
    pub(super) roberta: RobertaSettings,
}

impl Settings {
    pub(crate) fn check(
        device: &str,
        args: RobertaArgs,
        roberta: RobertaConfig,
    ) -> anyhow::Result<Self> {
        let bad_device = |error: nets::Error| usage_error(error.to_string());
        let device: DeviceChoice = device.parse().map_err(bad_device)?;
        // A device that this machine lacks is a bad command line, whatever the router.
        device.device().map_err(bad_device)?;
        Ok(Self {
            device,
            roberta: RobertaSettings::check(args, roberta)?,
        })
    }
}
