//! The files in a folder of figures, and which of them the page shows.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{data::folder::names_in, output::tables::DOCUMENT_EXTENSION};

/// The page shows these as images, but can only name a PDF.
const IMAGES: [&str; 2] = ["svg", "png"];
const PDF: &str = "pdf";
/// What the page shows of a table: the first of these that exists. A CSV comes last, because a table for readers has fewer columns and
/// digits.
const TABLES: [&str; 3] = [DOCUMENT_EXTENSION, MARKDOWN, CSV];
const MARKDOWN: &str = "md";
const CSV: &str = "csv";

/// The file that shows a figure or a table best.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Image(PathBuf),
    /// A [`crate::output::tables::Document`].
    Document(PathBuf),
    /// Text that `plots` did not write, or that a version of it wrote before documents existed.
    Markdown(PathBuf),
    Csv(PathBuf),
}

/// The extension of the file to show: of a figure an image, of a table the form for readers. Beside a figure, a table or CSV of its name has
/// its numbers and is not shown.
pub(crate) fn shown_extension(extensions: &BTreeSet<String>) -> Option<&'static str> {
    let of: &[&'static str] = if is_figure(extensions) {
        &IMAGES
    } else {
        &TABLES
    };
    // The first that exists, so an SVG goes before a PNG: it is sharp at any zoom.
    let mut of = of.iter().copied();
    of.find(|&extension| extensions.contains(extension))
}

/// Whether files of these extensions are a figure.
pub(crate) fn is_figure(extensions: &BTreeSet<String>) -> bool {
    let mut of_figure = IMAGES.iter().chain([&PDF]);
    of_figure.any(|&extension| extensions.contains(extension))
}

impl Shown {
    /// A file with one of the extensions that can be shown.
    pub(crate) fn new(file: PathBuf, extension: &str) -> Self {
        match extension {
            DOCUMENT_EXTENSION => Self::Document(file),
            MARKDOWN => Self::Markdown(file),
            CSV => Self::Csv(file),
            _ => Self::Image(file),
        }
    }
}

/// The extensions of each stem in a folder, of those that the page can show or name.
pub(crate) fn files_by_stem(folder: &Path) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let known = IMAGES.iter().chain([&PDF]).chain(&TABLES);
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in names_in(folder)? {
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

/// The folders in a folder, by name.
pub(crate) fn folders_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut names = names_in(folder)?;
    names.retain(|name| !name.starts_with('.') && folder.join(name).is_dir());
    Ok(names)
}
