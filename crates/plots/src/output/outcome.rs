//! What a run leaves, and what it could not make.

use std::path::{Path, PathBuf};

use charts::draw::{look::Look, render};
use dataset::write_atomically;
use tracing::warn;

use super::tables::Table;
use crate::settings::job::{Format, Job};

/// Files written, and what was skipped.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    written: Vec<PathBuf>,
    skipped: Vec<Skipped>,
}

/// A figure or a table that lacks its input.
#[derive(Debug)]
struct Skipped {
    /// Data set and name of the files.
    what: String,
    why: String,
    /// What would make the input.
    cure: String,
}

impl Outcome {
    /// Notes that something cannot be made: what, why, and what would make its input.
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

    /// Logs what was skipped; returns the files written.
    pub(crate) fn report(self) -> Vec<PathBuf> {
        for Skipped { what, why, cure } in &self.skipped {
            warn!("skipping `{what}`: {why}; {cure}");
        }
        self.written
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
        for format in &job.formats {
            let path = folder.join(format!("{stem}.{}", format.extension()));
            match format {
                Format::Svg => self.write(path, svg.as_bytes())?,
                Format::Pdf => self.write(path, &render::pdf(svg)?)?,
                Format::Png => self.write(path, &render::png(svg, job.settings.png_dpi)?)?,
            }
        }
        self.write(folder.join(format!("{stem}.csv")), csv.as_bytes())
    }

    /// Writes a table in both forms.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write_table(
        &mut self,
        folder: &Path,
        stem: &str,
        table: &Table,
    ) -> anyhow::Result<()> {
        let path = |extension: &str| folder.join(format!("{stem}.{extension}"));
        self.write(path("md"), table.markdown().as_bytes())?;
        self.write(path("csv"), table.csv().as_bytes())
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&mut self, path: PathBuf, bytes: &[u8]) -> anyhow::Result<()> {
        write_atomically(&path, bytes)?;
        self.written.push(path);
        Ok(())
    }
}

/// The folder of a look's figures below their data set's.
fn folder_of(look: Look) -> Option<&'static str> {
    match look {
        Look::Color => None,
        Look::Bw => Some("bw"),
    }
}
