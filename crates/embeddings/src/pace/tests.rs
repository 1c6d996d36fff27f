use super::*;

/// A server's limit, and a client's pace, on a clock that runs by itself.
struct Simulation {
    limit: f64,
    /// Tokens of the server's per token of ours.
    scale: f64,
    latency: f64,
    max_in_flight: usize,
}

struct Outcome {
    n_limited: usize,
    /// Tokens answered in the second half, over what refilled in that time.
    share_used: f64,
}

impl Simulation {
    /// Sends requests of the given sizes over and over for some minutes of the simulated clock.
    fn run(&self, sizes: &[f64], minutes: f64) -> Outcome {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let mut pace = Pace::default();
        let (mut level, mut level_at) = (self.limit, 0.0);
        let (mut n_limited, mut used) = (0, 0.0);
        // Time of the answer, the ticket, and whether it came through.
        let mut in_flight: Vec<(f64, Ticket, Fate, Rates)> = Vec::new();
        let (mut now, mut next) = (0.0, 0);
        let end = minutes * 60.0;
        while now < end {
            let soonest = in_flight.iter().enumerate();
            let soonest = soonest.min_by(|a, b| a.1.0.total_cmp(&b.1.0));
            let soonest = soonest.map(|(idx, answer)| (idx, answer.0));
            let may_send = in_flight.len() < self.max_in_flight;
            let size = sizes[next % sizes.len()];
            let leave = if may_send {
                pace.leave(size, at(now))
            } else {
                Leave::News
            };
            let wait = match leave {
                Leave::Go(ticket) => {
                    // The server looks at it half a round trip later; its own clock refills meanwhile.
                    let arrival = now + self.latency / 2.0;
                    let refilled = level + (arrival - level_at) * self.limit / 60.0;
                    (level, level_at) = (refilled.min(self.limit), arrival);
                    let cost = size * self.scale;
                    let fate = if level >= cost {
                        level -= cost;
                        next += 1;
                        if now > end / 2.0 {
                            used += cost;
                        }
                        Fate::Answered(Some(cost as u64))
                    } else {
                        n_limited += 1;
                        Fate::Limited
                    };
                    let reset_ms = (self.limit - level) / self.limit * 60e3;
                    let tokens = Some(Rate {
                        limit: self.limit,
                        remaining: level.floor(),
                        reset: Some(Duration::from_millis(reset_ms as u64)),
                    });
                    let rates = Rates {
                        requests: None,
                        tokens,
                    };
                    in_flight.push((now + self.latency, ticket, fate, rates));
                    continue;
                }
                Leave::Wait(wait, _) => Some(now + wait.as_secs_f64()),
                Leave::News => None,
            };
            match (wait, soonest) {
                (Some(wait), Some((_, answer))) if wait < answer => now = wait,
                (Some(wait), None) => now = wait,
                (_, Some((idx, answer))) => {
                    now = answer;
                    let (_, ticket, fate, rates) = in_flight.swap_remove(idx);
                    pace.settle(&ticket, fate, rates, at(now));
                }
                (None, None) => panic!("waits for news that cannot come"),
            }
        }
        Outcome {
            n_limited,
            share_used: used / (self.limit / 60.0 * end / 2.0),
        }
    }
}

#[test]
fn the_limit_is_used_and_not_overrun() {
    let check = |scale: f64, latency: f64, sizes: &[f64], max_limited: usize| {
        let simulation = Simulation {
            limit: 1e6,
            scale,
            latency,
            max_in_flight: 16,
        };
        let outcome = simulation.run(sizes, 20.0);
        let case = format!("scale {scale}, latency {latency}, {sizes:?}");
        assert!(
            outcome.n_limited <= max_limited,
            "{case}: {}",
            outcome.n_limited
        );
        // The last request may be large, and fall on either side of the end.
        assert!(
            (0.95..1.05).contains(&outcome.share_used),
            "{case}: {}",
            outcome.share_used
        );
    };
    check(1.0, 0.2, &[8_000.0], 0);
    check(1.0, 0.2, &[300_000.0], 0);
    check(1.0, 2.0, &[5_000.0], 0);
    check(1.0, 0.2, &[300_000.0, 10.0, 2_000.0, 150_000.0], 0);
    // A server that counts otherwise than we do is learned.
    check(0.7, 0.2, &[20_000.0], 0);
    check(1.4, 0.2, &[20_000.0], 2);
}

fn rate(limit: f64, remaining: f64, reset_ms: u64) -> Option<Rate> {
    Some(Rate {
        limit,
        remaining,
        reset: Some(Duration::from_millis(reset_ms)),
    })
}

fn go(pace: &mut Pace, n_tokens: f64, now: Instant) -> Ticket {
    match pace.leave(n_tokens, now) {
        Leave::Go(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn wait(pace: &mut Pace, n_tokens: f64, now: Instant) -> Duration {
    match pace.leave(n_tokens, now) {
        Leave::Wait(wait, _) => wait,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_request_goes_alone() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    let first = go(&mut pace, 10.0, now);
    assert!(matches!(pace.leave(10.0, now), Leave::News));
    // A failure teaches nothing: the next is alone again.
    pace.settle(&first, Fate::Failed, Rates::default(), now);
    let second = go(&mut pace, 10.0, now);
    assert!(matches!(pace.leave(10.0, now), Leave::News));
    // No limits are told: all may go.
    pace.settle(&second, Fate::Answered(None), Rates::default(), now);
    for _ in 0..100 {
        go(&mut pace, 1e9, now);
    }
}

#[test]
fn limits_per_day_and_per_minute_refill_at_their_own_speed() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    let ticket = go(&mut pace, 100.0, now);
    let rates = Rates {
        // 200 requests a day: one more each 432 s.
        requests: rate(200.0, 0.0, 86_400_000),
        tokens: rate(60_000.0, 500.0, 59_500),
    };
    pace.settle(&ticket, Fate::Answered(Some(100)), rates, now);
    assert_eq!(wait(&mut pace, 100.0, now).as_secs(), 432);
    let later = now + Duration::from_secs(433);
    go(&mut pace, 60_000.0, later);
    // The tokens are used up by what is under way.
    pace.requests = None;
    assert_eq!(wait(&mut pace, 2_000.0, later).as_secs(), 2);
    // More than the limit waits for a full bucket, not forever.
    assert_eq!(wait(&mut pace, 1e9, later).as_secs(), 60);
}

#[test]
fn an_answer_corrects_the_books() {
    let (mut pace, now) = (Pace::default(), Instant::now());
    let first = go(&mut pace, 100.0, now);
    let told = |remaining| Rates {
        requests: None,
        tokens: rate(60_000.0, remaining, 30_000),
    };
    pace.settle(&first, Fate::Answered(None), told(30_000.0), now);
    let (a, b) = (go(&mut pace, 10_000.0, now), go(&mut pace, 10_000.0, now));
    let level = |pace: &Pace| pace.tokens.unwrap().level_at(now);
    assert_eq!(level(&pace), 10_000.0);
    // The server saw only one of the two: the books are right.
    pace.settle(&a, Fate::Answered(None), told(20_000.0), now);
    assert_eq!(level(&pace), 10_000.0);
    // Somebody else is using the account too.
    pace.settle(&b, Fate::Answered(None), told(3_000.0), now);
    assert_eq!(level(&pace), 3_000.0);
    // Turned down: what was taken comes back.
    let c = go(&mut pace, 3_000.0, now);
    assert_eq!(level(&pace), 0.0);
    pace.settle(&c, Fate::Limited, Rates::default(), now);
    assert_eq!(level(&pace), 3_000.0);
}
