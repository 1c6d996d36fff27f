use std::{collections::HashMap, ops::Range};

use rayon::prelude::*;

use crate::{
    Limits, Model, Result, Store,
    error::RequestName,
    serve::{Item, Parcel},
    store::{self, Key},
    tokens::{Cut, Tokenizer},
};

/// OpenAI refuses an empty input.
const INSTEAD_OF_EMPTY: &str = " ";

/// What a run over given texts would do.
///
/// Counts of texts are counts of rows as given; `n_distinct`, `n_cached` and what follows from them speak of texts as sent, each once.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Plan {
    /// Texts given.
    pub n_texts: usize,
    /// Texts that are empty, for which a single space is sent. White space is sent as it is.
    pub n_empty: usize,
    /// Texts with more than the model's `max_tokens`, which are cut.
    pub n_truncated: usize,
    /// Different texts, after cutting.
    pub n_distinct: usize,
    /// Different texts whose embedding is in the store.
    pub n_cached: usize,
    /// Tokens of the others, which are to be sent. By cl100k_base, so exact for OpenAI's models and an estimate for others.
    pub n_tokens: u64,
    /// Requests to be sent.
    pub n_requests: usize,
    /// Dollars to be spent, `None` if the price is not known.
    pub usd: Option<f64>,
}

/// Who asks whom for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// The server, as the store knows it.
    pub(crate) server: &'a str,
    pub(crate) model: &'a Model,
    pub(crate) limits: &'a Limits,
    /// Whether to ask for what the store has, too.
    pub(crate) asks_anew: bool,
}

/// Texts made ready to be sent. Per text 4 bytes, per different text some 100, whatever their lengths.
pub(crate) struct Prepared {
    pub(crate) plan: Plan,
    /// Per text, which of the distinct texts it is.
    pub(crate) distinct_of_row: Vec<u32>,
    /// In the order in which they occur first.
    pub(crate) distinct: Vec<Distinct>,
    /// Those that are not in the store, in the same order.
    pub(crate) pending: Vec<Pending>,
    /// Ranges of `pending`.
    pub(crate) requests: Vec<Range<usize>>,
}

/// A text as it is sent.
pub(crate) struct Distinct {
    pub(crate) key: Key,
    /// Where it occurs first.
    pub(crate) first_row: usize,
    /// How much of that text is sent.
    n_bytes: usize,
    /// How many texts have this key.
    pub(crate) n_rows: u32,
}

/// A text that has to be asked for.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    /// Which of the distinct texts.
    pub(crate) distinct: u32,
    /// Its tokens.
    pub(crate) n_tokens: u32,
}

struct Sent {
    key: Key,
    n_bytes: usize,
    is_cut: bool,
}

impl Prepared {
    pub(crate) fn new(
        texts: &[impl AsRef<str> + Sync],
        store: &Store,
        asker: &Asker<'_>,
    ) -> Result<Self> {
        let Asker { model, limits, .. } = *asker;
        let tokenizer = Tokenizer::new();
        let sent: Vec<Sent> = texts
            .par_iter()
            .map(|text| Sent::new(text.as_ref(), asker, tokenizer))
            .collect();
        let n_truncated = sent.iter().filter(|sent| sent.is_cut).count();

        let mut distinct: Vec<Distinct> = Vec::new();
        let mut found = HashMap::new();
        let mut distinct_of_row = Vec::with_capacity(texts.len());
        for (row, sent) in sent.into_iter().enumerate() {
            let idx = *found.entry(sent.key).or_insert_with(|| {
                distinct.push(Distinct {
                    key: sent.key,
                    first_row: row,
                    n_bytes: sent.n_bytes,
                    n_rows: 0,
                });
                distinct.len() - 1
            });
            distinct[idx].n_rows += 1;
            distinct_of_row.push(u32::try_from(idx).expect("fewer than 2^32 texts fit in memory"));
        }
        drop(found);

        let snapshot = store.snapshot()?;
        let mut missing = Vec::new();
        for (idx, text) in distinct.iter().enumerate() {
            if asker.asks_anew || !snapshot.contains(&text.key)? {
                missing.push(u32::try_from(idx).expect("as above"));
            }
        }
        let pending: Vec<Pending> = missing
            .into_par_iter()
            .map(|idx| Pending {
                distinct: idx,
                n_tokens: u32::try_from(tokenizer.count(distinct[idx as usize].text(texts)))
                    .unwrap_or(u32::MAX),
            })
            .collect();

        let requests = pack(&pending, limits);
        let n_tokens = pending.iter().map(|text| u64::from(text.n_tokens)).sum();
        let plan = Plan {
            n_texts: texts.len(),
            n_empty: texts.iter().filter(|text| text.as_ref().is_empty()).count(),
            n_truncated,
            n_distinct: distinct.len(),
            n_cached: distinct.len() - pending.len(),
            n_tokens,
            n_requests: requests.len(),
            usd: model.usd(n_tokens),
        };
        Ok(Self {
            plan,
            distinct_of_row,
            distinct,
            pending,
            requests,
        })
    }

    /// A text that has to be asked for.
    pub(crate) fn of_pending(&self, pending: usize) -> &Distinct {
        &self.distinct[self.pending[pending].distinct as usize]
    }

    /// The texts of a request, ready to be sent.
    pub(crate) fn parcel(&self, idx: usize, texts: &[impl AsRef<str>]) -> Parcel {
        let item = |pending: usize| {
            let text = self.of_pending(pending);
            Item {
                pending,
                row: text.first_row,
                text: text.text(texts).to_owned(),
                n_tokens: u64::from(self.pending[pending].n_tokens),
            }
        };
        Parcel {
            number: idx + 1,
            n_requests: self.requests.len(),
            items: self.requests[idx].clone().map(item).collect(),
        }
    }

    /// Tokens of a request, by our count.
    pub(crate) fn n_tokens(&self, idx: usize) -> u64 {
        let texts = &self.pending[self.requests[idx].clone()];
        texts.iter().map(|text| u64::from(text.n_tokens)).sum()
    }

    pub(crate) fn request_name(&self, idx: usize) -> RequestName {
        let texts = &self.pending[self.requests[idx].clone()];
        let row = |text: Option<&Pending>| {
            let text = text.expect("no request is empty");
            self.distinct[text.distinct as usize].first_row + 1
        };
        RequestName {
            number: idx + 1,
            n_requests: self.requests.len(),
            first_row: row(texts.first()),
            last_row: row(texts.last()),
        }
    }
}

impl Distinct {
    /// What is sent.
    pub(crate) fn text<'a>(&self, texts: &'a [impl AsRef<str>]) -> &'a str {
        match &texts[self.first_row].as_ref()[..self.n_bytes] {
            "" => INSTEAD_OF_EMPTY,
            text => text,
        }
    }
}

impl Sent {
    fn new(text: &str, asker: &Asker<'_>, tokenizer: Tokenizer) -> Self {
        let cut = tokenizer.cut(text, asker.model.max_tokens);
        let n_bytes = cut.map_or(text.len(), |Cut { n_bytes, .. }| n_bytes);
        let sent = match &text[..n_bytes] {
            "" => INSTEAD_OF_EMPTY,
            sent => sent,
        };
        Self {
            key: store::key(asker.server, asker.model, sent),
            n_bytes,
            is_cut: cut.is_some(),
        }
    }
}

/// Fills requests in the order of the texts, each until a limit is met.
fn pack(pending: &[Pending], limits: &Limits) -> Vec<Range<usize>> {
    let mut requests = Vec::new();
    let (mut first, mut n_tokens) = (0, 0);
    for (idx, text) in pending.iter().enumerate() {
        let is_full = idx - first == limits.max_inputs_per_request
            || n_tokens + text.n_tokens as usize > limits.max_tokens_per_request;
        if is_full && idx > first {
            requests.push(first..idx);
            (first, n_tokens) = (idx, 0);
        }
        n_tokens += text.n_tokens as usize;
    }
    if first < pending.len() {
        requests.push(first..pending.len());
    }
    requests
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pending(n_tokens: &[u32]) -> Vec<Pending> {
        let texts = n_tokens.iter().enumerate();
        texts
            .map(|(idx, n_tokens)| Pending {
                distinct: idx as u32,
                n_tokens: *n_tokens,
            })
            .collect()
    }

    fn limits(n_inputs: usize, n_tokens: usize) -> Limits {
        Limits {
            max_inputs_per_request: n_inputs,
            max_tokens_per_request: n_tokens,
            ..Limits::openai()
        }
    }

    #[test]
    fn requests_meet_both_limits() {
        let check = |n_tokens: &[u32], expected_ends: &[usize]| {
            let requests = pack(&pending(n_tokens), &limits(3, 10));
            let ends: Vec<usize> = requests.iter().map(|range| range.end).collect();
            assert_eq!(ends, expected_ends, "{n_tokens:?}");
        };
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[1, 1, 1, 1], &[3, 4]);
        check(&[5, 5, 1], &[2, 3]);
        check(&[5, 6], &[1, 2]);
        // Too much for any request: alone, as the server may know better.
        check(&[1, 11, 1], &[1, 2, 3]);
        check(&[11, 11], &[1, 2]);
    }

    proptest! {
        #[test]
        fn requests_are_a_partition_and_none_could_take_one_more(
            n_tokens in prop::collection::vec(0_u32..15, 0..60),
            max_inputs in 1_usize..6,
        ) {
            let requests = pack(&pending(&n_tokens), &limits(max_inputs, 12));
            let all: Vec<usize> = requests.iter().cloned().flatten().collect();
            prop_assert_eq!(all, (0..n_tokens.len()).collect::<Vec<_>>());
            let sum = |range: Range<usize>| n_tokens[range].iter().sum::<u32>();
            for range in &requests {
                prop_assert!(range.len() <= max_inputs);
                prop_assert!(sum(range.clone()) <= 12 || range.len() == 1);
                let is_full = range.len() == max_inputs || range.end == n_tokens.len();
                prop_assert!(is_full || sum(range.start..range.end + 1) > 12);
            }
        }
    }

    #[test]
    fn texts_are_counted_once_and_empty_ones_are_a_space() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let model = Model {
            max_tokens: 2,
            ..Model::named("text-embedding-3-small")
        };
        let texts = [
            "hello world",
            "",
            "hello world again",
            "\n",
            " ",
            "hello world",
        ];
        let asker = Asker {
            server: "http://h",
            model: &model,
            limits: &limits(2, 100),
            asks_anew: false,
        };
        let prepared = Prepared::new(&texts, &store, &asker).unwrap();
        assert_eq!(prepared.distinct_of_row, [0, 1, 0, 2, 1, 0]);
        let sent: Vec<&str> = prepared.distinct.iter().map(|d| d.text(&texts)).collect();
        assert_eq!(sent, ["hello world", " ", "\n"]);
        assert_eq!(
            prepared.plan,
            Plan {
                n_texts: 6,
                n_empty: 1,
                n_truncated: 1,
                n_distinct: 3,
                n_cached: 0,
                n_tokens: 4,
                n_requests: 2,
                usd: Some(4.0 * 0.02 / 1e6),
            }
        );
        let name = prepared.request_name(1).to_string();
        assert_eq!(name, "request 2 of 2 (texts 4 to 4)");
    }
}
