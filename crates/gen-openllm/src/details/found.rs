use std::path::PathBuf;

use dataset::Source;

use crate::config::{Model, Task};

/// The sample files of an evaluation, the latest of each LLM and task.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// Where they were looked for, for messages.
    pub(crate) path: PathBuf,
    /// The tasks that any LLM has.
    pub(crate) tasks: Vec<&'a Task>,
    /// The LLMs that are kept.
    pub(crate) models: Vec<&'a Model>,
    /// For each LLM the file of each task.
    pub(crate) files: Vec<Vec<Option<PathBuf>>>,
    /// The files as a data set records them.
    pub(crate) sources: Vec<Source>,
    /// What is missing.
    pub(crate) notes: Vec<String>,
}
