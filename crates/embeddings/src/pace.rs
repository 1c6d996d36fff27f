use std::{
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use tokio::{
    sync::{Mutex as Turn, Notify},
    time::timeout,
};

use crate::rate::{Rate, Rates};

/// Below this, a reset time says too little about how fast a limit refills: servers round it.
const MIN_RESET: Duration = Duration::from_secs(1);
/// Waits from this length on are told to the user.
pub(crate) const TOLD_FROM: Duration = Duration::from_secs(5);
/// A server that counts so many times our tokens does not count tokens.
const MAX_COUNTED_PER_SENT: f64 = 100.0;

/// Lets requests go as fast as the server's limits allow, in the order in which they ask.
///
/// Limits are taken for buckets that refill steadily, as OpenAI's are. The first request goes alone, to learn them. From then on each request
/// takes its cost from the books as it is sent; each answer corrects the books.
///
/// ```text
/// level <- min(R, max(level, R - F - S))
///   level   what the books say is left, refilled up to now
///   R       what the answer says is left
///   F       cost of the requests under way: the server may have counted all of them or none
///   S       cost of the requests sent after the answered one: answers overtake each other
/// ```
///
/// The cost is the request's tokens, times the tokens that the server counted so far per token of ours.
#[derive(Debug, Default)]
pub(crate) struct Pacer {
    pace: Mutex<Pace>,
    turn: Turn<()>,
    news: Notify,
}

/// The right to send a request; to be given back when its fate is known.
#[derive(Debug)]
pub(crate) struct Ticket {
    n_tokens: f64,
    cost: f64,
    /// What was sent up to and with this request.
    sent: Sum,
}

/// What became of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fate {
    /// It was answered, and billed this many tokens if the server said so.
    Answered(Option<u64>),
    /// It was turned down by a limit, so cost nothing.
    Limited,
    /// Anything else; it may have been counted.
    Failed,
}

/// Requests and their cost.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    n: f64,
    cost: f64,
}

#[derive(Debug, Default)]
struct Pace {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    in_flight: Sum,
    sent: Sum,
    is_known: bool,
    not_before: Option<Instant>,
    tokens_sent: f64,
    tokens_counted: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    limit: f64,
    per_second: f64,
    level: f64,
    at: Instant,
}

/// A limit of the server's asks for a longer wait than is allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LongPause {
    pub(crate) wait: Duration,
    pub(crate) cause: &'static str,
}

#[derive(Debug)]
enum Leave {
    Go(Ticket),
    /// Nothing before that has passed, unless there is news; and why.
    Wait(Duration, &'static str),
    /// Nothing before there is news.
    News,
}

impl Pacer {
    /// Waits for the right to send this number of tokens, if that takes no longer than `limit`. `None` once `is_stopped`, see [`Pacer::wake`].
    pub(crate) async fn ticket(
        &self,
        n_tokens: u64,
        limit: Duration,
        is_stopped: impl Fn() -> bool,
    ) -> Result<Option<Ticket>, LongPause> {
        // Held while waiting, so that small requests cannot starve a large one.
        let _turn = self.turn.lock().await;
        let mut told: Option<Instant> = None;
        loop {
            // Listening starts before the look, so that no news is missed between the two.
            let mut news = pin!(self.news.notified());
            news.as_mut().enable();
            if is_stopped() {
                return Ok(None);
            }
            let leave = self.lock().leave(n_tokens as f64, Instant::now());
            match leave {
                Leave::Go(ticket) => return Ok(Some(ticket)),
                Leave::Wait(wait, cause) if wait > limit => return Err(LongPause { wait, cause }),
                Leave::Wait(wait, cause) => {
                    let end = Instant::now() + wait;
                    let is_new = told.is_none_or(|told| end > told + TOLD_FROM);
                    if wait >= TOLD_FROM && is_new {
                        told = Some(end);
                        let until = httpdate::fmt_http_date(SystemTime::now() + wait);
                        tracing::warn!("{cause}; waiting {} s, until {until}", wait.as_secs());
                    }
                    _ = timeout(wait, news).await;
                }
                Leave::News => news.await,
            }
        }
    }

    /// Takes a ticket back, with what was learned.
    pub(crate) fn settle(&self, ticket: &Ticket, fate: Fate, rates: Rates) {
        self.lock().settle(ticket, fate, rates, Instant::now());
        self.news.notify_waiters();
    }

    /// Sends nothing for a while: the server asked for it.
    pub(crate) fn pause(&self, wait: Duration) {
        let mut pace = self.lock();
        pace.not_before = pace.not_before.max(Some(Instant::now() + wait));
    }

    /// Makes those who wait look whether they are stopped.
    pub(crate) fn wake(&self) {
        self.news.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn leave(&mut self, n_tokens: f64, now: Instant) -> Leave {
        if !self.is_known && self.in_flight.n > 0.0 {
            return Leave::News;
        }
        let cost = n_tokens * self.counted_per_sent();
        let pause = self.not_before.map(|t| t.saturating_duration_since(now));
        let waits = [
            (pause, "the server asked for a pause"),
            (
                self.requests.map(|bucket| bucket.wait(1.0, now)),
                "the server's limit of requests is used up",
            ),
            (
                self.tokens.map(|bucket| bucket.wait(cost, now)),
                "the server's limit of tokens is used up",
            ),
        ];
        let longest = waits.into_iter().max_by_key(|(wait, _)| *wait);
        if let Some((Some(wait), cause)) = longest
            && !wait.is_zero()
        {
            return Leave::Wait(wait, cause);
        }
        self.take(1.0, cost, now);
        self.in_flight.add(1.0, cost);
        self.sent.add(1.0, cost);
        Leave::Go(Ticket {
            n_tokens,
            cost,
            sent: self.sent,
        })
    }

    fn settle(&mut self, ticket: &Ticket, fate: Fate, rates: Rates, now: Instant) {
        self.in_flight.add(-1.0, -ticket.cost);
        match fate {
            Fate::Answered(counted) => {
                self.is_known = true;
                let counted = counted.map(|counted| counted as f64).filter(|counted| {
                    ticket.n_tokens > 0.0 && *counted <= MAX_COUNTED_PER_SENT * ticket.n_tokens
                });
                if let Some(counted) = counted {
                    self.tokens_sent += ticket.n_tokens;
                    self.tokens_counted += counted;
                }
            }
            Fate::Limited => self.take(-1.0, -ticket.cost, now),
            Fate::Failed => (),
        }
        // What the server may not have counted yet when it answered.
        let mut open = self.in_flight;
        open.add(
            self.sent.n - ticket.sent.n,
            self.sent.cost - ticket.sent.cost,
        );
        Bucket::learn(&mut self.requests, rates.requests, open.n, now);
        Bucket::learn(&mut self.tokens, rates.tokens, open.cost, now);
    }

    fn take(&mut self, n_requests: f64, cost: f64, now: Instant) {
        for (bucket, amount) in [(&mut self.requests, n_requests), (&mut self.tokens, cost)] {
            if let Some(bucket) = bucket {
                bucket.level = bucket.level_at(now) - amount;
                bucket.at = now;
            }
        }
    }

    fn counted_per_sent(&self) -> f64 {
        if self.tokens_sent > 0.0 && self.tokens_counted > 0.0 {
            self.tokens_counted / self.tokens_sent
        } else {
            1.0
        }
    }
}

impl Sum {
    fn add(&mut self, n: f64, cost: f64) {
        self.n += n;
        self.cost += cost;
    }
}

impl Bucket {
    fn level_at(&self, now: Instant) -> f64 {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        (self.level + seconds * self.per_second).min(self.limit)
    }

    /// Until `amount` is available. More than the limit never will be, so a full bucket has to suffice; the server has the last word.
    fn wait(&self, amount: f64, now: Instant) -> Duration {
        let missing = amount.min(self.limit) - self.level_at(now);
        // Less than a millionth of a token is rounding.
        if missing <= 1e-6 {
            return Duration::ZERO;
        }
        // A limit that never refills is looked at again in an hour.
        Duration::try_from_secs_f64(missing / self.per_second)
            .unwrap_or(Duration::from_secs(3_600))
            .clamp(Duration::from_millis(1), Duration::from_secs(3_600))
    }

    fn learn(bucket: &mut Option<Self>, told: Option<Rate>, open: f64, now: Instant) {
        let Some(Rate {
            limit,
            remaining,
            reset,
        }) = told
        else {
            return;
        };
        let old = bucket.filter(|bucket| bucket.limit == limit);
        let reset = reset.filter(|reset| *reset >= MIN_RESET && remaining < limit);
        let per_second = match (reset, old) {
            (Some(reset), _) => (limit - remaining) / reset.as_secs_f64(),
            (None, Some(old)) => old.per_second,
            // Limits are per minute unless the reset time shows otherwise.
            (None, None) => limit / 60.0,
        };
        let level = old.map_or(remaining - open, |old| old.level_at(now));
        *bucket = Some(Self {
            limit,
            per_second,
            level: level.max(remaining - open).min(remaining),
            at: now,
        });
    }
}

#[cfg(test)]
mod tests;
