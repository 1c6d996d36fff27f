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
    config::Config,
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
        // Reading a router takes seconds of a processor.
        let read = tokio::task::spawn_blocking(move || {
            let mut config = Config::read(&path)?;
            adjust(&mut config);
            Generation::open(config, &*open)
        });
        match read.await {
            Ok(Ok(new)) => {
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

fn state(path: &Path, config: &Config) -> State {
    let folder = &config.router.model;
    let mut paths = vec![path.to_owned(), folder.join("router.json")];
    paths.extend(config.router.prices.clone());
    for folder in [folder.clone(), folder.join("calibrations")] {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        paths.extend(entries.map(|entry| entry.path()));
    }
    paths.sort();
    paths.dedup();
    let of = |path: PathBuf| {
        let found = fs::metadata(&path).ok();
        let found = found.and_then(|it| Some((it.modified().ok()?, it.len())));
        (path, found)
    };
    paths.into_iter().map(of).collect()
}

async fn is_still(path: &Path, app: &App, now: &State, check: Duration) -> bool {
    sleep(check.min(Duration::from_millis(500))).await;
    state(path, &app.generation().config) == *now
}
