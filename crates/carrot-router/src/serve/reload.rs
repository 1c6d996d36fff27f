//! When the configuration is read again: on a signal, and when its file or the router's folder has changed.

use std::{
    fs,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::future::{Either, select};
use tokio::{sync::Notify, time::sleep};
use tracing::{error, info, warn};

use super::{
    OpenRouter, ServeError,
    app::App,
    brain::chain,
    config::{Config, RouterConfig},
    generation::{Generation, announce},
};

/// Reads the configuration again whenever that is called for.
pub(crate) async fn watch(
    app: Arc<App>,
    path: PathBuf,
    open: Arc<OpenRouter>,
    hangup: Arc<Notify>,
    adjust: Arc<dyn Fn(&mut Config) + Send + Sync>,
) {
    let mut seen = state(&path, &app.generation().config);
    let mut opened = router_state(&app.generation().config.router);
    loop {
        let check = app.generation().config.reload.check_seconds;
        let is_told = match check.is_zero() {
            true => {
                hangup.notified().await;
                true
            }
            false => {
                let told = pin!(hangup.notified());
                let checked = pin!(sleep(check));
                matches!(select(told, checked).await, Either::Left(_))
            }
        };
        let now = state(&path, &app.generation().config);
        if !is_told {
            if now == seen {
                continue;
            }
            // Whoever writes may not be done.
            if !is_still(&path, &app, &now, check).await {
                continue;
            }
        }
        seen = now;
        let (path, open, adjust) = (path.clone(), Arc::clone(&open), Arc::clone(&adjust));
        let (old, files) = (app.generation(), opened.clone());
        // Reading a router takes seconds of a processor.
        let read = tokio::task::spawn_blocking(move || {
            let mut config = Config::read(&path)?;
            adjust(&mut config);
            let now = router_state(&config.router);
            // A router that is the same goes on: reading it again would cost time and memory, and its store of embeddings can be opened only once.
            let is_same = is_same(&old.config.router, &config.router) && now == files;
            let router = is_same.then(|| Arc::clone(&old.router));
            Ok::<_, ServeError>((Generation::open(config, &*open, router)?, now))
        });
        match read.await {
            Ok(Ok((new, files))) => {
                opened = files;
                compare(&app.generation().config, &new.config);
                announce(&new);
                app.replace(new);
                info!("the configuration was read again");
            }
            Ok(Err(error)) => tell(&error),
            Err(_) => {
                error!("reading the configuration again panicked; the earlier one stays in use")
            }
        }
    }
}

fn tell(failure: &ServeError) {
    error!(
        "the configuration cannot be read again, so that the earlier one stays in use: {}",
        chain(failure)
    );
}

/// What the process has taken hold of once, and keeps.
fn compare(old: &Config, new: &Config) {
    let differs = [
        ("listen", old.listen != new.listen),
        (
            "log.path",
            old.log.as_ref().map(|it| &it.path) != new.log.as_ref().map(|it| &it.path),
        ),
        (
            "caps.file",
            old.caps.as_ref().map(|it| &it.file) != new.caps.as_ref().map(|it| &it.file),
        ),
        ("sessions", old.sessions != new.sessions),
        (
            "limits.max-in-flight",
            old.limits.max_in_flight != new.limits.max_in_flight,
        ),
        (
            "limits.max-connections",
            old.limits.max_connections != new.limits.max_connections,
        ),
    ];
    for (key, _) in differs.iter().filter(|(_, differs)| *differs) {
        warn!("`{key}` has changed, which takes a restart");
    }
}

/// The times and lengths of the files that decide.
type State = Vec<(PathBuf, Option<(SystemTime, u64)>)>;

/// Of all files.
fn state(path: &Path, config: &Config) -> State {
    let mut state = router_state(&config.router);
    state.push(of_file(path.to_owned()));
    state
}

/// Of the router's.
fn router_state(router: &RouterConfig) -> State {
    let mut paths: Vec<PathBuf> = router.prices.iter().cloned().collect();
    for folder in [router.model.clone(), router.model.join("calibrations")] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        paths.extend(entries.map(|entry| entry.path()));
    }
    paths.sort();
    paths.into_iter().map(of_file).collect()
}

fn of_file(path: PathBuf) -> (PathBuf, Option<(SystemTime, u64)>) {
    let found = fs::metadata(&path).ok();
    let found = found.and_then(|it| Some((it.modified().ok()?, it.len())));
    (path, found)
}

/// Whether the same router is meant, however it is to be used.
fn is_same(old: &RouterConfig, new: &RouterConfig) -> bool {
    let new = RouterConfig {
        mu: old.mu,
        calibration: old.calibration.clone(),
        default_model: old.default_model.clone(),
        ..new.clone()
    };
    *old == new
}

async fn is_still(path: &Path, app: &App, now: &State, check: Duration) -> bool {
    sleep(check.min(Duration::from_millis(500))).await;
    state(path, &app.generation().config) == *now
}
