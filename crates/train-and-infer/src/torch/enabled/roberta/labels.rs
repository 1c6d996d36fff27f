//! Which LLM each output of a network is.

use std::{fs, path::Path};

use anyhow::{Context as _, bail};

/// Reads names from a list with commas, or from a file with one on each line.
pub(super) fn read_label_order(order: &str) -> anyhow::Result<Vec<String>> {
    let path = Path::new(order);
    let names: Vec<String> = if path.is_file() {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{order}`"))?;
        text.lines().map(|name| name.trim().to_owned()).collect()
    } else {
        order
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect()
    };
    Ok(names.into_iter().filter(|name| !name.is_empty()).collect())
}

/// For each LLM of a data set, the output that is its.
///
/// `labels` are the outputs' names in the network `name`, `order` the names that the user gave them instead.
pub(super) fn outputs_of_models(
    name: &str,
    labels: &[String],
    order: Option<&[String]>,
    models: &[String],
) -> anyhow::Result<Vec<usize>> {
    if labels.len() != models.len() {
        let more = if labels.len() > models.len() {
            "more"
        } else {
            "fewer"
        };
        bail!(
            "`{name}` has {} outputs, {more} than the {} LLMs of the data set: it was trained for others",
            labels.len(),
            models.len()
        );
    }
    if let Some(order) = order
        && order.len() != labels.len()
    {
        bail!(
            "`--label-order` has {} names, and `{name}` has {} outputs",
            order.len(),
            labels.len()
        );
    }
    let names = order.unwrap_or(labels);
    let position = |model: &String| names.iter().position(|name| name == model);
    let outputs: Option<Vec<usize>> = models.iter().map(position).collect();
    match (outputs, order) {
        (Some(outputs), _) => Ok(outputs),
        (None, Some(order)) => {
            let missing = models.iter().find(|model| position(model).is_none());
            bail!(
                "`--label-order` does not name `{}`: it has {}, and the data set {}",
                missing.map_or("", |model| model),
                order.join(", "),
                models.join(", ")
            );
        }
        (None, None) => bail!(
            "`{name}` does not say which LLM each of its outputs is: it calls them {}, and the data set has {}. Say it with `--label-order`. \
             For the released networks the sources disagree: CarrotRouter's list ends in mixtral and then the 405b Llama, the scripts that \
             made the data and the figures have these two the other way round. Predict with either order and look at each LLM's mean predicted score \
             beside its mean score in the test split: the two are about 15 points apart, so that the wrong order shows",
            labels.join(", "),
            models.join(", ")
        ),
    }
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
            (&["LABEL_0", "LABEL_1"], None, Err("--label-order")),
            (&["a", "a"], None, Err("--label-order")),
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
        fs::write(file.path(), "a\r\nowner/b\n\n").expect("written");
        let path = file.path().to_str().expect("text");
        assert_eq!(read_label_order(path).expect("a file"), expected);
    }
}
