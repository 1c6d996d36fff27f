//! `carrot-router arena`: the files that RouterArena takes of a router.

mod args;
mod job;

use carrot_router::{ArenaConfig, ArenaPrediction, ArenaPrompt};
use dataset::write_atomically;
use serde::Serialize;
use tracing::warn;

pub(super) use self::args::ArenaArgs;
use self::job::ArenaJob;

pub(super) fn run(args: ArenaArgs) -> anyhow::Result<()> {
    let output = args.output_form;
    let job = ArenaJob::check(args)?;
    let router = job.open()?;
    let models = job.arena_names(router.models())?;
    let mut report = Report {
        files: Vec::new(),
        n_prompts: 0,
        n_robustness: 0,
        n_passed_over: 0,
    };
    job.refuse_trained()?;
    write(
        job.config_path(),
        &ArenaConfig::new(&job.name, models.clone()),
        &mut report,
    )?;
    for (prompts, path, is_robustness) in job.parts() {
        let asked: Vec<&ArenaPrompt> = prompts.iter().filter(|it| it.text().is_some()).collect();
        report.n_passed_over += prompts.len() - asked.len();
        let texts: Vec<String> =
            (asked.iter().filter_map(|it| it.text()).map(str::to_owned)).collect();
        let decisions = router.route(&texts, job.mu)?;
        let answers: Vec<ArenaPrediction> = asked
            .iter()
            .zip(&decisions)
            .map(|(prompt, decision)| prompt.prediction(&models[decision.selected_idx]))
            .collect();
        match is_robustness {
            true => report.n_robustness = answers.len(),
            false => report.n_prompts = answers.len(),
        }
        write(path, &answers, &mut report)?;
    }
    if report.n_passed_over > 0 {
        warn!(
            "{} entries have no index or no prompt, and are passed over as by RouterArena's own script",
            report.n_passed_over
        );
    }
    output.print(&report, &report.text())
}

/// What was written.
#[derive(Debug, Serialize)]
struct Report {
    files: Vec<String>,
    n_prompts: usize,
    n_robustness: usize,
    n_passed_over: usize,
}

impl Report {
    fn text(&self) -> String {
        format!(
            "{} prompts and {} of robustness:\n{}\n",
            self.n_prompts,
            self.n_robustness,
            self.files.join("\n")
        )
    }
}

fn write(
    path: std::path::PathBuf,
    value: &impl Serialize,
    report: &mut Report,
) -> anyhow::Result<()> {
    // As Python's `json.dump(indent=2, ensure_ascii=False)` has it.
    write_atomically(&path, &serde_json::to_vec_pretty(value)?)?;
    report.files.push(path.display().to_string());
    Ok(())
}
