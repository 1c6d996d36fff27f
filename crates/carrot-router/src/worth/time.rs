//! Values of a column that order rows in time.

use crate::worth::WorthError;

/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// A number for each value, by which rows can be ordered: the values themselves where all are numbers, seconds since 1970-01-01 UTC where all
/// are dates.
///
/// Dates are those of ISO 8601 in its extended form: `2026-11-30`, then `T` or a space and `14:05`, `14:05:30` or `14:05:30.25`, then `Z` or an
/// offset such as `+02:00`. Without an offset the time is UTC. Each of the rows needs a value.
///
/// # Errors
/// [`WorthError::BadTime`] with the first row whose value is neither, or is of the other kind than the first row's.
pub(crate) fn parse(column: &str, values: &[String]) -> Result<Vec<f64>, WorthError> {
    let are_numbers = values.first().is_some_and(|it| number(it).is_some());
    let of = if are_numbers { number } else { date };
    let parsed = values.iter().enumerate().map(|(row_idx, value)| {
        of(value).ok_or_else(|| WorthError::BadTime {
            column: column.to_owned(),
            row: row_idx + 1,
            value: value.clone(),
            expected: match (are_numbers, row_idx) {
                (_, 0) => "a number or an ISO 8601 date",
                (true, _) => "a number, as in the first row",
                (false, _) => "an ISO 8601 date, as in the first row",
            },
        })
    });
    parsed.collect()
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|it: &f64| it.is_finite())
}

/// Seconds since 1970-01-01 UTC.
fn date(text: &str) -> Option<f64> {
    let text = text.trim();
    let (day, rest) = text.split_at_checked(10)?;
    let [year, month, day] = fields(day, '-', [4, 2, 2])?;
    let n_days = days_since_1970(year, month, day)?;
    let seconds = match rest {
        "" => 0.0,
        rest => time_of_day(rest.strip_prefix(['T', 't', ' '])?)?,
    };
    Some(n_days as f64 * DAY + seconds)
}

/// Seconds since midnight UTC; below 0, or a day and more, where the offset says so.
fn time_of_day(text: &str) -> Option<f64> {
    let (clock, offset) = match text.find(['Z', 'z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, "Z"),
    };
    let offset = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), offset) => {
            let [hours, minutes] = match offset.len() {
                2 => [fields(offset, ':', [2])?[0], 0],
                4 => fields(&format!("{}:{}", &offset[..2], &offset[2..]), ':', [2, 2])?,
                _ => fields(offset, ':', [2, 2])?,
            };
            let is_offset = hours < 24 && minutes < 60;
            let seconds = is_offset.then_some(60 * (60 * hours + minutes))?;
            if sign == "-" { -seconds } else { seconds }
        }
        _ => return None,
    };
    let (clock, fraction) = match clock.split_once(['.', ',']) {
        Some((clock, digits)) if clock.len() == 8 && is_digits(digits) => {
            (clock, format!("0.{digits}").parse().ok()?)
        }
        Some(_) => return None,
        None => (clock, 0.0),
    };
    let [hour, minute, second] = match clock.len() {
        5 => {
            let [hour, minute] = fields(clock, ':', [2, 2])?;
            [hour, minute, 0]
        }
        _ => fields(clock, ':', [2, 2, 2])?,
    };
    // A leap second is 60.
    let is_time = hour < 24 && minute < 60 && second <= 60;
    is_time.then(|| (60 * (60 * hour + minute) + second - offset) as f64 + fraction)
}

/// Whole numbers of so many digits each, between separators.
fn fields<const N: usize>(text: &str, separator: char, n_digits: [usize; N]) -> Option<[i64; N]> {
    let mut found = [0; N];
    let mut parts = text.split(separator);
    for (value, n_digits) in found.iter_mut().zip(n_digits) {
        let part = parts.next()?;
        *value = (part.len() == n_digits && is_digits(part))
            .then(|| part.parse().ok())
            .flatten()?;
    }
    parts.next().is_none().then_some(found)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Days from 1970-01-01 to a day of the Gregorian calendar; `None` of one that is not in it.
fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let months_before = usize::try_from(month - 1).ok()?;
    let length = *lengths.get(months_before)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    // Leap days in the years 1 to y.
    let n_leap = |y: i64| y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    let before_year = 365 * (year - 1970) + n_leap(year - 1) - n_leap(1969);
    let before_month: i64 = lengths[..months_before].iter().sum();
    Some(before_year + before_month + day - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(values: &[&str]) -> Result<Vec<f64>, String> {
        let values: Vec<String> = values.iter().map(|&it| it.to_owned()).collect();
        parse("at", &values).map_err(|error| error.to_string())
    }

    #[test]
    fn numbers_are_taken_as_they_are() {
        assert_eq!(times(&["3", " -1.5", "2e3"]), Ok(vec![3.0, -1.5, 2000.0]));
    }

    /// Expected values from Python's `datetime.fromisoformat(...).timestamp()`, with `+00:00` where there is no offset.
    #[test]
    fn dates_are_seconds_since_1970() {
        for (text, expected) in [
            ("1970-01-01", 0.0),
            ("1969-12-31", -86_400.0),
            ("2000-02-29", 951_782_400.0),
            ("2026-11-30T15:14:01Z", 1_796_051_641.0),
            ("2026-11-30 15:14", 1_796_051_640.0),
            ("2026-11-30T15:14:01.250+02:00", 1_796_044_441.25),
            ("2026-11-30T15:14:01-0530", 1_796_071_441.0),
            ("2026-11-30T00:00:00+01", 1_795_993_200.0),
            ("1600-01-01", -11_676_096_000.0),
        ] {
            assert_eq!(times(&[text]), Ok(vec![expected]), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_named_with_its_row() {
        for bad in [
            "",
            "soon",
            "NaN",
            "inf",
            "2026-13-01",
            "2025-02-29",
            "1900-02-29",
            "2026-1-1",
            "30.11.2026",
            "2026-11-30T",
            "2026-11-30T25:00",
            "2026-11-30T12:00:00.",
            "2026-11-30T12:00 CET",
            "2026-11-30x",
            "２026-11-30",
        ] {
            let error = times(&["2026-11-30", bad]).expect_err(bad);
            assert!(error.contains("in row 2"), "{error}");
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
        let error = times(&["1", "2026-11-30"]).expect_err("two kinds");
        assert!(error.contains("a number, as in the first row"), "{error}");
        let error = times(&["2026-11-30", "1"]).expect_err("two kinds");
        assert!(error.contains("an ISO 8601 date, as in"), "{error}");
        let error = times(&["x"]).expect_err("neither");
        assert!(error.contains("a number or an ISO 8601 date"), "{error}");
    }
}
