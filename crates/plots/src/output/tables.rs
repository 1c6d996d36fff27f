//! Tables of typed cells: as CSV for programs, and as a [`Document`] for readers.

mod document;

pub(crate) use self::document::{
    Block, DOCUMENT_EXTENSION, Document, Header, Kind, Prose, Rows, Span,
};

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// As many cells per row as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What a reader must know, a paragraph each; below the table.
    pub(crate) notes: Vec<String>,
}

/// A column's name in either form.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) csv: &'static str,
    /// Empty for a column that only the CSV has.
    pub(crate) markdown: &'static str,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    /// Numbers that were put into words, as an estimate with its interval.
    Written(String),
    Count(usize),
    /// A share, a score or a ratio.
    Number(f64),
    /// A difference.
    Signed(f64),
    /// US dollars per query; Markdown shows dollars per 1,000 queries.
    Usd(f64),
    /// A number with its unit in Markdown, without in CSV.
    Measure {
        value: f64,
        n_decimals: usize,
        unit: &'static str,
    },
    /// Not known, or never reached.
    Missing,
    /// Not defined for this row.
    Blank,
}

impl Cell {
    pub(crate) fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }

    pub(crate) fn usd(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Usd)
    }

    /// The number in it.
    pub(crate) fn value(&self) -> Option<f64> {
        match *self {
            Self::Count(count) => Some(count as f64),
            Self::Number(value)
            | Self::Signed(value)
            | Self::Usd(value)
            | Self::Measure { value, .. } => Some(value),
            Self::Text(_) | Self::Written(_) | Self::Missing | Self::Blank => None,
        }
    }

    /// Another number of the same kind; where this one has none, a plain number.
    pub(crate) fn with_value(&self, value: f64) -> Self {
        match *self {
            Self::Count(_) if value.fract() == 0.0 && value >= 0.0 => Self::Count(value as usize),
            Self::Measure {
                n_decimals, unit, ..
            } => Self::Measure {
                value,
                n_decimals,
                unit,
            },
            Self::Usd(_) => Self::Usd(value),
            _ => Self::Number(value),
        }
    }

    /// A number with its sign.
    pub(crate) fn signed(self) -> Self {
        match self {
            Self::Number(value) => Self::Signed(value),
            other => other,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Text(text) | Self::Written(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            // Four decimals are about one prompt of a large test split; more digits would suggest a
            // precision that the data does not have.
            Self::Number(value) => format!("{value:.4}"),
            Self::Signed(value) => format!("{value:+.4}"),
            Self::Usd(value) => format!("{:.4}", 1000.0 * value),
            Self::Measure {
                value,
                n_decimals,
                unit,
            } => format!("{value:.n_decimals$} {unit}"),
            Self::Missing => "N/A".to_owned(),
            Self::Blank => String::new(),
        }
    }

    fn csv(&self) -> String {
        match self {
            Self::Text(text) | Self::Written(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            // As many digits as it takes to read the same number back: whoever computes with a CSV
            // starts from ours, not from rounded ones.
            Self::Number(value)
            | Self::Signed(value)
            | Self::Usd(value)
            | Self::Measure { value, .. } => value.to_string(),
            // Programs read an empty field as a missing number, whereas `N/A` would turn the whole
            // column into text.
            Self::Missing | Self::Blank => String::new(),
        }
    }
}

impl Table {
    /// The rows as they are shown to readers.
    pub(crate) fn rows(&self) -> Rows {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&i| !self.columns[i].markdown.is_empty())
            .collect();
        let header = |&i: &usize| Header {
            name: self.columns[i].markdown.to_owned(),
            kind: self.kind(i),
        };
        let cells = |row: &Vec<Cell>| shown.iter().map(|&i| row[i].shown()).collect();
        Rows {
            header: shown.iter().map(header).collect(),
            cells: self.rows.iter().map(cells).collect(),
        }
    }

    /// The rows, then the notes.
    pub(crate) fn document(&self) -> Document {
        let document = Document::new().rows(self.rows());
        (self.notes.iter()).fold(document, |document, note| document.paragraph(note.as_str()))
    }

    /// Comma-separated values with a header, numbers in full.
    pub(crate) fn csv(&self) -> String {
        let header = self.columns.iter().map(|column| column.csv.to_owned());
        let rows = self.rows.iter();
        csv_of(
            [header.collect()]
                .into_iter()
                .chain(rows.map(|row| row.iter().map(Cell::csv).collect())),
        )
    }

    /// One text makes a column of texts; `N/A` may be in any column.
    fn kind(&self, column_idx: usize) -> Kind {
        let mut kind = Kind::Number;
        for row in &self.rows {
            match row[column_idx] {
                Cell::Text(_) => return Kind::Text,
                Cell::Written(_) => kind = Kind::Written,
                _ => {}
            }
        }
        kind
    }
}

/// Records as RFC 4180 has them: a text is quoted where it would be misread without.
pub(crate) fn csv_of(records: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer
            .write_record(record)
            .expect("memory takes all, and every record has as many fields");
    }
    let bytes = writer.into_inner().expect("memory takes all");
    String::from_utf8(bytes).expect("of texts comes a text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_hold_the_same_rows() {
        let table = Table {
            columns: vec![
                Column {
                    csv: "name",
                    markdown: "Name",
                },
                Column {
                    csv: "accuracy",
                    markdown: "Accuracy",
                },
                Column {
                    csv: "cost_usd",
                    markdown: "Cost, $ per 1,000 queries",
                },
                Column {
                    csv: "n",
                    markdown: "",
                },
            ],
            rows: vec![
                vec![
                    Cell::Text("a|b, \"c\"".to_owned()),
                    Cell::Number(2.0 / 3.0),
                    Cell::Usd(0.00125),
                    Cell::Count(3),
                ],
                vec![
                    Cell::Text("d".to_owned()),
                    Cell::Missing,
                    Cell::usd(None),
                    Cell::Count(4),
                ],
            ],
            notes: vec!["A note.".to_owned()],
        };
        assert_eq!(
            table.document().markdown(),
            "| Name | Accuracy | Cost, $ per 1,000 queries |\n| --- | ---: | ---: |\n\
             | a\\|b, \"c\" | 0.6667 | 1.2500 |\n| d | N/A | N/A |\n\nA note.\n"
        );
        assert_eq!(
            table.csv(),
            "name,accuracy,cost_usd,n\n\"a|b, \"\"c\"\"\",0.6666666666666666,0.00125,3\nd,,,4\n"
        );
    }
}
