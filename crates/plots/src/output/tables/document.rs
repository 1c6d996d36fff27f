//! What a reader sees of a table: headings, prose and rows of text.
//!
//! A document is written twice: as Markdown, for readers, and as JSON (`STEM.rows.json`), from which report.html shows it later. The page
//! could render neither of the other files: Markdown would have to be parsed, and a CSV has other columns, units and digits.

use std::path::Path;

use anyhow::ensure;
use dataset::json;
use serde::{Deserialize, Serialize};

/// What the name of a document's file ends with; of a figure or a table `metrics_table` it is `metrics_table.rows.json`. No other program
/// writes such a name, so that the page never takes someone else's JSON for a table.
pub(crate) const DOCUMENT_EXTENSION: &str = "rows.json";
/// Raised when the meaning of a field changes, so that a file of another version is refused instead of being misread.
const FORMAT_VERSION: u32 = 1;

/// Blocks in reading order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Document {
    format_version: u32,
    pub(crate) blocks: Vec<Block>,
}

/// A heading, a paragraph or a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Block {
    /// Its level is 1 at the top of the document, then 2.
    Heading(usize, Prose),
    Paragraph(Prose),
    Rows(Rows),
}

/// Running text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Prose(Vec<Span>);

/// A piece of running text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Span {
    Text(String),
    /// A name that must be read letter by letter: of a file, a data set or an LLM.
    Code(String),
}

/// A table with every cell as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Rows {
    pub(crate) header: Vec<Header>,
    /// As many cells per row as the header has.
    pub(crate) cells: Vec<Vec<String>>,
}

/// The top of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// What a column holds, which decides its alignment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// To the left.
    Text,
    /// To the right.
    Number,
    /// Numbers that were put into words, such as `0.51 [0.50, 0.60]`: to the left in Markdown, where nothing lines up their points, and to
    /// the right on the page, whose digits all have the same width.
    Written,
}

impl Document {
    pub(crate) fn new() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            blocks: Vec::new(),
        }
    }

    /// Adds a heading; `level` is 1 at the top.
    pub(crate) fn heading(mut self, level: usize, text: impl Into<Prose>) -> Self {
        self.blocks.push(Block::Heading(level, text.into()));
        self
    }

    pub(crate) fn paragraph(mut self, text: impl Into<Prose>) -> Self {
        self.blocks.push(Block::Paragraph(text.into()));
        self
    }

    pub(crate) fn rows(mut self, rows: Rows) -> Self {
        self.blocks.push(Block::Rows(rows));
        self
    }

    /// GitHub-flavored Markdown, its blocks separated by empty lines.
    pub(crate) fn markdown(&self) -> String {
        let blocks: Vec<String> = self.blocks.iter().map(Block::markdown).collect();
        blocks.join("\n")
    }

    /// Writes it for the page.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> dataset::Result<()> {
        json::write(path, self)
    }

    /// Reads what [`Document::write`] wrote.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a document of this version.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let this: Self = json::read_versioned(path, FORMAT_VERSION)?;
        let is_odd_heading =
            |block: &Block| matches!(block, Block::Heading(level, _) if !(1..=6).contains(level));
        ensure!(
            !this.blocks.iter().any(is_odd_heading),
            "a heading of `{}` has a level other than 1 to 6",
            path.display()
        );
        // Cells belong to columns by position. A short row would put its numbers under the wrong names.
        ensure!(
            this.blocks.iter().all(Block::is_rectangular),
            "a row of `{}` has more or fewer cells than its header",
            path.display()
        );
        Ok(this)
    }
}

impl Block {
    fn is_rectangular(&self) -> bool {
        match self {
            Self::Rows(rows) => {
                let mut cells = rows.cells.iter();
                cells.all(|cells| cells.len() == rows.header.len())
            }
            Self::Heading(..) | Self::Paragraph(_) => true,
        }
    }

    fn markdown(&self) -> String {
        match self {
            Self::Heading(level, text) => {
                format!("{} {}\n", "#".repeat(*level), text.markdown())
            }
            Self::Paragraph(text) => text.markdown() + "\n",
            Self::Rows(rows) => rows.markdown(),
        }
    }
}

impl Prose {
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Span::Text(text.into()));
        self
    }

    pub(crate) fn code(mut self, code: impl Into<String>) -> Self {
        self.0.push(Span::Code(code.into()));
        self
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.0
    }

    fn markdown(&self) -> String {
        let span = |span: &Span| match span {
            Span::Text(text) => text.clone(),
            // A backtick would end the code early.
            Span::Code(code) => format!("`{}`", code.replace('`', "'")),
        };
        self.0.iter().map(span).collect()
    }
}

impl From<&str> for Prose {
    fn from(text: &str) -> Self {
        Self::default().text(text)
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self::default().text(text)
    }
}

impl Rows {
    fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let names = self.header.iter().map(|column| column.name.clone());
        let rules = self.header.iter().map(|column| match column.kind {
            Kind::Text | Kind::Written => "---".to_owned(),
            Kind::Number => "---:".to_owned(),
        });
        let mut text = line(names.collect()) + &line(rules.collect());
        for cells in &self.cells {
            // A bar would begin the next cell, and a line break the next row.
            let cell = |cell: &String| cell.replace(['\n', '\r'], " ").replace('|', "\\|");
            text += &line(cells.iter().map(cell).collect());
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn document() -> Document {
        let column = |name: &str, kind| Header {
            name: name.to_owned(),
            kind,
        };
        Document::new()
            .heading(1, Prose::from("Metrics on ").code("a`b"))
            .paragraph("Two routers.")
            .rows(Rows {
                header: vec![
                    column("Router", Kind::Text),
                    column("AIQ", Kind::Written),
                    column("n", Kind::Number),
                ],
                cells: vec![vec![
                    "a|b".to_owned(),
                    "0.5 [0, 1]".to_owned(),
                    "3".to_owned(),
                ]],
            })
    }

    #[test]
    fn markdown_keeps_its_own_marks_apart_from_names() {
        assert_eq!(
            document().markdown(),
            "# Metrics on `a'b`\n\nTwo routers.\n\n| Router | AIQ | n |\n| --- | --- | ---: |\n| a\\|b | 0.5 [0, 1] | 3 |\n"
        );
    }

    #[test]
    fn a_document_comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.rows.json");
        document().write(&path).expect("written");
        assert_eq!(Document::read(&path).expect("read"), document());
        let text = fs::read_to_string(&path).expect("read");
        for (from, to, expected) in [
            (
                "\"format-version\": 1",
                "\"format-version\": 2",
                "2, expected 1",
            ),
            ("\"3\"", "\"3\", \"4\"", "more or fewer cells"),
            ("\"blocks\"", "\"bricks\"", "unknown field"),
            (
                "        1,",
                "        18446744073709551615,",
                "a level other than",
            ),
        ] {
            fs::write(&path, text.replace(from, to)).expect("written");
            let error = Document::read(&path).expect_err(expected);
            let error = format!("{error:#}");
            assert!(
                error.contains(expected) && error.contains("t.rows.json"),
                "{error}"
            );
        }
    }
}
