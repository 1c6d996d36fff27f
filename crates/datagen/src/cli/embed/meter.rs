use cli_support::Progress;

/// Shows the client's progress on a bar: prompts, tokens per second, dollars so far.
pub(super) struct Meter<'a> {
    bar: &'a Progress,
    start: std::time::Instant,
    n_shown: std::sync::Mutex<u64>,
}

impl<'a> Meter<'a> {
    pub(super) fn start(bar: &'a Progress) -> Self {
        Self {
            bar,
            start: std::time::Instant::now(),
            n_shown: std::sync::Mutex::new(0),
        }
    }

    pub(super) fn show(&self, progress: embeddings::Progress) {
        let n_done = progress.n_done as u64;
        // Requests finish on several threads, and the counts they report may arrive out of order; the bar only goes forward.
        let mut n_shown = self
            .n_shown
            .lock()
            .expect("nothing that holds the lock can panic");
        self.bar.add(n_done.saturating_sub(*n_shown));
        *n_shown = n_done.max(*n_shown);
        let seconds = self.start.elapsed().as_secs_f64();
        let mut note = format!("{:.0} tokens/s", progress.tokens_done as f64 / seconds);
        if let Some(usd) = progress.usd {
            note.push_str(&format!(", ${usd:.4}"));
        }
        self.bar.set_note(&note);
    }
}
