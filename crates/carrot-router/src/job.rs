use carrot_router::check_mu;
use cli_support::usage_error;

use crate::{args::RouteArgs, calibrate, open::Opening, prompts::Prompts};

/// A command line that was understood: numbers checked, files opened.
pub(crate) struct Job {
    pub(crate) opening: Opening,
    pub(crate) prompts: Prompts,
    pub(crate) mu: f64,
    pub(crate) is_json: bool,
}

impl Job {
    pub(crate) fn check(args: RouteArgs) -> anyhow::Result<Self> {
        let mu = match (args.mu, &args.calibration, &args.router.model) {
            (Some(mu), ..) => mu,
            (None, Some(name), Some(model)) => calibrate::mu_of(model, name)?,
            (None, Some(_), None) => {
                return Err(usage_error(
                    "--calibration is of a model, and no --model is given",
                ));
            }
            (None, None, _) => return Err(usage_error("neither --mu nor --calibration is given")),
        };
        check_mu(mu).map_err(|error| usage_error(error.to_string()))?;
        Ok(Self {
            opening: Opening::check(args.router, args.output.quiet)?,
            prompts: Prompts::find(args.prompt, args.input.as_deref())?,
            mu,
            is_json: args.output.json,
        })
    }
}
