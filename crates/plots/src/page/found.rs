//! Which figures and tables lie under the folder of figures, and whether they are older than what they were made of.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::Context as _;
use dataset::{DatasetDir, Part};

use crate::{
    data::inputs,
    settings::{Settings, job::Job, product::Product},
};

/// The numbers of the page's own chart, beside a data set's figures.
pub(crate) const CHART_STEM: &str = "curves";
/// What the page shows of a figure or a table: the first of these that is there.
const SHOWN: [&str; 4] = ["svg", "png", "md", "csv"];
/// Not shown, but told.
const PDF: &str = "pdf";

/// A figure or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// Below the folder of figures, without extension: `mmlu-pro/accuracy_cost`.
    pub(crate) path: String,
    /// What it is called there, without extension.
    pub(crate) stem: String,
    /// What it is made by; `None` for a file of another origin.
    pub(crate) product: Option<Product>,
    /// What of the stem says which of a product's files it is: an embedder, or the reference's way.
    pub(crate) version: Option<String>,
    /// In a folder of its own below the data set's: a version for another purpose.
    pub(crate) variant: Option<String>,
    /// All that lie there, by extension.
    pub(crate) extensions: BTreeSet<String>,
    /// The file to show; `None` where there is only a PDF.
    pub(crate) shown: Option<PathBuf>,
    /// Older than what it was made of.
    pub(crate) is_stale: bool,
}

impl Found {
    pub(crate) fn is_figure(&self) -> bool {
        ["svg", "png", PDF]
            .iter()
            .any(|&extension| self.extensions.contains(extension))
    }

    /// What it shows, as the command line has it.
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
/// When a folder cannot be listed or a file's time be read.
pub(crate) fn of_dataset(
    plots_dir: &Path,
    dir: &DatasetDir,
    settings: &Settings,
) -> anyhow::Result<Vec<Found>> {
    let folder = plots_dir.join(dir.name());
    let of_predictions = newest(&sources(dir)?)?;
    let product = |stem: &str| product(stem, |product| settings.stem(product, dir.name()));
    let made_of = |stem: &str| match product(stem) {
        Some((Product::EmbeddingDim, Some(embedder))) => {
            newest(&Part::ALL.map(|part| dir.embeddings(&embedder, part)))
        }
        _ => Ok(of_predictions),
    };
    let mut found = in_folder(&folder, dir.name(), None, product, made_of)?;
    found.retain(|item| item.stem != CHART_STEM);
    for name in folders_in(&folder)? {
        let path = format!("{}/{name}", dir.name());
        let folder = folder.join(&name);
        found.extend(in_folder(&folder, &path, Some(&name), product, made_of)?);
    }
    Ok(found)
}

/// What spans all data sets, and studies of rates, which are none.
///
/// # Errors
/// As for [`of_dataset`].
pub(crate) fn over_all(job: &Job, dirs: &[DatasetDir]) -> anyhow::Result<Vec<Found>> {
    let mut all = Vec::new();
    for dir in dirs {
        all.extend(sources(dir)?);
    }
    let newest = newest(&all)?;
    let product = |stem: &str| product(stem, |product| product.name().to_owned());
    let mut found = in_folder(&job.plots_dir, "", None, product, |_| Ok(newest))?;
    for name in inputs::rate_studies(&job.data_dir)? {
        let study = DatasetDir::new(&job.data_dir, &name).rate_study();
        let folder = job.folder(&name);
        found.extend(in_folder(&folder, &name, None, product, |_| {
            Ok(Some(written(&study)?))
        })?);
        let (folder, path) = (folder.join("bw"), format!("{name}/bw"));
        found.extend(in_folder(&folder, &path, Some("bw"), product, |_| {
            Ok(Some(written(&study)?))
        })?);
    }
    Ok(found)
}

/// What a data set's figures and tables are made of, but for those of embeddings.
fn sources(dir: &DatasetDir) -> anyhow::Result<Vec<PathBuf>> {
    let mut sources: Vec<PathBuf> = dir
        .routers()?
        .iter()
        .map(|router| dir.predictions(router))
        .collect();
    sources.extend(Part::ALL.map(|part| dir.split(part)));
    sources.extend([dir.info(), dir.truth(Part::Test)]);
    Ok(sources)
}

/// When the last of some files was written; `None` where none is there.
fn newest(files: &[PathBuf]) -> anyhow::Result<Option<SystemTime>> {
    let mut newest = None;
    for file in files.iter().filter(|file| file.is_file()) {
        newest = newest.max(Some(written(file)?));
    }
    Ok(newest)
}

fn written(file: &Path) -> anyhow::Result<SystemTime> {
    fs::metadata(file)
        .and_then(|metadata| metadata.modified())
        .with_context(|| format!("cannot tell when `{}` was written", file.display()))
}

/// The figures and tables that lie in a folder itself. `path` is its name below the folder of figures.
fn in_folder(
    folder: &Path,
    path: &str,
    variant: Option<&str>,
    product: impl Fn(&str) -> Option<(Product, Option<String>)>,
    made_of: impl Fn(&str) -> anyhow::Result<Option<SystemTime>>,
) -> anyhow::Result<Vec<Found>> {
    let mut extensions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in entries(folder)? {
        if let Some((stem, extension)) = file.rsplit_once('.')
            && !stem.is_empty()
            && !stem.starts_with('.')
            && (SHOWN.contains(&extension) || extension == PDF)
            && folder.join(&file).is_file()
        {
            let of_stem = extensions.entry(stem.to_owned()).or_default();
            of_stem.insert(extension.to_owned());
        }
    }
    let mut found = Vec::new();
    for (stem, extensions) in extensions {
        let shown = SHOWN
            .iter()
            .find(|&&extension| extensions.contains(extension))
            .map(|extension| folder.join(format!("{stem}.{extension}")));
        let is_stale = match (&shown, made_of(&stem)?) {
            (Some(file), Some(newest)) => written(file)? < newest,
            _ => false,
        };
        let (product, version) = product(&stem).unzip();
        found.push(Found {
            path: if path.is_empty() {
                stem.clone()
            } else {
                format!("{path}/{stem}")
            },
            product,
            version: version.flatten(),
            variant: variant.map(str::to_owned),
            extensions,
            shown,
            is_stale,
            stem,
        });
    }
    found.sort_by(|a, b| (rank(a), &a.stem).cmp(&(rank(b), &b.stem)));
    Ok(found)
}

/// Those that a product makes come first, in the products' order.
fn rank(found: &Found) -> (bool, Option<Product>) {
    (found.product.is_none(), found.product)
}

/// The product that makes files of a stem, and the version: `NAME` or `NAME-VERSION`, with the product's own name or the paper's.
fn product(stem: &str, name: impl Fn(Product) -> String) -> Option<(Product, Option<String>)> {
    Product::ALL.into_iter().find_map(|product| {
        [product.name(), &*name(product)].iter().find_map(|name| {
            let rest = stem.strip_prefix(name)?;
            match rest.strip_prefix('-') {
                Some(version) => Some((product, Some(version.to_owned()))),
                None => rest.is_empty().then_some((product, None)),
            }
        })
    })
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
    use super::*;

    #[test]
    fn files_are_told_by_their_products() {
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
            ".hidden.svg",
            "report.html",
        ] {
            fs::write(folder.path().join(file), "").expect("written");
        }
        let old = |_: &str| Ok(Some(SystemTime::UNIX_EPOCH));
        let product = |stem: &str| product(stem, |product| product.name().to_owned());
        let found = in_folder(folder.path(), "a", None, product, old).expect("listed");
        let shown: Vec<_> = found
            .iter()
            .map(|item| {
                let file = item.shown.as_ref().and_then(|file| file.file_name());
                (&*item.path, file.map(|file| file.to_string_lossy()))
            })
            .collect();
        let expected = [
            ("a/accuracy_cost", None),
            ("a/vs_rb_zero", Some("vs_rb_zero.svg".into())),
            (
                "a/vs_rb_zero-reference",
                Some("vs_rb_zero-reference.png".into()),
            ),
            ("a/own", Some("own.csv".into())),
        ];
        assert_eq!(shown, expected);
        assert!(found.iter().all(|item| !item.is_stale));
        assert_eq!(
            found.iter().map(Found::is_figure).collect::<Vec<_>>(),
            [true, true, true, false]
        );
        assert!(found[2].caption().ends_with("(reference)"));

        let later = SystemTime::now() + std::time::Duration::from_secs(3600);
        let new = |_: &str| Ok(Some(later));
        let found = in_folder(folder.path(), "", None, product, new).expect("listed");
        assert_eq!(
            found.iter().map(|item| item.is_stale).collect::<Vec<_>>(),
            [false, true, true, true],
            "of a PDF nothing is shown that could be old"
        );
        assert_eq!(found[1].path, "vs_rb_zero");
    }
}
