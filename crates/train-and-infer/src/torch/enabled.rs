mod license;
pub(crate) mod mf;
mod pair_labels;
pub(crate) mod roberta;
mod sentence_model;

use cli_support::usage_error;
use nets::{CheckedMfParams, DeviceChoice};

use self::roberta::RobertaSettings;
pub(crate) use self::sentence_model::SentenceModel;
use crate::{args::RobertaArgs, config::RobertaConfig};

pub(crate) use nets::MfParams;

/// Whether networks can run.
pub(crate) const IS_THERE: bool = true;

/// What concerns networks, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    device: DeviceChoice,
    mf: CheckedMfParams,
    roberta: RobertaSettings,
}

impl Settings {
    pub(crate) fn check(
        device: &str,
        args: RobertaArgs,
        mf: MfParams,
        roberta: RobertaConfig,
    ) -> anyhow::Result<Self> {
        let bad_device = |error: nets::Error| usage_error(error.to_string());
        let device: DeviceChoice = device.parse().map_err(bad_device)?;
        // One that is not there is a bad command line, whatever the router.
        device.device().map_err(bad_device)?;
        Ok(Self {
            device,
            mf: mf.check()?,
            roberta: RobertaSettings::check(args, roberta)?,
        })
    }
}
