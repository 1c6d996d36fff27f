use serde::Deserialize;
use serde_json::Value;

use crate::vector::Vector;

/// Characters of a server's message that are shown.
const MAX_SHOWN: usize = 500;

/// What a request brought.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Shape `(n_inputs, dim)`, by rows, in the order of the inputs.
    pub(crate) values: Vec<f32>,
    pub(crate) dim: usize,
    /// The inputs whose rows are no embeddings, and why.
    pub(crate) bad: Vec<(usize, String)>,
    /// Tokens billed, if the server says so.
    pub(crate) n_tokens: Option<u64>,
}

/// Why a body is not an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It ends too soon: another attempt may bring all of it.
    Truncated(String),
    /// It is whole, and wrong.
    Wrong(String),
    /// It is an error after all, with the status that belongs to it if the server says which.
    Told(Option<u16>),
}

#[derive(Deserialize)]
struct Body {
    data: Option<Vec<Item>>,
    /// Anything: what a server says of money must not cost its embeddings.
    usage: Option<Value>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<Value>,
    /// Missing where the server puts an error in its place.
    #[serde(default)]
    embedding: Vector,
}

/// Reads the body of an answer with status 200.
pub(crate) fn parse(
    body: &[u8],
    n_inputs: usize,
    dimensions: Option<usize>,
) -> Result<Answer, Problem> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii_start().starts_with(b"<") {
        return Err(Problem::Wrong(
            "it is not an embeddings answer but a web page: is this the server's address?"
                .to_owned(),
        ));
    }
    if body.trim_ascii_start().starts_with(b"[") {
        return Err(Problem::Wrong(
            "it is not an embeddings answer but a list, as servers give it at addresses of their own: OpenAI's form is mostly below `/v1`"
                .to_owned(),
        ));
    }
    if body.trim_ascii().is_empty() {
        return Err(Problem::Truncated("the answer is empty".to_owned()));
    }
    let read = serde_json::from_slice(body).or_else(|error| {
        let body = without_nan(body).ok_or(error)?;
        serde_json::from_slice(&body)
    });
    let Body { data, usage } = read.map_err(|error: serde_json::Error| {
        let problem = format!("it is not an embeddings answer: {error}");
        if error.is_eof() {
            Problem::Truncated(problem)
        } else {
            told(body).unwrap_or(Problem::Wrong(problem))
        }
    })?;
    let wrong = |problem: String| Err(Problem::Wrong(problem));
    let Some(data) = data else {
        let missing = "it is not an embeddings answer: missing field `data`";
        return Err(told(body).unwrap_or(Problem::Wrong(missing.to_owned())));
    };
    let n_vectors = data.len();
    if n_vectors != n_inputs {
        // Some send an empty list beside the error.
        let problem = told(body).filter(|_| n_vectors == 0);
        let counts = format!("{n_vectors} embeddings for {n_inputs} texts");
        return Err(problem.unwrap_or(Problem::Wrong(counts)));
    }
    let order = match order(&data) {
        Ok(order) => order,
        Err(problem) => return wrong(problem),
    };
    let lengths = data.iter().map(|item| item.embedding.0.len());
    let found = lengths.filter(|length| *length > 0).max();
    let dim = dimensions.or(found).unwrap_or(0);
    let mut values = vec![f32::NAN; n_inputs * dim];
    let mut bad = Vec::new();
    for (Item { embedding, .. }, index) in data.into_iter().zip(order) {
        let found = embedding.0.len();
        if found != dim && found != 0 {
            return wrong(format!(
                "embedding {index} (from 0) has {found} values, expected {dim}"
            ));
        }
        match unusable(&embedding.0) {
            Some(problem) => bad.push((index, problem)),
            None => values[index * dim..][..dim].copy_from_slice(&embedding.0),
        }
    }
    bad.sort_unstable();
    Ok(Answer {
        values,
        dim,
        bad,
        n_tokens: usage.as_ref().and_then(n_tokens),
    })
}

/// The body with null for each NaN and infinity, which Python writes though JSON does not know them. `None` if there are none.
fn without_nan(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let (mut rest, mut has_any, mut is_text) = (body, false, false);
    while let [first, ..] = *rest {
        let names: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
        let name = names.into_iter().find(|name| rest.starts_with(name));
        let n = match (is_text, name) {
            (false, Some(name)) => {
                has_any = true;
                out.extend_from_slice(b"null");
                name.len()
            }
            _ => {
                // What is escaped is no end of the text.
                let n = if is_text && first == b'\\' { 2 } else { 1 };
                let n = n.min(rest.len());
                is_text ^= first == b'"';
                out.extend_from_slice(&rest[..n]);
                n
            }
        };
        rest = &rest[n..];
    }
    has_any.then_some(out)
}

/// The place of each item's text in the request. Without any index, items are in order.
fn order(data: &[Item]) -> Result<Vec<usize>, String> {
    let n = data.len();
    let is_null = |item: &Item| item.index.as_ref().is_none_or(Value::is_null);
    if data.iter().all(is_null) {
        return Ok((0..n).collect());
    }
    let mut is_there = vec![false; n];
    let place = |item: &Item| {
        let value = item.index.as_ref().unwrap_or(&Value::Null);
        let index = whole(value).ok_or_else(|| format!("index `{value}`, expected a number"))?;
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if index >= n {
            return Err(format!("index {index} (from 0) for {n} texts"));
        }
        if std::mem::replace(&mut is_there[index], true) {
            return Err(format!("duplicate index {index} (from 0)"));
        }
        Ok(index)
    };
    // As many different indices below `n` as texts: none is missing.
    data.iter().map(place).collect()
}

/// Why values are no embedding, if they are not.
fn unusable(values: &[f32]) -> Option<String> {
    if values.is_empty() {
        return Some("its embedding has no values".to_owned());
    }
    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
        return Some(format!("its embedding holds {value}"));
    }
    let is_zero = values.iter().all(|value| *value == 0.0);
    is_zero.then(|| "its embedding holds nothing but zeros".to_owned())
}

/// Tokens billed, in whatever form: `7`, `7.0`, `"7"`.
fn n_tokens(usage: &Value) -> Option<u64> {
    let count = |name| whole(usage.get(name)?);
    count("prompt_tokens").or_else(|| count("total_tokens"))
}

fn whole(value: &Value) -> Option<u64> {
    let of_float = |number: f64| {
        let is_count = number.is_finite() && (0.0..1e15).contains(&number);
        is_count.then(|| number.round() as u64)
    };
    match value {
        Value::Number(number) => number.as_u64().or_else(|| of_float(number.as_f64()?)),
        Value::String(text) => text
            .parse()
            .ok()
            .or_else(|| of_float(text.parse::<f64>().ok()?)),
        _ => None,
    }
}

/// An error in spite of status 200, as LM Studio, OpenRouter and proxies send it.
fn told(body: &[u8]) -> Option<Problem> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let is_error = ["error", "detail", "message", "errors"]
        .iter()
        .any(|name| json.get(name).is_some_and(|value| !value.is_null()));
    let error = json.get("error").unwrap_or(&json);
    let status = ["code", "status", "status_code"]
        .iter()
        .find_map(|name| whole(error.get(name)?))
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    is_error.then_some(Problem::Told(status))
}

/// The message and the code of a refusal, as OpenAI words it or as it is.
pub(crate) fn refusal(body: &[u8]) -> (String, Option<String>) {
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let plain = || String::from_utf8_lossy(body).into_owned();
    // Google's answers are lists of one.
    let json = json.as_ref().and_then(|json| match json.as_array() {
        Some(list) => list.first(),
        None => Some(json),
    });
    let Some(json) = json.filter(|json| json.is_object()) else {
        return (plain(), None);
    };
    let error = json
        .get("error")
        .filter(|error| !error.is_null())
        .unwrap_or(json);
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let message = [
        "message",
        "detail",
        "error",
        "error_message",
        "errors",
        "msg",
    ]
    .iter()
    .find_map(|name| text(error.get(name).or_else(|| json.get(name))?));
    let code = |name| {
        let code = text(error.get(name)?)?;
        Some(code).filter(|code| !code.is_empty())
    };
    (
        message.unwrap_or_else(plain),
        code("code")
            .or_else(|| code("type"))
            .or_else(|| code("error_type")),
    )
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

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

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
        check(&two(r#"{"embedding":[1,2]}"#), None, "index `null`");
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
        check(&two(r#"{"index":1,"embedding":7}"#), None, "base64");
        check(&two(r#"{"index":1,"embedding":"A"}"#), None, "length");
        check(&two(r#"{"index":1,"embedding":"AAAA"}"#), None, "float32");
        check(
            &two(r#"{"index":1,"embedding":[[1,2],[3,4]]}"#),
            None,
            "pool",
        );
    }

    #[test]
    fn unusable_embeddings_do_not_cost_the_others() {
        let nan = format!(r#""{}""#, base64(&[1.0, f32::NAN]));
        for (embedding, problem) in [
            ("[]", "no values"),
            ("null", "no values"),
            ("[1,1e39]", "inf"),
            ("[1,null]", "NaN"),
            (r#"[1,"NaN"]"#, "NaN"),
            // As Python writes them.
            ("[1,NaN]", "NaN"),
            ("[-Infinity,Infinity]", "NaN"),
            ("[0,-0.0]", "zeros"),
            (nan.as_str(), "NaN"),
        ] {
            let body = format!(r#"{{"data":[{{"embedding":{embedding}}},{{"embedding":[1,2]}}]}}"#);
            let answer = parse(body.as_bytes(), 2, None).unwrap();
            let [(0, found)] = &answer.bad[..] else {
                panic!("{embedding}: {:?}", answer.bad)
            };
            assert!(found.contains(problem), "{found}");
            assert_eq!((answer.dim, &answer.values[2..]), (2, &[1.0, 2.0][..]));
        }
    }

    #[test]
    fn an_error_in_the_place_of_one_embedding_does_not_cost_the_others() {
        let body =
            br#"{"data":[{"error":"too \"long\" NaN"},{"embedding":[1,NaN]},{"embedding":[1,2]}]}"#;
        let answer = parse(body, 3, None).unwrap();
        let bad: Vec<usize> = answer.bad.iter().map(|(row, _)| *row).collect();
        assert_eq!((bad, &answer.values[4..]), (vec![0, 1], &[1.0, 2.0][..]));
        let found = without_nan(br#"["a \" NaN",NaN,"-Infinity\\",-Infinity]"#);
        let expected = br#"["a \" NaN",null,"-Infinity\\",null]"#;
        assert_eq!(found.as_deref(), Some(&expected[..]));
        assert_eq!(without_nan(br#"["NaN"]"#), None);
    }

    #[test]
    fn forms_of_other_servers_are_read() {
        for data in [
            r#"[{"embedding":[1,2]},{"embedding":[3,4]}]"#,
            r#"[{"index":null,"embedding":[1,2]},{"index":null,"embedding":[3,4]}]"#,
            r#"[{"index":"1","embedding":[3,4]},{"index":0.0,"embedding":[1,2]}]"#,
            r#"[{"index":0,"embedding":[[1,2]]},{"index":1,"embedding":[[3,4]]}]"#,
            r#"[{"index":0,"embedding":"AACAPwAAAEA"},{"index":1,"embedding":"AABAQAAAgEA="}]"#,
        ] {
            let body = format!("\u{feff}{{\"data\":{data}}}");
            let answer = parse(body.as_bytes(), 2, None).unwrap();
            assert_eq!(answer.values, [1.0, 2.0, 3.0, 4.0], "{data}");
        }
        let usage = |usage: &str| {
            let body = format!(r#"{{"data":[{{"embedding":[1]}}],"usage":{usage}}}"#);
            parse(body.as_bytes(), 1, None).unwrap().n_tokens
        };
        for (text, expected) in [
            (r#"{"prompt_tokens":7}"#, Some(7)),
            (r#"{"total_tokens":7}"#, Some(7)),
            (r#"{"prompt_tokens":7.0}"#, Some(7)),
            (r#"{"prompt_tokens":"7"}"#, Some(7)),
            (r#"{"prompt_tokens":"7.4"}"#, Some(7)),
            (r#"{"prompt_tokens":18446744073709551615}"#, Some(u64::MAX)),
            (r#"{"prompt_tokens":1e300}"#, None),
            (r#"{"prompt_tokens":-1}"#, None),
            (r#"{"prompt_tokens":null}"#, None),
            ("null", None),
            ("7", None),
        ] {
            assert_eq!(usage(text), expected, "{text}");
        }
    }

    #[test]
    fn mutations_of_answers_do_not_panic() {
        let files = [
            br#"{"object":"list","data":[{"index":0,"embedding":[1,-2.5e0]},{"index":1,"embedding":[0.5,3]}],"usage":{"prompt_tokens":7}}"#.to_vec(),
            format!(r#"{{"data":[{{"embedding":"{0}"}},{{"embedding":"{0}"}}]}}"#, base64(&[1.0, -2.0])).into_bytes(),
            br#"{"error":{"message":"no","code":429}}"#.to_vec(),
            br#"{"detail":[{"loc":["body"],"msg":"x"}]}"#.to_vec(),
        ];
        test_support::try_mutations(&files, |body| {
            if let Ok(answer) = parse(&body, 2, None) {
                assert_eq!(answer.values.len(), 2 * answer.dim);
            }
            _ = parse(&body, 2, Some(2));
            let (message, _) = refusal(&body);
            assert!(shorten(&message).chars().count() <= MAX_SHOWN + 3);
        });
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
        for garbage in ["<html>", "{}", "[]", "7", r#"{"data":7}"#] {
            let found = parse(garbage.as_bytes(), 1, None);
            assert!(matches!(found, Err(Problem::Wrong(_))), "{garbage}");
        }
        let found = parse(b"[[1,2],[3,4]]", 2, None).unwrap_err();
        assert!(format!("{found:?}").contains("a list"), "{found:?}");
        for (error, status) in [
            (r#"{"error":{"message":"x"}}"#, None),
            (r#"{"error":{"message":"x","code":429}}"#, Some(429)),
            (r#"{"error":{"message":"x","code":"503"}}"#, Some(503)),
            (r#"{"error":"x","data":[]}"#, None),
            (r#"{"detail":"x","status":401}"#, Some(401)),
        ] {
            let found = parse(error.as_bytes(), 1, None);
            assert_eq!(found.unwrap_err(), Problem::Told(status), "{error}");
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
        check(r#"{"message":"No","code":400}"#, "No", Some("400"));
        check(r#"{"detail":"No"}"#, "No", None);
        check(r#"{"error":"No","error_type":"t"}"#, "No", None);
        check(r#"{"detail":[{"msg":"x"}]}"#, r#"[{"msg":"x"}]"#, None);
        check("[1]", "[1]", None);
        check(
            r#"[{"error":{"message":"No","code":400}}]"#,
            "No",
            Some("400"),
        );
        check("upstream down", "upstream down", None);
        assert_eq!(shorten(" a\n b.\n"), "a b");
        assert_eq!(shorten(""), "no message");
        assert_eq!(shorten(&"é".repeat(900)), format!("{}...", "é".repeat(500)));
    }
}
