use dataset::DatasetInfo;

/// Which train prompts a router is fitted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sample {
    /// All of them. The fitted router is kept.
    Whole,
    /// Some rows of the train part, ascending, for a learning curve; only predictions are kept.
    Rows(Vec<usize>),
}

impl Sample {
    pub(crate) fn n_train(&self, info: &DatasetInfo) -> usize {
        match self {
            Self::Whole => info.n_train,
            Self::Rows(rows) => rows.len(),
        }
    }

    /// How many prompts at the sample's end are for validation: those that belong to the data set's own validation prompts, which are the end
    /// of its train part.
    pub(crate) fn n_validation(&self, info: &DatasetInfo) -> Option<usize> {
        let n_validation = info.n_validation?;
        Some(match self {
            Self::Whole => n_validation,
            Self::Rows(rows) => {
                let first = info.n_train.saturating_sub(n_validation);
                rows.iter().filter(|&&row| row >= first).count()
            }
        })
    }

    /// In words, to follow the router's name.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Whole => String::new(),
            Self::Rows(rows) => format!(" on {} train prompts", rows.len()),
        }
    }
}
