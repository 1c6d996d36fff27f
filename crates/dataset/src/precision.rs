use std::fmt;

use serde::{Deserialize, Serialize};

/// How exactly a model's products are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// In float32, 24 bits. What is said nowhere is this.
    #[default]
    F32,
    /// In bfloat16, 8 bits, with sums in float32: several times as fast on processors that have instructions for it.
    Bf16,
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::F32, Self::Bf16];

    /// Its name in files and on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether it is float32, which files do not mention.
    pub fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for precision in Precision::ALL {
            assert_eq!(Precision::named(precision.name()), Some(precision));
            assert_eq!(precision.to_string(), precision.name());
            let json = serde_json::to_value(precision).expect("a name");
            assert_eq!(json, precision.name());
        }
        assert_eq!(Precision::named("F32"), None);
        assert!(Precision::default().is_f32());
    }
}
