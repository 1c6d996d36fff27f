use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::endpoint::KeyHeader;

/// How embeddings are asked for: `encoding_format` as the request has it. Base64 is the smallest to send and the fastest to read.
const FORMATS: [Option<&str>; 3] = [Some("base64"), Some("float"), None];

/// What a client found out about its server by asking. Kept as long as the client, so that no later run asks in vain again.
#[derive(Debug)]
pub(crate) struct Learned(Mutex<State>);

/// How to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) encoding_format: Option<&'static str>,
    pub(crate) key_header: KeyHeader,
}

#[derive(Debug)]
struct State {
    format: usize,
    /// A request was answered in this format, or no other did better: it stays.
    is_format_settled: bool,
    key_header: KeyHeader,
    is_key_header_settled: bool,
    max_inputs: Option<usize>,
    max_tokens: Option<u64>,
    /// The shortest text that was answered.
    answered: Option<String>,
    /// Texts refused since a request was last answered.
    n_refused_in_a_row: usize,
}

impl Learned {
    pub(crate) fn new(key_header: KeyHeader) -> Self {
        Self(Mutex::new(State {
            format: 0,
            is_format_settled: false,
            key_header,
            is_key_header_settled: false,
            max_inputs: None,
            max_tokens: None,
            answered: None,
            n_refused_in_a_row: 0,
        }))
    }

    pub(crate) fn form(&self) -> Form {
        let state = self.lock();
        Form {
            encoding_format: FORMATS[state.format],
            key_header: state.key_header,
        }
    }

    /// A request in this form was answered; `shortest` is the shortest of its texts.
    pub(crate) fn answered(&self, form: Form, shortest: &str) {
        let mut state = self.lock();
        if FORMATS[state.format] == form.encoding_format {
            state.is_format_settled = true;
        }
        state.is_key_header_settled |= state.key_header == form.key_header;
        state.n_refused_in_a_row = 0;
        if state
            .answered
            .as_ref()
            .is_none_or(|known| known.len() > shortest.len())
        {
            state.answered = Some(shortest.to_owned());
        }
    }

    /// The shortest text that was ever answered.
    pub(crate) fn answered_text(&self) -> Option<String> {
        self.lock().answered.clone()
    }

    /// Whether to ask once more because a request in this form was refused and another may be taken. When all formats were refused alike, the
    /// format is not the cause, and the first is taken again.
    pub(crate) fn try_other_format(&self, refused: Form) -> bool {
        let mut state = self.lock();
        if FORMATS[state.format] != refused.encoding_format {
            // Another request was faster.
            return !state.is_format_settled;
        }
        if state.is_format_settled {
            return false;
        }
        state.format = (state.format + 1) % FORMATS.len();
        state.is_format_settled = state.format == 0;
        !state.is_format_settled
    }

    /// The server says itself that it does not take this form's format, in an answered run even: asks without it from here on.
    pub(crate) fn refuse_format(&self, refused: Form) -> bool {
        let mut state = self.lock();
        if FORMATS[state.format] != refused.encoding_format {
            return true;
        }
        if state.format + 1 == FORMATS.len() {
            return false;
        }
        state.format += 1;
        state.is_format_settled = false;
        true
    }

    /// Whether to ask once more with the key in Azure's header, as the server does not know it in the usual one.
    pub(crate) fn try_other_key_header(&self, refused: Form) -> bool {
        let mut state = self.lock();
        if state.is_key_header_settled || refused.key_header == KeyHeader::ApiKey {
            return false;
        }
        state.key_header = KeyHeader::ApiKey;
        true
    }

    /// Limits of one request that were found by halving.
    pub(crate) fn limits(&self) -> (Option<usize>, Option<u64>) {
        let state = self.lock();
        (state.max_inputs, state.max_tokens)
    }

    pub(crate) fn limit_inputs(&self, n: usize) {
        let mut state = self.lock();
        state.max_inputs = Some(state.max_inputs.map_or(n, |known| known.min(n)));
    }

    pub(crate) fn limit_tokens(&self, n: u64) {
        let mut state = self.lock();
        state.max_tokens = Some(state.max_tokens.map_or(n, |known| known.min(n)));
    }

    /// Counts a text that was refused; gives how many in a row.
    pub(crate) fn refused_text(&self) -> usize {
        let mut state = self.lock();
        state.n_refused_in_a_row += 1;
        state.n_refused_in_a_row
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_tried_in_turn_and_the_first_stays_if_none_helps() {
        let learned = Learned::new(KeyHeader::Bearer);
        for expected in [Some("base64"), Some("float")] {
            let form = learned.form();
            assert_eq!(form.encoding_format, expected);
            assert!(learned.try_other_format(form));
        }
        let last = learned.form();
        assert_eq!(last.encoding_format, None);
        assert!(!learned.try_other_format(last));
        assert_eq!(learned.form().encoding_format, Some("base64"));
        assert!(!learned.try_other_format(learned.form()));
    }

    #[test]
    fn what_was_answered_stays_unless_the_server_names_the_format() {
        let learned = Learned::new(KeyHeader::Bearer);
        let form = learned.form();
        learned.answered(form, "a text");
        assert!(!learned.try_other_format(form));
        assert!(!learned.try_other_key_header(form));
        assert!(learned.refuse_format(form));
        assert_eq!(learned.form().encoding_format, Some("float"));
        assert!(learned.refuse_format(form), "another was faster");
        assert_eq!(learned.form().encoding_format, Some("float"));
        learned.answered(learned.form(), "text");
        assert_eq!(learned.answered_text().as_deref(), Some("text"));
    }
}
