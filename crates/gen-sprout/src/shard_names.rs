use anyhow::{bail, ensure};
use datagen::SourcePart;

/// Finds the files of each part among the names of a folder, in the parts' and the shards' order: `train-00000-of-00002.parquet`, ...
/// Names of any other form are passed over; `place` is the folder for messages.
pub(crate) fn shards<'a>(
    place: &str,
    names: &[&'a str],
) -> anyhow::Result<Vec<(SourcePart, &'a str)>> {
    let mut all = Vec::new();
    for part in SourcePart::ALL {
        let mut found: Vec<(ShardName, &str)> = names
            .iter()
            .filter_map(|&name| Some((ShardName::parse(name)?, name)))
            .filter(|(shard, _)| shard.part == part.name())
            .collect();
        found.sort();
        let part_name = part.name();
        let Some(&(ShardName { n_shards, .. }, _)) = found.first() else {
            bail!(
                "`{place}` has no file of the part `{part_name}`, such as `{part_name}-00000-of-00001.parquet`"
            );
        };
        // An interrupted download lacks some shards, and their rows would be missing without any other sign of it.
        let is_whole = found.len() == n_shards
            && found
                .iter()
                .enumerate()
                .all(|(i, (shard, _))| shard.number == i && shard.n_shards == n_shards);
        ensure!(
            is_whole,
            "`{place}` should have each of the {n_shards} files `{part_name}-*-of-{n_shards:05}.parquet` once, but has {}",
            found
                .iter()
                .map(|(_, name)| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        all.extend(found.into_iter().map(|(_, name)| (part, name)));
    }
    Ok(all)
}

/// Whether a name is of that form.
pub(crate) fn is_shard(name: &str) -> bool {
    ShardName::parse(name).is_some()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ShardName<'a> {
    part: &'a str,
    n_shards: usize,
    number: usize,
}

impl<'a> ShardName<'a> {
    /// `<part>-<number>-of-<n_shards>.parquet`; older uploads have a hash before the extension, `-0123abcd`.
    fn parse(name: &'a str) -> Option<Self> {
        let mut pieces = name.strip_suffix(".parquet")?.split('-');
        let part = pieces.next()?;
        let number = pieces.next()?.parse().ok()?;
        if pieces.next()? != "of" {
            return None;
        }
        let n_shards = pieces.next()?.parse().ok()?;
        let is_hash = |hash: &str| hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_good = pieces.next().is_none_or(is_hash) && pieces.next().is_none();
        is_good.then_some(Self {
            part,
            n_shards,
            number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST: &str = "test-00000-of-00001.parquet";
    const VALIDATION: &str = "validation-00000-of-00001-0123abcdef.parquet";

    #[test]
    fn shards_come_in_the_order_of_parts_and_numbers() {
        let names = [
            "train-00001-of-00002.parquet",
            TEST,
            "README.md",
            "train-notes.parquet",
            VALIDATION,
            "train-00000-of-00002.parquet",
        ];
        let found = shards("x", &names).expect("all are there");
        let expected = [
            (SourcePart::Train, names[5]),
            (SourcePart::Train, names[0]),
            (SourcePart::Validation, VALIDATION),
            (SourcePart::Test, TEST),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn parts_that_are_not_whole_are_refused() {
        for (names, expected) in [
            (
                &[TEST, VALIDATION][..],
                "`x` has no file of the part `train`",
            ),
            (
                &[TEST, VALIDATION, "train-00001-of-00002.parquet"],
                "each of the 2 files `train-*-of-00002.parquet` once, but has `train-00001-of-00002.parquet`",
            ),
            (
                &[
                    TEST,
                    VALIDATION,
                    "train-00000-of-00001.parquet",
                    "train-00000-of-00001-ab.parquet",
                ],
                "each of the 1 files",
            ),
            (
                &[
                    TEST,
                    VALIDATION,
                    "train-00000-of-00001.parquet",
                    "train-00001-of-00002.parquet",
                ],
                "each of the 1 files",
            ),
        ] {
            let error = shards("x", names).expect_err("not whole");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
