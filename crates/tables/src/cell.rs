//! Values that are added to a table, whatever format it is written in.

/// The type of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellType {
    /// Text.
    Text,
    /// Truth values.
    Truth,
    /// Whole numbers.
    Whole,
    /// Floats of 32 bits.
    Single,
    /// Floats of 64 bits.
    Double,
    /// Lists of any length.
    List(Box<CellType>),
    /// Several values under names of their own.
    Record(Vec<(String, CellType)>),
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Unknown, whatever the column's type.
    Null,
    /// Of [`CellType::Text`].
    Text(String),
    /// Of [`CellType::Truth`].
    Truth(bool),
    /// Of [`CellType::Whole`].
    Whole(i64),
    /// Of [`CellType::Single`]. What is not finite is unknown.
    Single(f32),
    /// Of [`CellType::Double`]. What is not finite is unknown.
    Double(f64),
    /// Of [`CellType::List`].
    List(Vec<Cell>),
    /// Of [`CellType::Record`], in the order of its names.
    Record(Vec<Cell>),
}

/// A column that is added to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// Its name, which the table must not have.
    pub name: String,
    /// Its type.
    pub cell_type: CellType,
}

impl NewColumn {
    /// A column of this name and type.
    pub fn new(name: impl Into<String>, cell_type: CellType) -> Self {
        Self {
            name: name.into(),
            cell_type,
        }
    }
}

impl Cell {
    /// Appends the value as JSON. A number is written by its shortest digits.
    ///
    /// # Panics
    /// If the value is of another type.
    pub(crate) fn push_json(&self, cell_type: &CellType, json: &mut String) {
        match (self, cell_type) {
            (Self::Null, _) => json.push_str("null"),
            (Self::Text(text), CellType::Text) => push_text(text, json),
            (Self::Truth(truth), CellType::Truth) => json.push_str(&truth.to_string()),
            (Self::Whole(number), CellType::Whole) => json.push_str(&number.to_string()),
            (Self::Single(number), CellType::Single) => push_json_of(number, json),
            (Self::Double(number), CellType::Double) => push_json_of(number, json),
            (Self::List(cells), CellType::List(item)) => {
                json.push('[');
                for (i, cell) in cells.iter().enumerate() {
                    if i > 0 {
                        json.push(',');
                    }
                    cell.push_json(item, json);
                }
                json.push(']');
            }
            (Self::Record(cells), CellType::Record(fields)) => {
                json.push('{');
                for (i, (cell, (name, field))) in cells.iter().zip(fields).enumerate() {
                    if i > 0 {
                        json.push(',');
                    }
                    push_text(name, json);
                    json.push(':');
                    cell.push_json(field, json);
                }
                json.push('}');
            }
            _ => self.mistyped(cell_type),
        }
    }

    /// Ends the program: who adds a column has said its type.
    pub(crate) fn mistyped(&self, cell_type: &CellType) -> ! {
        panic!("`{self:?}` stands in a column of {cell_type:?}")
    }
}

/// Appends a text in quotes.
pub(crate) fn push_text(text: &str, json: &mut String) {
    push_json_of(text, json);
}

/// Appends a text or a number. What is not finite becomes null, which JSON has for it.
pub(crate) fn push_json_of(value: &(impl serde::Serialize + ?Sized), json: &mut String) {
    *json += &serde_json::to_string(value).expect("texts and numbers can be written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_json() {
        let record = CellType::Record(vec![
            ("name".to_owned(), CellType::Text),
            ("score".to_owned(), CellType::Single),
        ]);
        let ty = CellType::List(record.into());
        let row = |name: &str, score| Cell::Record(vec![Cell::Text(name.to_owned()), score]);
        let cell = Cell::List(vec![
            row("a\"\n", Cell::Single(0.9)),
            row("", Cell::Single(f32::NAN)),
            Cell::Null,
        ]);
        let mut json = String::new();
        cell.push_json(&ty, &mut json);
        let expected = r#"[{"name":"a\"\n","score":0.9},{"name":"","score":null},null]"#;
        assert_eq!(json, expected);
        for (cell, ty, expected) in [
            (Cell::Truth(true), CellType::Truth, "true"),
            (Cell::Whole(-3), CellType::Whole, "-3"),
            (Cell::Double(0.1), CellType::Double, "0.1"),
            (Cell::Double(1.0), CellType::Double, "1.0"),
            (Cell::Null, CellType::Whole, "null"),
            (Cell::List(Vec::new()), ty, "[]"),
        ] {
            let mut json = String::new();
            cell.push_json(&ty, &mut json);
            assert_eq!(json, expected);
        }
    }
}
