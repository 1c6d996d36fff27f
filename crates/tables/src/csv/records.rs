//! Splits a file into fields, by RFC 4180. Strict where the csv crate, and with it most readers, goes on without a word: an unclosed quote
//! takes in the rows behind it, and text after a closing quote shows that quotes are escaped in another way, so that all texts with quotes
//! would be altered. It also knows whether an empty field was quoted.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use untrusted_files::Budget;

use crate::{Error, QuoteFault, Result, error::row_or_header, text};

const QUOTE: u8 = b'"';

/// The fields of one row.
#[derive(Debug, Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    /// Where each field ends in `bytes`, and whether it was quoted.
    fields: Vec<(usize, bool)>,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn field(&self, i: usize) -> &[u8] {
        let start = i.checked_sub(1).map_or(0, |before| self.fields[before].0);
        &self.bytes[start..self.fields[i].0]
    }

    pub(super) fn is_quoted(&self, i: usize) -> bool {
        self.fields[i].1
    }

    /// Whether it is a line of spaces, or of separators alone, as spreadsheets write rows that were cleared.
    pub(super) fn is_blank(&self) -> bool {
        let is_quoted = (0..self.len()).any(|i| self.is_quoted(i));
        !is_quoted && self.bytes.trim_ascii().is_empty()
    }

    /// Whether a field holds a whole line with as many separators as the row has: a quote that is never closed takes in the rows behind it, up
    /// to the next quote, which may be the mark of inches.
    pub(super) fn holds_rows(&self, delimiter: u8) -> bool {
        const MIN_SEPARATORS: usize = 2;
        let n_separators = self.len() - 1;
        n_separators >= MIN_SEPARATORS
            && (0..self.len()).any(|i| {
                let lines: Vec<&[u8]> = self.field(i).split(|&byte| byte == b'\n').collect();
                let n = |line: &&[u8]| line.iter().filter(|&&byte| byte == delimiter).count();
                lines.len() > 2
                    && lines[1..lines.len() - 1]
                        .iter()
                        .any(|line| n(line) == n_separators)
            })
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a field.
    Start,
    Unquoted,
    Quoted,
    /// In quotes, behind the escape character.
    Escaped,
    /// Behind a quote that closes the field, or is the first half of a doubled one.
    Closed,
}

/// The rows of a file, the header among them.
pub(super) struct Records {
    path: PathBuf,
    reader: BufReader<File>,
    /// Of one row.
    budget: Budget,
    splitter: Splitter,
}

/// What is known between two bytes.
struct Splitter {
    delimiter: u8,
    escape: Option<u8>,
    state: State,
    /// The line that is being read, from 1.
    line: usize,
    /// Where the last quote that opened a field stands.
    quote_line: usize,
    last: u8,
    has_backslash_quotes: bool,
    /// Rows that have been read, with the header.
    n_records: usize,
}

/// What a byte ends.
enum Step {
    Nothing,
    Row,
    /// It stands behind a closing quote, where only a separator or the end of the line may.
    Stray,
    /// A quote behind a backslash, outside of quotes. Those who write that also double their backslashes, and Spark, which does not, puts
    /// quotes around such a field: taken as it is, the text would be another one.
    BackslashQuote,
}

impl Records {
    /// Opens a file, which has to fit in the budget as a whole where `is_whole`, and else row by row.
    pub(super) fn open(
        path: &Path,
        delimiter: u8,
        escape: Option<u8>,
        budget: Budget,
        is_whole: bool,
    ) -> Result<Self> {
        let mut reader = text::open(path, is_whole.then_some(budget))?;
        let buffer = reader.fill_buf().map_err(Error::io("read", path))?;
        let hint = excel_hint(buffer);
        reader.consume(hint);
        Ok(Self {
            path: path.to_owned(),
            reader,
            budget,
            splitter: Splitter {
                delimiter,
                // A doubled quote is read anyway.
                escape: escape.filter(|&escape| escape != QUOTE),
                state: State::Start,
                line: 1 + usize::from(hint > 0),
                quote_line: 1,
                last: 0,
                has_backslash_quotes: false,
                n_records: 0,
            },
        })
    }

    /// Whether a quote stood behind a backslash, which is how Spark and MySQL write a quote.
    pub(super) fn has_backslash_quotes(&self) -> bool {
        self.splitter.has_backslash_quotes
    }

    /// Reads the next row; false at the end. Empty lines are passed over.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<bool> {
        record.clear();
        loop {
            let buffer = self.reader.fill_buf();
            let buffer = buffer.map_err(Error::io("read", &self.path))?;
            if buffer.is_empty() {
                return self.end(record);
            }
            let n = buffer.len();
            let mut used = None;
            for (i, &byte) in buffer.iter().enumerate() {
                match self.splitter.step(byte, record) {
                    Step::Nothing => {}
                    Step::Row => {
                        used = Some(i + 1);
                        break;
                    }
                    Step::Stray => return Err(self.quote_error(QuoteFault::TextBehind)),
                    Step::BackslashQuote => {
                        self.splitter.quote_line = self.splitter.line;
                        return Err(self.quote_error(QuoteFault::Unquoted));
                    }
                }
            }
            self.reader.consume(used.unwrap_or(n));
            if used.is_some() {
                self.splitter.n_records += 1;
                return Ok(true);
            }
            let n_bytes = record.bytes.len() as u64;
            self.budget
                .check(row_or_header(self.splitter.n_records), n_bytes)
                .map_err(Error::over_budget(&self.path))?;
        }
    }

    /// The end of the file, which ends a row that no line break has ended.
    fn end(&mut self, record: &mut Record) -> Result<bool> {
        match self.splitter.state {
            State::Quoted | State::Escaped => Err(self.quote_error(QuoteFault::Open)),
            State::Start if record.fields.is_empty() => Ok(false),
            _ => {
                self.splitter.end_field(record);
                self.splitter.n_records += 1;
                Ok(true)
            }
        }
    }

    fn quote_error(&self, fault: QuoteFault) -> Error {
        Error::Quote {
            path: self.path.clone(),
            // The header is row 0.
            row: self.splitter.n_records,
            line: self.splitter.quote_line,
            fault,
            has_backslash_quotes: self.splitter.has_backslash_quotes,
        }
    }
}

impl Splitter {
    fn step(&mut self, byte: u8, record: &mut Record) -> Step {
        let before = std::mem::replace(&mut self.last, byte);
        if byte == b'\n' && before != b'\r' || byte == b'\r' {
            self.line += 1;
        }
        match self.state {
            State::Quoted => {
                if Some(byte) == self.escape {
                    self.state = State::Escaped;
                } else if byte == QUOTE {
                    self.has_backslash_quotes |= self.escape.is_none() && before == b'\\';
                    self.state = State::Closed;
                } else {
                    record.bytes.push(byte);
                }
                return Step::Nothing;
            }
            State::Escaped => {
                // MySQL also escapes a line break. Before anything else the character stands for itself, as Spark writes it.
                let is_escaped = byte == QUOTE || Some(byte) == self.escape || byte == b'\n';
                if !is_escaped {
                    record.bytes.extend(self.escape);
                }
                record.bytes.push(byte);
                self.state = State::Quoted;
                return Step::Nothing;
            }
            State::Closed if byte == QUOTE => {
                record.bytes.push(byte);
                self.state = State::Quoted;
                return Step::Nothing;
            }
            State::Start if byte == QUOTE => {
                self.quote_line = self.line;
                self.state = State::Quoted;
                return Step::Nothing;
            }
            State::Start | State::Unquoted | State::Closed => {}
        }
        if byte == self.delimiter {
            self.end_field(record);
            Step::Nothing
        } else if byte == b'\n' || byte == b'\r' {
            let is_empty_line = self.state == State::Start && record.fields.is_empty();
            if is_empty_line {
                return Step::Nothing;
            }
            self.end_field(record);
            Step::Row
        } else if self.state == State::Closed {
            Step::Stray
        } else if byte == QUOTE && before == b'\\' {
            Step::BackslashQuote
        } else {
            record.bytes.push(byte);
            self.state = State::Unquoted;
            Step::Nothing
        }
    }

    fn end_field(&mut self, record: &mut Record) {
        let is_quoted = self.state == State::Closed;
        record.fields.push((record.bytes.len(), is_quoted));
        self.state = State::Start;
    }
}

/// How many bytes the line `sep=;` takes, which Excel reads before the header and others write for it.
fn excel_hint(start: &[u8]) -> usize {
    let n = start
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(start.len(), |at| at + 1);
    let line = start[..n].trim_ascii_end();
    let is_hint = line.len() <= 5 && line.to_ascii_lowercase().starts_with(b"sep=");
    if is_hint { n } else { 0 }
}
