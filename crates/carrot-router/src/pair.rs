use std::{collections::BTreeSet, path::Path};

use dataset::{CostRule, ModelInfo, Precision, Prices, Quantity, Truncate};
use encoder::{DeviceChoice, NetworkTask, Runtime};
use saved_routers::RobertaCost;
use tracing::warn;

use crate::{
    Error, Result,
    networks::{LoadedNetwork, Networks, Outputs},
};

/// Two networks that were trained elsewhere, such as CARROT's released ones: one predicts scores, the other thousands of output tokens.
#[derive(Debug, Clone, Copy)]
pub struct NetworkPair<'a> {
    /// Predicts scores, as logits.
    pub performance: NamedFolder<'a>,
    /// Predicts thousands of output tokens.
    pub cost: NamedFolder<'a>,
    /// The LLM of each output; overrides the names in the networks' own files.
    pub label_order: Option<&'a [String]>,
    /// The same for networks of which neither names its outputs, when `label_order` is not given: an assumption, which is logged as a warning.
    pub assumed_order: Option<AssumedOrder<'a>>,
    /// Prices of LLMs, these among them.
    pub prices: &'a Prices,
    /// Prompts are truncated to this many tokens, special ones included.
    pub max_tokens: usize,
    /// Which part of longer prompts is cut off; `None` leaves it to the networks' files.
    pub truncate: Option<Truncate>,
    /// How exactly the networks multiply.
    pub precision: Precision,
}

/// What the outputs of certain networks are taken to be, and how sure that is.
#[derive(Debug, Clone, Copy)]
pub struct AssumedOrder<'a> {
    /// The LLM of each output.
    pub models: &'a [String],
    /// Where it comes from, in words.
    pub evidence: &'a str,
}

/// A folder in Hugging Face layout, and the name that the user knows it by: the folder itself or a hub id.
#[derive(Debug, Clone, Copy)]
pub struct NamedFolder<'a> {
    /// For messages.
    pub name: &'a str,
    /// Where the files are.
    pub folder: &'a Path,
}

impl NetworkPair<'_> {
    /// Reads both networks and determines the LLMs that they predict for: in `label_order`, else in the performance network's order.
    pub(crate) fn load(&self, device: DeviceChoice) -> Result<(Vec<ModelInfo>, Networks)> {
        let runtime = Runtime {
            device,
            precision: self.precision,
        };
        let load = |part: NamedFolder<'_>, task| {
            LoadedNetwork::load(part.name, part.folder, task, runtime, self.truncate)
        };
        // One network cannot predict both, whatever its config.json says.
        if self.performance.folder == self.cost.folder {
            return Err(Error::OtherTask {
                name: self.cost.name.to_owned(),
                task: NetworkTask::Cost,
            });
        }
        let performance = load(self.performance, NetworkTask::Performance)?;
        let cost = load(self.cost, NetworkTask::Cost)?;
        let settled = settle(
            [&performance, &cost].map(|network| (&*network.name, network.labels())),
            self.label_order,
            self.assumed_order,
        )?;
        let unit = RobertaCost {
            folder: self.cost.folder.to_owned(),
            quantity: Quantity::ThousandsOfOutputTokens,
            scale: None,
        };
        let outputs = Outputs {
            models: &settled.models,
            order: settled.order,
        };
        let networks = Networks::new(performance, Some((cost, unit)), outputs, self.max_tokens)?;
        let model = |name: String| ModelInfo {
            price: self.prices.get(&name).cloned(),
            cost_rule: CostRule::InputAndOutputTokens,
            name,
        };
        Ok((settled.models.into_iter().map(model).collect(), networks))
    }
}

/// Which LLMs a pair predicts for.
#[derive(Debug, PartialEq, Eq)]
struct Settled<'a> {
    models: Vec<String>,
    /// Names of the outputs that override those in the files.
    order: Option<&'a [String]>,
}

/// Settles which LLMs two networks predict for. Each network is given with the names of its outputs, the performance network first.
fn settle<'a>(
    networks: [(&str, &[String]); 2],
    label_order: Option<&'a [String]>,
    assumed_order: Option<AssumedOrder<'a>>,
) -> Result<Settled<'a>> {
    let names = || networks.map(|(name, _)| name.to_owned());
    let [labels, cost_labels] = networks.map(|(_, labels)| labels);
    if labels.len() != cost_labels.len() {
        return Err(Error::PairSizes {
            networks: names(),
            n_outputs: [labels.len(), cost_labels.len()],
        });
    }
    let are_named = networks.map(|(_, labels)| is_named(labels));
    // Different orders are fine, since each network's outputs are found by name, unless one order is given for both.
    if are_named == [true, true] && labels != cost_labels {
        if let Some(label) = labels.iter().find(|label| !cost_labels.contains(label)) {
            return Err(Error::PairNames {
                networks: names(),
                label: label.clone(),
            });
        }
        if label_order.is_some() {
            return Err(Error::OneOrderForTwo { networks: names() });
        }
    }
    let order = match label_order {
        // Only if neither names them: a network that does needs no assumption, and could contradict it.
        None if are_named == [false, false] => assumed_order.map(|order| {
            warn!(
                "neither network names its outputs, and no label order was given; assuming {} ({})",
                order.models.join(", "),
                order.evidence
            );
            order.models
        }),
        order => order,
    };
    let models = match order {
        Some(order) => order.to_vec(),
        None if are_named[0] => labels.to_vec(),
        None => {
            return Err(saved_routers::Error::UnnamedOutputs {
                network: networks[0].0.to_owned(),
                labels: labels.to_vec(),
                models: match are_named[1] {
                    true => cost_labels.to_vec(),
                    false => Vec::new(),
                },
            }
            .into());
        }
    };
    // An LLM is found by its name, so of two outputs with one name the second would never be used.
    let mut seen = BTreeSet::new();
    if let Some(twice) = models.iter().find(|&name| !seen.insert(name)) {
        return Err(Error::NamedTwice {
            model: twice.clone(),
        });
    }
    Ok(Settled { models, order })
}

/// Whether outputs have names other than the placeholders that transformers writes for unnamed ones.
fn is_named(labels: &[String]) -> bool {
    let mut labels = labels.iter().enumerate();
    !labels.all(|(idx, label)| *label == format!("LABEL_{idx}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    const UNNAMED: &[&str] = &["LABEL_0", "LABEL_1"];
    const AB: &[&str] = &["a", "b"];
    const BA: &[&str] = &["b", "a"];

    type Case<'a> = (
        &'a [&'a str],
        &'a [&'a str],
        Option<&'a [&'a str]>,
        Option<&'a [&'a str]>,
    );

    fn check(case: Case<'_>, expected: Result<(&[&str], Option<&[&str]>), &str>) {
        let (performance, cost, order, assumed) = case;
        let (performance, cost) = (names(performance), names(cost));
        let [order, assumed] = [order, assumed].map(|it| it.map(names));
        let networks = [("p", &*performance), ("c", &*cost)];
        let assumed = assumed.as_deref().map(|models| AssumedOrder {
            models,
            evidence: "a test",
        });
        let found = settle(networks, order.as_deref(), assumed);
        match (found, expected) {
            (Ok(found), Ok((models, order))) => {
                assert_eq!(found.models, names(models), "{case:?}");
                assert_eq!(found.order.map(<[_]>::to_vec), order.map(names), "{case:?}");
            }
            (Err(error), Err(part)) => {
                let message = error.to_string();
                assert!(message.contains(part), "{case:?}: {message}");
            }
            (found, _) => panic!("{case:?} gave {found:?}"),
        }
    }

    #[test]
    fn names_come_from_the_user_then_from_the_networks_then_from_an_assumption() {
        check((AB, AB, None, None), Ok((AB, None)));
        check((AB, BA, None, Some(BA)), Ok((AB, None)));
        check((AB, AB, Some(BA), None), Ok((BA, Some(BA))));
        check((UNNAMED, UNNAMED, Some(AB), Some(BA)), Ok((AB, Some(AB))));
        check((UNNAMED, UNNAMED, None, Some(BA)), Ok((BA, Some(BA))));
        check((UNNAMED, AB, Some(AB), None), Ok((AB, Some(AB))));
        check(
            (&["LABEL_0"], &["LABEL_0"], Some(&["LABEL_0"]), None),
            Ok((&["LABEL_0"], Some(&["LABEL_0"]))),
        );
    }

    #[test]
    fn networks_that_do_not_match_are_refused() {
        check(
            (AB, &["a"], None, None),
            Err("`p` has 2 outputs and `c` has 1"),
        );
        check((AB, &["a", "c"], None, None), Err("`b`"));
        check((AB, &["a", "c"], Some(AB), None), Err("`b`"));
        check((AB, BA, Some(AB), None), Err("in different orders"));
        check(
            (UNNAMED, UNNAMED, None, None),
            Err("`p` does not say which LLM"),
        );
        check((UNNAMED, AB, None, Some(AB)), Err("and the LLMs are a, b"));
        check(
            (&["a", "a"], &["a", "a"], None, None),
            Err("duplicate LLM `a`"),
        );
        check(
            (UNNAMED, UNNAMED, Some(&["a", "a"]), None),
            Err("duplicate LLM `a`"),
        );
    }
}
