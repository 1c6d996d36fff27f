//! What CSV and JSON lines have in common: text in UTF-8, and numbers as people and programs write them.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use untrusted_files::Budget;

use crate::{Error, FINITE, Result, files};

/// What some programs write before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// How pandas, R, SQL and spreadsheets write that there is no number, in lower case.
const UNKNOWN: [&str; 12] = [
    "", "na", "n/a", "nan", "-nan", "null", "none", "<na>", "#n/a", "#na", "nil", "\\n",
];

/// Opens a text file behind its byte order mark. All of it has to fit in the budget, where there is one.
pub(crate) fn open(path: &Path, budget: Option<Budget>) -> Result<BufReader<File>> {
    let (file, start) = files::open(path)?;
    if let Some(found) = other_encoding(&start) {
        return Err(Error::NotText {
            path: path.to_owned(),
            found,
        });
    }
    if let Some(budget) = budget {
        let n_bytes = file.metadata().map_err(Error::io("read", path))?.len();
        budget
            .check("its text", n_bytes)
            .map_err(Error::over_budget(path))?;
    }
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let buffer = reader.fill_buf().map_err(Error::io("read", path))?;
    if buffer.starts_with(BYTE_ORDER_MARK) {
        reader.consume(BYTE_ORDER_MARK.len());
    }
    Ok(reader)
}

/// What a file is that is no text in UTF-8, by its first bytes, as the end of a sentence.
fn other_encoding(start: &[u8]) -> Option<&'static str> {
    const UTF_16: &str = "in UTF-16; save it as UTF-8 (in Excel: \"CSV UTF-8\"), or convert it with `iconv -f UTF-16 -t UTF-8`";
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Some(UTF_16);
    }
    if start.starts_with(b"PAR1") {
        return Some("a Parquet file");
    }
    if start.starts_with(b"ARROW1") {
        return Some("an Arrow or Feather file; write it as Parquet");
    }
    // Without a mark: every other byte of Latin letters is 0.
    let zeros = |from: usize| start.iter().skip(from).step_by(2).take(16);
    let is_half_zeros = |from| zeros(from).len() >= 4 && zeros(from).all(|&byte| byte == 0);
    (is_half_zeros(0) != is_half_zeros(1)).then_some(UTF_16)
}

/// Text, or an error that says where it is none.
pub(crate) fn utf8<'a>(
    path: &Path,
    bytes: &'a [u8],
    place: impl FnOnce() -> String,
) -> Result<&'a str> {
    str::from_utf8(bytes).map_err(|error| Error::NotUtf8 {
        path: path.to_owned(),
        place: place(),
        byte: bytes[error.valid_up_to()],
    })
}

/// A number as text; NaN for each of the words that stand for none.
pub(crate) fn number(path: &Path, column: &str, row: usize, text: &str) -> Result<f64> {
    // Written by hand or by a spreadsheet, numbers have spaces around them.
    let trimmed = text.trim();
    let wrong = |found: String, expected| Error::Value {
        path: path.to_owned(),
        column: column.to_owned(),
        row,
        found,
        expected,
    };
    match trimmed.parse::<f64>() {
        Ok(value) if value.is_infinite() => Err(wrong(value.to_string(), FINITE)),
        Ok(value) => Ok(value),
        Err(_) if trimmed.eq_ignore_ascii_case("true") => Ok(1.0),
        Err(_) if trimmed.eq_ignore_ascii_case("false") => Ok(0.0),
        Err(_)
            if UNKNOWN
                .iter()
                .any(|word| trimmed.eq_ignore_ascii_case(word)) =>
        {
            Ok(f64::NAN)
        }
        Err(_) => {
            let is_with_comma = trimmed.replacen(',', ".", 1).parse::<f64>().is_ok();
            let expected = match is_with_comma {
                true => "a number, with a decimal point and not a comma",
                false => "a number",
            };
            Err(wrong(format!("`{}`", shortened(text)), expected))
        }
    }
}

/// The beginning of a text, for messages.
pub fn shortened(text: &str) -> String {
    const N_CHARS: usize = 60;
    match text.char_indices().nth(N_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_programs_write_them() {
        let read = |text| number(Path::new("t"), "m/score", 3, text);
        for (text, expected) in [
            ("0.5", 0.5),
            (" 1 ", 1.0),
            ("1e-3", 0.001),
            ("True", 1.0),
            ("FALSE", 0.0),
        ] {
            assert_eq!(read(text).expect(text), expected, "{text}");
        }
        for text in [
            "", " ", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A", "\\N",
        ] {
            assert!(read(text).expect(text).is_nan(), "{text}");
        }
        for (text, expected) in [
            ("inf", "is inf in row 3, expected a finite number"),
            ("-Infinity", "is -inf in row 3"),
            (
                "0,5",
                "is `0,5` in row 3, expected a number, with a decimal point",
            ),
            ("yes", "is `yes` in row 3, expected a number"),
            ("95%", "is `95%` in row 3"),
            ("1 2", "is `1 2` in row 3"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
