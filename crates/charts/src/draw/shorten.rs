//! Names that fit: what a label leaves out of a long one, and how names that are nearly alike stay apart.

mod cuts;
mod visible;

use std::collections::BTreeMap;

pub use self::cuts::shortened_to;
use self::{
    cuts::{cut_apart, in_windows},
    visible::{looks, spelled_out, visible},
};

/// Longest label in characters; longer names lose their middle, unless that is what tells them apart.
const MAX_LABEL_CHARS: usize = 28;
/// Longest labels in characters where no label of the usual length tells names apart, in the order in which they are tried.
const MAX_CHARS_APART: [usize; 4] = [MAX_LABEL_CHARS, 36, 48, 64];

/// An LLM's name as a label: without its owner, and without its middle where it is too long. For one name alone; [`model_labels`] keeps
/// several apart.
#[must_use]
pub fn short_name(model: &str) -> String {
    shortened_to(&visible(last_part(model)), MAX_LABEL_CHARS)
}

/// Labels of LLMs, no two of which look alike: [`short_name`] of each where that is enough, else with what the names differ in, else with
/// a number.
#[must_use]
pub fn model_labels(names: &[&str]) -> Vec<String> {
    labels(names, last_part)
}

/// Labels of curves, no two of which look alike: as [`model_labels`], but a slash is part of the name. Of equal names the first stays as
/// it is.
#[must_use]
pub fn curve_labels(names: &[&str]) -> Vec<String> {
    labels(names, |name| name)
}

/// The part after the last slash that is followed by anything.
fn last_part(name: &str) -> &str {
    let part = name.rsplit('/').find(|part| !part.is_empty());
    part.unwrap_or(name)
}

/// Labels, no two of which look alike. `short` is what a label shows of a name where that is enough.
fn labels(names: &[&str], short: impl Fn(&str) -> &str) -> Vec<String> {
    let mut labels: Vec<String> = names
        .iter()
        .map(|name| shortened_to(&visible(short(name)), MAX_LABEL_CHARS))
        .collect();
    for group in groups_alike(&labels) {
        let of_group: Vec<&str> = group.iter().map(|&i| names[i]).collect();
        if let Some(apart) = apart(&of_group, &short, |apart| is_free(&labels, &group, apart)) {
            for (i, label) in group.into_iter().zip(apart) {
                labels[i] = label;
            }
        }
    }
    number_the_rest(&mut labels);
    labels
}

/// Labels of names whose usual ones look alike, if some way to cut them keeps them apart from each other and `is_free` accepts them.
fn apart(
    names: &[&str],
    short: impl Fn(&str) -> &str,
    is_free: impl Fn(&[String]) -> bool,
) -> Option<Vec<String>> {
    // What a label usually shows, then all of the name, then the same with everything spelled out that cannot be seen.
    let forms: [Vec<String>; 3] = [
        names.iter().map(|name| visible(short(name))).collect(),
        names.iter().map(|name| visible(name)).collect(),
        names.iter().map(|name| spelled_out(name)).collect(),
    ];
    let form = forms.into_iter().find(|form| are_apart(form))?;
    let ways = [cut_apart, in_windows];
    let mut tried = (MAX_CHARS_APART.into_iter())
        .flat_map(|length| ways.map(|way| (way, length)))
        .filter_map(|(way, length)| way(&form, length));
    tried.find(|apart| is_free(apart))
}

/// Whether no two texts look alike.
#[must_use]
pub fn are_apart(texts: &[impl AsRef<str>]) -> bool {
    groups_alike(texts).is_empty()
}

/// Whether the labels of a group look like none of the others.
fn is_free(labels: &[String], group: &[usize], apart: &[String]) -> bool {
    let taken: Vec<String> = apart.iter().map(|label| looks(label)).collect();
    let mut others = (0..labels.len()).filter(|i| !group.contains(i));
    !others.any(|i| taken.contains(&looks(&labels[i])))
}

/// The positions of texts that look alike, for each such look; in order of their first.
fn groups_alike(texts: &[impl AsRef<str>]) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, text) in texts.iter().enumerate() {
        groups.entry(looks(text.as_ref())).or_default().push(i);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.retain(|group| group.len() > 1);
    groups.sort();
    groups
}

/// Numbers all but the first of labels that look alike: whatever names are, labels differ.
fn number_the_rest(labels: &mut [String]) {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for label in labels.iter() {
        taken.entry(looks(label)).or_default();
    }
    for label in labels.iter_mut() {
        let n_before = taken.entry(looks(label)).or_default();
        *n_before += 1;
        if *n_before == 1 {
            continue;
        }
        let mut number = *n_before;
        let numbered = |number: usize| format!("{label} ({number})");
        while taken.contains_key(&looks(&numbered(number))) {
            number += 1;
        }
        let numbered = numbered(number);
        taken.insert(looks(&numbered), 1);
        *label = numbered;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_shortened() {
        for (model, expected) in [
            ("gpt-4o", "gpt-4o"),
            ("meta-llama/Llama-3.1-8B", "Llama-3.1-8B"),
            ("owner/", "owner"),
            (
                "a-model-whose-name-goes-on-and-on-without-end-7B-Instruct",
                "a-model-whose-\u{2026}d-7B-Instruct",
            ),
        ] {
            assert_eq!(short_name(model), expected);
            assert!(short_name(model).chars().count() <= MAX_LABEL_CHARS);
            assert_eq!(model_labels(&[model]), [expected]);
        }
    }

    #[test]
    fn what_tells_llms_apart_stays() {
        let check = |names: &[&str], expected: &[&str]| {
            assert_eq!(model_labels(names), expected, "{names:?}");
        };
        check(
            &[
                "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
                "meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo",
                "meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo",
                "gpt-4o",
            ],
            &[
                "Meta-Llama-3.1-8B-I\u{2026}ct-Turbo",
                "Meta-Llama-3.1-70B-\u{2026}ct-Turbo",
                "Meta-Llama-3.1-405B\u{2026}ct-Turbo",
                "gpt-4o",
            ],
        );
        check(
            &["azure/gpt-4o", "openai/gpt-4o", "openai/gpt-4o-mini"],
            &["azure/gpt-4o", "openai/gpt-4o", "gpt-4o-mini"],
        );
        check(
            &[
                "wxai-granite-3-2b-instruct-8k-max-tokens",
                "wxai-granite-3-8b-instruct-8k-max-tokens",
            ],
            &[
                "wxai-granite-3-2b-\u{2026}ax-tokens",
                "wxai-granite-3-8b-\u{2026}ax-tokens",
            ],
        );
        check(
            &["gpt-4o", "GPT-4o", "gpt-4o ", "gpt\u{200d}-4o"],
            &["gpt-4o", "GPT-4o", "gpt-4o\\u{20}", "gpt\\u{200d}-4o"],
        );
    }

    #[test]
    fn a_difference_in_the_middle_of_long_names_is_shown() {
        let long = |middle: &str| format!("{}{middle}{}", "x".repeat(60), "y".repeat(60));
        let names = [long("-a-"), long("-b-")];
        let labels = model_labels(&[&names[0], &names[1]]);
        assert!(
            labels[0].contains("-a-") && labels[1].contains("-b-"),
            "{labels:?}"
        );
        assert!(labels.iter().all(|label| label.chars().count() <= 64));
    }

    #[test]
    fn equal_names_are_numbered() {
        assert_eq!(
            curve_labels(&["Oracle", "Oracle", "Oracle (2)", "a/b"]),
            ["Oracle", "Oracle (3)", "Oracle (2)", "a/b"]
        );
    }

    proptest! {
        #[test]
        fn no_two_labels_look_alike(
            names in proptest::collection::btree_set("[aA/ \\-\u{200d}\u{301}\u{e9}\u{2026}()12]{0,6}[ab]{0,60}[ab/\u{fe0f} ]{0,50}", 0..40),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            for labels in [model_labels(&names), curve_labels(&names)] {
                prop_assert!(are_apart(&labels), "{labels:?}");
                prop_assert_eq!(labels.len(), names.len());
            }
        }
    }
}
