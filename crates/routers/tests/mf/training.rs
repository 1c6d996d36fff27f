use std::sync::atomic::{AtomicU64, Ordering};

use ndarray::{Array2, ArrayView2, Axis, s};
use routers::{Mf, MfParams};

use crate::{fit, params, rows};

fn mean_log_likelihood(
    mf: &Mf,
    embeddings: ArrayView2<'_, f32>,
    labels: &[f32],
    rows: &[usize],
) -> f64 {
    let p = mf.predict(embeddings.select(Axis(0), rows).view()).unwrap();
    let of = |(p, row): (&f64, &usize)| {
        if labels[*row] == 1. {
            p.ln()
        } else {
            (1. - p).ln()
        }
    };
    p.iter().zip(rows).map(of).sum::<f64>() / rows.len() as f64
}

#[test]
fn the_best_weights_are_kept_and_not_the_last() {
    let (embeddings, labels) = rows(200);
    // Far too long for so few rows.
    let params = MfParams {
        n_epochs: 100,
        noise_std: 0.,
        learning_rate: 0.02,
        ..params()
    };
    let (mf, report) = fit(&params, embeddings.view(), &labels).unwrap();
    assert_eq!(
        (report.n_train, report.n_validation, report.n_unknown),
        (180, 20, 0)
    );
    assert_eq!((report.n_steps, report.epochs.len()), (100 * 12, 100));
    let best = report.best.unwrap();
    let last = report.epochs[99].val_log_likelihood.unwrap();
    assert!(
        best.step < report.n_steps && best.step % 10 == 0,
        "{best:?}"
    );
    assert!(last < best.log_likelihood - 0.1, "{best:?} {last}");
    let found = mean_log_likelihood(&mf, embeddings.view(), &labels, &report.validation_rows);
    assert!(
        (found - best.log_likelihood).abs() < 1e-5,
        "{found} {best:?}"
    );
    // No look at the validation rows changes the course: only which weights are kept.
    let rarely = MfParams {
        validate_every_steps: 1_000_000,
        ..params
    };
    let (mf, report) = fit(&rarely, embeddings.view(), &labels).unwrap();
    assert_eq!(report.best.unwrap().step, report.n_steps);
    assert_eq!(report.best.unwrap().log_likelihood, last);
    let found = mean_log_likelihood(&mf, embeddings.view(), &labels, &report.validation_rows);
    assert!((found - last).abs() < 1e-5, "{found} {last}");
}

#[test]
fn it_learns_what_the_rows_say() {
    let (embeddings, labels) = rows(2_000);
    let (train, test) = embeddings.view().split_at(Axis(0), 1_500);
    let n_epochs = AtomicU64::new(0);
    let count = |n| {
        n_epochs.fetch_add(n, Ordering::Relaxed);
    };
    let (mf, report) = params()
        .check()
        .unwrap()
        .fit(train, &labels[..1_500], &count)
        .unwrap();
    assert_eq!(n_epochs.into_inner(), 20);
    assert!(report.epochs[19].loss < report.epochs[0].loss);
    // Four of five labels are what the components say.
    let p = mf.predict(test).unwrap();
    let n_right = p
        .iter()
        .zip(&labels[1_500..])
        .filter(|(p, label)| (**p >= 0.5) == (**label == 1.))
        .count();
    assert!(n_right > 375, "{n_right} of 500");
    assert!(p.iter().all(|p| (0. ..=1.).contains(p)));

    let reversed = mf.predict(test.slice(s![..;-1, ..])).unwrap();
    assert_eq!(reversed.slice(s![..;-1]), p);
    let single = mf.predict(test.slice(s![7..8, ..])).unwrap();
    assert_eq!(single[0], p[7]);
}

#[test]
fn a_seed_decides_every_bit_on_any_number_of_threads() {
    let (embeddings, labels) = rows(300);
    let on_threads = |n_threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| fit(&MfParams { seed, ..params() }, embeddings.view(), &labels).unwrap())
    };
    let (first, other) = (on_threads(1, 42), on_threads(1, 43));
    assert_eq!(first, on_threads(1, 42));
    assert_eq!(first, on_threads(3, 42));
    assert_ne!(first.0, other.0);
    assert_ne!(first.1.validation_rows, other.1.validation_rows);

    // Nor does it matter how the rows lie in memory.
    let columns = embeddings.t().as_standard_layout().into_owned();
    assert_eq!(first, fit(&params(), columns.t(), &labels).unwrap());
}

#[test]
fn rows_with_an_unknown_label_are_as_good_as_absent() {
    let (embeddings, labels) = rows(100);
    let (mf, report) = fit(&params(), embeddings.view(), &labels).unwrap();
    let (mut more, mut more_labels) = (Array2::from_elem((150, 20), f32::NAN), vec![f32::NAN; 150]);
    // Every third row is unknown, even its embedding.
    let known: Vec<usize> = (0..150).filter(|row| row % 3 != 0).collect();
    for (row, known) in known.iter().enumerate() {
        more.row_mut(*known).assign(&embeddings.row(row));
        more_labels[*known] = labels[row];
    }
    let (found, found_report) = fit(&params(), more.view(), &more_labels).unwrap();
    assert_eq!(found, mf);
    assert_eq!(found_report.n_unknown, 50);
    let rows: Vec<usize> = report
        .validation_rows
        .iter()
        .map(|row| known[*row])
        .collect();
    assert_eq!(found_report.validation_rows, rows);
    assert_eq!(found_report.best, report.best);
}

#[test]
fn few_rows_make_small_batches_and_no_validation() {
    let (embeddings, labels) = rows(9);
    // A tenth of nine rows is none.
    let (mf, report) = fit(&params(), embeddings.view(), &labels).unwrap();
    assert_eq!(
        (report.n_train, report.n_validation, report.n_steps),
        (9, 0, 20)
    );
    assert_eq!(report.best, None);
    assert!(
        report
            .epochs
            .iter()
            .all(|epoch| epoch.val_log_likelihood.is_none())
    );
    assert_eq!(mf.predict(embeddings.view()).unwrap().len(), 9);
    assert_eq!(mf.predict(Array2::zeros((0, 20)).view()).unwrap().len(), 0);
    // Without any component to see, it cannot tell.
    assert_eq!(mf.predict(Array2::zeros((1, 20)).view()).unwrap()[0], 0.5);
}
