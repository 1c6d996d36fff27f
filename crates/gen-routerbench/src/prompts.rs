use serde::Serialize;

use crate::literal;

/// Between the strings of a list of several, which are the turns of a conversation.
const BETWEEN_TURNS: &str = "\n\n";

/// How to get the text of a prompt that is written as a Python list of strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The list is read. A prompt that is not such a list stays as it is.
    Literal,
    /// The first and the last two characters go, whatever they are: the reference's `prompt[2:-2]`.
    Cut,
}

/// What was found in the prompts.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Findings {
    pub(crate) n_prompts: usize,
    /// Prompts whose text by the literal differs from the reference's cut.
    pub(crate) n_differ: usize,
    /// Lists of several strings.
    pub(crate) n_of_several: usize,
    /// Prompts that are not a list of strings.
    pub(crate) n_no_list: usize,
    /// The first of them.
    pub(crate) first_no_list: Option<NoList>,
}

/// A prompt that is not a list of strings.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct NoList {
    /// From 1, in the source.
    pub(crate) row: usize,
    pub(crate) why: String,
}

impl Findings {
    /// The text of one prompt; `row` is its number in the source, from 1.
    pub(crate) fn text(&mut self, prompt: &str, row: usize, reading: Reading) -> String {
        self.n_prompts += 1;
        let text = match literal::strings(prompt) {
            // Nearly all prompts are lists of one string.
            Ok(mut strings) if strings.len() == 1 => strings.remove(0),
            Ok(strings) => {
                self.n_of_several += 1;
                strings.join(BETWEEN_TURNS)
            }
            Err(refusal) => {
                self.n_no_list += 1;
                self.first_no_list.get_or_insert_with(|| NoList {
                    row,
                    why: refusal.to_string(),
                });
                prompt.to_owned()
            }
        };
        // Both readings are made of every prompt, so that a note can say how far they differ.
        let cut = cut(prompt);
        if text != cut {
            self.n_differ += 1;
        }
        match reading {
            Reading::Literal => text,
            Reading::Cut => cut.to_owned(),
        }
    }

    /// The findings in sentences.
    pub(crate) fn notes(&self, reading: Reading) -> Vec<String> {
        let Self {
            n_prompts,
            n_differ,
            n_of_several,
            n_no_list,
            ..
        } = self;
        let of = format!("of {n_prompts} prompts");
        let mut notes = vec![match reading {
            Reading::Literal => format!(
                "prompts were read as Python lists; {n_differ} {of} differ from the reference's `prompt[2:-2]`, which leaves escapes in"
            ),
            Reading::Cut => format!(
                "prompts were cut as by the reference, `prompt[2:-2]`; read as Python lists, {n_differ} {of} would differ"
            ),
        }];
        if reading == Reading::Literal && *n_of_several > 0 {
            notes.push(format!(
                "{n_of_several} {of} are lists of several strings, which were joined by an empty line"
            ));
        }
        if let Some(NoList { row, why }) = &self.first_no_list {
            let done = match reading {
                Reading::Literal => ", and were left as they are",
                Reading::Cut => "",
            };
            notes.push(format!(
                "{n_no_list} {of} are not a Python list of strings{done}; the first is in row {row}: {why}"
            ));
        }
        notes
    }
}

/// All but the first and the last two characters.
fn cut(prompt: &str) -> &str {
    // By characters, as Python slices text: cutting bytes could split a character.
    let start = prompt.char_indices().nth(2);
    let end = prompt.char_indices().nth_back(1);
    match (start, end) {
        (Some((start, _)), Some((end, _))) if start < end => &prompt[start..end],
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each value is what Python gives for `text[2:-2]`.
    #[test]
    fn the_cut_is_pythons_slice() {
        for (text, expected) in [
            ("['a']", "a"),
            ("['é\\n']", "é\\n"),
            ("😀😀北😀😀", "北"),
            ("abcd", ""),
            ("abc", ""),
            ("ab", ""),
            ("", ""),
        ] {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn what_differs_is_counted() {
        let prompts = [
            r"['a']",
            r"['a\nb']",
            "['a', 'b']",
            "plain",
            "['a\\\\']",
            "[1]",
        ];
        for (reading, expected) in [
            (
                Reading::Literal,
                ["a", "a\nb", "a\n\nb", "plain", "a\\", "[1]"],
            ),
            (Reading::Cut, ["a", "a\\nb", "a', 'b", "a", "a\\\\", ""]),
        ] {
            let mut findings = Findings::default();
            let texts = prompts.iter().enumerate();
            let texts = texts.map(|(i, prompt)| findings.text(prompt, 10 + i, reading));
            assert_eq!(texts.collect::<Vec<_>>(), expected);
            assert_eq!(findings.n_prompts, 6);
            assert_eq!(findings.n_differ, 5);
            assert_eq!(findings.n_of_several, 1);
            assert_eq!(findings.n_no_list, 2);
            assert_eq!(findings.first_no_list.expect("two are none").row, 13);
        }
    }
}
