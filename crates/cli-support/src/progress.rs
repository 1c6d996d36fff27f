use std::{
    io::{self, IsTerminal as _},
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, WeakProgressBar};

use crate::terminal::escaped;

/// The bars of this program.
static BARS: Bars = Bars(Mutex::new(Vec::new()));

/// Bars, the newest last.
struct Bars(Mutex<Vec<WeakProgressBar>>);

impl Bars {
    fn add(&self, bar: &ProgressBar) {
        let mut bars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bars.retain(|bar| bar.upgrade().is_some());
        bars.push(bar.downgrade());
    }

    /// Writes with the newest bar out of the way, which is drawn again below.
    fn above<T>(&self, write: impl FnOnce() -> T) -> T {
        let newest = {
            let bars = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            bars.iter().rev().find_map(WeakProgressBar::upgrade)
        };
        match newest {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

/// Writes to standard error above the bar that is shown there, rather than into it.
pub(crate) fn above_bars<T>(write: impl FnOnce() -> T) -> T {
    BARS.above(write)
}

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
        let bar = ProgressBar::with_draw_target(Some(n), target)
            .with_style(style("{human_pos}/{human_len} {per_sec}"))
            .with_message(escaped(label).into_owned());
        BARS.add(&bar);
        Self(bar)
    }

    /// The same for a number of bytes.
    pub fn bytes(label: &str, n: u64, quiet: bool) -> Self {
        let bar = Self::bar(label, n, quiet);
        bar.0
            .set_style(style("{bytes}/{total_bytes} {bytes_per_sec}"));
        bar
    }

    /// Starts a bar of bytes for each download: what the crate `hub` takes as the display of its downloads.
    pub fn of_downloads(
        quiet: bool,
    ) -> impl Fn(&str, u64) -> Box<dyn Fn(u64) + Send + Sync> + Send + Sync + 'static {
        move |label, n_bytes| {
            let bar = Self::bytes(label, n_bytes, quiet);
            Box::new(move |n| bar.add(n))
        }
    }

    /// Counts units as done. Libraries take this as `&(dyn Fn(u64) + Sync)`.
    pub fn add(&self, n: u64) {
        self.0.inc(n);
    }

    /// Shows a few words more after the bar, instead of those before: `1.2k tokens/s, $0.0031`.
    pub fn set_note(&self, note: &str) {
        let gap = if note.is_empty() { "" } else { "  " };
        self.0.set_prefix(format!("{gap}{}", escaped(note)));
    }
}

fn style(counts: &str) -> ProgressStyle {
    // indicatif has two texts that can be set, and names them for another order.
    let template = format!("{{msg:20}} {{wide_bar}} {counts}, {{eta}} left{{prefix}}");
    ProgressStyle::with_template(&template).expect("the templates are constants and were tried")
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;

    /// A terminal of one line, which it remembers.
    #[derive(Debug, Clone, Default)]
    struct OneLine(Arc<Mutex<String>>);

    impl OneLine {
        fn text(&self) -> String {
            self.0.lock().expect("no test panicked").trim().to_owned()
        }

        fn write(&self, text: &str) -> io::Result<()> {
            self.0.lock().expect("no test panicked").push_str(text);
            Ok(())
        }
    }

    impl TermLike for OneLine {
        fn width(&self) -> u16 {
            120
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.write(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().expect("no test panicked").clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(bar: Progress) -> (Progress, OneLine) {
        let line = OneLine::default();
        let target = ProgressDrawTarget::term_like(Box::new(line.clone()));
        bar.0.set_draw_target(target);
        (bar, line)
    }

    #[test]
    fn a_note_follows_the_counts_and_replaces_the_one_before() {
        let (bar, line) = shown(Progress::bar("embedding", 2000, true));
        bar.add(1500);
        bar.set_note("$0.1");
        bar.set_note("1.2k tokens/s, $0.0031");
        bar.0.force_draw();
        let text = line.text();
        assert!(text.starts_with("embedding "), "{text}");
        assert!(text.contains(" 1,500/2,000 "), "{text}");
        assert!(text.ends_with(" left  1.2k tokens/s, $0.0031"), "{text}");
        bar.set_note("");
        bar.0.force_draw();
        assert!(line.text().ends_with(" left"), "{}", line.text());
    }

    #[test]
    fn a_log_line_takes_the_place_of_the_bar_and_the_bar_comes_back() {
        let (bar, line) = shown(Progress::bar("embedding", 2, true));
        let bars = Bars(Mutex::new(Vec::new()));
        assert_eq!(bars.above(|| 1), 1, "without bars");
        bars.add(&bar.0);
        bar.add(1);
        bar.0.force_draw();
        assert!(!line.text().is_empty());
        let meanwhile = bars.above(|| line.text());
        assert_eq!(meanwhile, "");
        assert!(line.text().starts_with("embedding "), "{}", line.text());
        drop(bar);
        assert_eq!(bars.above(|| 2), 2, "its bar is gone");
    }

    #[test]
    fn bytes_have_units() {
        let (bar, line) = shown(Progress::bytes("test.parquet", 3 << 20, true));
        bar.add(1 << 20);
        bar.0.force_draw();
        assert!(
            line.text().contains(" 1.00 MiB/3.00 MiB "),
            "{}",
            line.text()
        );
    }
}
