//! What a run writes, with the record of what it was made from, and what it skipped.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use dataset::{DatasetDir, write_atomically};
use tracing::warn;

use super::{
    made_from::{Fingerprint, Record},
    sources::Sources,
    tables::{DOCUMENT_EXTENSION, Document, Table},
};
use crate::settings::{
    job::{Format, Job},
    product::Product,
};
use charts::draw::{look::Look, render::Picture};

/// Most texts that a warning names.
const MAX_TEXTS: usize = 10;

/// Files written, with the record of what they were made from, and what was skipped.
#[derive(Debug)]
pub(crate) struct Outcome {
    written: Vec<PathBuf>,
    skipped: Vec<Skipped>,
    sources: Sources,
    /// The inputs of the files that are written next; `None` to keep no record of them.
    from: Option<Fingerprint>,
    /// What could not be made, and why.
    failed: Vec<(String, anyhow::Error)>,
    /// Texts that PDF and PNG cannot show in full, with the characters that they lack.
    without_glyphs: BTreeMap<String, BTreeSet<char>>,
    /// Whether a file could not be written, so that there is no use in going on.
    cannot_write: bool,
}

/// What a run has come to.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) written: Vec<PathBuf>,
    /// What could not be made, and why.
    pub(crate) failed: Vec<(String, anyhow::Error)>,
}

/// A figure or a table that lacks its input.
#[derive(Debug)]
struct Skipped {
    /// Data set and name of the files.
    what: String,
    why: String,
    /// How to get the input.
    cure: String,
}

impl Outcome {
    /// Nothing yet, from the data sets under a folder.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self {
            written: Vec::new(),
            skipped: Vec::new(),
            sources: Sources::new(data_dir),
            from: None,
            failed: Vec::new(),
            without_glyphs: BTreeMap::new(),
            cannot_write: false,
        }
    }

    /// Notes that something is broken, and goes on with the rest.
    pub(crate) fn fail(&mut self, what: String, error: anyhow::Error) {
        // Of a data set that is broken once is enough, whoever finds it.
        if self.failed.iter().all(|(known, _)| *known != what) {
            self.failed.push((what, error));
        }
    }

    /// As [`Outcome::fail`], where something failed.
    ///
    /// # Errors
    /// When it failed because a file could not be written: the next one would fail likewise.
    pub(crate) fn note(&mut self, what: &str, made: anyhow::Result<()>) -> anyhow::Result<()> {
        match made {
            Err(error) if self.cannot_write => Err(error),
            Err(error) => {
                self.fail(what.to_owned(), error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// The hashes of all inputs of this run.
    pub(crate) fn sources(&mut self) -> &mut Sources {
        &mut self.sources
    }

    /// Says that the files written from now on are made from a product's inputs: of one data set or study, and `version`, where there is
    /// a figure for each embedder. To be called before the inputs are read; see [`Sources`].
    ///
    /// # Errors
    /// When an input cannot be read.
    pub(crate) fn uses_inputs_of(
        &mut self,
        product: Product,
        dir: &DatasetDir,
        version: Option<&str>,
    ) -> anyhow::Result<()> {
        self.from = Some(self.sources.of_dataset(product, dir, version)?);
        Ok(())
    }

    /// The same of a table over all data sets.
    ///
    /// # Errors
    /// As for [`Outcome::uses_inputs_of`].
    pub(crate) fn uses_all_data_sets(&mut self) -> anyhow::Result<()> {
        self.from = Some(self.sources.of_all()?);
        Ok(())
    }

    /// Says that no record is kept of the files written from now on. A run says so before it calls a maker: one that forgets to name its
    /// inputs leaves files of unknown origin, rather than with the inputs of the maker before it.
    pub(crate) fn forget_inputs(&mut self) {
        self.from = None;
    }

    /// Notes that something cannot be made: what, why, and how to get its input.
    pub(crate) fn skip(&mut self, what: String, why: impl Into<String>, cure: impl Into<String>) {
        self.skipped.push(Skipped {
            what,
            why: why.into(),
            cure: cure.into(),
        });
    }

    /// Whether no file was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// Logs what was skipped and what figures lack; returns the files written, and what failed.
    pub(crate) fn report(self) -> Report {
        // Logged at the end, because among the progress messages of a long run a warning would scroll
        // out of sight.
        for Skipped { what, why, cure } in &self.skipped {
            warn!("skipping `{what}`: {why}; {cure}");
        }
        if !self.without_glyphs.is_empty() {
            warn!("{}", about_boxes(&self.without_glyphs));
        }
        Report {
            written: self.written,
            failed: self.failed,
        }
    }

    /// Writes a figure in all formats that are asked for, and what it was drawn from.
    ///
    /// # Errors
    /// When a file cannot be made or written.
    pub(crate) fn write_figure(
        &mut self,
        job: &Job,
        dataset: &str,
        look: Look,
        stem: &str,
        svg: &str,
        csv: &str,
    ) -> anyhow::Result<()> {
        let mut folder = job.folder(dataset);
        folder.extend(folder_of(look));
        let name = |extension: &str| format!("{stem}.{extension}");
        let mut picture = None;
        if job.formats.iter().any(|&format| format != Format::Svg) {
            let read = Picture::read(svg)?;
            self.without_glyphs.append(&mut read.without_glyphs());
            picture = Some(read);
        }
        for format in &job.formats {
            let path = folder.join(name(format.extension()));
            match (format, &picture) {
                (Format::Pdf, Some(picture)) => self.put(path, &picture.pdf()?)?,
                (Format::Png, Some(picture)) => {
                    self.put(path, &picture.png(job.settings.png_dpi)?)?;
                }
                (Format::Svg, _) | (_, None) => self.put(path, svg.as_bytes())?,
            }
        }
        // The CSV does not depend on the formats asked for: a figure must not be without the numbers to
        // check it by.
        self.put(folder.join(name("csv")), csv.as_bytes())?;
        let formats = job.formats.iter().map(|format| name(format.extension()));
        self.record(&folder, formats.chain([name("csv")]).collect())
    }

    /// Writes a table for programs and for readers.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write_table(
        &mut self,
        folder: &Path,
        stem: &str,
        table: &Table,
    ) -> anyhow::Result<()> {
        self.write_document(folder, stem, &table.document(), &table.csv())
    }

    /// Writes what readers see of a table, as Markdown and for the page, and its numbers in full.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write_document(
        &mut self,
        folder: &Path,
        stem: &str,
        document: &Document,
        csv: &str,
    ) -> anyhow::Result<()> {
        let name = |extension: &str| format!("{stem}.{extension}");
        self.put(folder.join(name("md")), document.markdown().as_bytes())?;
        // It is there for the page alone, so it is not among the paths that a run prints.
        document.write(&folder.join(name(DOCUMENT_EXTENSION)))?;
        self.put(folder.join(name("csv")), csv.as_bytes())?;
        self.record(folder, ["md", DOCUMENT_EXTENSION, "csv"].map(name).into())
    }

    /// Writes a single file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, path: PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        self.put(path, bytes)?;
        self.record(&folder, name.into_iter().collect())
    }

    fn put(&mut self, path: PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
        if let Err(error) = write_atomically(&path, bytes) {
            self.cannot_write = true;
            return Err(error.into());
        }
        self.written.push(path);
        Ok(())
    }

    /// Records what files of a folder were made from. Comes after the files: a run that is killed in between leaves new files with the record
    /// of the old ones, by which the page calls them out of date.
    fn record(&self, folder: &Path, files: BTreeSet<String>) -> anyhow::Result<()> {
        match &self.from {
            Some(from) => Record::add(folder, files, from),
            None => Ok(()),
        }
    }
}

/// What PDF and PNG show in place of some characters, and of which.
fn about_boxes(without_glyphs: &BTreeMap<String, BTreeSet<char>>) -> String {
    let of_text = |(text, characters): (&String, &BTreeSet<char>)| {
        let characters: Vec<String> = characters
            .iter()
            .map(|c| format!("{c} U+{:04X}", u32::from(*c)))
            .collect();
        format!("`{text}` ({})", characters.join(", "))
    };
    let mut texts: Vec<String> = without_glyphs.iter().take(MAX_TEXTS).map(of_text).collect();
    if without_glyphs.len() > MAX_TEXTS {
        texts.push(format!("{} other texts", without_glyphs.len() - MAX_TEXTS));
    }
    format!(
        "the PDF and PNG figures show boxes in place of characters that the built-in font lacks, in {}; the SVG figures and report.html hold \
         them as text, and show them wherever the viewer has a font for them",
        texts.join(", ")
    )
}

/// The folder of a look's figures below their data set's.
fn folder_of(look: Look) -> Option<&'static str> {
    // Both looks have the same file names, so that a paper switches between them by a folder.
    match look {
        Look::Color => None,
        Look::Bw => Some("bw"),
    }
}
