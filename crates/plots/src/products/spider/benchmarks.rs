//! Which prompts make one benchmark.

use std::collections::BTreeMap;

use crate::settings::spider::{GroupingSettings, SpiderSettings};

/// Fewest benchmarks that make a radar chart: two axes span no area.
pub(super) const MIN_AXES: usize = 3;

/// Benchmarks of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Benchmarks {
    /// In the order in which they are drawn.
    pub(super) names: Vec<String>,
    /// One name per prompt.
    pub(super) labels: Vec<String>,
    /// How many tasks the last one joins because there are too many to draw.
    pub(super) n_joined: Option<usize>,
}

impl Benchmarks {
    /// The first grouping of the settings that fits the tasks; else the tasks themselves by name, the smallest of them joined where there are
    /// too many.
    pub(super) fn of(tasks: &[String], settings: &SpiderSettings) -> Self {
        let grouped = settings
            .groupings
            .iter()
            .find_map(|grouping| Self::grouped(tasks, grouping));
        grouped.unwrap_or_else(|| Self::by_task(tasks, settings.max_benchmarks))
    }

    /// `None` where some task belongs nowhere, or too few benchmarks have a prompt.
    fn grouped(tasks: &[String], grouping: &GroupingSettings) -> Option<Self> {
        let label = |task: &String| {
            grouping
                .benchmarks
                .iter()
                .find(|benchmark| task.contains(&benchmark.task_contains))
                .map(|benchmark| &benchmark.name)
                .or(grouping.others.as_ref())
                .cloned()
        };
        let labels = tasks.iter().map(label).collect::<Option<Vec<_>>>()?;
        let names: Vec<String> = grouping
            .benchmarks
            .iter()
            .map(|benchmark| &benchmark.name)
            .filter(|name| labels.contains(name))
            .cloned()
            .collect();
        // A grouping made for another data set may catch a task by chance; it fits only if it gives a chart.
        if names.len() < MIN_AXES {
            return None;
        }
        let others = grouping.others.iter().filter(|name| labels.contains(name));
        Some(Self {
            names: names.iter().chain(others).cloned().collect(),
            labels,
            n_joined: None,
        })
    }

    fn by_task(tasks: &[String], max_benchmarks: usize) -> Self {
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for task in tasks {
            *sizes.entry(task).or_default() += 1;
        }
        let mut by_size: Vec<(&str, usize)> = sizes.into_iter().collect();
        let n_tasks = by_size.len();
        if n_tasks <= max_benchmarks {
            return Self {
                names: by_size.iter().map(|(task, _)| (*task).to_owned()).collect(),
                labels: tasks.to_vec(),
                n_joined: None,
            };
        }
        // A stable sort: equally large tasks stay in order of their names.
        by_size.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
        let n_joined = n_tasks - (max_benchmarks - 1);
        let mut kept: Vec<&str> = by_size[..max_benchmarks - 1]
            .iter()
            .map(|(task, _)| *task)
            .collect();
        kept.sort_unstable();
        // The rest must not share its name with a task.
        let mut rest = format!("{n_joined} others");
        while kept.contains(&rest.as_str()) {
            rest.push('*');
        }
        let label = |task: &String| {
            if kept.binary_search(&task.as_str()).is_ok() {
                task.clone()
            } else {
                rest.clone()
            }
        };
        Self {
            labels: tasks.iter().map(label).collect(),
            names: kept
                .into_iter()
                .chain([rest.as_str()])
                .map(str::to_owned)
                .collect(),
            n_joined: Some(n_joined),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn of(tasks: &[&str], max_benchmarks: usize) -> Benchmarks {
        let tasks: Vec<String> = tasks.iter().map(|&task| task.to_owned()).collect();
        let mut settings = Settings::read(None).expect("good settings").spider;
        settings.max_benchmarks = max_benchmarks;
        Benchmarks::of(&tasks, &settings)
    }

    #[test]
    fn known_tasks_are_grouped_in_the_paper_s_order() {
        let check = |tasks: &[&str], names: &[&str], labels: &[&str]| {
            let found = of(tasks, 16);
            assert_eq!(
                (found.names.as_slice(), found.n_joined),
                (names.map_owned().as_slice(), None)
            );
            assert_eq!(found.labels, labels.map_owned());
        };
        check(
            &[
                "rungalileo/ragbench/hotpotqa",
                "openhermes/teknium",
                "lighteval/MATH/all/test",
                "TIGER-Lab/MMLU-Pro",
                "TAUR-Lab/MuSR/team_allocation",
                "TAUR-Lab/MuSR",
                "Idavidrein/gpqa/gpqa_extended",
            ],
            &["GPQA", "MuSR", "MMLU-Pro", "MATH", "OpenHermes", "RAGBench"],
            &[
                "RAGBench",
                "OpenHermes",
                "MATH",
                "MMLU-Pro",
                "MuSR",
                "MuSR",
                "GPQA",
            ],
        );
        check(
            &[
                "bbh/navigate",
                "math/algebra_hard",
                "mmlu_pro/mmlu_pro",
                "bbh/snarks",
            ],
            &["BBH", "MATH", "MMLU-Pro"],
            &["BBH", "MATH", "MMLU-Pro", "BBH"],
        );
        check(
            &[
                "mmlu-anatomy",
                "mbpp",
                "consensus_summary",
                "hellaswag",
                "mmlu-virology",
            ],
            &["MMLU", "HellaSwag", "MBPP", "others"],
            &["MMLU", "MBPP", "others", "HellaSwag", "MMLU"],
        );
        // One task that belongs nowhere, or too few benchmarks: the tasks themselves.
        check(
            &[
                "bbh/navigate",
                "mmlu_pro/mmlu_pro",
                "bbh/navigate",
                "bbh/snarks",
            ],
            &["bbh/navigate", "bbh/snarks", "mmlu_pro/mmlu_pro"],
            &[
                "bbh/navigate",
                "mmlu_pro/mmlu_pro",
                "bbh/navigate",
                "bbh/snarks",
            ],
        );
        check(&["law", "art"], &["art", "law"], &["law", "art"]);
    }

    #[test]
    fn the_smallest_of_many_tasks_are_joined() {
        let found = of(&["d", "a", "b", "b", "c", "c", "e"], 3);
        assert_eq!(found.names, ["b", "c", "3 others"]);
        assert_eq!(
            found.labels,
            ["3 others", "3 others", "b", "b", "c", "c", "3 others"]
        );
        assert_eq!(found.n_joined, Some(3));
        let found = of(&["3 others", "3 others", "a", "b", "c", "c"], 3);
        assert_eq!(found.names, ["3 others", "c", "2 others"]);
        let found = of(&["2 others", "2 others", "a", "b", "c", "c"], 3);
        assert_eq!(found.names, ["2 others", "c", "2 others*"]);
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|&text| text.to_owned()).collect()
        }
    }
}
