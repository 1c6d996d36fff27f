use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use evaluation::published::Published;

use crate::{
    Error, Result,
    claims::{self, Claim, ClaimSettings, ClaimsFile},
};

/// What is to be judged.
#[derive(Debug)]
pub struct Job {
    /// Each with an id of its own, those of a data set together.
    pub(crate) claims: Vec<Claim>,
    pub(crate) settings: ClaimSettings,
    /// By data set.
    pub(crate) reasons: BTreeMap<String, String>,
    pub(crate) data_dir: PathBuf,
}

/// Which claims to judge.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The data sets whose claims are judged; all where none is named.
    pub datasets: Vec<String>,
    /// The ids of the claims to judge; all where none is named.
    pub claims: Vec<String>,
    /// Why a data set is not there, by its name, for the report.
    pub reasons: BTreeMap<String, String>,
}

impl Job {
    /// Reads the claims and chooses among them; without a file, those that are built in.
    ///
    /// # Errors
    /// When a file of claims cannot be used; [`Error::UnknownDataset`] or [`Error::UnknownClaim`] for a name that there is no claim about.
    pub fn new(
        claims_file: Option<&Path>,
        published_file: Option<&Path>,
        selection: Selection,
        data_dir: &Path,
    ) -> Result<Self> {
        let file = ClaimsFile::read(claims_file)?;
        let published = Published::read(published_file)?;
        let claims = claims::all(&published, file.groups)?;
        let Selection {
            datasets,
            claims: ids,
            reasons,
        } = selection;
        // A misspelled name would select nothing, and nothing would fail.
        for name in datasets.iter().chain(reasons.keys()) {
            check_known(&claims, name)?;
        }
        let is_meant = |claim: &Claim| datasets.is_empty() || datasets.contains(&claim.dataset);
        for id in &ids {
            if !claims
                .iter()
                .any(|claim| claim.id == *id && is_meant(claim))
            {
                return Err(Error::UnknownClaim { id: id.clone() });
            }
        }
        let is_asked = |claim: &Claim| ids.is_empty() || ids.contains(&claim.id);
        Ok(Self {
            reasons,
            settings: file.settings,
            data_dir: data_dir.to_owned(),
            claims: (claims.iter())
                .filter(|claim| is_meant(claim) && is_asked(claim))
                .cloned()
                .collect(),
        })
    }
}

fn check_known(claims: &[Claim], name: &str) -> Result<()> {
    if claims.iter().any(|claim| claim.dataset == name) {
        return Ok(());
    }
    // In the order of the claims, which is that of the file.
    let mut seen = BTreeSet::new();
    let known = claims.iter().map(|claim| &claim.dataset);
    Err(Error::UnknownDataset {
        name: name.to_owned(),
        known: known.filter(|name| seen.insert(*name)).cloned().collect(),
    })
}
