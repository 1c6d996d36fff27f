use std::{collections::HashSet, fmt};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Secret, address::secrets_in};

/// Shorter secrets are left in texts: they are parts of ordinary words, and no one who guards anything has such a key.
const MIN_LEN: usize = 8;
/// So much of a longer secret is enough to be blotted out: servers and logs cut what they echo.
const PART: usize = 12;
const HIDDEN: &str = "***";
/// What `encodeURIComponent` leaves as it is.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// The secrets that must not be in any text that is shown.
#[derive(Clone, Default)]
pub struct Secrets {
    /// Pieces of the secrets in all forms, in lower case, by their length.
    pieces: Vec<(usize, HashSet<Vec<u8>>)>,
    /// Secrets too short to be blotted out anywhere, as they stand behind `Bearer`.
    short: Vec<String>,
}

impl Secrets {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns a secret, in the forms in which a server may show it: as it is, in base64 (alone or within a longer text), percent-encoded, and
    /// escaped as in JSON and HTML.
    pub fn add(&mut self, secret: &Secret) {
        let text = secret.expose();
        if text.len() < MIN_LEN {
            if !text.is_empty() {
                self.short.push(format!("Bearer {text}"));
            }
            return;
        }
        let json = text.replace('\\', "\\\\").replace('"', "\\\"");
        let html = text.replace('&', "&amp;").replace('<', "&lt;");
        let mut forms = vec![
            text.to_owned(),
            json.replace('/', "\\/"),
            json,
            html.replace('"', "&quot;"),
            html,
            utf8_percent_encode(text, COMPONENT).to_string(),
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
        ];
        for offset in 0..3 {
            forms.extend(within_base64(text, offset));
        }
        for form in forms {
            self.learn(&form);
        }
    }

    /// Learns what is secret in an address: user, password and the values of its query.
    pub fn add_address(&mut self, address: &str) {
        for secret in secrets_in(address) {
            self.add(&Secret::new(&secret));
        }
    }

    /// The text with `***` instead of each secret and each longer part of one, whatever the case of its letters.
    ///
    /// Secrets of fewer than 8 characters stay, as they are parts of ordinary words, except behind `Bearer`.
    ///
    /// ```
    /// use secrets::{Secret, Secrets};
    ///
    /// let mut secrets = Secrets::new();
    /// secrets.add(&Secret::new("sk-secret"));
    /// secrets.add(&Secret::new("know"));
    /// assert_eq!(secrets.blot("no such key: sk-secret"), "no such key: ***");
    /// assert_eq!(secrets.blot("Unknown: Bearer know"), "Unknown: Bearer ***");
    /// ```
    pub fn blot(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase().into_bytes();
        let mut is_secret = vec![false; text.len()];
        for (len, pieces) in &self.pieces {
            for (start, window) in lower.windows(*len).enumerate() {
                if pieces.contains(window) {
                    is_secret[start..start + len].fill(true);
                }
            }
        }
        let mut shown = String::with_capacity(text.len());
        let mut was_secret = false;
        for (start, character) in text.char_indices() {
            let end = start + character.len_utf8();
            let is_secret = is_secret[start..end].contains(&true);
            match (is_secret, was_secret) {
                (false, _) => shown.push(character),
                (true, false) => shown.push_str(HIDDEN),
                (true, true) => (),
            }
            was_secret = is_secret;
        }
        for short in &self.short {
            shown = without_short(&shown, short);
        }
        shown
    }

    fn learn(&mut self, form: &str) {
        let form = form.to_ascii_lowercase().into_bytes();
        let len = form.len().min(PART);
        if len < MIN_LEN {
            return;
        }
        let at = match self.pieces.iter().position(|(known, _)| *known == len) {
            Some(at) => at,
            None => {
                self.pieces.push((len, HashSet::new()));
                self.pieces.len() - 1
            }
        };
        self.pieces[at]
            .1
            .extend(form.windows(len).map(<[u8]>::to_vec));
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(***)")
    }
}

/// What of a text is the same in every longer text's base64 in which it begins `offset` bytes after a multiple of three.
fn within_base64(text: &str, offset: usize) -> [String; 2] {
    let bytes = [&[0; 3][..offset], text.as_bytes()].concat();
    let first = (offset * 8).div_ceil(6);
    let n_whole = bytes.len() * 8 / 6;
    [
        STANDARD_NO_PAD.encode(&bytes),
        URL_SAFE_NO_PAD.encode(&bytes),
    ]
    .map(|encoded| encoded[first.min(n_whole)..n_whole].to_owned())
}

/// Without `Bearer SECRET`, where a word ends behind it.
fn without_short(text: &str, short: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(short) {
        shown.push_str(before);
        if after.starts_with(|c: char| c.is_alphanumeric()) {
            shown.push_str(short);
        } else {
            shown.push_str("Bearer ***");
        }
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn secrets(all: &[&str]) -> Secrets {
        let mut secrets = Secrets::new();
        for secret in all {
            secrets.add(&Secret::new(secret));
        }
        secrets
    }

    #[test]
    fn a_secret_is_blotted_out_in_every_form() {
        let key = "sk-a+b/c\"d&e=f\\g<h>i\u{e9}j-klmnop";
        let secrets = secrets(&[key]);
        let percent = utf8_percent_encode(key, NON_ALPHANUMERIC).to_string();
        for form in [
            key.to_owned(),
            key.to_uppercase(),
            percent.to_lowercase(),
            percent,
            STANDARD.encode(key),
            serde_free_json(key),
        ] {
            let shown = secrets.blot(&format!("before {form}, after"));
            assert!(!shown.contains("klmnop"), "{shown}");
            assert!(
                shown.starts_with("before ***") && shown.ends_with(", after"),
                "{shown}"
            );
        }
        // Within the base64 of a longer text, as in an `authorization: Basic` header.
        for user in ["", "u", "me", "you", "them"] {
            for encoded in [
                STANDARD.encode(format!("{user}{key}{user}")),
                URL_SAFE_NO_PAD.encode(format!("{user}{key}{user}")),
            ] {
                let shown = secrets.blot(&encoded);
                assert!(shown.len() < 4 * user.len() + 10, "{user}: {shown}");
            }
        }
    }

    fn serde_free_json(text: &str) -> String {
        text.replace('\\', "\\\\").replace('"', "\\\"")
    }

    #[test]
    fn parts_are_blotted_out_and_short_secrets_are_not() {
        let secrets = secrets(&["sk-0123456789abcdef", "know", "exactly8", ""]);
        for (text, expected) in [
            ("Unknown model `know`", "Unknown model `know`"),
            (
                "Bearer know, Bearer knowledge",
                "Bearer ***, Bearer knowledge",
            ),
            ("cut: sk-0123456789ab", "cut: ***"),
            ("cut: 456789abcdef.", "cut: ***."),
            ("sk-01234, cdef", "sk-01234, cdef"),
            ("not exactly8 here", "not *** here"),
            ("exactly 8", "exactly 8"),
            ("", ""),
            ("\u{e9}SK-0123456789ABCDEF\u{e9}", "\u{e9}***\u{e9}"),
        ] {
            assert_eq!(secrets.blot(text), expected);
        }
        assert_eq!(format!("{secrets:?}"), "Secrets(***)");
    }

    #[test]
    fn secrets_of_addresses_are_blotted_out() {
        let mut secrets = Secrets::new();
        secrets.add_address("http://my-user:pass%2Fword@h/v1?version=1&key=query-key");
        let text = "my-user1 pass/word pass%2fword query-key version 1";
        assert_eq!(secrets.blot(text), "my-user1 *** *** *** version 1");
    }
}
