use std::{env, fs};

/// The variable that sets the budget, in bytes or as `8GiB`, `500MB`, `8G`.
const VARIABLE: &str = "CARROT_MEMORY_BUDGET";
/// Where the system does not say how much memory it has.
const FALL_BACK: u64 = 16 << 30;

/// How much memory a reader may take for one thing that a file declares.
///
/// A few bytes can declare any number of rows, and a few more, compressed, decode to gigabytes. What a file says is compared with this
/// before it is decoded, so that the answer is an error and not a killed process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    bytes: u64,
}

/// A file asks for more memory than the budget.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} would take {declared} bytes of memory, more than the {budget} that are allowed; if that is right, allow more with {VARIABLE}"
)]
pub struct OverBudget {
    /// What was declared, for example `the column prompt`.
    pub what: String,
    /// Bytes that it would take.
    pub declared: u64,
    /// Bytes that are allowed.
    pub budget: u64,
}

/// The variable holds something that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE} is `{found}`, expected a size such as `8GiB` or `500MB`")]
pub struct NoSize {
    /// What it holds.
    pub found: String,
}

impl Budget {
    /// Refuses a `CARROT_MEMORY_BUDGET` that is no size, for programs to say at their start; an empty one counts as none.
    ///
    /// # Errors
    /// [`NoSize`].
    pub fn check_variable() -> Result<(), NoSize> {
        let Some(value) = env::var_os(VARIABLE) else {
            return Ok(());
        };
        check_size(&value.to_string_lossy())
    }

    /// What `CARROT_MEMORY_BUDGET` says; else three quarters of this machine's memory. A value that is no size counts as none.
    pub fn get() -> Self {
        let said = env::var(VARIABLE).ok().and_then(|text| parse(&text));
        Self::of(said.unwrap_or_else(|| physical().map_or(FALL_BACK, |bytes| bytes / 4 * 3)))
    }

    /// A budget of so many bytes.
    pub fn of(bytes: u64) -> Self {
        Self { bytes }
    }

    /// The bytes allowed.
    pub fn bytes(self) -> u64 {
        self.bytes
    }

    /// Refuses what would take more.
    ///
    /// # Errors
    /// [`OverBudget`].
    pub fn check(self, what: impl Into<String>, declared: u64) -> Result<(), OverBudget> {
        if declared <= self.bytes {
            return Ok(());
        }
        Err(OverBudget {
            what: what.into(),
            declared,
            budget: self.bytes,
        })
    }
}

fn check_size(text: &str) -> Result<(), NoSize> {
    if text.trim().is_empty() || parse(text).is_some() {
        return Ok(());
    }
    Err(NoSize {
        found: text.escape_debug().to_string(),
    })
}

/// A size as people write it: `1000`, `500MB`, `8 GiB`; `8G` as for Docker and systemd, where a letter alone counts in 1024.
fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// The memory of this machine, where the system reports it (Linux).
fn physical() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let kibibytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?
        .trim()
        .strip_suffix("kB")?;
    kibibytes.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, expected) in [
            ("1000", Some(1000)),
            ("500MB", Some(500_000_000)),
            (" 8 GiB ", Some(8 << 30)),
            ("2kib", Some(2048)),
            ("2k", Some(2048)),
            ("512m", Some(512 << 20)),
            ("8G", Some(8 << 30)),
            ("", None),
            ("-1", None),
            ("1.5GB", None),
            ("9 EB", None),
            ("99999999999999GiB", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
            let is_fine = expected.is_some() || text.is_empty();
            assert_eq!(check_size(text).is_ok(), is_fine, "{text}");
        }
    }

    #[test]
    fn more_than_the_budget_is_refused_with_both_numbers() {
        let budget = Budget::of(1000);
        assert_eq!(budget.check("a column", 1000), Ok(()));
        let error = budget.check("a column", 1001).expect_err("too much");
        let message = error.to_string();
        assert!(
            message.starts_with("a column would take 1001 bytes of memory, more than the 1000")
        );
        assert!(message.contains("CARROT_MEMORY_BUDGET"), "{message}");
    }
}
