//! What a server says of its limits, in headers.

use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

/// Longer waits are cut to this one, which no one waits either, so that sums of times stay within what a clock can show.
const LONGEST: Duration = Duration::from_secs(100 * 86_400);

/// One limit, as an answer states it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    /// The most that can be available.
    pub(crate) limit: f64,
    /// What is left now.
    pub(crate) remaining: f64,
    /// Until all of it is available again.
    pub(crate) reset: Option<Duration>,
}

/// The limits of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rates {
    pub(crate) requests: Option<Rate>,
    pub(crate) tokens: Option<Rate>,
}

impl Rates {
    /// From `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`. Missing or invalid values count as unknown.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let rate = |what: &str| {
            let get = |name: &str| text(headers, &format!("x-ratelimit-{name}-{what}"));
            let number = |name| get(name)?.parse().ok().filter(|n: &f64| n.is_finite());
            Some(Rate {
                limit: number("limit").filter(|limit| *limit > 0.0)?,
                remaining: number("remaining")?,
                reset: get("reset").and_then(parse_duration),
            })
        };
        Self {
            requests: rate("requests"),
            tokens: rate("tokens"),
        }
    }
}

/// The wait that the server asks for: `retry-after-ms`, or `retry-after` in seconds or as a date.
pub(crate) fn asked_wait(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let ms = text(headers, "retry-after-ms").and_then(|ms| ms.parse::<f64>().ok());
    if let Some(wait) = ms.and_then(|ms| duration(ms / 1e3)) {
        return Some(wait);
    }
    let after = text(headers, "retry-after")?;
    if let Some(wait) = parse_duration(after) {
        return Some(wait);
    }
    // Some write the zone as mails have it.
    let date = after.replace("+0000", "GMT").replace("UTC", "GMT");
    let date = httpdate::parse_http_date(&date).ok()?;
    // A date that has passed asks for no wait.
    Some(date.duration_since(now).unwrap_or_default().min(LONGEST))
}

/// `None` for what is less than nothing or not a number.
fn duration(seconds: f64) -> Option<Duration> {
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())))
}

/// `6ms`, `1.5s`, `1m30s`, `7m12s`, `2h0m0.5s`; a bare number is seconds.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse::<f64>() {
        return duration(seconds);
    }
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let n_digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(n_digits);
        let n_letters = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(n_letters.unwrap_or(after.len()));
        let unit_seconds = match unit {
            "d" => 86_400.0,
            "h" => 3_600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit_seconds;
        rest = after;
    }
    duration(seconds)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        pairs.collect()
    }

    #[test]
    fn durations_of_headers_are_read() {
        let check = |text: &str, ms: Option<u64>| {
            let expected = ms.map(Duration::from_millis);
            assert_eq!(parse_duration(text), expected, "{text:?}");
        };
        check("6ms", Some(6));
        check("1m30s", Some(90_000));
        check("1.5s", Some(1_500));
        check("7m12s", Some(432_000));
        check("1h0m0.5s", Some(3_600_500));
        check("2d", Some(172_800_000));
        check("0s", Some(0));
        check("20", Some(20_000));
        check("2000us", Some(2));
        for bad in ["", "s", "1x", "1..2s", "-1s", "1 s", "NaN", "1m30"] {
            check(bad, None);
        }
    }

    #[test]
    fn limits_are_read_as_openai_sends_them() {
        let rates = Rates::of(&headers(&[
            ("x-ratelimit-limit-requests", "3000"),
            ("x-ratelimit-remaining-requests", "2999"),
            ("x-ratelimit-reset-requests", "20ms"),
            ("x-ratelimit-limit-tokens", "1000000"),
            ("x-ratelimit-remaining-tokens", "999994"),
        ]));
        let requests = Rate {
            limit: 3_000.0,
            remaining: 2_999.0,
            reset: Some(Duration::from_millis(20)),
        };
        assert_eq!(rates.requests, Some(requests));
        assert_eq!(rates.tokens.unwrap().reset, None);
        let nonsense = headers(&[
            ("x-ratelimit-limit-requests", "0"),
            ("x-ratelimit-remaining-requests", "1"),
            ("x-ratelimit-limit-tokens", "many"),
            ("x-ratelimit-remaining-tokens", "NaN"),
        ]);
        assert_eq!(Rates::of(&nonsense), Rates::default());
    }

    #[test]
    fn waits_are_read_in_all_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let check = |pairs: &[(&str, &str)], ms: Option<u64>| {
            let found = asked_wait(&headers(pairs), now);
            assert_eq!(found, ms.map(Duration::from_millis), "{pairs:?}");
        };
        check(&[], None);
        check(&[("retry-after", "2")], Some(2_000));
        check(&[("retry-after", "0.25")], Some(250));
        check(&[("retry-after", "1m2s")], Some(62_000));
        check(
            &[("retry-after", "Sun, 06 Nov 1994 08:49:47 +0000")],
            Some(10_000),
        );
        check(
            &[("retry-after", "2"), ("retry-after-ms", "1234")],
            Some(1_234),
        );
        check(
            &[("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT")],
            Some(10_000),
        );
        check(&[("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")], Some(0));
        check(&[("retry-after", "-3")], None);
        check(&[("retry-after", "soon")], None);
        check(&[("retry-after", "NaN")], None);
        let longest = u64::try_from(LONGEST.as_millis()).unwrap();
        for long in ["1e30", "inf", "18446744073709551616"] {
            check(&[("retry-after", long)], Some(longest));
        }
        check(
            &[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")],
            Some(longest),
        );
    }

    #[test]
    fn mutations_of_headers_do_not_panic() {
        let files = [
            b"1m30s".to_vec(),
            b"7m12.5s".to_vec(),
            b"Sun, 06 Nov 1994 08:49:47 GMT".to_vec(),
            b"1e30".to_vec(),
            b"NaN".to_vec(),
        ];
        test_support::try_mutations(&files, |bytes| {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else {
                return;
            };
            let mut headers = HeaderMap::new();
            for name in [
                "retry-after",
                "retry-after-ms",
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
            ] {
                headers.insert(name, value.clone());
            }
            _ = Rates::of(&headers);
            _ = asked_wait(&headers, SystemTime::UNIX_EPOCH);
        });
    }
}
