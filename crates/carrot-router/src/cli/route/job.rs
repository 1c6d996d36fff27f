use carrot_router::{CalibrationPromise, TokenWatch, UsableCalibration, check_mu};
use cli_support::usage_error;
use saved_routers::Calibration;
use tracing::info;

use super::{args::RouteArgs, open::Opening, prompts::Prompts};

/// `route` with its command line checked and its prompt file opened.
pub(super) struct RouteJob {
    pub(super) opening: Opening,
    pub(super) prompts: Prompts,
    pub(super) mu: f64,
    /// Of a calibration.
    pub(super) watch: Option<TokenWatch>,
    pub(super) promise: Option<CalibrationPromise>,
    pub(super) is_json: bool,
}

impl RouteJob {
    pub(super) fn check(args: RouteArgs) -> anyhow::Result<Self> {
        let (mu, calibration) = match (args.mu, &args.calibration, &args.router.model) {
            (Some(mu), ..) => (mu, None),
            (None, Some(name), Some(model)) => {
                Calibration::path(model, name).map_err(|error| usage_error(error.to_string()))?;
                let usable = UsableCalibration::open(model, name)?;
                let (mu, promise) = (usable.mu, usable.promise()?);
                info!("calibration `{name}`: mu {mu}, for {}", promise.keeps);
                (mu, Some((TokenWatch::of(&usable), promise)))
            }
            (None, Some(_), None) => {
                return Err(usage_error(
                    "--calibration needs --model: calibrations are stored with a model",
                ));
            }
            (None, None, _) => return Err(usage_error("give --mu or --calibration")),
        };
        // Before the router is opened, and as bad usage: to the library it is an error like any other.
        check_mu(mu).map_err(|error| usage_error(error.to_string()))?;
        let (watch, promise) = calibration.unzip();
        Ok(Self {
            opening: Opening::check(args.router, args.output.quiet)?,
            prompts: Prompts::find(args.prompt, args.input_tokens, args.input.as_deref())?,
            mu,
            watch,
            promise,
            is_json: args.output.json,
        })
    }
}
