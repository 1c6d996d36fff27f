use std::time::Instant;

use dataset::Stage;

/// Times the stages of a run, one after the other.
pub(crate) struct Stopwatch {
    stages: Vec<Stage>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { stages: Vec::new() }
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

    pub(crate) fn stages(self) -> Vec<Stage> {
        self.stages
    }
}
