use dataset::Quantity;
use routers::Setting;

use super::{BlendContents, Contents};

impl Contents {
    /// What it is and what it predicts, in a sentence or two.
    pub(crate) fn description(&self) -> String {
        let outputs = |quantity| match quantity {
            Quantity::Score => "scores",
            Quantity::OutputTokens => "output tokens",
            Quantity::ThousandsOfOutputTokens => "thousands of output tokens",
            Quantity::StandardizedUsd => "costs in dollars",
        };
        let quantities = self.quantities();
        let all = || quantities.iter().map(|&quantity| outputs(quantity));
        let of_targets = |details: Vec<String>| {
            let each = all().zip(details);
            let each = each.map(|(outputs, detail)| format!("{outputs} ({detail})"));
            each.collect::<Vec<_>>().join(" and ")
        };
        match self {
            Self::Knn { targets, .. } => {
                let details = targets.iter().map(|it| format!("k = {}", it.n_neighbors));
                format!(
                    "Nearest neighbors by cosine similarity that predict every LLM's {}.",
                    of_targets(details.collect())
                )
            }
            Self::KnnIndex {
                targets, recall, ..
            } => {
                let details = targets.iter().map(|it| format!("k = {}", it.n_neighbors));
                format!(
                    "Nearest neighbors by cosine similarity in an index, of which it finds {recall:.3}, that predict every LLM's {}.",
                    of_targets(details.collect())
                )
            }
            Self::Linear { targets } => {
                let details = targets.iter().map(|it| format!("alpha = {}", it.alpha));
                format!(
                    "Ridge regression that predicts every LLM's {}.",
                    of_targets(details.collect())
                )
            }
            Self::Kernel { targets } => {
                let details = targets
                    .iter()
                    .map(|it| format!("gamma = {}, alpha = {}", it.gamma, it.alpha));
                format!(
                    "Kernel ridge regression (Nystrom, Gaussian kernel) that predicts every LLM's {}.",
                    of_targets(details.collect())
                )
            }
            Self::Cluster { targets } => {
                let details = targets
                    .iter()
                    .map(|it| format!("{} clusters", it.n_clusters));
                format!(
                    "Means of k-means clusters that predict every LLM's {}.",
                    of_targets(details.collect())
                )
            }
            Self::Blend(blend) if !blend.routes() => format!(
                "A blend that does not route: on train prompts that it was not fitted on, it did not beat the best single LLM by more than one standard error. \
                 It predicts every LLM's mean {} and mean cost for every prompt, so that the weight of cost alone decides.",
                outputs(Quantity::Score)
            ),
            Self::Blend(blend) => format!(
                "A blend of {} that predicts every LLM's {}. Predicted differences between LLMs are multiplied by {}.",
                blend.learners_in_words(),
                all().collect::<Vec<_>>().join(" and "),
                blend.report.scale
            ),
            Self::Forest {} => {
                "A random forest that predicts whether the small LLM answers right.".to_owned()
            }
            Self::Mf { .. } => {
                "A matrix factorization that predicts whether the small LLM does at least as well."
                    .to_owned()
            }
            Self::Roberta { .. } => format!(
                "RoBERTa networks that predict every LLM's {}.",
                all().collect::<Vec<_>>().join(" and ")
            ),
            Self::RobertaBinary { .. } => {
                "A RoBERTa network that predicts whether the small LLM does at least as well."
                    .to_owned()
            }
        }
    }
}

fn in_words(setting: Setting) -> &'static str {
    match setting {
        Setting::Knn { .. } => "nearest neighbors",
        Setting::Linear { .. } => "ridge regression",
        Setting::Kernel { .. } => "kernel ridge regression",
        Setting::Cluster { .. } => "means of clusters",
    }
}

impl BlendContents {
    /// The learners that have weight for differences between scores, with it: `nearest neighbors (0.31) and ridge regression (0.20)`. Those that
    /// predict only costs, or what all LLMs have in common, are left out.
    pub(crate) fn learners_in_words(&self) -> String {
        let of_scores = self.report.targets.first();
        let learners = of_scores.map_or(&[][..], |it| &it.learners);
        let learners = learners.iter().filter(|it| it.deviation_weight > 0.0);
        let learners =
            learners.map(|it| format!("{} ({:.2})", in_words(it.setting), it.deviation_weight));
        match &learners.collect::<Vec<_>>()[..] {
            [] => "no learner".to_owned(),
            [one] => one.clone(),
            [others @ .., last] => format!("{} and {last}", others.join(", ")),
        }
    }
}
