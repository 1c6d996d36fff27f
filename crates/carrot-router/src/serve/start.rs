//! The server from its start to its end.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use tokio::{
    net::TcpListener,
    runtime::Builder,
    sync::{Notify, watch},
};
use tracing::{info, warn};

use super::{
    app::App,
    caps::CapsError,
    config::{Config, ConfigError, RouterConfig},
    generation::{Generation, announce},
    listen, reload,
};
use crate::{CalibrationError, CarrotRouter};

/// Opens the router that a configuration names. A program may look for models where the library does not, such as on a hub.
pub type OpenRouter = dyn Fn(&RouterConfig) -> Result<CarrotRouter, Box<dyn std::error::Error + Send + Sync>>
    + Send
    + Sync;

/// Why a server does not start, or a configuration is not taken into use.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The router cannot be opened.
    #[error("cannot open the router")]
    Router {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The calibration cannot be used.
    #[error("cannot use the calibration `{name}` that `router.calibration` names")]
    Calibration {
        /// Its name.
        name: String,
        /// Why.
        source: CalibrationError,
    },
    /// Nobody to choose.
    #[error(
        "no `[[llm]]` has the name of one of the router's LLMs, so that there is nobody to choose; the router has {}",
        models.join(", ")
    )]
    NoLlm {
        /// The router's LLMs.
        models: Vec<String>,
    },
    /// A key is missing.
    #[error("the environment variable `{variable}`, which `{place}` names, is not set")]
    NoKey {
        /// Who names it.
        place: String,
        /// The variable.
        variable: String,
    },
    /// A key that cannot be sent.
    #[error(
        "the key in the environment variable `{variable}` has characters that no header can have"
    )]
    BadKey {
        /// The variable.
        variable: String,
    },
    /// Exploration that cannot be.
    #[error("`explore.share`: {message}")]
    Explore {
        /// Why.
        message: String,
    },
    /// The address is taken, or not one of this machine.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Nothing that asks upstreams.
    #[error("cannot set up the client of the upstreams")]
    Client {
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No thread.
    #[error("cannot start a thread")]
    Thread {
        /// What the system said.
        source: std::io::Error,
    },
    /// The decision log cannot be written.
    #[error("cannot use the decision log")]
    Log(#[from] decision_log::Error),
    /// What was spent cannot be read.
    #[error("cannot use the file of the spend caps: {message}")]
    Caps {
        /// Why.
        message: String,
    },
    /// Requests were still in flight.
    #[error("requests were still in flight when the time to end was over")]
    NotDrained,
}

impl From<CapsError> for ServeError {
    fn from(error: CapsError) -> Self {
        Self::Caps {
            message: super::brain::chain(&error),
        }
    }
}

/// What a server is started with.
pub struct Plan {
    /// The configuration's file, which is read again when it changes.
    pub path: PathBuf,
    /// What the command line changes in it, each time that it is read.
    pub adjust: Arc<dyn Fn(&mut Config) + Send + Sync>,
    /// Opens the router.
    pub open: Arc<OpenRouter>,
    /// Whether routing only looks on.
    pub is_shadow: bool,
}

/// Ends a server, or has it read its configuration again, from any thread.
#[derive(Debug, Clone)]
pub struct Control {
    stop: watch::Sender<bool>,
    hangup: Arc<Notify>,
}

impl Control {
    /// For a server that is yet to be started.
    pub fn new() -> Self {
        Self {
            stop: watch::Sender::new(false),
            hangup: Arc::default(),
        }
    }

    /// Takes no more requests, and ends once those in flight are answered.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Has the configuration read again.
    pub fn reload(&self) {
        self.hangup.notify_one();
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

/// What is known of a server that takes requests.
#[derive(Debug, Clone, Copy)]
pub struct Started {
    /// Where, with the port that the system chose if none was given.
    pub address: SocketAddr,
}

/// What a configuration comes to, in words, after all that a start checks: for `--dry-run`. Listens to nothing and asks no LLM.
///
/// # Errors
/// [`ServeError`].
pub fn check(plan: &Plan) -> Result<String, ServeError> {
    let config = read(plan)?;
    let generation = Generation::open(config, &*plan.open, None)?;
    Ok(describe(&generation, plan.is_shadow))
}

/// Serves until [`Control::stop`]. `on_start` is called once requests are taken.
///
/// # Errors
/// [`ServeError`], at the start; [`ServeError::NotDrained`] at the end.
pub fn serve(
    plan: Plan,
    control: &Control,
    on_start: impl FnOnce(Started),
) -> Result<(), ServeError> {
    let config = read(&plan)?;
    let (listen, limits) = (config.listen, config.limits.clone());
    let generation = Generation::open(config, &*plan.open, None)?;
    announce(&generation);
    if !listen.ip().is_loopback() && generation.keys.is_none() {
        warn!(
            "{listen} can be reached from other machines, and `[keys]` is not set: whoever reaches it spends your money"
        );
    }
    let app = Arc::new(App::new(generation, plan.is_shadow)?);
    let runtime = Builder::new_multi_thread()
        .thread_name("serve")
        .enable_all()
        .build();
    let runtime = runtime.map_err(|source| ServeError::Thread { source })?;
    let are_done = runtime.block_on(async {
        let failed = |source| ServeError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let watching = reload::watch(
            Arc::clone(&app),
            plan.path,
            plan.open,
            Arc::clone(&control.hangup),
            plan.adjust,
        );
        tokio::spawn(watching);
        let (draining, mut told) = (Arc::clone(&app), control.stop.subscribe());
        tokio::spawn(async move {
            if told.wait_for(|stop| *stop).await.is_ok() {
                draining.is_draining.store(true, Ordering::Relaxed);
            }
        });
        info!("listening at http://{address}");
        on_start(Started { address });
        Ok::<_, ServeError>(
            listen::serve(listener, app.routes(), limits, control.stop.subscribe()).await,
        )
    })?;
    // With the runtime go the tasks that still hold the books; the last one closes them.
    drop(runtime);
    match are_done {
        true => Ok(()),
        false => Err(ServeError::NotDrained),
    }
}

fn read(plan: &Plan) -> Result<Config, ServeError> {
    let mut config = Config::read(&plan.path)?;
    (plan.adjust)(&mut config);
    if plan.is_shadow && config.shadow.is_none() {
        // With one upstream there is no question which.
        if let [only] = &config.upstreams[..] {
            let upstream = only.name.clone();
            config.shadow = Some(super::config::ShadowConfig { upstream });
        }
    }
    Ok(config)
}

/// The pool, line by line.
fn describe(generation: &Generation, is_shadow: bool) -> String {
    let config = &generation.config;
    let mut text = format!(
        "listen         {}\nrouter         {}\npredicts by    {}\nmu             {}\ndefault model  {}\nnames          {}\n",
        config.listen,
        config.router.model.display(),
        generation.describes,
        generation.names.default_mu(),
        config.router.default_model,
        generation.names.aliases().join(", "),
    );
    if is_shadow {
        let upstream = config
            .shadow
            .as_ref()
            .map_or("none", |it| it.upstream.as_str());
        text += &format!("shadow         everything else goes to `{upstream}`\n");
    }
    let width = generation
        .pool
        .llms
        .iter()
        .map(|llm| llm.name.chars().count());
    let width = width.max().unwrap_or(0).max(3);
    text += &format!(
        "\n{:<width$}  {:<9}  {:<16}  {:<24}  {:>10}  {:>11}  can\n",
        "LLM", "chosen", "upstream", "model there", "input $/M", "output $/M"
    );
    for llm in &generation.pool.llms {
        let price = |idx: usize| {
            llm.price
                .map_or("unknown".to_owned(), |all| all[idx].to_string())
        };
        let (upstream, model, can) = match &llm.served {
            Some(served) => {
                let can: Vec<&str> = served.can.iter().map(|need| need.name()).collect();
                let upstream = &generation.pool.upstreams[served.upstream_idx];
                (
                    upstream.name.as_str(),
                    served.model.as_str(),
                    can.join(", "),
                )
            }
            None => ("-", "-", String::new()),
        };
        let chosen = match (llm.is_predicted, &llm.served) {
            (true, Some(_)) => "yes",
            (true, None) => "never",
            (false, _) => "by name",
        };
        text += &format!(
            "{:<width$}  {chosen:<9}  {upstream:<16}  {model:<24}  {:>10}  {:>11}  {can}\n",
            llm.name,
            price(0),
            price(1)
        );
    }
    text
}
