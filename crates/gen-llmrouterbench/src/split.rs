use std::collections::{HashMap, HashSet};

use crate::{python_random::PythonRandom, records::Records};

/// The prompts that train, as (data set, prompt), and the order of all: by data set, then by least index.
#[derive(Debug)]
pub(crate) struct Split {
    pub(crate) order: Vec<(String, u32)>,
    pub(crate) train: HashSet<(String, u32)>,
}

/// LLMRouterBench's split, prompt by prompt.
///
/// ```text
/// for each data set, in the order of its results' paths, with one generator for all:
///   prompts, each text once, by their least index
///   train: the first int(n * train_share) of the shuffled positions
/// ```
///
/// Source: `split_by_dataset_then_prompt` in baselines/data_loader.py (ynulihao/LLMRouterBench at 0e267fb).
pub(crate) fn split(records: &Records, train_share: f64, seed: u32) -> Split {
    let mut data_sets: Vec<&str> = Vec::new();
    let mut prompts: HashMap<&str, Vec<(u32, i64)>> = HashMap::new();
    let mut places: HashMap<(&str, u32), usize> = HashMap::new();
    for result in &records.results {
        let data_set = result.data_set.as_str();
        let of_set = prompts.entry(data_set).or_insert_with(|| {
            data_sets.push(data_set);
            Vec::new()
        });
        for answer in &result.answers {
            match places.get(&(data_set, answer.prompt)) {
                Some(&place) => of_set[place].1 = of_set[place].1.min(answer.index),
                None => {
                    places.insert((data_set, answer.prompt), of_set.len());
                    of_set.push((answer.prompt, answer.index));
                }
            }
        }
    }
    let mut random = PythonRandom::new(seed);
    let mut this = Split {
        order: Vec::new(),
        train: HashSet::new(),
    };
    for data_set in data_sets {
        let mut of_set = prompts.remove(data_set).unwrap_or_default();
        // Stable, as Python's sort is: prompts of one index stay in the order in which they came.
        of_set.sort_by_key(|&(_, index)| index);
        let n_train = (of_set.len() as f64 * train_share) as usize;
        let mut positions: Vec<usize> = (0..of_set.len()).collect();
        random.shuffle(&mut positions);
        let trained = positions
            .iter()
            .take(n_train)
            .map(|&at| (data_set.to_owned(), of_set[at].0));
        this.train.extend(trained);
        this.order.extend(
            of_set
                .into_iter()
                .map(|(prompt, _)| (data_set.to_owned(), prompt)),
        );
    }
    this
}
