use dataset::{DatasetDir, DatasetInfo, Part, PartTable};

use crate::{Made, Summary, Tally};

/// A data set in memory.
pub(super) struct Splits {
    pub(super) info: DatasetInfo,
    train: PartTable,
    test: PartTable,
}

impl Splits {
    pub(super) fn read(dir: &DatasetDir, info: DatasetInfo) -> anyhow::Result<Self> {
        let [train, test] = Part::ALL.map(|part| PartTable::read_part(dir, &info, part));
        Ok(Self {
            train: train?,
            test: test?,
            info,
        })
    }

    pub(super) fn parts(&self) -> [&PartTable; 2] {
        [&self.train, &self.test]
    }

    pub(super) fn summary(&self, dir: &DatasetDir) -> Summary {
        let mut tally = Tally::new(self.info.models.len());
        tally.add(&self.train);
        tally.add(&self.test);
        tally.summary(&self.info, dir)
    }
}

impl From<Made> for Splits {
    fn from(Made { info, train, test }: Made) -> Self {
        Self { info, train, test }
    }
}
