//! What the page contains besides text: numbers for the script, and images. maud's types escape the text itself.

use std::fmt::Write as _;

use anyhow::Context as _;
use base64::Engine as _;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

/// A name, isolated so that one written from right to left does not reverse the text after it.
pub(crate) fn name(name: &str) -> Markup {
    html! { bdi { (name) } }
}

/// A value as JSON inside a `script` element.
///
/// maud's escaping would be wrong here: a browser reads a script's content without resolving entities, so `&lt;` would reach the script as
/// four letters. What ends the element is `</script` in any spelling, and `<!--` changes how its end is looked for; an LLM may be called
/// either. Both begin with `<`, and JSON has a spelling for it that HTML takes no notice of: `\u003c`.
///
/// # Errors
/// When the value cannot be JSON.
pub(crate) fn script_json(value: &impl Serialize) -> anyhow::Result<PreEscaped<String>> {
    let json = serde_json::to_string(value).context("cannot write the chart's numbers")?;
    // JSON has these only within strings, where the escape means the same. Escaping `>` and `&` too keeps the page readable to tools that
    // parse it as XML; the two line separators once ended a string in JavaScript.
    let escaped = json
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Ok(PreEscaped(escaped))
}

/// An SVG as the source of an image. There it runs no script, loads nothing, and shares no name with the page or another figure.
pub(crate) fn svg_uri(svg: &str) -> String {
    let mut uri = "data:image/svg+xml,".to_owned();
    for c in svg.chars() {
        match c {
            // plotters breaks lines where a space would do, and a browser drops line breaks from an address.
            '\n' | '\r' | '\t' => uri.push(' '),
            // An SVG's attributes may have either quote; this one need not be escaped in the page's attribute.
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
        let json = script_json(&[hostile]).expect("JSON").into_string();
        assert_eq!(
            json,
            "[\"\\u003c/script\\u003e\\u003c!--\\u003cb onclick=\\\"x\\\"\\u003e\\u0026'\\u2028\"]"
        );
        let back: Vec<String> = serde_json::from_str(&json).expect("JSON");
        assert_eq!(back, [hostile]);
        assert_eq!(name("a<b").into_string(), "<bdi>a&lt;b</bdi>");
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
