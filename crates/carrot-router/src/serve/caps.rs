//! Spend caps: how many dollars a day may go to LLMs, all of them or one, in a small file that survives a restart and `kill -9`.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use dataset::{Lock, LockError, write_atomically};
use decision_log::{day, with_causes};
use serde::{Deserialize, Serialize};
use tracing::error;

/// The version of the file's format.
const FORMAT_VERSION: u32 = 1;
/// The file is written ahead by this part of each cap, so that it is written a hundred times a day and not with every request. A killed server
/// loses as much of its cap at most; none is ever exceeded by it.
const AHEAD: f64 = 0.01;
const SECONDS_OF_DAY: u64 = 86_400;

/// US dollars that may be spent in a day, which begins at midnight UTC.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct CapLimits {
    /// On all LLMs.
    pub(crate) total: Option<f64>,
    /// On one of them.
    pub(crate) by_model: BTreeMap<String, f64>,
}

/// What was spent today, and what requests in flight are expected to cost.
#[derive(Debug)]
pub(crate) struct SpendCaps {
    path: Option<PathBuf>,
    state: Mutex<State>,
    /// A second server on the same file would spend as much again.
    _lock: Option<Lock>,
}

/// Why the file of caps cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CapsError {
    /// The system refused.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not one.
    #[error("`{}` is not a record of what was spent; remove it to begin at 0", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It is of another version of this program.
    #[error(
        "`{}` has format version {found}, expected {}; remove it to begin at 0",
        path.display(),
        FORMAT_VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// Another server uses it.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// A cap that the request would exceed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the spend cap of ${usd_per_day} a day{} is reached", of(model))]
pub(crate) struct CapReached {
    /// The LLM whose cap it is; `None`: that of all.
    pub(crate) model: Option<String>,
    /// The cap.
    pub(crate) usd_per_day: f64,
    /// How long until the next day.
    pub(crate) retry_after: Duration,
}

/// Dollars set aside for a request in flight. Dropped without [`Reservation::settle`], it has cost nothing.
#[derive(Debug)]
pub(crate) struct Reservation {
    caps: Arc<SpendCaps>,
    model: String,
    usd: f64,
}

#[derive(Debug)]
struct State {
    limits: CapLimits,
    day: String,
    spent: Amounts,
    reserved: Amounts,
    /// What the file says: never less than what is spent and reserved of a capped amount.
    booked: Amounts,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Amounts {
    total: f64,
    by_model: BTreeMap<String, f64>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Saved {
    format_version: u32,
    day: String,
    usd: f64,
    usd_by_model: BTreeMap<String, f64>,
}

impl SpendCaps {
    /// Caps whose amounts lie in a file, which need not exist; without one they begin at 0 with each start. What the file says of another day is
    /// passed over.
    ///
    /// # Errors
    /// [`CapsError`], also where another server has the file.
    pub(crate) fn open(
        path: Option<&Path>,
        limits: CapLimits,
        now: SystemTime,
    ) -> Result<Arc<Self>, CapsError> {
        let lock = path.map(Lock::of).transpose()?;
        let today = day(now);
        let saved = path.map(read).transpose()?.flatten();
        let spent = match saved.filter(|saved| saved.day == today) {
            Some(saved) => Amounts {
                total: saved.usd,
                by_model: saved.usd_by_model,
            },
            None => Amounts::default(),
        };
        let state = State {
            limits,
            day: today,
            booked: spent.clone(),
            spent,
            reserved: Amounts::default(),
        };
        Ok(Arc::new(Self {
            path: path.map(Path::to_owned),
            state: Mutex::new(state),
            _lock: lock,
        }))
    }

    /// Takes other caps, after the configuration has changed. What was spent stays.
    pub(crate) fn set_limits(&self, limits: CapLimits) {
        self.state().limits = limits;
    }

    /// Whether a request of this predicted cost may go to the LLM: for eligibility.
    ///
    /// # Errors
    /// [`CapReached`].
    pub(crate) fn check(
        &self,
        model: &str,
        predicted_usd: f64,
        now: SystemTime,
    ) -> Result<(), CapReached> {
        let mut state = self.state();
        state.begin_day(now);
        state.check(model, dollars(predicted_usd), now)
    }

    /// Sets the predicted cost of a request aside before it goes out, 0 where it is not known. Now and then, a hundred times per cap and day, this
    /// writes the file, which takes some milliseconds.
    ///
    /// # Errors
    /// [`CapReached`].
    pub(crate) fn reserve(
        self: &Arc<Self>,
        model: &str,
        predicted_usd: f64,
        now: SystemTime,
    ) -> Result<Reservation, CapReached> {
        let usd = dollars(predicted_usd);
        let mut state = self.state();
        state.begin_day(now);
        state.check(model, usd, now)?;
        state.reserved.add(model, usd);
        self.book(&mut state);
        Ok(Reservation {
            caps: Arc::clone(self),
            model: model.to_owned(),
            usd,
        })
    }

    /// What was spent today on all LLMs, and on each.
    pub(crate) fn spent_today(&self, now: SystemTime) -> (f64, BTreeMap<String, f64>) {
        let mut state = self.state();
        state.begin_day(now);
        (state.spent.total, state.spent.by_model.clone())
    }

    /// The caps as they are now.
    pub(crate) fn limits(&self) -> CapLimits {
        self.state().limits.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while counting")
    }

    /// Writes the file where it says too little.
    fn book(&self, state: &mut State) {
        let Some(path) = &self.path else { return };
        let used = state.used();
        let is_short = state.limits.total.is_some() && used.total > state.booked.total
            || (state.limits.by_model.keys()).any(|name| used.of(name) > state.booked.of(name));
        if !is_short {
            return;
        }
        let mut booked = used;
        booked.total += AHEAD * state.limits.total.unwrap_or(0.0);
        for (name, cap) in &state.limits.by_model {
            *booked.by_model.entry(name.clone()).or_default() += AHEAD * cap;
        }
        state.booked = booked;
        write(path, &state.day, &state.booked);
    }
}

impl Drop for SpendCaps {
    fn drop(&mut self) {
        // A server that ends as it should need not lose what was booked ahead.
        let Ok(state) = self.state.get_mut() else {
            return;
        };
        if let (Some(path), true) = (&self.path, state.booked != Amounts::default()) {
            write(path, &state.day, &state.used());
        }
    }
}

impl Reservation {
    /// What the request has cost after all.
    pub(crate) fn settle(self, usd: f64, now: SystemTime) {
        let caps = Arc::clone(&self.caps);
        let mut state = caps.state();
        state.begin_day(now);
        state.spent.add(&self.model, dollars(usd));
        state.reserved.add(&self.model, -self.usd);
        caps.book(&mut state);
        drop(state);
        // What `drop` would give back has been taken off.
        let mut this = self;
        this.usd = 0.0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.usd != 0.0 {
            self.caps.state().reserved.add(&self.model, -self.usd);
        }
    }
}

impl State {
    /// Forgets what was spent on an earlier day. Requests in flight count for the day on which they end.
    fn begin_day(&mut self, now: SystemTime) {
        let today = day(now);
        if self.day != today {
            self.day = today;
            self.spent = Amounts::default();
            self.booked = Amounts::default();
        }
    }

    fn used(&self) -> Amounts {
        let mut used = self.spent.clone();
        used.total += self.reserved.total;
        for (name, usd) in &self.reserved.by_model {
            *used.by_model.entry(name.clone()).or_default() += usd;
        }
        used
    }

    fn check(&self, model: &str, usd: f64, now: SystemTime) -> Result<(), CapReached> {
        let total = self.spent.total + self.reserved.total;
        let of_model = self.spent.of(model) + self.reserved.of(model);
        let caps = [
            (self.limits.total, total, None),
            (
                self.limits.by_model.get(model).copied(),
                of_model,
                Some(model),
            ),
        ];
        for (cap, used, of) in caps {
            // A request of unknown cost is let through until the cap is reached.
            if let Some(cap) = cap
                && (used + usd > cap || used >= cap)
            {
                return Err(CapReached {
                    model: of.map(str::to_owned),
                    usd_per_day: cap,
                    retry_after: until_tomorrow(now),
                });
            }
        }
        Ok(())
    }
}

impl Amounts {
    fn of(&self, model: &str) -> f64 {
        self.by_model.get(model).copied().unwrap_or(0.0)
    }

    fn add(&mut self, model: &str, usd: f64) {
        // What was added and taken away again may leave less than nothing by rounding.
        self.total = (self.total + usd).max(0.0);
        match self.by_model.get_mut(model) {
            Some(sum) => *sum = (*sum + usd).max(0.0),
            None => {
                self.by_model.insert(model.to_owned(), usd.max(0.0));
            }
        }
    }
}

/// An amount that can be counted: what is unknown or below 0 is 0.
fn dollars(usd: f64) -> f64 {
    match usd.is_finite() {
        true => usd.max(0.0),
        false => 0.0,
    }
}

fn of(model: &Option<String>) -> String {
    match model {
        Some(model) => format!(" for `{model}`"),
        None => String::new(),
    }
}

fn until_tomorrow(now: SystemTime) -> Duration {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Duration::from_secs(SECONDS_OF_DAY - since % SECONDS_OF_DAY)
}

fn read(path: &Path) -> Result<Option<Saved>, CapsError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let path = path.to_owned();
            return Err(CapsError::Read { path, source });
        }
    };
    let saved: Saved = serde_json::from_slice(&text).map_err(|source| CapsError::Format {
        path: path.to_owned(),
        source,
    })?;
    match saved.format_version {
        FORMAT_VERSION => Ok(Some(saved)),
        found => Err(CapsError::Version {
            path: path.to_owned(),
            found,
        }),
    }
}

/// A full disk does not stop the traffic: the caps still hold in memory, until the next start.
fn write(path: &Path, day: &str, amounts: &Amounts) {
    let saved = Saved {
        format_version: FORMAT_VERSION,
        day: day.to_owned(),
        usd: amounts.total,
        usd_by_model: amounts.by_model.clone(),
    };
    let bytes = serde_json::to_vec_pretty(&saved).expect("numbers and names are JSON");
    if let Err(error) = write_atomically(path, &bytes) {
        error!(
            "what was spent today will not survive a restart: {}",
            with_causes(&error)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of 2026-12-01.
    fn noon() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(20_788 * SECONDS_OF_DAY + SECONDS_OF_DAY / 2)
    }

    fn limits(total: Option<f64>, of_a: Option<f64>) -> CapLimits {
        let by_model = of_a.map(|cap| ("a".to_owned(), cap));
        CapLimits {
            total,
            by_model: by_model.into_iter().collect(),
        }
    }

    fn open(path: Option<&Path>, limits: CapLimits) -> Arc<SpendCaps> {
        SpendCaps::open(path, limits, noon()).expect("opened")
    }

    fn spend(caps: &Arc<SpendCaps>, model: &str, usd: f64) {
        let reservation = caps.reserve(model, usd, noon()).expect("below the cap");
        reservation.settle(usd, noon());
    }

    #[test]
    fn a_cap_is_not_exceeded_by_requests_in_flight() {
        let caps = open(None, limits(Some(1.0), None));
        let first = caps.reserve("a", 0.6, noon()).expect("below the cap");
        let refused = caps.reserve("b", 0.6, noon()).expect_err("above the cap");
        assert_eq!(
            (refused.usd_per_day, refused.retry_after.as_secs()),
            (1.0, 43_200)
        );
        assert_eq!(refused.to_string(), "the spend cap of $1 a day is reached");
        // A request that failed gives back what was set aside.
        drop(first);
        let second = caps.reserve("b", 0.6, noon()).expect("given back");
        second.settle(0.75, noon());
        assert!(caps.check("a", 0.25, noon()).is_ok());
        assert!(caps.check("a", 0.26, noon()).is_err());
        // Unknown costs go through until the cap is reached.
        assert!(caps.check("a", f64::NAN, noon()).is_ok());
        spend(&caps, "a", 0.25);
        assert!(caps.check("a", f64::NAN, noon()).is_err());
        let (total, by_model) = caps.spent_today(noon());
        assert_eq!((total, by_model["a"], by_model["b"]), (1.0, 0.25, 0.75));
    }

    #[test]
    fn an_llm_has_a_cap_of_its_own() {
        let caps = open(None, limits(None, Some(0.5)));
        spend(&caps, "a", 0.5);
        let refused = caps.check("a", 0.0, noon()).expect_err("reached");
        assert_eq!(
            refused.to_string(),
            "the spend cap of $0.5 a day for `a` is reached"
        );
        assert!(caps.check("b", 100.0, noon()).is_ok());
        caps.set_limits(limits(Some(0.75), None));
        assert!(caps.check("a", 0.25, noon()).is_ok());
        assert!(caps.check("b", 0.26, noon()).is_err());
    }

    #[test]
    fn a_new_day_begins_at_nothing() {
        let caps = open(None, limits(Some(1.0), None));
        spend(&caps, "a", 1.0);
        let midnight = noon() + Duration::from_secs(SECONDS_OF_DAY / 2);
        let before = midnight - Duration::from_secs(1);
        let refused = caps.check("a", 0.1, before).expect_err("reached");
        assert_eq!(refused.retry_after.as_secs(), 1);
        assert!(caps.check("a", 1.0, midnight).is_ok());
    }

    #[test]
    fn what_was_spent_survives_a_restart_and_a_kill() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spend.json");
        let caps = open(Some(&path), limits(Some(1.0), Some(0.5)));
        for _ in 0..20 {
            spend(&caps, "a", 0.01);
        }
        let in_flight = caps.reserve("b", 0.3, noon()).expect("below the cap");
        // As after `kill -9`: the file as it is, nothing dropped.
        let killed = folder.path().join("killed.json");
        fs::copy(&path, &killed).expect("copied");
        let again = open(Some(&killed), limits(Some(1.0), Some(0.5)));
        let (total, by_model) = again.spent_today(noon());
        // At least what was spent and set aside, and at most a hundredth of the cap more.
        assert!((0.5..=0.5101).contains(&total), "{total}");
        assert!((0.2..=0.2051).contains(&by_model["a"]), "{by_model:?}");

        // As after an end in peace: exactly what was spent.
        drop(in_flight);
        drop(caps);
        let again = open(Some(&path), limits(Some(1.0), Some(0.5)));
        let (total, _) = again.spent_today(noon());
        assert!((total - 0.2).abs() < 1e-12, "{total}");
        // The file of yesterday says nothing of today.
        drop(again);
        let tomorrow = noon() + Duration::from_secs(SECONDS_OF_DAY);
        let caps = SpendCaps::open(Some(&path), limits(Some(1.0), None), tomorrow).expect("opened");
        assert_eq!(caps.spent_today(tomorrow).0, 0.0);
    }

    #[test]
    fn the_file_is_written_a_hundred_times_a_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spend.json");
        let caps = open(Some(&path), limits(Some(1.0), None));
        let mut n_writes = 0;
        let mut last = String::new();
        for _ in 0..2000 {
            spend(&caps, "a", 0.0004);
            let text = fs::read_to_string(&path).expect("written");
            n_writes += u32::from(text != last);
            last = text;
        }
        assert!((70..=100).contains(&n_writes), "{n_writes}");
    }

    #[test]
    fn a_file_that_is_none_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spend.json");
        let refuse = |text: &str| {
            fs::write(&path, text).expect("written");
            let opened = SpendCaps::open(Some(&path), limits(Some(1.0), None), noon());
            opened.expect_err("refused").to_string()
        };
        let message = refuse("{\"half\": ");
        assert!(message.contains("remove it to begin at 0"), "{message}");
        let message = refuse(r#"{"format-version":9,"day":"","usd":1,"usd-by-model":{}}"#);
        assert!(message.contains("format version 9"), "{message}");
        // And a second server on the same file.
        fs::remove_file(&path).expect("removed");
        let _first = open(Some(&path), limits(Some(1.0), None));
        let second = SpendCaps::open(Some(&path), limits(Some(1.0), None), noon());
        let message = second.expect_err("held").to_string();
        assert!(message.contains("is being written by"), "{message}");
    }
}
