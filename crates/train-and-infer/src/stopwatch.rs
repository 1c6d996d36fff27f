use std::{collections::BTreeMap, thread, time::Instant};

use cli_support::peak_memory_bytes;
use dataset::{Stage, Timings};

/// Times the stages of a run, one after the other.
pub(crate) struct Stopwatch {
    stages: Vec<Stage>,
    other: BTreeMap<String, f64>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            stages: Vec::new(),
            other: BTreeMap::new(),
        }
    }

    /// Runs a stage and notes how long it took.
    pub(crate) fn time<T>(
        &mut self,
        stage: &str,
        work: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let start = Instant::now();
        // A stage that fails is not noted: its run ends without a manifest that could list it.
        let result = work()?;
        self.stages.push(Stage {
            name: stage.to_owned(),
            seconds: start.elapsed().as_secs_f64(),
        });
        Ok(result)
    }

    /// Notes a stage that was timed elsewhere.
    pub(crate) fn add(&mut self, stage: Stage) {
        self.stages.push(stage);
    }

    /// Notes a measurement that another run of the same would not give.
    #[cfg_attr(
        not(feature = "torch"),
        expect(dead_code, reason = "only networks use it")
    )]
    pub(crate) fn note(&mut self, name: &str, value: f64) {
        self.other.insert(name.to_owned(), value);
    }

    /// All that was measured, for the manifest.
    pub(crate) fn timings(self) -> Timings {
        Timings {
            stages: self.stages,
            peak_memory_bytes: peak_memory_bytes(),
            n_threads: thread::available_parallelism().ok().map(usize::from),
            other: self.other,
        }
    }
}
