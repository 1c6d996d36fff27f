//! Names that fit: what a label leaves out of a long one.

/// Longest label of an LLM, in characters; longer names lose their middle.
const MAX_LABEL_CHARS: usize = 28;

/// An LLM's name as a label: without its owner, and without its middle where it is too long.
#[must_use]
pub fn short_name(model: &str) -> String {
    let name = model.rsplit('/').find(|part| !part.is_empty());
    shortened(name.unwrap_or(model))
}

/// A name without its middle where it is longer than [`MAX_LABEL_CHARS`].
#[must_use]
pub fn shortened(name: &str) -> String {
    shortened_to(name, MAX_LABEL_CHARS)
}

/// A name without its middle where it has more than `max_chars` characters; `max_chars` is at least 1.
#[must_use]
pub fn shortened_to(name: &str, max_chars: usize) -> String {
    let chars: Vec<char> = name.chars().collect();
    if chars.len() <= max_chars {
        return name.to_owned();
    }
    let n_tail = (max_chars - 1) / 2;
    let n_head = max_chars - 1 - n_tail;
    chars[..n_head]
        .iter()
        .chain(&['\u{2026}'])
        .chain(&chars[chars.len() - n_tail..])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened() {
        for (model, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
            ("owner/", "owner"),
            (
                "a-model-whose-name-goes-on-and-on-without-end-7B-Instruct",
                "a-model-whose-\u{2026}d-7B-Instruct",
            ),
        ] {
            assert_eq!(short_name(model), expected);
            assert!(short_name(model).chars().count() <= MAX_LABEL_CHARS);
        }
    }
}
