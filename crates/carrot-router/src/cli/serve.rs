//! `carrot-router serve`: the library's server, with a router that may come from the hub, and ended by the system's signals.

mod args;

use std::{error::Error, sync::Arc};

use carrot_router::serve::{self, Config, Control, OpenRouter, Plan, RouterConfig, ServeError};
use cli_support::{on_hangup, on_stop, print_text, with_hint};
use tracing::info;

pub(super) use self::args::ServeArgs;
use super::route::open_of_config;

pub(super) fn run(args: ServeArgs) -> anyhow::Result<()> {
    let (quiet, index) = (args.quiet, args.index);
    let open = move |config: &RouterConfig| {
        open_of_config(config, &index, quiet)
            .map_err(|error| -> Box<dyn Error + Send + Sync> { error.into() })
    };
    let open: Arc<OpenRouter> = Arc::new(open);
    let (listen, share) = (args.listen, args.explore);
    let adjust = move |config: &mut Config| {
        config.listen = listen.unwrap_or(config.listen);
        config.explore.share = share.unwrap_or(config.explore.share);
    };
    let plan = Plan {
        path: args.config,
        adjust: Arc::new(adjust),
        open,
        is_shadow: args.shadow,
    };
    if args.dry_run {
        return print_text(&serve::check(&plan).map_err(hinted)?);
    }
    let control = Control::new();
    let stopping = control.clone();
    on_stop(move || {
        info!("ending, once the requests in flight are answered; a second signal ends at once");
        stopping.stop();
    });
    let reloading = control.clone();
    on_hangup(move || reloading.reload())?;
    serve::serve(plan, &control, |_| ()).map_err(hinted)?;
    info!("all requests were answered");
    Ok(())
}

fn hinted(error: ServeError) -> anyhow::Error {
    let hint = match &error {
        ServeError::Config(_) => "configs/serve.toml explains every key",
        ServeError::Listen { .. } => {
            "choose another address with `--listen`; port 0 lets the system choose the port"
        }
        ServeError::NoLlm { .. } => {
            "give one `[[llm]]` the name of each LLM that may be chosen, and its name at its upstream as `model`"
        }
        _ => return error.into(),
    };
    with_hint(error.into(), hint)
}
