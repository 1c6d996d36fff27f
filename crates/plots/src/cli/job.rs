//! From the command line as typed to a checked [`Job`].

use std::collections::BTreeSet;

use cli_support::usage_error;
use dataset::{DatasetName, FolderName};

use super::args::Args;
use crate::settings::{
    Settings,
    job::{Job, Wanted},
    product::Product,
};

impl Job {
    /// Reads the settings and drops what was named twice.
    ///
    /// # Errors
    /// When the settings cannot be used, or an unknown figure is asked for.
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let settings = Settings::read(args.program.config.config.as_deref())?;
        let datasets = names(&args.dataset);
        for name in datasets.iter().flatten() {
            name.parse::<DatasetName>()
                .map_err(|error| usage_error(format!("--dataset: {error}")))?;
        }
        let embeddings = names(&args.embedding);
        for name in embeddings.iter().flatten() {
            name.parse::<FolderName>()
                .map_err(|error| usage_error(format!("--embedding: {error}")))?;
        }
        let everything = || Product::ALL.into_iter().map(Wanted::of_all);
        let wanted = match names(&args.figure) {
            Some(names) => names
                .iter()
                .map(|name| wanted(name, datasets.as_ref(), &settings))
                .collect::<anyhow::Result<BTreeSet<_>>>()?,
            None => everything().collect(),
        };
        Ok(Self {
            datasets,
            wanted,
            embeddings,
            reference_quirks: args.reference_quirks,
            // Sets drop repetitions and fix the order, so that the paths printed do not depend on how
            // the command was typed.
            looks: args.look.into_iter().map(Into::into).collect(),
            formats: args.format.into_iter().collect(),
            data_dir: args.program.data_dir.data_dir,
            plots_dir: args.plots_dir.plots_dir,
            settings,
            output: args.program.output,
        })
    }
}

/// What a name given to --figure means.
fn wanted(
    name: &str,
    datasets: Option<&BTreeSet<String>>,
    settings: &Settings,
) -> anyhow::Result<Wanted> {
    if let Some(product) = Product::named(name) {
        return Ok(Wanted::of_all(product));
    }
    let Some((product, of_paper)) = settings.named_by_paper(name) else {
        let names: Vec<&str> = Product::ALL.into_iter().map(Product::name).collect();
        return Err(usage_error(format!(
            "--figure: unknown figure or table `{name}`; expected one of {}, or a name from the paper that the settings list (`paper-names`)",
            names.join(", ")
        )));
    };
    // A name of the paper's means a figure of certain data sets. With --dataset it means those of them that are named; none of them is a
    // mistake worth reporting, not an empty run.
    let of_both: BTreeSet<String> = match datasets {
        Some(datasets) => of_paper.intersection(datasets).cloned().collect(),
        None => of_paper.clone(),
    };
    if of_both.is_empty() {
        let of_paper: Vec<String> = of_paper.into_iter().collect();
        return Err(usage_error(format!(
            "--figure: `{name}` belongs to the data set {}, which --dataset does not list; `{}` works for any data set",
            of_paper.join(" or "),
            product.name()
        )));
    }
    Ok(Wanted {
        product,
        datasets: Some(of_both),
    })
}

/// Names, each once; `None` where none was given.
fn names(typed: &[String]) -> Option<BTreeSet<String>> {
    // `a, b` comes as `a`, an empty name and `b`.
    let names: BTreeSet<String> = typed
        .iter()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn names_come_with_spaces_or_commas() {
        for line in [
            "plots --dataset a b",
            "plots --dataset a,b",
            "plots --dataset a --dataset b,a",
            "plots --dataset a, b",
        ] {
            let job = Args::try_parse_from(line.split(' '))
                .map_err(anyhow::Error::from)
                .and_then(Job::new);
            let datasets = job.expect(line).datasets.expect(line);
            assert_eq!(
                datasets.into_iter().collect::<Vec<_>>(),
                ["a", "b"],
                "{line}"
            );
        }
        let job = Args::try_parse_from(["plots"])
            .map_err(anyhow::Error::from)
            .and_then(Job::new)
            .expect("no names");
        assert_eq!(
            (
                job.datasets,
                job.formats.len(),
                job.looks.len(),
                job.wanted.len()
            ),
            (None, 3, 2, Product::ALL.len())
        );
        assert!(Args::try_parse_from(["plots", "--format", "gif"]).is_err());
    }

    #[test]
    fn names_that_would_leave_a_folder_are_bad_usage() {
        for (flag, bad) in [
            ("--dataset", "../x"),
            ("--dataset", "/tmp"),
            ("--dataset", ".."),
            ("--dataset", "a/b"),
            ("--dataset", "NUL"),
            ("--embedding", "../x"),
            ("--embedding", "a\u{1b}"),
        ] {
            let args = Args::try_parse_from(["plots", flag, bad]).expect("words");
            let error = Job::new(args).expect_err(bad);
            assert!(error.is::<cli_support::UsageError>(), "{bad}: {error}");
            assert!(error.to_string().starts_with(flag), "{error}");
        }
    }

    #[test]
    fn figures_have_two_names() {
        let of = |datasets: &[&str]| Some(datasets.iter().map(|&name| name.to_owned()).collect());
        for (line, expected) in [
            ("--figure vs_rb_zero", Some((Product::VsRbZero, None))),
            (
                "--figure routerbench_binary",
                Some((Product::Binary, of(&["routerbench"]))),
            ),
            (
                "--figure sprout_vs_rb_zero",
                Some((Product::VsRbZero, of(&["sprout", "sprout-o3mini"]))),
            ),
            (
                "--figure sprout_vs_rb_zero --dataset sprout mmlu-pro",
                Some((Product::VsRbZero, of(&["sprout"]))),
            ),
            ("--figure routerbench_binary --dataset sprout", None),
            ("--figure pie", None),
        ] {
            let words = ["plots"].into_iter().chain(line.split(' '));
            let args = Args::try_parse_from(words).expect("words");
            let found = Job::new(args).map(|job| job.wanted);
            match (found, expected) {
                (Ok(found), Some((product, datasets))) => {
                    assert_eq!(found, [Wanted { product, datasets }].into(), "{line}");
                }
                (Err(error), None) => assert!(error.is::<cli_support::UsageError>(), "{line}"),
                (found, _) => panic!("{line}: {found:?}"),
            }
        }
    }
}
