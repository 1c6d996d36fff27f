use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A progress bar on standard error: only on a terminal, and not with `--quiet`.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar of `n` units under a label of a word or two.
    pub fn bar(label: &str, n: u64, quiet: bool) -> Self {
        let target = if quiet || !io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let style = ProgressStyle::with_template(
            "{msg:20} {wide_bar} {human_pos}/{human_len} {per_sec}, {eta} left",
        )
        .expect("the template is a constant and was tried");
        let bar = ProgressBar::with_draw_target(Some(n), target)
            .with_style(style)
            .with_message(label.to_owned());
        Self(bar)
    }

    /// Counts units as done. Libraries take this as `&(dyn Fn(u64) + Sync)`.
    pub fn add(&self, n: u64) {
        self.0.inc(n);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
