//! Which figures and tables are in the folder of figures, and whether their inputs are still the ones they were made from.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use dataset::DatasetDir;

use super::{
    files::{Shown, files_by_stem, folders_in, is_figure, shown_extension},
    origin::Origin,
    stem::product,
};
use crate::{
    data::inputs,
    output::{
        made_from::{Fingerprint, Record},
        sources::Sources,
    },
    settings::{Settings, job::Job, product::Product},
};

/// The numbers of the page's own chart, beside a data set's figures.
pub(crate) const CHART_STEM: &str = "curves";

/// A figure or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the folder of figures, without extension: `mmlu-pro/accuracy_cost`.
    pub(crate) path: String,
    /// Its name within its folder, without extension.
    pub(crate) stem: String,
    /// The product that makes it; `None` for a file that `plots` did not write.
    pub(crate) product: Option<Product>,
    /// The part of the stem that distinguishes files of one product: an embedder, or `reference`.
    pub(crate) version: Option<String>,
    /// In a folder of its own below the data set's: a version for another purpose.
    pub(crate) variant: Option<String>,
    /// All files of this stem, by extension.
    pub(crate) extensions: BTreeSet<String>,
    /// The file to show; `None` where there is only a PDF.
    pub(crate) shown: Option<Shown>,
    pub(crate) origin: Origin,
}

impl Found {
    pub(crate) fn is_figure(&self) -> bool {
        is_figure(&self.extensions)
    }

    /// What it shows, as the help of the command line describes it.
    pub(crate) fn caption(&self) -> String {
        let Some(product) = self.product else {
            return self.stem.clone();
        };
        // `figure: all routers and LLMs`.
        let about = product.about();
        let text = about.split_once(": ").map_or(about, |(_, text)| text);
        let mut letters = text.chars();
        let first: String = letters
            .next()
            .map_or_else(String::new, |c| c.to_uppercase().collect());
        let caption = first + letters.as_str();
        match &self.version {
            Some(version) => format!("{caption} ({version})"),
            None => caption,
        }
    }
}

/// The figures and tables of a data set, in the order of products, then by name; those in folders of their own last.
///
/// # Errors
/// When a folder cannot be listed, or an input cannot be hashed.
pub(crate) fn of_dataset(
    plots_dir: &Path,
    dir: &DatasetDir,
    settings: &Settings,
    sources: &mut Sources,
) -> anyhow::Result<Vec<Found>> {
    let mut found = below(
        plots_dir,
        dir.name(),
        |product| settings.stem(product, dir.name()),
        |product, version| sources.of_dataset(product, dir, version),
    )?;
    // The page shows these numbers below its own chart; as a file they would be there a second time.
    found.retain(|item| item.variant.is_some() || item.stem != CHART_STEM);
    Ok(found)
}

/// What spans all data sets, and studies of rates, which are not data sets.
///
/// # Errors
/// As for [`of_dataset`].
pub(crate) fn over_all(job: &Job, sources: &mut Sources) -> anyhow::Result<Vec<Found>> {
    let stem = |product: Product| product.name().to_owned();
    let place = Place {
        folder: job.plots_dir.clone(),
        path: String::new(),
        variant: None,
    };
    let mut found = place.found(&stem, &mut |_, _| sources.of_all())?;
    for name in inputs::rate_studies(&job.data_dir)? {
        let dir = DatasetDir::new(&job.data_dir, &name);
        found.extend(below(&job.plots_dir, &name, stem, |product, version| {
            sources.of_dataset(product, &dir, version)
        })?);
    }
    Ok(found)
}

/// A folder of figures.
struct Place {
    folder: PathBuf,
    /// Its name below the top one.
    path: String,
    variant: Option<String>,
}

/// The files in the folder of a data set or a study, then those in its subfolders. `stem` names a product's files, and `present` fingerprints
/// the inputs of a product's version as they are now.
fn below(
    plots_dir: &Path,
    name: &str,
    stem: impl Fn(Product) -> String,
    mut present: impl FnMut(Product, Option<&str>) -> anyhow::Result<Fingerprint>,
) -> anyhow::Result<Vec<Found>> {
    let place = Place {
        folder: plots_dir.join(name),
        path: name.to_owned(),
        variant: None,
    };
    let mut found = place.found(&stem, &mut present)?;
    for variant in folders_in(&place.folder)? {
        let place = Place {
            folder: place.folder.join(&variant),
            path: format!("{name}/{variant}"),
            variant: Some(variant),
        };
        found.extend(place.found(&stem, &mut present)?);
    }
    Ok(found)
}

impl Place {
    fn found(
        &self,
        stem: &impl Fn(Product) -> String,
        present: &mut impl FnMut(Product, Option<&str>) -> anyhow::Result<Fingerprint>,
    ) -> anyhow::Result<Vec<Found>> {
        let made_from = Record::read(&self.folder);
        let mut found = Vec::new();
        for (name, extensions) in files_by_stem(&self.folder)? {
            let (product, version) = product(&name, stem).unzip();
            let version: Option<String> = version.flatten();
            let shown = shown_extension(&extensions);
            let file = |extension: &str| format!("{name}.{extension}");
            let origin = match (product, shown) {
                // A PDF is only named; nothing of it is on the page that could be out of date.
                (_, None) => Origin::Current,
                // The file is not one of ours, so it has no record, and its inputs are anybody's guess.
                (None, Some(_)) => Origin::Unknown,
                // The record of the very file that is shown: a later run of another format leaves it as
                // old as it was.
                (Some(product), Some(extension)) => Origin::of(
                    made_from.of(&file(extension)),
                    &present(product, version.as_deref())?,
                ),
            };
            found.push(Found {
                path: self.path_of(&name),
                product,
                version,
                variant: self.variant.clone(),
                shown: shown
                    .map(|extension| Shown::new(self.folder.join(file(extension)), extension)),
                extensions,
                origin,
                stem: name,
            });
        }
        found.sort_by(|a, b| rank(a).cmp(&rank(b)));
        Ok(found)
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.path)
        }
    }
}

/// Files that a product makes come first, in the products' order; of a product's, those for programs come last.
fn rank(found: &Found) -> (bool, Option<Product>, bool, &str) {
    let is_csv = matches!(found.shown, Some(Shown::Csv(_)));
    (found.product.is_none(), found.product, is_csv, &found.stem)
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs};

    use super::*;

    /// What is found in a folder, where every product has the same inputs.
    fn found(folder: &Path, path: &str, present: &Fingerprint) -> Vec<Found> {
        let place = Place {
            folder: folder.to_owned(),
            path: path.to_owned(),
            variant: None,
        };
        let stem = |product: Product| product.name().to_owned();
        let found = place.found(&stem, &mut |_, _| Ok(present.clone()));
        found.expect("listed")
    }

    #[test]
    fn a_folder_gives_each_figure_once() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in [
            "vs_rb_zero-reference.png",
            "vs_rb_zero.svg",
            "vs_rb_zero.pdf",
            "vs_rb_zero.csv",
            "accuracy_cost.pdf",
            "own.csv",
            "table.rows.json",
            "table.md",
            "metrics_table.md",
            "metrics_table.csv",
            "metrics_differences.csv",
            ".hidden.svg",
            "report.html",
            "verdict.json",
            "made-from.json",
        ] {
            fs::write(folder.path().join(file), "").expect("written");
        }
        let found = found(folder.path(), "a", &Fingerprint::new());
        let seen: Vec<_> = found
            .iter()
            .map(|item| (&*item.path, item.shown.clone(), item.is_figure()))
            .collect();
        let file = |name: &str| folder.path().join(name);
        let figure = |path, name: Option<&str>| {
            let image = name.map(|name| Shown::Image(file(name)));
            (path, image, true)
        };
        let table = |path, of: fn(PathBuf) -> Shown, name| (path, Some(of(file(name))), false);
        let reference = "vs_rb_zero-reference.png";
        let differences = "metrics_differences.csv";
        let expected = [
            figure("a/accuracy_cost", None),
            figure("a/vs_rb_zero", Some("vs_rb_zero.svg")),
            figure("a/vs_rb_zero-reference", Some(reference)),
            table("a/table", Shown::Document, "table.rows.json"),
            table("a/metrics_table", Shown::Markdown, "metrics_table.md"),
            table("a/metrics_differences", Shown::Csv, differences),
            table("a/own", Shown::Csv, "own.csv"),
        ];
        assert_eq!(seen, expected);
        assert!(found[2].caption().ends_with("(reference)"));
    }

    #[test]
    fn the_record_is_that_of_the_file_on_the_page() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["table.md", "table.rows.json", "own.csv", "binary.pdf"] {
            fs::write(folder.path().join(file), "").expect("written");
        }
        let from: Fingerprint = [("a".to_owned(), "1".to_owned())].into();
        let origins = |files: &[&str]| {
            let files = files.iter().map(|&file| file.to_owned()).collect();
            Record::add(folder.path(), files, &from).expect("recorded");
            let found = found(folder.path(), "", &from);
            let origins = found.into_iter().map(|item| (item.stem, item.origin));
            origins.collect::<BTreeMap<_, _>>()
        };
        let of_markdown = origins(&["table.md", "own.csv"]);
        assert_eq!(of_markdown["table"], Origin::Unknown);
        assert_eq!(
            of_markdown["own"],
            Origin::Unknown,
            "no product has such a name"
        );
        assert_eq!(of_markdown["binary"], Origin::Current, "nothing is shown");
        assert_eq!(origins(&["table.rows.json"])["table"], Origin::Current);
    }
}
