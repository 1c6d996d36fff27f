//! Text from data on its way into the page. Whatever an LLM, a data set or a file is called, it stays text.

use std::fmt::Write as _;

use anyhow::Context as _;
use base64::Engine as _;
use serde::Serialize;

/// A text between tags or in a quoted attribute.
pub(crate) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A name between tags: one that is written from right to left must not turn what stands beside it.
pub(crate) fn name(name: &str) -> String {
    format!("<bdi>{}</bdi>", text(name))
}

/// A value as JSON inside a `script` element: nothing in it can close the element or open a comment.
///
/// # Errors
/// When the value cannot be JSON.
pub(crate) fn script_json(value: &impl Serialize) -> anyhow::Result<String> {
    let json = serde_json::to_string(value).context("cannot write the chart's numbers")?;
    // Outside of strings JSON has none of these.
    Ok(json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029"))
}

/// An SVG as the source of an image. There it runs no script, loads nothing, and shares no name with the page or another figure.
pub(crate) fn svg_uri(svg: &str) -> String {
    let mut uri = "data:image/svg+xml,".to_owned();
    for c in svg.chars() {
        match c {
            // plotters breaks lines where a space would do.
            '\n' | '\r' | '\t' => uri.push(' '),
            // Shorter than what it stands for, and as good.
            '"' => uri.push('\''),
            '%' | '#' | '<' | '>' | '&' | '\'' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                push_percent(&mut uri, c);
            }
            c if c.is_ascii() && !c.is_ascii_control() => uri.push(c),
            c => push_percent(&mut uri, c),
        }
    }
    uri
}

/// A PNG as the source of an image.
pub(crate) fn png_uri(png: &[u8]) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(png);
    format!("data:image/png;base64,{encoded}")
}

fn push_percent(uri: &mut String, c: char) {
    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
        write!(uri, "%{byte:02X}").expect("a string takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        let hostile = "</script><!--<b onclick=\"x\">&'\u{2028}";
        for (found, expected) in [
            (
                text(hostile),
                "&lt;/script&gt;&lt;!--&lt;b onclick=&quot;x&quot;&gt;&amp;&#39;\u{2028}",
            ),
            (
                script_json(&[hostile]).expect("JSON"),
                "[\"\\u003c/script\\u003e\\u003c!--\\u003cb onclick=\\\"x\\\"\\u003e\\u0026'\\u2028\"]",
            ),
            (name("a<b"), "<bdi>a&lt;b</bdi>"),
        ] {
            assert_eq!(found, expected);
        }
        let back: Vec<String> =
            serde_json::from_str(&script_json(&[hostile]).expect("JSON")).expect("JSON");
        assert_eq!(back, [hostile]);
    }

    #[test]
    fn images_are_attributes() {
        let uri = svg_uri("<svg a=\"#1\">\n50% \u{e9} it's</svg>");
        assert_eq!(
            uri,
            "data:image/svg+xml,%3Csvg a='%231'%3E 50%25 %C3%A9 it%27s%3C/svg%3E"
        );
        assert_eq!(png_uri(b"\x89PNG"), "data:image/png;base64,iVBORw==");
    }
}
