//! Which figures and tables lie in the folder of figures, and whether their inputs are still those that they were made from.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use dataset::DatasetDir;

use crate::{
    data::inputs,
    output::{
        made_from::{Fingerprint, MadeFrom},
        sources::Sources,
        tables::DOCUMENT_EXTENSION,
    },
    settings::{
        Settings,
        job::Job,
        product::{METRICS_DIFFERENCES, Product},
    },
};

/// The numbers of the page's own chart, beside a data set's figures.
pub(crate) const CHART_STEM: &str = "curves";
/// A page can show these; a PDF it can only name.
const IMAGES: [&str; 2] = ["svg", "png"];
const PDF: &str = "pdf";
/// What the page shows of a table: the first of these that exists. A CSV comes last, because a table for readers has fewer columns and
/// digits.
const TABLES: [&str; 3] = [DOCUMENT_EXTENSION, MARKDOWN, "csv"];
const MARKDOWN: &str = "md";

/// A figure or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the folder of figures, without extension: `mmlu-pro/accuracy_cost`.
    pub(crate) path: String,
    /// Its name within its folder, without extension.
    pub(crate) stem: String,
    /// What it is made by; `None` for a file of another origin.
    pub(crate) product: Option<Product>,
    /// What of the stem says which of a product's files it is: an embedder, or the reference's way.
    pub(crate) version: Option<String>,
    /// In a folder of its own below the data set's: a version for another purpose.
    pub(crate) variant: Option<String>,
    /// All files of this stem, by extension.
    pub(crate) extensions: BTreeSet<String>,
    /// The file to show; `None` where there is only a PDF.
    pub(crate) shown: Option<Shown>,
    pub(crate) origin: Origin,
}

/// The file that shows a figure or a table best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Image(PathBuf),
    /// A [`crate::output::tables::Document`].
    Document(PathBuf),
    /// The text of a table, or of anything else, that `plots` did not write, or that a version of it wrote which kept no document.
    Markdown(PathBuf),
    Csv(PathBuf),
}

/// Whether a file is what its inputs would give now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Made from its inputs as they are.
    Current,
    /// Made when these inputs, by path below the data folder, were different, or when they did not exist, or still did; never empty.
    Stale(Vec<String>),
    /// No record says what it was made from.
    Unknown,
}

impl Origin {
    /// Compares a record with the inputs as they are.
    fn of(recorded: Option<&Fingerprint>, present: &Fingerprint) -> Self {
        let Some(recorded) = recorded else {
            return Self::Unknown;
        };
        let all: BTreeSet<&String> = recorded.keys().chain(present.keys()).collect();
        let changed: Vec<String> = (all.into_iter())
            .filter(|&path| recorded.get(path) != present.get(path))
            .cloned()
            .collect();
        if changed.is_empty() {
            Self::Current
        } else {
            Self::Stale(changed)
        }
    }
}

impl Found {
    pub(crate) fn is_figure(&self) -> bool {
        let mut kinds = IMAGES.iter().chain([&PDF]);
        kinds.any(|&extension| self.extensions.contains(extension))
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
    let folder = plots_dir.join(dir.name());
    let product = |stem: &str| product(stem, |product| settings.stem(product, dir.name()));
    let mut present = |product, version: Option<&str>| sources.of_dataset(product, dir, version);
    let mut found = in_folder(&folder, dir.name(), None, product, &mut present)?;
    found.retain(|item| item.stem != CHART_STEM);
    for name in folders_in(&folder)? {
        let path = format!("{}/{name}", dir.name());
        let folder = folder.join(&name);
        found.extend(in_folder(
            &folder,
            &path,
            Some(&name),
            product,
            &mut present,
        )?);
    }
    Ok(found)
}

/// What spans all data sets, and studies of rates, which are no data sets.
///
/// # Errors
/// As for [`of_dataset`].
pub(crate) fn over_all(job: &Job, sources: &mut Sources) -> anyhow::Result<Vec<Found>> {
    let product = |stem: &str| product(stem, |product| product.name().to_owned());
    let mut of_all = |_, _: Option<&str>| sources.of_all();
    let mut found = in_folder(&job.plots_dir, "", None, product, &mut of_all)?;
    for name in inputs::rate_studies(&job.data_dir)? {
        let dir = DatasetDir::new(&job.data_dir, &name);
        let mut present =
            |product, version: Option<&str>| sources.of_dataset(product, &dir, version);
        let folder = job.folder(&name);
        found.extend(in_folder(&folder, &name, None, product, &mut present)?);
        let (folder, path) = (folder.join("bw"), format!("{name}/bw"));
        found.extend(in_folder(
            &folder,
            &path,
            Some("bw"),
            product,
            &mut present,
        )?);
    }
    Ok(found)
}

/// The figures and tables that lie in a folder itself. `path` is its name below the folder of figures, `present` gives the inputs of a
/// product's version as they are.
fn in_folder(
    folder: &Path,
    path: &str,
    variant: Option<&str>,
    product: impl Fn(&str) -> Option<(Product, Option<String>)>,
    present: &mut impl FnMut(Product, Option<&str>) -> anyhow::Result<Fingerprint>,
) -> anyhow::Result<Vec<Found>> {
    let made_from = MadeFrom::read(folder);
    let mut found = Vec::new();
    for (stem, extensions) in files_by_stem(folder)? {
        let (product, version) = product(&stem).unzip();
        let version = version.flatten();
        let shown = shown(&extensions);
        let origin = match (product, shown) {
            // A PDF is only named; nothing of it is on the page that could be out of date.
            (_, None) => Origin::Current,
            (None, Some(_)) => Origin::Unknown,
            (Some(product), Some(extension)) => Origin::of(
                made_from.of(&format!("{stem}.{extension}")),
                &present(product, version.as_deref())?,
            ),
        };
        found.push(Found {
            path: if path.is_empty() {
                stem.clone()
            } else {
                format!("{path}/{stem}")
            },
            product,
            version,
            variant: variant.map(str::to_owned),
            shown: shown.map(|extension| {
                let file = folder.join(format!("{stem}.{extension}"));
                match extension {
                    DOCUMENT_EXTENSION => Shown::Document(file),
                    MARKDOWN => Shown::Markdown(file),
                    "csv" => Shown::Csv(file),
                    _ => Shown::Image(file),
                }
            }),
            extensions,
            origin,
            stem,
        });
    }
    found.sort_by(|a, b| rank(a).cmp(&rank(b)));
    Ok(found)
}

/// The extensions of each stem in a folder, of those that the page can show or name.
fn files_by_stem(folder: &Path) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let known = IMAGES.iter().chain([&PDF]).chain(&TABLES);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in entries(folder)? {
        // An extension may have a dot of its own, so the last one does not end the stem.
        let of_stem = known.clone().find_map(|&extension| {
            let stem = file.strip_suffix(extension)?.strip_suffix('.')?;
            Some((stem, extension))
        });
        if let Some((stem, extension)) = of_stem
            && !stem.is_empty()
            && !stem.starts_with('.')
            && folder.join(&file).is_file()
        {
            let extensions = found.entry(stem.to_owned()).or_default();
            extensions.insert(extension.to_owned());
        }
    }
    Ok(found)
}

/// The extension of the file to show. Beside a figure, a table or CSV of its name has its numbers and is not shown.
fn shown(extensions: &BTreeSet<String>) -> Option<&'static str> {
    let first = |of: &[&'static str]| {
        let mut of = of.iter().copied();
        of.find(|&extension| extensions.contains(extension))
    };
    first(&IMAGES).or_else(|| {
        let is_pdf = extensions.contains(PDF);
        (!is_pdf).then(|| first(&TABLES)).flatten()
    })
}

/// Files that a product makes come first, in the products' order; of a product's, those for programs come last.
fn rank(found: &Found) -> (bool, Option<Product>, bool, &str) {
    let is_csv = matches!(found.shown, Some(Shown::Csv(_)));
    (found.product.is_none(), found.product, is_csv, &found.stem)
}

/// The product that makes files of a stem, and the version: `NAME` or `NAME-VERSION`, with the product's own name or the paper's.
fn product(stem: &str, name: impl Fn(Product) -> String) -> Option<(Product, Option<String>)> {
    let of_name = |product: Product, name: &str| {
        let rest = stem.strip_prefix(name)?;
        match rest.strip_prefix('-') {
            Some(version) => Some((product, Some(version.to_owned()))),
            None => rest.is_empty().then_some((product, None)),
        }
    };
    let mut products = Product::ALL.into_iter();
    products
        .find_map(|product| {
            of_name(product, product.name()).or_else(|| of_name(product, &name(product)))
        })
        .or_else(|| of_name(Product::MetricsTable, METRICS_DIFFERENCES))
}

fn folders_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = entries(folder)?;
    names.retain(|name| !name.starts_with('.') && folder.join(name).is_dir());
    Ok(names)
}

/// Names of what is in a folder, in order; none where there is no such folder.
fn entries(folder: &Path) -> anyhow::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let cannot_list = || format!("cannot list `{}`", folder.display());
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_stem_names_its_product() {
        let settings = Settings::read(None).expect("the built-in ones");
        for (stem, expected) in [
            ("accuracy_cost", Some((Product::AccuracyCost, None))),
            ("routerbench_vs_rb", Some((Product::VsRb, None))),
            ("vs_rb", Some((Product::VsRb, None))),
            (
                "vs_rb_zero-reference",
                Some((Product::VsRbZero, Some("reference"))),
            ),
            (
                "embedding_dim-minilm",
                Some((Product::EmbeddingDim, Some("minilm"))),
            ),
            ("table", Some((Product::Table, None))),
            ("sprout_vs_rb_zero", None),
            ("metrics_differences", Some((Product::MetricsTable, None))),
            ("tables", None),
            ("notes", None),
        ] {
            let found = product(stem, |product| settings.stem(product, "routerbench"));
            let expected = expected.map(|(product, version)| (product, version.map(str::to_owned)));
            assert_eq!(found, expected, "{stem}");
        }
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
        let product = |stem: &str| product(stem, |product| product.name().to_owned());
        let mut nothing = |_, _: Option<&str>| Ok(Fingerprint::new());
        let found = in_folder(folder.path(), "a", None, product, &mut nothing).expect("listed");
        let file = |name: &str| folder.path().join(name);
        let seen: Vec<_> = found
            .iter()
            .map(|item| (&*item.path, item.shown.clone(), item.is_figure()))
            .collect();
        let expected = [
            ("a/accuracy_cost", None, true),
            (
                "a/vs_rb_zero",
                Some(Shown::Image(file("vs_rb_zero.svg"))),
                true,
            ),
            (
                "a/vs_rb_zero-reference",
                Some(Shown::Image(file("vs_rb_zero-reference.png"))),
                true,
            ),
            (
                "a/table",
                Some(Shown::Document(file("table.rows.json"))),
                false,
            ),
            (
                "a/metrics_table",
                Some(Shown::Markdown(file("metrics_table.md"))),
                false,
            ),
            (
                "a/metrics_differences",
                Some(Shown::Csv(file("metrics_differences.csv"))),
                false,
            ),
            ("a/own", Some(Shown::Csv(file("own.csv"))), false),
        ];
        assert_eq!(seen, expected);
        assert!(found[2].caption().ends_with("(reference)"));
    }

    #[test]
    fn a_record_tells_what_changed() {
        let fingerprint = |hashes: &[(&str, &str)]| -> Fingerprint {
            let hashes = hashes.iter();
            hashes
                .map(|&(path, hash)| (path.to_owned(), hash.to_owned()))
                .collect()
        };
        let present = fingerprint(&[("a/test.parquet", "1"), ("a/preds/mf.parquet", "2")]);
        let stale = |paths: &[&str]| Origin::Stale(paths.iter().map(|&path| path.into()).collect());
        for (recorded, expected) in [
            (None, Origin::Unknown),
            (Some(present.clone()), Origin::Current),
            (
                Some(fingerprint(&[("a/test.parquet", "1")])),
                stale(&["a/preds/mf.parquet"]),
            ),
            (
                Some(fingerprint(&[
                    ("a/test.parquet", "0"),
                    ("a/preds/knn.parquet", "3"),
                    ("a/preds/mf.parquet", "2"),
                ])),
                stale(&["a/preds/knn.parquet", "a/test.parquet"]),
            ),
        ] {
            assert_eq!(Origin::of(recorded.as_ref(), &present), expected);
        }
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
            MadeFrom::record(folder.path(), files, &from).expect("recorded");
            let product = |stem: &str| product(stem, |product| product.name().to_owned());
            let mut present = |_, _: Option<&str>| Ok(from.clone());
            let found = in_folder(folder.path(), "", None, product, &mut present).expect("listed");
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
