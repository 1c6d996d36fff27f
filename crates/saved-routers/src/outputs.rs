use std::{fs, path::Path};

use dataset::PredictedCost;
use ndarray::Array2;

use crate::{Error, Result, RobertaCost};

impl RobertaCost {
    /// What the network's outputs say, of shape `(n_prompts, n_models)`, the columns in the LLMs' order.
    ///
    /// # Panics
    /// When the quantity is a score, which no record of a cost network has.
    pub fn predicted(&self, outputs: &Array2<f32>) -> PredictedCost {
        let cost = self.quantity.cost(outputs, self.scale.as_ref());
        cost.expect("a record whose cost network predicts scores is refused")
    }
}

/// Reads a label order, names of LLMs: a list with commas, or a file with one on each line.
///
/// # Errors
/// [`Error::Dataset`].
pub fn read_label_order(order: &str) -> Result<Vec<String>> {
    let path = Path::new(order);
    let names: Vec<String> = if path.is_file() {
        let text = fs::read_to_string(path).map_err(dataset::Error::io("read", path))?;
        // A byte order mark is what some editors begin a file with; carriage returns go with the other white space.
        let text = text.trim_start_matches('\u{feff}');
        text.lines().map(|name| name.trim().to_owned()).collect()
    } else {
        order
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect()
    };
    Ok(names.into_iter().filter(|name| !name.is_empty()).collect())
}

/// For each LLM the output of a network that is its.
///
/// `labels` are the outputs' names in the network `network`, `order` the names that the user gave them instead.
///
/// # Errors
/// [`Error::OutputCount`], [`Error::LabelOrderLength`], [`Error::NotInLabelOrder`] or [`Error::UnnamedOutputs`].
pub fn outputs_of_models(
    network: &str,
    labels: &[String],
    order: Option<&[String]>,
    models: &[String],
) -> Result<Vec<usize>> {
    if let Some(order) = order
        && order.len() != labels.len()
    {
        return Err(Error::LabelOrderLength {
            network: network.to_owned(),
            n_outputs: labels.len(),
            n_names: order.len(),
        });
    }
    // More outputs than LLMs are refused, too: they were trained for another list, and which ones belong together is a guess.
    if labels.len() != models.len() {
        return Err(Error::OutputCount {
            network: network.to_owned(),
            n_outputs: labels.len(),
            n_models: models.len(),
        });
    }
    let names = order.unwrap_or(labels);
    let position = |model: &String| names.iter().position(|name| name == model);
    let mut outputs = Vec::with_capacity(models.len());
    for model in models {
        match (position(model), order) {
            (Some(output), _) => outputs.push(output),
            (None, Some(order)) => {
                return Err(Error::NotInLabelOrder {
                    model: model.clone(),
                    order: order.to_vec(),
                });
            }
            (None, None) => {
                return Err(Error::UnnamedOutputs {
                    network: network.to_owned(),
                    labels: labels.to_vec(),
                    models: models.to_vec(),
                });
            }
        }
    }
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn outputs_are_found_by_name() {
        for (labels, order, expected) in [
            (&["b", "a"][..], None, Ok(vec![1, 0])),
            (&["a", "b"], None, Ok(vec![0, 1])),
            (&["a", "b"], Some(&["b", "a"][..]), Ok(vec![1, 0])),
            (&["LABEL_0", "LABEL_1"], Some(&["a", "b"]), Ok(vec![0, 1])),
            (
                &["LABEL_0", "LABEL_1"],
                None,
                Err("in the order of the outputs"),
            ),
            (&["a", "a"], None, Err("in the order of the outputs")),
            (&["a"], None, Err("1 outputs, fewer than the 2 LLMs")),
            (
                &["a", "b", "c"],
                None,
                Err("3 outputs, more than the 2 LLMs"),
            ),
            (&["a", "b"], Some(&["a"]), Err("has 1 names")),
            (&["a", "b"], Some(&["a", "c"]), Err("does not name `b`")),
        ] {
            let order = order.map(names);
            let found =
                outputs_of_models("net", &names(labels), order.as_deref(), &names(&["a", "b"]));
            match (found, expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{labels:?}"),
                (Err(error), Err(expected)) => {
                    let message = error.to_string();
                    assert!(message.contains(expected), "{message}");
                }
                (found, expected) => panic!("{labels:?} gave {found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn an_order_is_a_list_or_a_file() {
        let expected = names(&["a", "owner/b"]);
        assert_eq!(read_label_order("a, owner/b").expect("a list"), expected);
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let path = file.path().to_str().expect("text");
        for text in [
            "a\nowner/b",
            "a\r\nowner/b\n\n",
            "\u{feff}a\r\nowner/b\r\n\r\n",
            "\u{feff}\n a\t\n\nowner/b",
        ] {
            fs::write(file.path(), text).expect("written");
            assert_eq!(
                read_label_order(path).expect("a file"),
                expected,
                "{text:?}"
            );
        }
    }
}
