use std::{fs, path::Path};

/// The model card's name, on the hub and on disk.
pub(crate) const CARD: &str = "README.md";

/// The license that the model card in a folder states between its first two lines of dashes, if any.
pub(crate) fn of(folder: &Path) -> Option<String> {
    // A card that is missing or unreadable leaves the license unknown; it is not worth failing a fit.
    parse(&fs::read_to_string(folder.join(CARD)).ok()?)
}

fn parse(card: &str) -> Option<String> {
    let mut lines = card.lines().map(str::trim_end);
    if lines.next() != Some("---") {
        return None;
    }
    let license = lines
        .take_while(|line| *line != "---")
        .find_map(|line| line.strip_prefix("license:"))?
        .trim()
        .trim_matches(['"', '\'']);
    (!license.is_empty()).then(|| license.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_head_of_a_card_states_its_license() {
        for (card, license) in [
            ("---\nlanguage: en\nlicense: mit\n---\n# A", Some("mit")),
            (
                "---\r\nlicense: \"apache-2.0\"\r\n---\r\n",
                Some("apache-2.0"),
            ),
            ("---\ntags: [a]\n---\nlicense: mit\n", None),
            ("---\nlicense:\n---\n", None),
            ("# A\nlicense: mit\n", None),
            ("", None),
        ] {
            assert_eq!(parse(card).as_deref(), license, "{card}");
        }
    }
}
