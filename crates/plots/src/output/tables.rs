//! Tables as Markdown, for readers, and as CSV, for programs.

/// Rows under named columns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    /// As many cells per row as there are columns.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What a reader must know, in Markdown; below the table.
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
            Self::Text(_) | Self::Missing | Self::Blank => None,
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

    fn markdown(&self) -> String {
        match self {
            Self::Text(text) => text.replace('|', "\\|"),
            Self::Count(count) => count.to_string(),
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
            Self::Text(text) => csv_text(text),
            Self::Count(count) => count.to_string(),
            Self::Number(value)
            | Self::Signed(value)
            | Self::Usd(value)
            | Self::Measure { value, .. } => value.to_string(),
            Self::Missing | Self::Blank => String::new(),
        }
    }
}

impl Table {
    /// A GitHub-flavored Markdown table: text to the left, all else to the right.
    pub(crate) fn markdown(&self) -> String {
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&i| !self.columns[i].markdown.is_empty())
            .collect();
        let is_text = |i: usize| self.rows.iter().any(|row| matches!(row[i], Cell::Text(_)));
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let mut text = line(
            shown
                .iter()
                .map(|&i| self.columns[i].markdown.to_owned())
                .collect(),
        );
        text += &line(
            shown
                .iter()
                .map(|&i| if is_text(i) { "---" } else { "---:" }.to_owned())
                .collect(),
        );
        for row in &self.rows {
            text += &line(shown.iter().map(|&i| row[i].markdown()).collect());
        }
        for note in &self.notes {
            text += &format!("\n{note}\n");
        }
        text
    }

    /// Comma-separated values with a header, numbers in full.
    pub(crate) fn csv(&self) -> String {
        let mut text = self
            .columns
            .iter()
            .map(|column| column.csv)
            .collect::<Vec<_>>()
            .join(",")
            + "\n";
        for row in &self.rows {
            text += &(row.iter().map(Cell::csv).collect::<Vec<_>>().join(",") + "\n");
        }
        text
    }
}

/// A text as RFC 4180 has it: quoted where it would else be misread.
pub(crate) fn csv_text(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
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
            table.markdown(),
            "| Name | Accuracy | Cost, $ per 1,000 queries |\n| --- | ---: | ---: |\n\
             | a\\|b, \"c\" | 0.6667 | 1.2500 |\n| d | N/A | N/A |\n\nA note.\n"
        );
        assert_eq!(
            table.csv(),
            "name,accuracy,cost_usd,n\n\"a|b, \"\"c\"\"\",0.6666666666666666,0.00125,3\nd,,,4\n"
        );
    }
}
