//! Free text under constraints.

use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::parts::{Prompt, pick, several, share};
use crate::words::{AUDIENCES, NAMES, PLAIN_WORDS, TOPICS};

/// What to write, and how hard its form is.
const FORMS: &[(&str, f64)] = &[
    ("a short note", 0.0),
    ("a friendly email", 0.1),
    ("a blog post", 0.25),
    ("a product announcement", 0.3),
    ("a speech of one minute", 0.4),
    ("a dialogue between two strangers", 0.5),
    ("a very short story", 0.6),
    ("a limerick", 0.8),
    ("a sonnet", 1.0),
];

pub(crate) fn writing(rng: &mut ChaCha8Rng) -> Prompt {
    let (form, hardness) = FORMS[rng.random_range(0..FORMS.len())];
    let topic = pick(rng, TOPICS);
    let n_constraints = rng.random_range(0..=4);
    let word = pick(rng, PLAIN_WORDS);
    let name = pick(rng, NAMES);
    let audience = pick(rng, AUDIENCES);
    let constraints = [
        format!("Write it for {audience}."),
        format!("Use the word \"{word}\" exactly once."),
        format!("Mention a person called {name}."),
        "Do not use the letter \"z\".".to_owned(),
        "Let every paragraph begin with a different vowel.".to_owned(),
        "End with a question.".to_owned(),
    ];
    let constraints: Vec<&str> = constraints.iter().map(String::as_str).collect();
    let author = pick(rng, NAMES);
    let mut text = format!("Write {form} about {topic}, in the voice of {author}.");
    for constraint in several(rng, &constraints, n_constraints) {
        text.push(' ');
        text.push_str(constraint);
    }
    Prompt::new(text, 0.5 * hardness + 0.5 * share(n_constraints, 0, 4))
}
