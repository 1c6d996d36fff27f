//! Sessions: a conversation keeps its LLM, whose provider has its beginning in a cache, until another LLM is better by more than a cold cache
//! costs.

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher as _, RandomState},
    num::NonZeroUsize,
    sync::Mutex,
    time::{Duration, Instant},
};

use evaluation::choice::COST_MULTIPLIER;

/// What sessions are kept by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SessionSettings {
    /// So many sessions are remembered; then the one that was idle longest is forgotten.
    pub(crate) capacity: NonZeroUsize,
    /// How long a provider keeps a prompt cached that is not asked for; a session that was idle longer is free to choose.
    pub(crate) cache_lifetime: Duration,
    /// Which part of the price of an input token is saved if it comes from the cache, in [0, 1].
    pub(crate) cached_discount: f64,
}

/// An LLM that a request may go to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Contender<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// What the rule compares.
    pub(crate) utility: f64,
    /// The predicted cost in US dollars, all input tokens at their full price.
    pub(crate) cost_usd: f64,
    /// The input tokens of the whole request.
    pub(crate) input_tokens: u64,
    /// The price of one of them in US dollars, where it is known.
    pub(crate) input_usd_per_token: Option<f64>,
}

/// Which LLM each session is with. Takes at most some 200 bytes per session.
#[derive(Debug)]
pub(crate) struct Sessions {
    settings: SessionSettings,
    /// Sessions are known by a hash, so that a long id takes no more memory; two with the same one would share an LLM, and nothing else.
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<u64, Session>,
    /// Sessions by the turn in which they were last answered, the oldest first.
    turns: BTreeMap<u64, u64>,
    next_turn: u64,
}

#[derive(Debug)]
struct Session {
    model: String,
    /// Tokens that the provider has read: the beginning of the next request.
    n_tokens: u64,
    last: Instant,
    turn: u64,
}

impl Sessions {
    /// No sessions yet.
    pub(crate) fn new(settings: SessionSettings) -> Self {
        Self {
            settings,
            hasher: RandomState::new(),
            state: Mutex::default(),
        }
    }

    /// The position of the LLM that the session stays with; `None` where it has none among the contenders, its cache is cold anyway, or the best is
    /// worth the move. The best itself may be returned: then nothing changes.
    ///
    /// ```text
    /// stays if   utility[best] - utility[own] <= mu * 100 * saved
    ///   saved    dollars: discount * price of an input token * tokens that the provider has read already
    /// ```
    ///
    /// Where prices of tokens are unknown the whole predicted cost counts as that of input tokens, which favors staying.
    pub(crate) fn keep(
        &self,
        session: &str,
        contenders: &[Contender<'_>],
        best_idx: usize,
        mu: f64,
        now: Instant,
    ) -> Option<usize> {
        let (own_idx, n_cached) = {
            let state = self.state.lock().expect("nobody panics in a session");
            let own = state.sessions.get(&self.key(session))?;
            if now.saturating_duration_since(own.last) > self.settings.cache_lifetime {
                return None;
            }
            let mut names = contenders.iter().map(|it| it.name);
            (names.position(|name| name == own.model)?, own.n_tokens)
        };
        let (own, best) = (&contenders[own_idx], &contenders[best_idx]);
        let n_saved = n_cached.min(own.input_tokens) as f64;
        let price = own
            .input_usd_per_token
            .unwrap_or(own.cost_usd / (own.input_tokens as f64).max(1.0));
        let saved = self.settings.cached_discount * price * n_saved;
        let gain = best.utility - own.utility;
        // An unknown utility or price is NaN, and keeps nobody.
        (gain <= mu * COST_MULTIPLIER * saved).then_some(own_idx)
    }

    /// Notes which LLM answered a session's request, and how many tokens the provider has read by then: those of the request and of the answer.
    pub(crate) fn answered(&self, session: &str, model: &str, n_tokens: u64, now: Instant) {
        let key = self.key(session);
        let mut state = self.state.lock().expect("nobody panics in a session");
        let turn = state.next_turn;
        state.next_turn += 1;
        let new = Session {
            model: model.to_owned(),
            n_tokens,
            last: now,
            turn,
        };
        if let Some(old) = state.sessions.insert(key, new) {
            state.turns.remove(&old.turn);
        }
        state.turns.insert(turn, key);
        while state.sessions.len() > self.settings.capacity.get() {
            let (_, oldest) = state.turns.pop_first().expect("one turn per session");
            state.sessions.remove(&oldest);
        }
    }

    fn key(&self, session: &str) -> u64 {
        self.hasher.hash_one(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(capacity: usize) -> Sessions {
        Sessions::new(SessionSettings {
            capacity: NonZeroUsize::new(capacity).expect("above 0"),
            cache_lifetime: Duration::from_secs(300),
            cached_discount: 0.5,
        })
    }

    fn contender(name: &str, utility: f64) -> Contender<'_> {
        Contender {
            name,
            utility,
            cost_usd: 0.01,
            input_tokens: 1000,
            input_usd_per_token: Some(2e-6),
        }
    }

    #[test]
    fn a_session_stays_until_the_gain_exceeds_the_cost_of_a_cold_cache() {
        let (sessions, now) = (sessions(10), Instant::now());
        let keep = |gain, mu| {
            let contenders = [contender("own", 0.5), contender("best", 0.5 + gain)];
            sessions.keep("s", &contenders, 1, mu, now)
        };
        assert_eq!(keep(0.0, 1.0), None, "no LLM yet");
        sessions.answered("s", "own", 800, now);
        // 800 tokens at half of 2e-6 dollars save .0008 dollars, .04 in utility at mu = .5.
        assert_eq!(keep(0.039, 0.5), Some(0));
        assert_eq!(keep(0.041, 0.5), None);
        assert_eq!(keep(0.041, 0.6), Some(0));
        // At mu = 0 no cost counts, and only of equals the session's own remains.
        assert_eq!([keep(0.0, 0.0), keep(1e-9, 0.0)], [Some(0), None]);
        assert_eq!(keep(f64::NAN, 0.5), None);
    }

    #[test]
    fn what_is_not_cached_saves_nothing() {
        let (sessions, now) = (sessions(10), Instant::now());
        sessions.answered("s", "own", 5000, now);
        let small = Contender {
            input_tokens: 100,
            ..contender("own", 0.5)
        };
        let keep = |own: Contender<'_>, gain, later| {
            let contenders = [contender("best", 0.5 + gain), own];
            let now = now + Duration::from_secs(later);
            sessions.keep("s", &contenders, 0, 0.5, now)
        };
        // Of 100 tokens no more than 100 come from the cache: .0001 dollars, .005 in utility.
        assert_eq!(keep(small, 0.004, 0), Some(1));
        assert_eq!(keep(small, 0.006, 0), None);
        // Without prices half of the whole cost of .01 is saved: .25 in utility.
        let unpriced = Contender {
            input_usd_per_token: None,
            ..contender("own", 0.5)
        };
        assert_eq!(keep(unpriced, 0.249, 0), Some(1));
        assert_eq!(keep(unpriced, 0.251, 0), None);
        // After the cache's lifetime, and where the session's LLM is not eligible any more.
        assert_eq!(keep(small, 0.0, 300), Some(1));
        assert_eq!(keep(small, 0.0, 301), None);
        assert_eq!(keep(contender("other", 0.5), 0.0, 0), None);
    }

    #[test]
    fn memory_is_bounded_and_the_longest_idle_goes_first() {
        let (sessions, now) = (sessions(3), Instant::now());
        let kept = |session: &str| {
            let own = [contender("own", 0.5)];
            sessions.keep(session, &own, 0, 0.5, now).is_some()
        };
        for session in ["a", "b", "c", "a", "d"] {
            sessions.answered(session, "own", 1, now);
        }
        assert_eq!(["a", "b", "c", "d"].map(kept), [true, false, true, true]);
        for i in 0..1000 {
            sessions.answered(&i.to_string(), "own", 1, now);
        }
        let state = sessions.state.lock().expect("not poisoned");
        assert_eq!((state.sessions.len(), state.turns.len()), (3, 3));
    }
}
