//! Tables with a row for each prompt and LLM, as most evaluation logs are.

mod guess;
mod pivot;

use std::{fmt, str::FromStr};

use tables::Kind;

pub(crate) use self::{
    guess::guess,
    pivot::{Wide, pivot},
};

/// What a column of a long table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Prompt,
    Model,
    Score,
    Id,
    Cost,
    InputTokens,
    OutputTokens,
    Propensity,
    Task,
    Split,
}

impl Role {
    const ALL: [Self; 10] = [
        Self::Prompt,
        Self::Model,
        Self::Score,
        Self::Id,
        Self::Cost,
        Self::InputTokens,
        Self::OutputTokens,
        Self::Propensity,
        Self::Task,
        Self::Split,
    ];
    const REQUIRED: [Self; 3] = [Self::Prompt, Self::Model, Self::Score];

    fn name(self) -> &'static str {
        match self {
            Self::Prompt => "prompt",
            Self::Model => "model",
            Self::Score => "score",
            Self::Id => "id",
            Self::Cost => "cost",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::Propensity => "propensity",
            Self::Task => "task",
            Self::Split => "split",
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Prompt | Self::Model | Self::Id | Self::Task | Self::Split => Kind::Text,
            Self::Score
            | Self::Cost
            | Self::InputTokens
            | Self::OutputTokens
            | Self::Propensity => Kind::Number,
        }
    }
}

/// Which columns of a long table hold what: `prompt=question,model=llm,score=correct`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Long {
    /// In the order of the roles; each at most once.
    columns: Vec<(Role, String)>,
}

impl Long {
    /// The column of a role, if there is one.
    pub(crate) fn column(&self, role: Role) -> Option<&str> {
        let mut columns = self.columns.iter();
        columns
            .find(|(other, _)| *other == role)
            .map(|(_, column)| column.as_str())
    }

    /// The column that tells prompts apart.
    pub(crate) fn id(&self) -> &str {
        let id = self.column(Role::Id).or_else(|| self.column(Role::Prompt));
        id.expect("a prompt's column is required")
    }

    /// All columns.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(_, column)| column.as_str())
    }

    /// What to read a column as.
    pub(crate) fn kind(&self, column: &str) -> Option<Kind> {
        let mut columns = self.columns.iter();
        columns
            .find(|(_, name)| name == column)
            .map(|(role, _)| role.kind())
    }
}

impl FromStr for Long {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = Role::ALL.map(Role::name).join(", ");
        let mut columns: Vec<(Role, String)> = Vec::new();
        for pair in text.split(',') {
            let (key, column) = pair
                .split_once('=')
                .ok_or_else(|| format!("expected `what=column`, found `{pair}`"))?;
            let (key, column) = (key.trim(), column.trim());
            let role = Role::ALL
                .into_iter()
                .find(|role| role.name() == key)
                .ok_or_else(|| format!("`{key}` is not one of {names}"))?;
            if column.is_empty() {
                return Err(format!("`{key}` names no column"));
            }
            let is_taken = |(other, name): &(Role, String)| {
                // Only an id may be something else as well: the prompt, say.
                *other == role || name == column && other.kind() != role.kind()
            };
            if columns.iter().any(is_taken) {
                return Err(format!("`{pair}` names what is named already"));
            }
            columns.push((role, column.to_owned()));
        }
        for role in Role::REQUIRED {
            if !columns.iter().any(|(other, _)| *other == role) {
                return Err(format!("`{}` is missing", role.name()));
            }
        }
        columns.sort();
        Ok(Self { columns })
    }
}

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.columns.iter();
        let pairs: Vec<String> = pairs
            .map(|(role, column)| format!("{}={column}", role.name()))
            .collect();
        f.write_str(&pairs.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_what_they_hold() {
        let long: Long = "score=acc, prompt=q,model=llm".parse().expect("complete");
        assert_eq!(long.to_string(), "prompt=q,model=llm,score=acc");
        assert_eq!(long.column(Role::Score), Some("acc"));
        assert_eq!(long.column(Role::Cost), None);
        assert_eq!(long.kind("acc"), Some(Kind::Number));
        assert_eq!(long.kind("other"), None);
        assert!("prompt=q,id=q,model=m,score=s".parse::<Long>().is_ok());
        for (text, expected) in [
            ("", "expected `what=column`"),
            ("prompt=q,model=m", "`score` is missing"),
            ("prompt=q,model=m,score=", "`score` names no column"),
            (
                "prompt=q,model=m,points=s",
                "`points` is not one of prompt, model",
            ),
            (
                "prompt=q,prompt=p,model=m,score=s",
                "`prompt=p` names what is named",
            ),
            ("prompt=q,model=m,score=m", "`score=m` names what is named"),
        ] {
            let error = text.parse::<Long>().expect_err(text);
            assert!(error.contains(expected), "{error}");
        }
    }
}
