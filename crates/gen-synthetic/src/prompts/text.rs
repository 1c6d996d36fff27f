//! Work on strings, and the tone of reviews.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::parts::{Prompt, pick, several, share};
use crate::words::{LONG_WORDS, NAMES, PLAIN_WORDS, PRODUCTS};

pub(crate) fn strings(rng: &mut ChaCha8Rng) -> Prompt {
    let is_long = rng.random_bool(0.5);
    let words = if is_long { LONG_WORDS } else { PLAIN_WORDS };
    let long = f64::from(u8::from(is_long));
    match rng.random_range(0..4) {
        0 => {
            let n_words = rng.random_range(1..=5);
            let text = several(rng, words, n_words).join(" ");
            let prompt = format!("Write this backwards, letter by letter: {text}");
            Prompt::new(prompt, 0.6 * share(n_words, 1, 5) + 0.4 * long)
        }
        1 => {
            let n_words = rng.random_range(2..=9);
            let text = several(rng, words, n_words).join(" ");
            let letter = pick(rng, &["a", "e", "i", "n", "o", "r", "s", "t"]);
            let prompt =
                format!("How many times does the letter \"{letter}\" appear in \"{text}\"?");
            Prompt::new(prompt, 0.1 + 0.6 * share(n_words, 2, 9) + 0.3 * long)
        }
        2 => {
            let n_words = rng.random_range(3..=12);
            let text = several(rng, words, n_words).join(", ");
            let rule = rng.random_range(0..3_usize);
            let order = [
                "alphabetically",
                "by length, shortest first",
                "by their last letter",
            ][rule];
            let prompt = format!("Sort these words {order}: {text}.");
            Prompt::new(
                prompt,
                0.5 * share(n_words, 3, 12) + 0.3 * share(rule, 0, 2) + 0.1 * long,
            )
        }
        _ => {
            let steps = [
                "remove every vowel",
                "write it in capital letters",
                "double every consonant",
                "swap the first and the last letter of each word",
                "shift each letter one place on in the alphabet",
            ];
            let n_steps = rng.random_range(1..=4);
            let steps = several(rng, &steps, n_steps).join(", then ");
            let text = several(rng, words, 3).join(" ");
            Prompt::new(
                format!("Take the text \"{text}\". Now {steps}. What is left?"),
                0.1 + 0.7 * share(n_steps, 1, 4) + 0.2 * long,
            )
        }
    }
}

const PRAISE: &[&str] = &[
    "It arrived two days early and works as described.",
    "The build quality is better than I expected for the price.",
    "My whole family uses it every day.",
    "I would buy it again without thinking twice.",
    "Setting it up took less than five minutes.",
    "It has survived two winters without a scratch.",
    "The colors are even nicer than in the pictures.",
];

const BLAME: &[&str] = &[
    "It stopped working after a week.",
    "The instructions are impossible to follow.",
    "Customer service never answered my three messages.",
    "It smells of plastic and feels cheap.",
    "One part was missing from the box.",
    "I had to send it back twice.",
    "It is much smaller than the pictures suggest.",
];

/// Sentences that say the opposite of what they mean.
const IRONY: &[&str] = &[
    "Truly a masterpiece, if what you need is an expensive paperweight.",
    "I have never felt so close to a helpdesk recording in my life.",
    "Congratulations to whoever decided that a manual was a luxury.",
    "It does exactly one thing well: it reminds me to read reviews first.",
    "Five stars for the courier, who at least was real.",
];

pub(crate) fn sentiment(rng: &mut ChaCha8Rng) -> Prompt {
    let product = pick(rng, PRODUCTS);
    let name = pick(rng, NAMES);
    let n_plain = rng.random_range(1..=4);
    let kind = rng.random_range(0..4_usize);
    let mut sentences = match kind {
        0 => several(rng, PRAISE, n_plain),
        1 => several(rng, BLAME, n_plain),
        2 => [several(rng, PRAISE, n_plain), several(rng, BLAME, n_plain)].concat(),
        _ => [several(rng, PRAISE, n_plain - 1), several(rng, IRONY, 2)].concat(),
    };
    // Mixed reviews are shuffled: praise first and blame last would give the answer away.
    if kind == 2 {
        sentences = several(rng, &sentences, sentences.len());
    }
    let ask = pick(
        rng,
        &[
            "Is the following review positive, negative or mixed?",
            "Classify the tone of this review as positive, negative or mixed.",
            "Decide whether the writer is happy with the purchase: answer positive, negative or mixed.",
        ],
    );
    let difficulty = [0.0, 0.05, 0.5, 0.8][kind] + 0.2 * share(n_plain, 1, 4);
    Prompt::new(
        format!(
            "{ask} Review by {name} of a {product}: \"{}\"",
            sentences.join(" ")
        ),
        difficulty,
    )
}
