//! Prompts from templates. A prompt's difficulty follows from what its text says, so that a router can learn it from
//! there.

mod code;
mod numbers;
mod parts;
mod passages;
mod reasoning;
mod text;
mod writing;

use rand_chacha::ChaCha8Rng;

use crate::config::Family;

pub(crate) use self::parts::Prompt;

/// Makes a prompt of a family.
pub(crate) fn prompt(family: Family, rng: &mut ChaCha8Rng) -> Prompt {
    match family {
        Family::Arithmetic => numbers::arithmetic(rng),
        Family::Units => numbers::units(rng),
        Family::Sequences => numbers::sequence(rng),
        Family::Logic => reasoning::logic(rng),
        Family::Dates => reasoning::dates(rng),
        Family::Strings => text::strings(rng),
        Family::Sentiment => text::sentiment(rng),
        Family::Code => code::code(rng),
        Family::Retrieval => passages::retrieval(rng),
        Family::Summary => passages::summary(rng),
        Family::Writing => writing::writing(rng),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn every_family_spans_easy_and_hard_prompts_of_sane_length() {
        for family in Family::ALL {
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let prompts: Vec<Prompt> = (0..2000).map(|_| prompt(family, &mut rng)).collect();
            let (mut low, mut high, mut sum) = (1.0_f64, 0.0_f64, 0.0);
            for Prompt { text, difficulty } in &prompts {
                assert!((0.0..=1.0).contains(difficulty), "{family:?}: {difficulty}");
                assert!((10..2500).contains(&text.len()), "{family:?}: {text}");
                assert!(
                    !text.contains("  ") || family == Family::Code,
                    "{family:?}: {text}"
                );
                (low, high, sum) = (
                    low.min(*difficulty),
                    high.max(*difficulty),
                    sum + difficulty,
                );
            }
            assert!(low < 0.15 && high > 0.85, "{family:?}: {low} to {high}");
            let mean = sum / prompts.len() as f64;
            assert!((0.3..0.7).contains(&mean), "{family:?}: mean {mean}");
        }
    }

    #[test]
    fn the_same_text_is_as_difficult_wherever_it_comes_up() {
        let mut seen = std::collections::HashMap::new();
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for family in Family::ALL {
            for _ in 0..5000 {
                let Prompt { text, difficulty } = prompt(family, &mut rng);
                let first = *seen.entry(text.clone()).or_insert(difficulty);
                assert_eq!(first, difficulty, "{text}");
            }
        }
    }
}
