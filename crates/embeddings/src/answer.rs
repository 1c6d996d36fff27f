use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

/// Characters of a server's message that are shown.
const MAX_SHOWN: usize = 500;

/// What a request brought.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Shape `(n_inputs, dim)`, by rows, in the order of the inputs.
    pub(crate) values: Vec<f32>,
    pub(crate) dim: usize,
    /// Tokens billed, if the server says so.
    pub(crate) n_tokens: Option<u64>,
}

/// Why a body is not an answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It ends too soon: another attempt may bring all of it.
    Truncated(String),
    /// It is whole, and wrong.
    Wrong(String),
}

#[derive(Deserialize)]
struct Body {
    data: Vec<Item>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Item {
    index: usize,
    embedding: Vector,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

/// Base64 of little-endian float32, or a plain array: servers that do not know `encoding_format` send the latter.
struct Vector(Vec<f32>);

/// Reads the body of an answer with status 200.
pub(crate) fn parse(
    body: &[u8],
    n_inputs: usize,
    dimensions: Option<usize>,
) -> Result<Answer, Problem> {
    let body: Body = serde_json::from_slice(body).map_err(|error| {
        let problem = format!("it is not an embeddings answer: {error}");
        if error.is_eof() {
            Problem::Truncated(problem)
        } else {
            Problem::Wrong(problem)
        }
    })?;
    let wrong = |problem: String| Err(Problem::Wrong(problem));
    let n_vectors = body.data.len();
    if n_vectors != n_inputs {
        return wrong(format!("{n_vectors} embeddings for {n_inputs} texts"));
    }
    let Some(first) = body.data.first() else {
        return wrong("no embeddings".to_owned());
    };
    let dim = dimensions.unwrap_or(first.embedding.0.len());
    let mut values = vec![f32::NAN; n_inputs * dim];
    let mut is_there = vec![false; n_inputs];
    for Item { index, embedding } in body.data {
        if index >= n_inputs {
            return wrong(format!("index {index} (from 0) for {n_inputs} texts"));
        }
        if std::mem::replace(&mut is_there[index], true) {
            return wrong(format!("duplicate index {index} (from 0)"));
        }
        let found = embedding.0.len();
        if found != dim || found == 0 {
            return wrong(format!(
                "embedding {index} (from 0) has {found} values, expected {dim}"
            ));
        }
        if let Some(value) = embedding.0.iter().find(|value| !value.is_finite()) {
            return wrong(format!("embedding {index} (from 0) holds {value}"));
        }
        values[index * dim..][..dim].copy_from_slice(&embedding.0);
    }
    // As many different indices below `n_inputs` as inputs: none is missing.
    let usage = body.usage;
    Ok(Answer {
        values,
        dim,
        n_tokens: usage.and_then(|usage| usage.prompt_tokens.or(usage.total_tokens)),
    })
}

/// The message and the code of a refusal, as OpenAI words it or as it is. Cut, as a proxy may send a whole page.
pub(crate) fn refusal(body: &[u8]) -> (String, Option<String>) {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let error = json.as_ref().map(|json| json.get("error").unwrap_or(json));
    let text = |name| {
        let value = error?.get(name)?;
        Some(value.as_str().unwrap_or_default().to_owned())
    };
    let plain = || match error.and_then(|error| error.as_str()) {
        Some(error) => error.to_owned(),
        None => String::from_utf8_lossy(body).into_owned(),
    };
    let message = text("message").unwrap_or_else(plain);
    let code = text("code")
        .filter(|code| !code.is_empty())
        .or_else(|| text("type"));
    (message, code)
}

/// Without line ends, and not too long. After secrets were taken out, as a cut through one would leave a part of it.
pub(crate) fn shorten(message: &str) -> String {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = message.trim_end_matches('.');
    if message.is_empty() {
        return "no message".to_owned();
    }
    match message.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    }
}

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VectorVisitor)
    }
}

struct VectorVisitor;

impl<'de> Visitor<'de> for VectorVisitor {
    type Value = Vector;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an embedding as base64 or as an array of numbers")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vector, E> {
        let bytes = STANDARD.decode(text).map_err(E::custom)?;
        let (values, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom(format_args!(
                "{} bytes are not a whole number of float32 values",
                bytes.len()
            )));
        }
        Ok(Vector(
            values.iter().map(|v| f32::from_le_bytes(*v)).collect(),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vector, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Vector(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(values: &[f32]) -> String {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        STANDARD.encode(bytes)
    }

    #[test]
    fn both_forms_are_read_in_the_order_of_the_indices() {
        let body = format!(
            r#"{{"object":"list","data":[{{"index":1,"embedding":[3,4.5e0]}},{{"embedding":"{}","index":0,"x":null}}],"usage":{{"prompt_tokens":7}}}}"#,
            base64(&[1.0, -2.0])
        );
        let answer = parse(body.as_bytes(), 2, None).unwrap();
        assert_eq!((answer.dim, answer.n_tokens), (2, Some(7)));
        assert_eq!(answer.values, [1.0, -2.0, 3.0, 4.5]);
    }

    #[test]
    fn wrong_answers_say_what_is_wrong() {
        let check = |data: &str, dimensions: Option<usize>, problem: &str| {
            let body = format!(r#"{{"data":[{data}]}}"#);
            let found = parse(body.as_bytes(), 2, dimensions).unwrap_err();
            let Problem::Wrong(found) = found else {
                panic!("{found:?}")
            };
            assert!(found.contains(problem), "{found} lacks {problem}");
        };
        let good = r#"{"index":0,"embedding":[1,2]}"#;
        let two = |second: &str| format!("{good},{second}");
        check("", None, "0 embeddings for 2 texts");
        check(good, None, "1 embeddings for 2 texts");
        check(&two(&two(good)), None, "3 embeddings for 2 texts");
        check(&two(good), None, "duplicate index 0 (from 0)");
        check(&two(r#"{"index":2,"embedding":[1,2]}"#), None, "index 2");
        check(&two(r#"{"index":-1,"embedding":[1,2]}"#), None, "-1");
        check(&two(r#"{"embedding":[1,2]}"#), None, "index");
        check(
            &two(r#"{"index":1,"embedding":[1]}"#),
            None,
            "has 1 values, expected 2",
        );
        check(
            &two(r#"{"index":1,"embedding":[1,2]}"#),
            Some(3),
            "has 2 values, expected 3",
        );
        check(&two(r#"{"index":1,"embedding":[]}"#), Some(0), "values");
        check(&two(r#"{"index":1,"embedding":[1,1e39]}"#), None, "inf");
        check(&two(r#"{"index":1,"embedding":[1,null]}"#), None, "null");
        check(&two(r#"{"index":1,"embedding":7}"#), None, "base64");
        check(&two(r#"{"index":1,"embedding":"AAA"}"#), None, "padding");
        check(&two(r#"{"index":1,"embedding":"AAAA"}"#), None, "float32");
        let nan = format!(
            r#"{{"index":1,"embedding":"{}"}}"#,
            base64(&[1.0, f32::NAN])
        );
        check(&two(&nan), None, "NaN");
    }

    #[test]
    fn truncated_answers_differ_from_wrong_ones() {
        let whole = r#"{"data":[{"index":0,"embedding":[1.5,2]}]}"#;
        for n in 0..whole.len() {
            let found = parse(&whole.as_bytes()[..n], 1, None);
            assert!(
                matches!(found, Err(Problem::Truncated(_))),
                "{n}: {found:?}"
            );
        }
        for garbage in ["<html>", "{}", "[]", r#"{"error":{"message":"x"}}"#] {
            let found = parse(garbage.as_bytes(), 1, None);
            assert!(matches!(found, Err(Problem::Wrong(_))), "{garbage}");
        }
    }

    #[test]
    fn refusals_of_several_servers_are_read() {
        let check = |body: &str, message: &str, code: Option<&str>| {
            let (found, found_code) = refusal(body.as_bytes());
            assert_eq!((found.as_str(), found_code.as_deref()), (message, code));
        };
        check(
            r#"{"error":{"message":"No.","type":"t","code":"c"}}"#,
            "No.",
            Some("c"),
        );
        check(
            r#"{"error":{"message":"No","type":"t","code":null}}"#,
            "No",
            Some("t"),
        );
        check(r#"{"error":"No"}"#, "No", None);
        check(r#"{"message":"No","code":400}"#, "No", None);
        check("upstream down", "upstream down", None);
        assert_eq!(shorten(" a\n b.\n"), "a b");
        assert_eq!(shorten(""), "no message");
        assert_eq!(shorten(&"é".repeat(900)), format!("{}...", "é".repeat(500)));
    }
}
