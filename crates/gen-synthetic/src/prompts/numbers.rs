//! Arithmetic, units, sequences.

use std::fmt::Write as _;

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::parts::{Prompt, either, listed, pick, several, share};
use crate::words::{GOODS, NAMES, SHOPS};

pub(crate) fn arithmetic(rng: &mut ChaCha8Rng) -> Prompt {
    either(rng, 0.5, expression, word_problem)
}

fn expression(rng: &mut ChaCha8Rng) -> Prompt {
    let n_operations = rng.random_range(1..=6);
    let n_digits = rng.random_range(1..=4_u32);
    let number =
        |rng: &mut ChaCha8Rng| rng.random_range(10_u32.pow(n_digits - 1)..10_u32.pow(n_digits));
    let mut text = number(rng).to_string();
    let mut n_products = 0;
    for _ in 0..n_operations {
        // Products are rarer: already two of them make an expression as hard as it gets.
        let sign = pick(rng, &["+", "+", "-", "-", "*"]);
        n_products += usize::from(sign == "*");
        write!(text, " {sign} {}", number(rng)).expect("writing to a string cannot fail");
    }
    let ask = pick(
        rng,
        &[
            "Calculate",
            "Work out",
            "Evaluate",
            "What is the value of",
            "Compute",
        ],
    );
    let end = pick(
        rng,
        &["", " Give only the number.", " Multiply before you add."],
    );
    // The weights sum to 1, so that the hardest expression has difficulty 1.
    let difficulty = 0.4 * share(n_operations, 1, 6)
        + 0.4 * share(n_digits as usize, 1, 4)
        + 0.2 * n_products.min(2) as f64 / 2.0;
    Prompt::new(format!("{ask} {text}.{end}"), difficulty)
}

fn word_problem(rng: &mut ChaCha8Rng) -> Prompt {
    let n_goods = rng.random_range(1..=5);
    let has_cents = rng.random_bool(0.5);
    let has_discount = rng.random_bool(0.4);
    let goods = several(rng, GOODS, n_goods);
    let lines: Vec<String> = goods
        .into_iter()
        .map(|good| {
            let (n, dollars) = (rng.random_range(3..60), rng.random_range(1..25));
            let cents = if has_cents {
                format!(".{:02}", rng.random_range(1..20) * 5)
            } else {
                String::new()
            };
            format!("{n} {good} at ${dollars}{cents} each")
        })
        .collect();
    let name = pick(rng, NAMES);
    let shop = pick(rng, SHOPS);
    let lines = listed(&lines);
    let mut text = format!("{name} runs {shop} and sells {lines}.");
    if has_discount {
        let percent = rng.random_range(1..10) * 5;
        write!(text, " Everything is marked down by {percent} percent.")
            .expect("writing to a string cannot fail");
    }
    let ask = pick(
        rng,
        &[
            "How much money comes in altogether?",
            "What is the total?",
            "How many dollars is that in all?",
        ],
    );
    let difficulty = 0.55 * share(n_goods, 1, 5)
        + 0.2 * f64::from(u8::from(has_cents))
        + 0.25 * f64::from(u8::from(has_discount));
    Prompt::new(format!("{text} {ask}"), difficulty)
}

/// From, to, and how hard the factor is.
const CONVERSIONS: &[(&str, &str, f64)] = &[
    ("kilometers", "meters", 0.0),
    ("kilograms", "grams", 0.0),
    ("hours", "minutes", 0.05),
    ("liters", "milliliters", 0.0),
    ("days", "seconds", 0.3),
    ("inches", "centimeters", 0.35),
    ("miles", "kilometers", 0.4),
    ("pounds", "kilograms", 0.4),
    ("degrees Fahrenheit", "degrees Celsius", 0.5),
    ("US gallons", "liters", 0.5),
    ("acres", "square meters", 0.6),
    ("knots", "meters per second", 0.7),
    ("kilowatt-hours", "kilojoules", 0.6),
    ("light-minutes", "astronomical units", 0.75),
];

pub(crate) fn units(rng: &mut ChaCha8Rng) -> Prompt {
    let (from, to, factor) = CONVERSIONS[rng.random_range(0..CONVERSIONS.len())];
    let n_decimals = rng.random_range(0..=3_usize);
    let is_temperature = from.starts_with("degrees");
    let largest = if is_temperature { 400 } else { 90_000 };
    let amount = f64::from(rng.random_range(2..largest))
        / 10_f64.powi(rng.random_range(0..=n_decimals as i32));
    // Temperatures do not add up.
    let in_words = rng.random_bool(0.3) && !is_temperature;
    let digits = rng.random_range(2..=5_usize);
    // Decimals are written out even where they are 0: their number is part of the difficulty, so the text has to show it.
    let amount = format!("{amount:.n_decimals$}");
    let (text, story) = if in_words {
        let name = pick(rng, NAMES);
        let day = rng.random_range(2..9);
        let text = format!(
            "{name} records {amount} {from} a day for {day} days and has to report the total in {to}. What is the figure, to {digits} significant digits?"
        );
        (text, 1.0)
    } else {
        let ask = pick(rng, &["Convert", "Express", "Please convert"]);
        let into = if ask == "Express" { "in" } else { "to" };
        (
            format!("{ask} {amount} {from} {into} {to}, to {digits} significant digits."),
            0.0,
        )
    };
    let difficulty =
        factor + 0.1 * share(n_decimals, 0, 3) + 0.1 * share(digits, 2, 5) + 0.2 * story;
    Prompt::new(text, difficulty)
}

pub(crate) fn sequence(rng: &mut ChaCha8Rng) -> Prompt {
    let kind = rng.random_range(0..6_usize);
    let n_shown = rng.random_range(5..=8_usize);
    let (start, step) = (rng.random_range(1..40_i64), rng.random_range(2..13_i64));
    let factor = rng.random_range(2..5_i64);
    let terms: Vec<i64> = (0..n_shown as i64)
        .scan((start, start + step), |(a, b), i| {
            let term = match kind {
                0 => start + step * i,
                // At most 39 * 4^7, so no overflow.
                1 => start * factor.pow(i as u32),
                2 => start + step * i * i,
                // Up by `step`, down by one, in turn.
                3 => start + step * ((i + 1) / 2) - i / 2,
                4 => *a,
                // Two sequences interleaved.
                _ if i % 2 == 0 => start + step * i / 2,
                _ => factor * (i + 1) / 2 + 100,
            };
            (*a, *b) = (*b, *a + *b);
            Some(term)
        })
        .collect();
    let terms: Vec<String> = terms.iter().map(i64::to_string).collect();
    let ask = pick(
        rng,
        &[
            "What number comes next",
            "Continue the sequence",
            "Which number follows",
        ],
    );
    let hints = [
        "the difference is constant",
        "each term is a multiple of the one before",
        "the differences grow",
        "two steps take turns",
        "each term depends on the two before it",
        "two sequences are interleaved",
    ];
    let has_hint = rng.random_bool(0.5);
    let hint = if has_hint {
        format!(" Hint: {}.", hints[kind])
    } else {
        String::new()
    };
    // Kinds are numbered from the easiest to the hardest.
    let difficulty = 0.75 * share(kind, 0, 5)
        + if has_hint { 0.0 } else { 0.15 }
        + 0.1 * (1.0 - share(n_shown, 5, 8));
    Prompt::new(
        format!("{ask}: {}, ...?{hint}", terms.join(", ")),
        difficulty,
    )
}
