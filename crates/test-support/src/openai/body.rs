use serde_json::json;

use super::{fault::EmbeddingFault, vectors};
use crate::Answer;

/// Embeddings as JSON values.
pub(super) fn embeddings(
    texts: &[String],
    dim: usize,
    is_arrays: bool,
    fault: Option<&EmbeddingFault>,
) -> Vec<String> {
    let last = texts.len() - 1;
    let of_text = |(idx, text): (usize, &String)| {
        let mut vector = vectors::vector(text, dim);
        match fault {
            Some(EmbeddingFault::Unusable { word, value }) if text.contains(word.as_str()) => {
                vector.fill(*value);
            }
            Some(EmbeddingFault::NotANumber) if idx == last => vector[0] = f32::NAN,
            Some(EmbeddingFault::ShortVector) if idx == last => _ = vector.pop(),
            _ => (),
        }
        if is_arrays {
            // Serde writes NaN as null.
            serde_json::to_string(&vector).expect("numbers are JSON")
        } else {
            format!("\"{}\"", vectors::base64(&vector))
        }
    };
    texts.iter().enumerate().map(of_text).collect()
}

/// The answer, as a fault may have it.
pub(super) fn answer(
    model: &str,
    embeddings: &[String],
    n_tokens: usize,
    fault: Option<&EmbeddingFault>,
) -> Answer {
    let n = embeddings.len();
    let mut items: Vec<(usize, &String)> = embeddings.iter().enumerate().collect();
    match fault {
        Some(EmbeddingFault::OneLess) => _ = items.pop(),
        Some(EmbeddingFault::OneMore) => items.push((n, &embeddings[n - 1])),
        Some(EmbeddingFault::SameIndex) => items[n - 1].0 = 0,
        Some(EmbeddingFault::IndexTooLarge) => items[n - 1].0 = n,
        Some(EmbeddingFault::Reversed) => items.reverse(),
        _ => (),
    }
    // Put together by hand: a tree of JSON values would cost more than all the rest.
    let n_bytes = embeddings.iter().map(|e| e.len() + 64).sum::<usize>() + 256;
    let mut body = String::with_capacity(n_bytes);
    body.push_str(r#"{"object":"list","data":["#);
    for (place, (index, embedding)) in items.into_iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        let index = match fault {
            Some(EmbeddingFault::NoIndex) => String::new(),
            _ => format!(r#""index":{index},"#),
        };
        let head = format!(r#"{comma}{{"object":"embedding",{index}"embedding":"#);
        body.push_str(&head);
        body.push_str(embedding);
        body.push('}');
    }
    let usage = match fault {
        Some(EmbeddingFault::Usage(usage)) => usage.clone(),
        _ => json!({"prompt_tokens": n_tokens, "total_tokens": n_tokens}).to_string(),
    };
    body.push_str(&format!(r#"],"model":{},"usage":{usage}}}"#, json!(model)));
    Answer::new(200, body).with_header("content-type", "application/json")
}
