/// A task's name, in which `*` matches any characters or none. Case matters.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the whole of `text` fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let mut pieces = self.0.split('*');
        let first = pieces.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else {
            return false;
        };
        // Without a star there is only one piece, which has to be the whole text.
        let Some(last) = pieces.next_back() else {
            return rest.is_empty();
        };
        // The leftmost place for every piece between two stars leaves the most for what follows.
        for piece in pieces {
            match rest.find(piece) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        // The last piece is tied to the end, where its leftmost occurrence need not be.
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_match_anything() {
        for (pattern, text, expected) in [
            ("ifeval", "ifeval", true),
            ("ifeval", "ifeval/ifeval", false),
            ("ifeval", "IFEval", false),
            ("ifeval/*", "ifeval/ifeval", true),
            ("*eval", "ifeval/ifeval", true),
            ("*/x/*", "a/x/b", true),
            ("*/x/*", "a/x", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("a*b*c", "a-b-b-c", true),
            ("*", "", true),
            ("**", "any", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern.to_owned()).matches(text),
                expected,
                "{pattern} {text}"
            );
        }
    }
}
