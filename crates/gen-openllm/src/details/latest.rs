use std::collections::BTreeMap;

use tracing::info;

/// The latest file of each task of one LLM, as a path below its folder or repository.
pub(super) type Listed = BTreeMap<String, String>;

/// The latest file of each task: the one with the largest time in its name. The parts of a time have a fixed width, so text order is time order;
/// the time of a file on disk would be that of its download.
pub(super) fn latest<'p>(model: &str, paths: impl IntoIterator<Item = &'p str>) -> Listed {
    let mut newest: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for path in paths {
        let Some((task, time)) = task_and_time(path) else {
            continue;
        };
        let run = newest.entry(task).or_insert((time, path));
        if run.1 != path {
            info!("`{model}` has several runs of `{task}`; using the latest");
            *run = (*run).max((time, path));
        }
    }
    newest
        .into_iter()
        .map(|(task, (_, path))| (task.to_owned(), path.to_owned()))
        .collect()
}

/// `leaderboard_bbh_navigate` and `2024-12-05T09-38-15.158243` of `samples_leaderboard_bbh_navigate_2024-12-05T09-38-15.158243.json`.
fn task_and_time(path: &str) -> Option<(&str, &str)> {
    let stem = path.strip_prefix("samples_")?;
    let stem = stem
        .strip_suffix(".json")
        .or_else(|| stem.strip_suffix(".jsonl"))?;
    // Tasks have underscores in their names, times have none.
    stem.rsplit_once('_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_run_of_each_task_is_taken() {
        let listed = latest(
            "m",
            [
                "results_2024-06-17T00-00-00.000001.json",
                "samples_leaderboard_gpqa_main_2024-06-16T23-59-59.999999.json",
                "samples_leaderboard_gpqa_main_2024-12-05T09-38-15.158243.json",
                "samples_leaderboard_gpqa_main_2024-12-05T09-38-14.json",
                "samples_leaderboard_gpqa_diamond_2023-01-01T00-00-00.0.jsonl",
                "README.md",
            ],
        );
        let expected = [
            (
                "leaderboard_gpqa_diamond",
                "samples_leaderboard_gpqa_diamond_2023-01-01T00-00-00.0.jsonl",
            ),
            (
                "leaderboard_gpqa_main",
                "samples_leaderboard_gpqa_main_2024-12-05T09-38-15.158243.json",
            ),
        ];
        let listed: Vec<(&str, &str)> = listed
            .iter()
            .map(|(task, path)| (task.as_str(), path.as_str()))
            .collect();
        assert_eq!(listed, expected);
    }
}
