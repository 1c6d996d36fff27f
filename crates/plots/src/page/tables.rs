//! Tables as HTML: of documents, of CSV files, and of text that only a person can read.

use std::{fs, path::Path};

use anyhow::Context as _;
use maud::{Markup, html};

use crate::output::tables::{Block, Document, Kind, Prose, Rows, Span};

/// Rows of a CSV file on the page; the file has all.
const MAX_CSV_ROWS: usize = 400;
/// The level of the page's heading for a document's first level; those below it are one deeper.
const TOP_LEVEL: usize = 4;

/// The top of a column.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Numbers are set to the right.
    pub(crate) is_number: bool,
}

/// A table; the first cell of each row is its name. `label` describes the table to screen readers.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Markup>], label: &str) -> Markup {
    let class = |i: usize| columns[i].is_number.then_some("number");
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead {
                    tr {
                        @for (i, column) in columns.iter().enumerate() {
                            th scope="col" class=[class(i)] { (column.name) }
                        }
                    }
                }
                tbody {
                    @for row in rows {
                        tr {
                            @for (i, cell) in row.iter().enumerate() {
                                @if i == 0 {
                                    th scope="row" { bdi { (cell) } }
                                } @else {
                                    td class=[class(i)] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A document; one that does not begin with a heading gets the caption as its heading.
pub(crate) fn document(document: &Document, caption: &str) -> Markup {
    let has_heading = matches!(document.blocks.first(), Some(Block::Heading(..)));
    html! {
        @if !has_heading { h4 { (caption) } }
        @for block in &document.blocks {
            @match block {
                Block::Heading(level, text) => (heading(*level, text)),
                Block::Paragraph(text) => p.note { (prose(text)) },
                Block::Rows(rows) => (document_rows(rows, caption)),
            }
        }
    }
}

/// The text of a Markdown file, verbatim. `plots` does not parse Markdown, which people can read as it is.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn markdown_file(path: &Path, caption: &str) -> anyhow::Result<Markup> {
    let text = read(path)?;
    Ok(html! {
        h4 { (caption) }
        pre tabindex="0" { (text.trim_end()) }
    })
}

/// A CSV file, collapsed because such tables are long.
///
/// # Errors
/// When the file cannot be read, or is not CSV.
pub(crate) fn csv_file(path: &Path, name: &str) -> anyhow::Result<Markup> {
    let text = read(path)?;
    let (table, n_rows) =
        csv_table(&text, name).with_context(|| format!("cannot read `{}`", path.display()))?;
    let n_left = n_rows.saturating_sub(MAX_CSV_ROWS);
    Ok(html! {
        details {
            summary { code { (name) ".csv" } span.facts { (n_rows) " rows" } }
            (table)
            @if n_left > 0 {
                p.note { "The first " (MAX_CSV_ROWS) " rows; the file has " (n_left) " more." }
            }
        }
    })
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

fn heading(level: usize, text: &Prose) -> Markup {
    html! {
        @match TOP_LEVEL - 1 + level {
            ..=4 => h4 { (prose(text)) },
            5 => h5 { (prose(text)) },
            _ => h6 { (prose(text)) },
        }
    }
}

fn prose(text: &Prose) -> Markup {
    html! {
        @for span in text.spans() {
            @match span {
                Span::Text(text) => (text),
                Span::Code(code) => code { (code) },
            }
        }
    }
}

fn document_rows(rows: &Rows, label: &str) -> Markup {
    let columns: Vec<Column> = (rows.header.iter())
        .map(|column| Column {
            name: column.name.clone(),
            is_number: match column.kind {
                Kind::Number | Kind::Written => true,
                Kind::Text => false,
            },
        })
        .collect();
    let cells: Vec<Vec<Markup>> = (rows.cells.iter())
        .map(|cells| cells.iter().map(|cell| html! { (cell) }).collect())
        .collect();
    table(&columns, &cells, label)
}

/// A CSV file's table, with numbers as short as can be read; and its number of rows.
fn csv_table(text: &str, label: &str) -> anyhow::Result<(Markup, usize)> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let records = reader.records().collect::<Result<Vec<_>, _>>()?;
    // A CSV file does not record the types of its columns, so they are inferred; the first column always holds names.
    let is_number = |i: usize| {
        i > 0
            && (records.iter()).all(|record| {
                record
                    .get(i)
                    .is_none_or(|cell| cell.is_empty() || cell.parse::<f64>().is_ok())
            })
    };
    let columns: Vec<Column> = (names.into_iter().enumerate())
        .map(|(i, name)| Column {
            name,
            is_number: is_number(i),
        })
        .collect();
    let rows: Vec<Vec<Markup>> = (records.iter().take(MAX_CSV_ROWS))
        .map(|record| record.iter().map(|cell| html! { (short(cell)) }).collect())
        .collect();
    Ok((table(&columns, &rows, label), records.len()))
}

/// A fraction with five digits; all else as it is.
fn short(cell: &str) -> String {
    match cell.parse::<f64>() {
        Ok(value) if value.is_finite() && cell.contains('.') => {
            let digits = if value == 0.0 {
                0
            } else {
                value.abs().log10().floor() as i32
            };
            format!("{value:.*}", usize::try_from(4 - digits).unwrap_or(0))
        }
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use test_support::try_mutations;

    use super::*;
    use crate::output::tables::Header;

    fn check(page: &Markup, expected: &[&str]) {
        for expected in expected {
            assert!(page.0.contains(expected), "{expected} is not in {}", page.0);
        }
    }

    #[test]
    fn mutations_of_tables_are_shown_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = Rows {
            header: vec![Header {
                name: "Router".to_owned(),
                kind: Kind::Text,
            }],
            cells: vec![vec!["a".to_owned()], vec!["b".to_owned()]],
        };
        let made = Document::new()
            .heading(1, Prose::from("Metrics on ").code("a"))
            .rows(rows)
            .paragraph("End.");
        let path = folder.path().join("t.rows.json");
        made.write(&path).expect("written");
        try_mutations(&[fs::read(&path).expect("read")], |bytes| {
            fs::write(&path, bytes).expect("written");
            if let Ok(read) = Document::read(&path) {
                _ = document(&read, "caption");
                _ = read.markdown();
            }
        });
        let path = folder.path().join("t.csv");
        let csv = b"name,x,y\n\"a, b\",0.5,1e-3\nc,,-7\n".to_vec();
        try_mutations(&[csv], |bytes| {
            fs::write(&path, bytes).expect("written");
            _ = csv_file(&path, "t");
            _ = markdown_file(&path, "t");
        });
    }

    #[test]
    fn numbers_are_short() {
        for (cell, expected) in [
            ("0.123456789", "0.12346"),
            ("0.000123456789", "0.00012346"),
            ("1234567.8", "1234568"),
            ("-12.3456789", "-12.346"),
            ("0.0", "0.0000"),
            ("42", "42"),
            ("inf", "inf"),
            ("v1.2", "v1.2"),
            ("", ""),
        ] {
            assert_eq!(short(cell), expected, "{cell}");
        }
    }

    #[test]
    fn a_csv_is_a_table() {
        let (table, n_rows) = csv_table("a,b,c\n\"x, <y>\",0.5,\nz,0.25,k\n", "L").expect("CSV");
        assert_eq!(n_rows, 2);
        check(
            &table,
            &[
                "<th scope=\"col\" class=\"number\">b</th><th scope=\"col\">c</th>",
                "<bdi>x, &lt;y&gt;</bdi>",
                "<td class=\"number\">0.50000</td>",
            ],
        );
    }

    #[test]
    fn a_document_is_headings_notes_and_tables() {
        let column = |name: &str, kind| Header {
            name: name.to_owned(),
            kind,
        };
        let rows = Rows {
            header: vec![
                column("Router", Kind::Text),
                column("AIQ", Kind::Written),
                column("Kind", Kind::Text),
            ],
            cells: vec![vec!["a|`b`<i>".into(), "0.5 [0, 1]".into(), "llm".into()]],
        };
        let metrics = Document::new()
            .heading(1, Prose::from("Metrics on ").code("a<b"))
            .heading(2, "Areas")
            .rows(rows.clone())
            .paragraph("End & more.");
        let page = document(&metrics, "a \"label\"");
        check(
            &page,
            &[
                "<h4>Metrics on <code>a&lt;b</code></h4><h5>Areas</h5>",
                "aria-label=\"a &quot;label&quot;\"",
                "<th scope=\"col\" class=\"number\">AIQ</th>",
                "<th scope=\"row\"><bdi>a|`b`&lt;i&gt;</bdi></th><td class=\"number\">0.5 [0, 1]</td><td>llm</td>",
                "<p class=\"note\">End &amp; more.</p>",
            ],
        );
        assert!(!page.0.contains("<h4>a &quot;label"), "{}", page.0);
        let bare = document(&Document::new().rows(rows), "Caption");
        check(&bare, &["<h4>Caption</h4><div class=\"scroll\""]);
    }

    #[test]
    fn markdown_stays_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("verdict.md");
        fs::write(&path, "# Verdict\n\n| a | <b> |\n").expect("written");
        let page = markdown_file(&path, "verdict").expect("read");
        assert_eq!(
            page.0,
            "<h4>verdict</h4><pre tabindex=\"0\"># Verdict\n\n| a | &lt;b&gt; |</pre>"
        );
    }
}
