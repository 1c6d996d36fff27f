use ndarray::{Array2, s};
use routers::{Kernel, Linear, Target};

use super::{SILENT, kernel, linear, random, target};

/// More rows than one thread takes at a time, with an output that is known in half of them, and one that is unknown in two.
fn table() -> (Array2<f32>, Vec<Target>) {
    let rows = random((700, 9), 1);
    let mut scores = random((700, 3), 2).mapv(f32::abs);
    scores.slice_mut(s![..;2, 1]).fill(f32::NAN);
    scores.slice_mut(s![100..102, 2]).fill(f32::NAN);
    let costs = random((700, 2), 3).mapv(f32::abs);
    (rows, vec![target(scores), target(costs)])
}

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
    pool.expect("a few threads").install(work)
}

fn fit() -> (Linear, Kernel, Vec<Array2<f32>>) {
    let (rows, targets) = table();
    let linear = linear(&[10.0, 1.0, 0.1]);
    let linear = linear.fit(rows.view(), &targets, SILENT).expect("fitted");
    let kernel = kernel(&[0.5, 2.0], &[10.0, 1.0, 0.1], 300);
    let kernel = kernel.fit(rows.view(), &targets, SILENT).expect("fitted");
    let queries = random((70, 9), 4);
    let mut predicted = linear.predict(queries.view(), SILENT).expect("predicted");
    predicted.extend(kernel.predict(queries.view(), SILENT).expect("predicted"));
    (linear, kernel, predicted)
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (linear, kernel, predicted) = on_threads(1, fit);
    for n_threads in [2, 5] {
        let (other_linear, other_kernel, other_predicted) = on_threads(n_threads, fit);
        assert_eq!(other_linear.weights(), linear.weights());
        assert_eq!(other_linear.fits(), linear.fits());
        assert_eq!(other_kernel.weights(), kernel.weights());
        assert_eq!(other_kernel.fits(), kernel.fits());
        assert_eq!(other_predicted, predicted);
    }
}

#[test]
fn a_prediction_does_not_depend_on_its_batch() {
    let (linear, kernel, predicted) = fit();
    let queries = random((70, 9), 4);
    for start in [0, 1, 17, 69] {
        let alone = queries.slice(s![start..start + 1, ..]);
        let mut of_one = linear.predict(alone, SILENT).expect("predicted");
        of_one.extend(kernel.predict(alone, SILENT).expect("predicted"));
        for (of_one, predicted) in of_one.iter().zip(&predicted) {
            assert_eq!(of_one, predicted.slice(s![start..start + 1, ..]));
        }
    }
}

#[test]
fn what_a_fit_left_predicts_the_same() {
    let (linear, kernel, predicted) = fit();
    let queries = random((70, 9), 4);
    let again = Linear::from_parts(linear.fits().to_vec(), linear.weights().to_vec());
    let again = again.expect("its own parts");
    assert_eq!(
        again.predict(queries.view(), SILENT).expect("predicted"),
        predicted[..2]
    );
    let again = Kernel::from_parts(
        kernel.landmarks().clone(),
        kernel.fits().to_vec(),
        kernel.weights().to_vec(),
    )
    .expect("its own parts");
    assert_eq!(
        again.predict(queries.view(), SILENT).expect("predicted"),
        predicted[2..]
    );
}
