//! Questions on a given passage, and summaries of one.

use rand::{Rng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use super::parts::{Prompt, pick, several, share};
use crate::words::{CITIES, JOBS, NAMES, TOPICS};

/// Facts about people, and a question about one of them, directly or by way of another fact.
pub(crate) fn retrieval(rng: &mut ChaCha8Rng) -> Prompt {
    let n_people = rng.random_range(2..=9);
    let has_two_hops = rng.random_bool(0.4);
    let people = several(rng, NAMES, n_people);
    // Cities and jobs do not repeat either, so that every question has exactly one answer.
    let cities = several(rng, CITIES, n_people);
    let jobs = several(rng, JOBS, n_people);
    let mut facts: Vec<String> = (0..n_people)
        .map(|i| {
            let (person, city, job) = (people[i], cities[i], jobs[i]);
            let year = rng.random_range(1975..2020);
            match rng.random_range(0..3) {
                0 => format!(
                    "{person} moved to {city} in {year} and works there as {} {job}.",
                    article(job)
                ),
                1 => format!(
                    "Since {year}, {person} has been {} {job} in {city}.",
                    article(job)
                ),
                _ => format!(
                    "In {city} lives {person}, {} {job}, who came in {year}.",
                    article(job)
                ),
            }
        })
        .collect();
    facts.shuffle(rng);
    let asked = rng.random_range(0..n_people);
    let (person, city, job) = (people[asked], cities[asked], jobs[asked]);
    let ask = if has_two_hops {
        let friend = people[(asked + 1) % n_people];
        format!(
            "{friend} is visiting the {job}. In which city does the visit take place, and since when has the host lived there?"
        )
    } else {
        match rng.random_range(0..3) {
            0 => format!("What does {person} do for a living?"),
            1 => format!("Who lives in {city}?"),
            _ => format!("In which city does {person} work?"),
        }
    };
    let intro = pick(
        rng,
        &[
            "Read the passage and answer the question.",
            "Use only the text below.",
            "Answer from the passage.",
        ],
    );
    let difficulty = 0.55 * share(n_people, 2, 9) + if has_two_hops { 0.45 } else { 0.0 };
    Prompt::new(
        format!("{intro}\n\n{}\n\nQuestion: {ask}", facts.join(" ")),
        difficulty,
    )
}

const OPENINGS: &[&str] = &[
    "When the plan was announced, few people believed that it would last.",
    "It began with a notice on the door of the post office.",
    "Nobody remembers who had the idea first.",
    "The town council had set aside a small sum, and nobody knew what for.",
];

const MIDDLES: &[&str] = &[
    "In the first month only a dozen people took part, most of them retired.",
    "A local firm lent tools and asked for nothing in return.",
    "The costs turned out to be a third lower than the estimate.",
    "Some neighbors complained about the noise, and the hours were changed.",
    "A school class kept a diary of everything that happened.",
    "Two students measured the effects and published them in a short report.",
    "Heavy rain in spring undid several weeks of work.",
    "An engineer from the next town offered advice by telephone every Friday.",
    "By the second year there was a waiting list.",
    "The insurance company asked for three separate inspections.",
    "Visitors came from as far away as the capital to see it.",
    "The organizers disagreed about whether to accept advertising.",
];

const CLOSINGS: &[&str] = &[
    "Today nobody would want to be without it.",
    "Whether it will go on next year depends on a vote in the fall.",
    "The organizers say that they would do most of it again, only slower.",
    "What remains is a lesson in patience.",
];

pub(crate) fn summary(rng: &mut ChaCha8Rng) -> Prompt {
    let n_middles = rng.random_range(2..=9);
    let form = rng.random_range(0..4_usize);
    let city = pick(rng, CITIES);
    let topic = pick(rng, TOPICS);
    let name = pick(rng, NAMES);
    let limit = rng.random_range(12..40);
    let ask = match form {
        0 => "Summarize the text in two sentences.".to_owned(),
        1 => format!("Give the main point of the text in at most {limit} words."),
        2 => "List the three most important facts of the text, without repeating its wording."
            .to_owned(),
        _ => format!(
            "Summarize the text in exactly {limit} words, for a reader who knows nothing of {city}, and end with an open question."
        ),
    };
    let text = format!(
        "{} {name}, who lives in {city}, wrote about {topic}. {} {}",
        pick(rng, OPENINGS),
        several(rng, MIDDLES, n_middles).join(" "),
        pick(rng, CLOSINGS)
    );
    let difficulty = 0.45 * share(n_middles, 2, 9) + 0.55 * share(form, 0, 3);
    Prompt::new(format!("{ask}\n\n{text}"), difficulty)
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    }
}
