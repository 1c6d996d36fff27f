use std::fmt;

use serde::{Deserialize, Serialize};

/// Which part of a prompt is cut off when it is longer than what reads it can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truncate {
    /// Its beginning.
    Left,
    /// Its end.
    Right,
    /// What lies between: as much of the beginning is kept as of the end.
    Middle,
}

impl Truncate {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Left, Self::Right, Self::Middle];

    /// Its name in files and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Middle => "middle",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// How many of `n_kept` tokens come from a text's beginning; the others come from its end.
    pub fn n_from_beginning(self, n_kept: usize) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => n_kept,
            Self::Middle => n_kept.div_ceil(2),
        }
    }
}

impl fmt::Display for Truncate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parts() {
        for (truncate, name, n_from_beginning) in [
            (Truncate::Left, "left", 0),
            (Truncate::Right, "right", 5),
            (Truncate::Middle, "middle", 3),
        ] {
            assert_eq!(Truncate::named(name), Some(truncate));
            assert_eq!(truncate.to_string(), name);
            let json = serde_json::to_value(truncate).expect("a name");
            assert_eq!(json, name);
            assert_eq!(truncate.n_from_beginning(5), n_from_beginning);
        }
        assert_eq!(Truncate::named("Left"), None);
    }
}
