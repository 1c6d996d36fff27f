use carrot_router::{TokenWatch, UsableCalibration, check_mu};
use cli_support::{Output, usage_error};
use saved_routers::Calibration;
use tracing::info;

use super::{
    args::RouteArgs,
    batch::{Batch, Rule},
    open::Opening,
    prompts::Prompts,
};

/// `route` with its command line checked and its prompt file opened.
pub(super) struct RouteJob {
    pub(super) opening: Opening,
    pub(super) work: Work,
    pub(super) rule: Rule,
    pub(super) is_brief: bool,
    pub(super) output: Output,
}

/// What is to be routed.
pub(super) enum Work {
    /// Prompts as they come, each to be answered on standard output.
    Prompts(Prompts),
    /// A table, to be written again.
    Table(Batch),
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
        let opening = Opening::check(args.router, args.output.quiet)?;
        let work = match (args.input, args.output_file) {
            (Some(input), Some(output)) => {
                Work::Table(Batch::check(input, output, args.on_error, args.brief)?)
            }
            (input, _) => {
                let (prompt, input_tokens) = (args.prompt, args.input_tokens);
                Work::Prompts(Prompts::find(prompt, input_tokens, input.as_deref())?)
            }
        };
        Ok(Self {
            opening,
            work,
            rule: Rule { mu, watch, promise },
            is_brief: args.brief,
            output: args.output,
        })
    }
}
