//! Logic and dates.

use rand::{Rng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::parts::{Prompt, either, pick, several, share};
use crate::words::{MONTHS, NAMES, WEEKDAYS};

pub(crate) fn logic(rng: &mut ChaCha8Rng) -> Prompt {
    either(rng, 0.6, ordering, knights)
}

/// People in a hidden order, given by comparisons of neighbors.
fn ordering(rng: &mut ChaCha8Rng) -> Prompt {
    const RELATIONS: &[(&str, &str, &str)] = &[
        ("is older than", "is younger than", "oldest"),
        ("is taller than", "is shorter than", "tallest"),
        ("finished before", "finished after", "first to finish"),
        (
            "lives farther north than",
            "lives farther south than",
            "northernmost",
        ),
    ];
    let n_people = rng.random_range(3..=8);
    let has_mixed_directions = rng.random_bool(0.5);
    let people = several(rng, NAMES, n_people);
    let (more, less, most) = RELATIONS[rng.random_range(0..RELATIONS.len())];
    let mut clues: Vec<String> = people
        .windows(2)
        .map(|pair| {
            if has_mixed_directions && rng.random_bool(0.5) {
                format!("{} {less} {}.", pair[1], pair[0])
            } else {
                format!("{} {more} {}.", pair[0], pair[1])
            }
        })
        .collect();
    let is_shuffled = rng.random_bool(0.7);
    if is_shuffled {
        clues.shuffle(rng);
    }
    // No more ranks than there are people, or words for them below.
    let place = rng.random_range(0..n_people.min(4));
    let rank = ["", "second ", "third ", "fourth "][place];
    let ask = format!("Who is the {rank}{most}?");
    // What the text shows counts: with few clues, none may have been turned around.
    let mixed = f64::from(u8::from(clues.iter().any(|clue| clue.contains(less))));
    // A shuffle may leave things as they were, so the order is what counts.
    let in_order = clues.windows(2).all(|two| {
        let position = |clue: &str| {
            people
                .iter()
                .position(|name| clue.starts_with(name) || clue.ends_with(&format!("{name}.")))
        };
        position(&two[0]) < position(&two[1])
    });
    let shuffled = if in_order { 0.0 } else { 1.0 };
    let difficulty =
        0.5 * share(n_people, 3, 8) + 0.2 * mixed + 0.2 * shuffled + 0.1 * share(place, 0, 3);
    Prompt::new(format!("{} {ask}", clues.join(" ")), difficulty)
}

/// Liars and truth-tellers; the statements are true of a hidden assignment.
fn knights(rng: &mut ChaCha8Rng) -> Prompt {
    let n_people = rng.random_range(2..=6);
    let people = several(rng, NAMES, n_people);
    let is_honest: Vec<bool> = people.iter().map(|_| rng.random_bool(0.5)).collect();
    let mut n_compound = 0;
    let statements: Vec<String> = (0..n_people)
        .map(|speaker| {
            let other = (speaker + rng.random_range(1..n_people)) % n_people;
            let name = people[other];
            if rng.random_bool(0.35) {
                n_compound += 1;
                // "We are of the same kind" is said by all if the other is honest, else "of different kinds".
                let kinds = if is_honest[other] {
                    "the same kind"
                } else {
                    "different kinds"
                };
                return format!("{} says: \"{name} and I are of {kinds}.\"", people[speaker]);
            }
            let told = if is_honest[speaker] == is_honest[other] {
                "always tells the truth"
            } else {
                "always lies"
            };
            format!("{} says: \"{name} {told}.\"", people[speaker])
        })
        .collect();
    let place = pick(rng, &["On an island", "In a village", "At a strange court"]);
    let difficulty = 0.3 + 0.5 * share(n_people, 2, 6) + 0.2 * f64::from(n_compound.min(2)) / 2.0;
    let text = format!(
        "{place} everyone either always tells the truth or always lies. {} Who tells the truth? Explain briefly.",
        statements.join(" ")
    );
    Prompt::new(text, difficulty)
}

pub(crate) fn dates(rng: &mut ChaCha8Rng) -> Prompt {
    let year = rng.random_range(1990..2060);
    let month = rng.random_range(1..=12);
    // Every month has a 28th, so every draw is a date.
    let day = rng.random_range(1..=28);
    let month_name = MONTHS[month - 1];
    let weekday = WEEKDAYS[weekday(year, month, day)];
    let name = pick(rng, NAMES);
    match rng.random_range(0..5) {
        0 => {
            let n_days = rng.random_range(2..=28_usize);
            let text = format!(
                "Today is {weekday}. {name} has an appointment in {n_days} days. What day of the week is that?"
            );
            Prompt::new(text, 0.25 * share(n_days, 2, 28))
        }
        1 => {
            let n_days = rng.random_range(10..=400_usize);
            let text = format!("What is the date {n_days} days after {month_name} {day}, {year}?");
            Prompt::new(text, 0.25 + 0.5 * share(n_days, 10, 400))
        }
        2 => {
            let n_weeks = rng.random_range(2..=30_usize);
            let text = format!(
                "{name} starts a course on {weekday}, {month_name} {day}, {year}. It meets every {weekday} and ends after {n_weeks} meetings. On what date is the last meeting?"
            );
            Prompt::new(text, 0.2 + 0.5 * share(n_weeks, 2, 30))
        }
        3 => {
            let text =
                format!("On which day of the week did, or will, {month_name} {day}, {year} fall?");
            Prompt::new(text, 0.65 + 0.25 * share(year as usize, 1990, 2059))
        }
        _ => {
            let n_days = rng.random_range(5..=60_usize);
            let text = format!(
                "A permit issued on {weekday}, {month_name} {day}, {year} is valid for {n_days} working days. Saturdays and Sundays do not count, nor does the day of issue. On what date does it expire?"
            );
            Prompt::new(text, 0.6 + 0.4 * share(n_days, 5, 60))
        }
    }
}

/// Day of the week of a date of the Gregorian calendar, from 0 for Monday (Sakamoto's method).
fn weekday(year: i32, month: usize, day: i32) -> usize {
    const SHIFTS: [i32; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
    let year = if month < 3 { year - 1 } else { year };
    let from_sunday = (year + year / 4 - year / 100 + year / 400 + SHIFTS[month - 1] + day) % 7;
    (from_sunday as usize + 6) % 7
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_are_the_calendars() {
        for (year, month, day, expected) in [
            (2000, 1, 1, "Saturday"),
            (2024, 2, 29, "Thursday"),
            (1999, 12, 31, "Friday"),
            (2026, 3, 2, "Monday"),
        ] {
            assert_eq!(WEEKDAYS[weekday(year, month, day)], expected);
        }
    }
}
