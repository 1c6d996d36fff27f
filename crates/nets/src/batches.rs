use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use tch::{Device, TchError};

use crate::mode::Mode;

/// Runs every batch on a device, and hands `done` its rows and what came of them, in any order.
///
/// On a CPU, batches go to the cores whole: each product runs on one core, and none waits for another. `worker` makes what turns a batch
/// into numbers, once for each core. A single batch stays on the calling thread and has all cores, unless texts are to be computed on one core.
///
/// # Errors
/// That of the first batch that failed.
pub(crate) fn run_batches<'a, W>(
    batches: &'a [Vec<usize>],
    mode: Mode,
    worker: impl Fn() -> W,
    mut done: impl FnMut(&'a [usize], Vec<f32>),
) -> Result<(), TchError>
where
    W: Fn(&[usize]) -> Result<Vec<f32>, TchError> + Send,
{
    let n_threads = usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1);
    let n_workers = match mode.device {
        Device::Cpu => n_threads.min(batches.len()),
        _ => 1,
    };
    if n_workers <= 1 && !mode.is_one_by_one() {
        let run = worker();
        for rows in batches {
            done(rows, run(rows)?);
        }
        return Ok(());
    }
    let next_batch = AtomicUsize::new(0);
    let outcome = thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..n_workers {
            let (run, sender, next_batch) = (worker(), sender.clone(), &next_batch);
            let n_threads = match mode.is_one_by_one() {
                true => 1,
                false => (n_threads / n_workers) as i32,
            };
            scope.spawn(move || {
                tch::set_num_threads(n_threads);
                while let Some(rows) = batches.get(next_batch.fetch_add(1, Ordering::Relaxed)) {
                    // The other end is gone when another batch has failed.
                    if sender.send((rows, run(rows))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (rows, values) in receiver {
            done(rows, values?);
        }
        Ok(())
    });
    // Threads to come take the number that was set last.
    tch::set_num_threads(n_threads as i32);
    outcome
}
