//! Draws the figures and writes the tables; see the library.

use std::process::ExitCode;

use plots::{Args, Job, run};

fn main() -> ExitCode {
    cli_support::run(Args::is_quiet, |args| {
        let job = Job::new(args)?;
        let written = run(&job)?;
        let lines: Vec<String> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        job.output.print(&lines, &lines.join("\n"))
    })
}
