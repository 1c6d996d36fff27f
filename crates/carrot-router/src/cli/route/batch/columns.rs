use carrot_router::{Candidate, Decision, TokenSource};
use tables::{Cell, CellType, NewColumn};

use super::answers::Answers;
use crate::cli::route::brief::Brief;

/// The columns that a decision becomes, named as in a line of `--json`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    /// Only the chosen LLM, and not all.
    pub(super) is_brief: bool,
    /// Whether a row may say why it has no decision.
    pub(super) has_errors: bool,
}

impl Columns {
    pub(super) fn list(self) -> Vec<NewColumn> {
        let mut columns = vec![
            NewColumn::new("selected", CellType::Text),
            NewColumn::new("selected_score", CellType::Single),
            NewColumn::new("selected_cost_usd", CellType::Double),
            NewColumn::new("mu", CellType::Double),
            NewColumn::new("truncated", CellType::Truth),
        ];
        if !self.is_brief {
            columns.push(NewColumn::new("models", models_type()));
        }
        if self.has_errors {
            columns.push(NewColumn::new("routing_error", CellType::Text));
        }
        columns
    }

    /// For each column the values of the rows.
    pub(super) fn cells(self, answers: &Answers) -> Vec<Vec<Cell>> {
        let mut columns = vec![Vec::with_capacity(answers.rows.len()); self.list().len()];
        for answer in answers.iter() {
            let cells = self.row(answer);
            for (column, cell) in columns.iter_mut().zip(cells) {
                column.push(cell);
            }
        }
        columns
    }

    fn row(self, answer: Result<&Decision, &str>) -> Vec<Cell> {
        let n_of_decision = if self.is_brief { 5 } else { 6 };
        let mut cells = match answer {
            Ok(decision) => {
                let brief = Brief::of(decision);
                vec![
                    Cell::Text(brief.selected.to_owned()),
                    Cell::Single(brief.selected_score),
                    Cell::Double(brief.selected_cost_usd),
                    Cell::Double(brief.mu),
                    Cell::Truth(brief.truncated),
                ]
            }
            Err(_) => vec![Cell::Null; n_of_decision],
        };
        if let (false, Ok(decision)) = (self.is_brief, answer) {
            cells.push(Cell::List(decision.models.iter().map(model).collect()));
        }
        if self.has_errors {
            let why = answer.err();
            cells.push(why.map_or(Cell::Null, |why| Cell::Text(why.to_owned())));
        }
        cells
    }
}

/// All LLMs of a decision.
fn models_type() -> CellType {
    let fields = [
        ("name", CellType::Text),
        ("score", CellType::Single),
        ("input_tokens", CellType::Whole),
        ("input_tokens_from", CellType::Text),
        ("output_tokens", CellType::Single),
        ("cost_usd", CellType::Double),
        ("utility", CellType::Double),
    ];
    let fields = fields.map(|(name, ty)| (name.to_owned(), ty));
    CellType::List(CellType::Record(fields.into()).into())
}

/// In the order of [`models_type`].
fn model(model: &Candidate) -> Cell {
    Cell::Record(vec![
        Cell::Text(model.name.clone()),
        Cell::Single(model.score),
        i64::try_from(model.input_tokens).map_or(Cell::Null, Cell::Whole),
        Cell::Text(source(model.input_tokens_from).to_owned()),
        model.output_tokens.map_or(Cell::Null, Cell::Single),
        Cell::Double(model.cost_usd),
        Cell::Double(model.utility),
    ])
}

fn source(source: TokenSource) -> &'static str {
    match source {
        TokenSource::Given => "given",
        TokenSource::Fitted => "fitted",
        TokenSource::OwnTokenizer => "own-tokenizer",
        TokenSource::StandIn => "stand-in",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_tokens_are_named_as_in_json() {
        for it in [
            TokenSource::Given,
            TokenSource::Fitted,
            TokenSource::OwnTokenizer,
            TokenSource::StandIn,
        ] {
            let json = serde_json::to_value(it).expect("a word");
            assert_eq!(json, source(it));
        }
    }
}
