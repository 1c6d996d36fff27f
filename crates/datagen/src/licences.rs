use std::io::Read;

use crate::cli::Extra;

/// A file that says a licence is read as far as this.
const MOST_BYTES: u64 = 1 << 16;

/// What a file says of a licence: the line of a card's head (`README.md`), or the first line of a licence's text. `None` where it says nothing.
pub fn licence_said_in(name: &str, content: impl Read) -> Option<String> {
    let mut text = Vec::new();
    content.take(MOST_BYTES).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    let said = match name.to_ascii_lowercase().ends_with("readme.md") {
        true => in_card(&text)?,
        false => text.lines().map(str::trim).find(|line| !line.is_empty())?,
    };
    Some(format!("{said} ({name})"))
}

/// What a generator prints of licences that were found, and records with the data set.
pub fn licences_found(said: &[String]) -> Extra {
    let text = match said.is_empty() {
        true => "No licence was found in the source: do not pass on what is made of it before you know one.".to_owned(),
        false => format!("Licences found in the source: {}", said.join("; ")),
    };
    Extra {
        name: "licences",
        value: said.into(),
        text,
    }
}

fn in_card(card: &str) -> Option<&str> {
    let mut lines = card.lines().map(str::trim_end);
    if lines.next() != Some("---") {
        return None;
    }
    let said = lines
        .take_while(|line| *line != "---")
        .find_map(|line| line.strip_prefix("license:"))?;
    let said = said.trim().trim_matches(['"', '\'']);
    (!said.is_empty()).then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_found_in_cards_and_texts() {
        for (name, text, expected) in [
            (
                "a/README.md",
                "---\nlicense: mit\n---\n",
                Some("mit (a/README.md)"),
            ),
            ("README.md", "# No head\nlicense: mit\n", None),
            (
                "LICENSE",
                "\nMIT License\n\nCopyright",
                Some("MIT License (LICENSE)"),
            ),
            ("LICENSE", "", None),
        ] {
            assert_eq!(
                licence_said_in(name, text.as_bytes()).as_deref(),
                expected,
                "{name}"
            );
        }
    }
}
