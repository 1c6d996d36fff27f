use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, IsTerminal as _, Read},
    path::Path,
};

use anyhow::{Context as _, bail};
use cli_support::usage_error;
use tracing::info;
use untrusted_files::Mistaken;

use super::line::{self, Form, Line};

/// Prompts that are decided on at a time: enough to keep all cores at work, few enough to see decisions soon.
const MAX_PROMPTS: usize = 256;
/// The same in bytes, so that long prompts do not fill the memory.
const MAX_BYTES: usize = 4 << 20;
/// The longest line. A file without line breaks would fill the memory, too.
const MAX_LINE: u64 = 64 << 20;
/// What is read at a time, and so how far reading is ahead of deciding.
const READ: usize = 1 << 20;

/// Where prompts come from.
pub(super) enum Prompts {
    /// The command line, with the input tokens that it says.
    Given(String, Option<u32>),
    /// A file that was opened, with its name.
    File(File, String),
    /// Standard input.
    Stdin,
}

/// Prompts in the order in which they come, some at a time.
pub(super) struct Batches {
    given: Option<(String, Option<u32>)>,
    lines: Option<Lines>,
}

/// Some prompts.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Batch {
    pub(super) prompts: Vec<String>,
    /// What each request is billed for, where it says so.
    pub(super) input_tokens: Vec<Option<usize>>,
    /// Where each comes from, in words; none for the command line.
    places: Vec<String>,
}

/// The lines of a file or of standard input.
struct Lines {
    reader: BufReader<Box<dyn Read>>,
    form: Form,
    source: String,
    /// Whether all of it is there, so that reading on waits for nobody.
    is_there: bool,
    n_lines: usize,
    n_prompts: usize,
    /// What was wrong with the line after those of the batch before.
    failed: Option<anyhow::Error>,
}

impl Prompts {
    /// The prompt given, the file, or standard input.
    pub(super) fn find(
        prompt: Option<String>,
        input_tokens: Option<u32>,
        file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        match (prompt, file) {
            (Some(prompt), _) if prompt.trim().is_empty() => {
                Err(usage_error("the prompt is empty"))
            }
            (Some(prompt), _) => Ok(Self::Given(prompt, input_tokens)),
            (None, Some(path)) => {
                let name = format!("`{}`", path.display());
                let file = File::open(path).with_context(|| format!("cannot read {name}"))?;
                Ok(Self::File(file, name))
            }
            (None, None) => Ok(Self::Stdin),
        }
    }

    /// Begins to read.
    pub(super) fn batches(self) -> Batches {
        let lines = |reader, form, source, is_there| Batches {
            given: None,
            lines: Some(Lines::new(reader, form, source, is_there)),
        };
        match self {
            Self::Given(prompt, input_tokens) => Batches {
                given: Some((prompt, input_tokens)),
                lines: None,
            },
            Self::File(file, name) => {
                let is_there = is_regular(&file);
                lines(Box::new(file), Form::Json, name, is_there)
            }
            Self::Stdin => {
                if io::stdin().is_terminal() {
                    info!("reading prompts from standard input, one per line");
                }
                let source = "standard input".to_owned();
                let is_there = is_stdin_regular();
                lines(Box::new(io::stdin()), Form::JsonOrText, source, is_there)
            }
        }
    }
}

impl Batches {
    /// The next prompts: those that have arrived, as far as they are few. Waits for the first of them only, so that whoever writes a line gets
    /// its answer before the next. `None` at the end.
    ///
    /// # Errors
    /// For a line that holds no prompt, once those before it were given out, and where there is no prompt at all.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Batch>> {
        match (self.given.take(), &mut self.lines) {
            (Some((prompt, input_tokens)), _) => Ok(Some(Batch {
                prompts: vec![prompt],
                input_tokens: vec![input_tokens.map(|n| n as usize)],
                places: Vec::new(),
            })),
            (None, Some(lines)) => lines.batch(),
            (None, None) => Ok(None),
        }
    }
}

impl Batch {
    /// Adds where the prompts came from to an error that concerns one of them, or perhaps all.
    pub(super) fn locate(&self, error: carrot_router::Error) -> anyhow::Error {
        let place = error.prompt_idx().and_then(|idx| self.places.get(idx));
        let context = match (place, &self.places[..]) {
            (Some(place), _) | (None, [place]) => format!("cannot route {place}"),
            (None, [first, .., last]) => format!("cannot route the prompts from {first} to {last}"),
            (None, []) => return error.into(),
        };
        anyhow::Error::new(error).context(context)
    }
}

impl Lines {
    fn new(reader: Box<dyn Read>, form: Form, source: String, is_there: bool) -> Self {
        Self {
            reader: BufReader::with_capacity(READ, reader),
            form,
            source,
            is_there,
            n_lines: 0,
            n_prompts: 0,
            failed: None,
        }
    }

    fn batch(&mut self) -> anyhow::Result<Option<Batch>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut batch = Batch::default();
        let mut n_bytes = 0;
        while batch.prompts.len() < MAX_PROMPTS && n_bytes < MAX_BYTES {
            // A line that has not arrived may be typed only after the answer to the last one.
            let has_line = self.is_there || self.reader.buffer().contains(&b'\n');
            if !batch.prompts.is_empty() && !has_line {
                break;
            }
            match self.prompt() {
                Ok(Some(line)) => {
                    n_bytes += line.prompt.len();
                    batch.prompts.push(line.prompt);
                    let input_tokens = line.input_tokens.map(|n| n as usize);
                    batch.input_tokens.push(input_tokens);
                    batch.places.push(self.place());
                }
                Ok(None) => break,
                Err(error) if batch.prompts.is_empty() => return Err(error),
                // After the answers to the lines before it.
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        self.n_prompts += batch.prompts.len();
        if self.n_prompts == 0 {
            bail!("{} contains no prompt", self.source);
        }
        Ok((!batch.prompts.is_empty()).then_some(batch))
    }

    /// The next line that is not blank.
    fn prompt(&mut self) -> anyhow::Result<Option<Line>> {
        loop {
            if self.n_lines == 0 {
                self.check_kind()?;
            }
            let mut bytes = Vec::new();
            self.n_lines += 1;
            let read = self.reader.by_ref().take(MAX_LINE + 1);
            let n_read = { read }.read_until(b'\n', &mut bytes);
            if n_read.with_context(|| format!("cannot read {}", self.place()))? == 0 {
                return Ok(None);
            }
            if bytes.len() as u64 > MAX_LINE {
                bail!(
                    "{} has more than {} MiB, the longest that a line may be",
                    self.place(),
                    MAX_LINE >> 20
                );
            }
            if let Some(line) = line::read(bytes, self.form, &self.place())? {
                return Ok(Some(line));
            }
        }
    }

    /// Refuses a file that is not what its name says. Any text on standard input may be a prompt.
    fn check_kind(&mut self) -> anyhow::Result<()> {
        if self.form == Form::Json {
            let source = &self.source;
            let start = self.reader.fill_buf();
            let start = start.with_context(|| format!("cannot read {source}"))?;
            if let Some(mistaken) = Mistaken::recognize(start) {
                bail!("{source} is {mistaken}");
            }
        }
        Ok(())
    }

    fn place(&self) -> String {
        format!("line {} of {}", self.n_lines, self.source)
    }
}

/// Whether it is a file on a disk, and no pipe or terminal.
fn is_regular(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(unix)]
fn is_stdin_regular() -> bool {
    use std::os::fd::AsFd as _;

    let file = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    file.is_ok_and(|file| is_regular(&file))
}

#[cfg(not(unix))]
fn is_stdin_regular() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        io::{PipeWriter, Write as _},
        rc::Rc,
    };

    use test_support::try_mutations;

    use super::*;

    fn lines(text: impl Read + 'static, form: Form) -> Lines {
        Lines::new(Box::new(text), form, "`p`".to_owned(), false)
    }

    fn all(mut lines: Lines) -> Result<Vec<String>, String> {
        let mut prompts = Vec::new();
        loop {
            match lines.batch() {
                Ok(Some(batch)) => prompts.extend(batch.prompts),
                Ok(None) => return Ok(prompts),
                Err(error) => return Err(format!("{error:#}")),
            }
        }
    }

    #[test]
    fn a_line_is_given_out_before_the_next_has_come() {
        let (reader, mut writer): (_, PipeWriter) = io::pipe().expect("a pipe");
        let mut lines = lines(reader, Form::JsonOrText);
        for text in ["one", "two", "three"] {
            writeln!(writer, "{text}").expect("written");
            let batch = lines.batch().expect("read").expect("a prompt");
            assert_eq!(batch.prompts, [text]);
        }
        writer.write_all(b"four\nfive\nsi").expect("written");
        let batch = lines.batch().expect("read").expect("prompts");
        assert_eq!(batch.prompts, ["four", "five"]);
        writer.write_all(b"x").expect("written");
        drop(writer);
        let batch = lines.batch().expect("read").expect("a prompt");
        assert_eq!(batch.prompts, ["six"]);
        assert_eq!(batch.places, ["line 6 of `p`"]);
        assert_eq!(lines.batch().expect("the end"), None);
    }

    /// Counts what is read of it.
    struct Endless(Rc<Cell<usize>>);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let line = b"a prompt\n";
            for (to, from) in buffer.iter_mut().zip(line.iter().cycle()) {
                *to = *from;
            }
            let n = buffer.len() / line.len() * line.len();
            self.0.set(self.0.get() + n);
            Ok(n)
        }
    }

    #[test]
    fn what_never_ends_is_read_bit_by_bit() {
        let n_read = Rc::new(Cell::new(0));
        let mut lines = lines(Endless(Rc::clone(&n_read)), Form::JsonOrText);
        for n_batches in 1..20 {
            let batch = lines.batch().expect("read").expect("prompts");
            assert_eq!(batch.prompts.len(), MAX_PROMPTS);
            assert!(n_read.get() <= READ + n_batches * MAX_PROMPTS * 9);
        }
        let error = all(Lines::new(
            Box::new(io::repeat(b'a')),
            Form::JsonOrText,
            "`p`".to_owned(),
            true,
        ));
        let message = error.expect_err("no end of the line");
        assert!(
            message.contains("line 1 of `p` has more than 64 MiB"),
            "{message}"
        );
    }

    #[test]
    fn the_order_is_kept_and_a_bad_line_stops_only_what_follows() {
        let n_lines = 3 * MAX_PROMPTS + 7;
        let text: String = (1..=n_lines).map(|n| format!("prompt {n}\n")).collect();
        let expected: Vec<String> = text.lines().map(str::to_owned).collect();
        let read = |text: String| io::Cursor::new(text.into_bytes());
        assert_eq!(
            all(lines(read(text.clone()), Form::JsonOrText)),
            Ok(expected)
        );

        let mut lines = lines(read(format!("{text}{{oops\nlast\n")), Form::JsonOrText);
        let mut n_prompts = 0;
        let message = loop {
            match lines.batch() {
                Ok(batch) => n_prompts += batch.expect("prompts").prompts.len(),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(n_prompts, n_lines);
        let expected = format!("line {} of `p` ", n_lines + 1);
        assert!(message.starts_with(&expected), "{message}");
    }

    #[test]
    fn there_must_be_a_prompt() {
        for (text, form) in [("", Form::JsonOrText), ("\n \n", Form::Json)] {
            let error = all(lines(text.as_bytes(), form)).expect_err("nothing");
            assert_eq!(error, "`p` contains no prompt");
        }
        let page = "<!DOCTYPE html>\n".as_bytes();
        let error = all(lines(page, Form::Json)).expect_err("a page");
        assert!(error.contains("`p` is a web page"), "{error}");
    }

    #[test]
    fn mutations_of_prompts_are_read_or_refused() {
        let files = [
            "{\"prompt\": \"a\\nb\", \"id\": 3}\n{\"prompt\": \"\\ud83d\\ude00\"}\r\n",
            "\u{feff}plain text\n{\"prompt\":\"b\"}\n\nlast",
        ]
        .map(|text| text.as_bytes().to_vec());
        try_mutations(&files, |bytes| {
            for form in [Form::Json, Form::JsonOrText] {
                _ = all(lines(io::Cursor::new(bytes.clone()), form));
            }
        });
    }
}
