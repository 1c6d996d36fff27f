use cli_support::usage_error;
use fitting::RobertaNames;
use nets::DeviceChoice;

use super::roberta::RobertaSettings;
use crate::roberta_args::RobertaArgs;

/// Settings of networks, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(super) device: DeviceChoice,
    pub(super) roberta: RobertaSettings,
}

impl Settings {
    pub(crate) fn check(
        device: &str,
        args: RobertaArgs,
        roberta: RobertaNames,
    ) -> anyhow::Result<Self> {
        let bad_device = |error: nets::Error| usage_error(error.to_string());
        let device: DeviceChoice = device.parse().map_err(bad_device)?;
        // Even if no network will run: a device that this machine lacks is a mistake on the command line, and must not surface only after the
        // routers before the first network have been fitted.
        device.device().map_err(bad_device)?;
        Ok(Self {
            device,
            roberta: RobertaSettings::check(args, roberta)?,
        })
    }
}
