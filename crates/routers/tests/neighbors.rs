//! Neighbors wherever their rows are: one piece of code averages over them all.

use std::sync::Arc;

use half::f16;
use ndarray::{Array2, Axis, array, concatenate, s};
use routers::{
    Backend, Error, Found, HalfRows, InMemory, Knn, Nearest, Neighbors, OverTarget, Result, Target,
    UnitRows,
};

const N_ROWS: usize = 90;
const DIM: usize = 5;

fn embeddings() -> Array2<f32> {
    Array2::from_shape_fn((N_ROWS, DIM), |(row, column)| {
        ((row * 31 + column * 17) % 23) as f32 - 11.0
    })
}

fn queries() -> Array2<f32> {
    Array2::from_shape_fn((20, DIM), |(row, column)| (row * 3 % 7 + column) as f32)
}

/// Two LLMs, of each of which some values are unknown; one row in nine knows nothing.
fn values(seed: usize) -> Array2<f32> {
    Array2::from_shape_fn((N_ROWS, 2), |(row, column)| {
        match (row * seed + column) % 7 {
            _ if row % 9 == 4 => f32::NAN,
            6 => f32::NAN,
            value => value as f32 / 6.0,
        }
    })
}

fn targets() -> [Target; 2] {
    [("score", values(13)), ("cost", values(5))].map(|(name, values)| Target {
        name: name.to_owned(),
        values,
    })
}

fn unit(rows: Array2<f32>) -> UnitRows {
    UnitRows::new(rows).expect("finite")
}

fn in_memory() -> InMemory {
    let [score, cost] = targets();
    let values = concatenate(Axis(1), &[score.values.view(), cost.values.view()]);
    InMemory::new(unit(embeddings()), values.expect("rows"), Backend::Gemm).expect("good")
}

/// What searches elsewhere: ids that are no row numbers, neighbors in the order of their distance, each with a copy of its values.
#[derive(Debug)]
struct Elsewhere {
    exact: InMemory,
    /// Neighbors left out of each answer.
    n_missing: usize,
}

impl Elsewhere {
    fn whole() -> Arc<Self> {
        Arc::new(Self {
            exact: in_memory(),
            n_missing: 0,
        })
    }
}

impl Neighbors for Elsewhere {
    fn dim(&self) -> usize {
        self.exact.dim()
    }

    fn n_rows(&self) -> usize {
        self.exact.n_rows()
    }

    fn n_values(&self) -> usize {
        self.exact.n_values()
    }

    fn nearest<'a>(
        &'a self,
        queries: &'a UnitRows,
        ks: &[usize],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Nearest<'a>> {
        let nearest = self.exact.nearest(queries, ks, on_progress)?;
        let n_queries = queries.n_rows();
        let mut found = Vec::new();
        let mut values = Vec::new();
        for query in 0..n_queries {
            let mut of_query: Vec<(Found, usize)> = (0..nearest.k())
                .map(|i| {
                    let found = Found {
                        row_id: 1_000_000_007 * nearest.row_id(query, i),
                        distance: nearest.distance(query, i),
                    };
                    (found, i)
                })
                .collect();
            of_query.sort_by(|(a, _), (b, _)| {
                (a.distance.total_cmp(&b.distance)).then(a.row_id.cmp(&b.row_id))
            });
            for (it, i) in of_query.into_iter().skip(self.n_missing) {
                found.push(it);
                values.extend(nearest.values(query, i));
            }
        }
        let shape = (found.len(), self.n_values());
        let values = Array2::from_shape_vec(shape, values).expect("so many");
        Nearest::fetched(ks, n_queries, found, values)
    }
}

fn over_targets(knn: &Knn, ks: &[usize]) -> Vec<OverTarget> {
    (ks.iter().enumerate())
        .map(|(i, &n_neighbors)| OverTarget {
            name: knn.fits()[i].target.clone(),
            n_neighbors,
            means: knn.means(i).to_vec(),
        })
        .collect()
}

#[test]
fn whoever_searches_the_same_bits_are_predicted() {
    for ks in [[1, 1], [3, 20], [20, 3], [90, 7]] {
        let here = Knn::from_parts(unit(embeddings()), &targets(), &ks, Backend::Gemm);
        let here = here.expect("good parts");
        let there = Knn::over(Elsewhere::whole(), &over_targets(&here, &ks)).expect("good parts");
        assert!(there.in_memory().is_none());
        assert_eq!(there.fits(), here.fits());
        let predict = |knn: &Knn| knn.predict(queries().view(), &|_| ()).expect("predicted");
        let bits = |predicted: Vec<Array2<f32>>| -> Vec<Array2<u32>> {
            predicted.iter().map(|it| it.mapv(f32::to_bits)).collect()
        };
        assert_eq!(bits(predict(&there)), bits(predict(&here)), "{ks:?}");
    }
}

/// A search elsewhere is asked for some queries at a time.
#[test]
fn many_queries_are_predicted_as_few_and_counted_once() {
    let here = Knn::from_parts(unit(embeddings()), &targets(), &[3, 8], Backend::Gemm);
    let here = here.expect("good parts");
    let there = Knn::over(Elsewhere::whole(), &over_targets(&here, &[3, 8])).expect("good parts");
    let many = queries().select(Axis(0), &(0..2_500).map(|i| i % 20).collect::<Vec<_>>());
    let n_done = std::sync::atomic::AtomicU64::new(0);
    let count = |n| _ = n_done.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
    let predicted = there.predict(many.view(), &count).expect("predicted");
    assert_eq!(n_done.into_inner(), 2_500);
    assert_eq!(
        predicted,
        here.predict(many.view(), &|_| ()).expect("predicted")
    );
    let mut bad = many;
    bad[[2_200, 1]] = f32::NAN;
    let error = there.predict(bad.view(), &|_| ()).expect_err("not finite");
    assert!(matches!(error, Error::NotFinite { row: 2_200 }), "{error}");
}

#[test]
fn neighbors_have_ids_distances_and_values() {
    let (exact, queries) = (in_memory(), unit(queries()));
    let nearest = exact.nearest(&queries, &[2, 6], &|_| ()).expect("found");
    assert_eq!((nearest.k(), nearest.n_queries()), (6, 20));
    let rows = unit(embeddings());
    for query in 0..20 {
        let similarity = |row: usize| {
            let products = queries.view().row(query).to_owned() * rows.view().row(row);
            products.iter().map(|&it| f64::from(it)).sum::<f64>()
        };
        let mut all: Vec<usize> = (0..N_ROWS).collect();
        all.sort_by(|&a, &b| similarity(b).total_cmp(&similarity(a)));
        let farthest = 1.0 - similarity(all[5]);
        for i in 0..6 {
            let row = nearest.row_id(query, i) as usize;
            // Products of float32 in another order.
            assert!((nearest.distance(query, i) - 1.0 + similarity(row)).abs() < 1e-6);
            assert!(nearest.distance(query, i) <= farthest + 1e-6);
            let bits = |it: ndarray::ArrayView1<'_, f32>| it.mapv(f32::to_bits);
            let expected = exact.values();
            assert_eq!(bits(nearest.values(query, i)), bits(expected.row(row)));
        }
        let ids: Vec<u64> = (0..6).map(|i| nearest.row_id(query, i)).collect();
        assert!(ids[..2].is_sorted() && ids[2..].is_sorted(), "{ids:?}");
    }
}

#[test]
fn what_was_fetched_is_put_into_segments_by_row_id() {
    let found = |row_id, distance| Found { row_id, distance };
    let two = vec![
        found(9, 0.1),
        found(4, 0.2),
        found(7, 0.3),
        found(u64::MAX, 0.0),
        found(2, 0.5),
        found(1, 0.5),
    ];
    let values = Array2::from_shape_fn((6, 1), |(i, _)| i as f32);
    let nearest = Nearest::fetched(&[2, 3], 2, two.clone(), values.clone()).expect("good");
    let told = |query: usize| -> Vec<(u64, f64, f32)> {
        (0..3)
            .map(|i| {
                let value = nearest.values(query, i)[0];
                (nearest.row_id(query, i), nearest.distance(query, i), value)
            })
            .collect()
    };
    assert_eq!(told(0), [(4, 0.2, 1.0), (9, 0.1, 0.0), (7, 0.3, 2.0)]);
    assert_eq!(
        told(1),
        [(2, 0.5, 4.0), (u64::MAX, 0.0, 3.0), (1, 0.5, 5.0)]
    );
    for (n_queries, values) in [(3, &values), (1, &values), (2, &array![[1.0]])] {
        let error = Nearest::fetched(&[2, 3], n_queries, two.clone(), values.clone());
        assert!(matches!(error, Err(Error::Shape { .. })));
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let here = Knn::from_parts(unit(embeddings()), &targets(), &[3, 8], Backend::Gemm);
    let good = over_targets(&here.expect("good parts"), &[3, 8]);
    let refused = |targets: &[OverTarget]| {
        let error = Knn::over(Elsewhere::whole(), targets);
        error.expect_err("bad parts").to_string()
    };
    let mut many = good.clone();
    many[1].n_neighbors = N_ROWS + 1;
    assert!(refused(&many).contains("`n-neighbors` is 91"));
    assert!(refused(&good[..1]).contains("value matrix"));

    // Fewer neighbors than were asked for are never averaged over in silence.
    let short = Elsewhere {
        exact: in_memory(),
        n_missing: 1,
    };
    let short = Knn::over(Arc::new(short), &good).expect("good parts");
    let error = short.predict(queries().view(), &|_| ()).expect_err("short");
    assert!(error.to_string().contains("neighbor matrix"), "{error}");

    let there = Knn::over(Elsewhere::whole(), &good).expect("good parts");
    let counting = there.counting_known(&[Some(1.0), None]);
    let error = counting.expect_err("there is no index of each LLM");
    assert!(error.to_string().contains("held in memory"), "{error}");

    let error = InMemory::new(unit(embeddings()), array![[1.0]], Backend::Gemm);
    assert!(matches!(error, Err(Error::Shape { .. })));
}

/// Rows of float16 stay so, and predict what they did when they were widened.
#[test]
fn float16_rows_predict_as_their_float32_unit_vectors() {
    let halves: Vec<f16> = (unit(embeddings()).view().iter())
        .map(|&x| f16::from_f32(x))
        .collect();
    let rows = HalfRows::new(Arc::new(halves), (N_ROWS, DIM)).expect("good");
    let wide = rows.view().mapv(f32::from);
    for prior_values in [[None; 2], [Some(2.0), None]] {
        let knn = |rows: routers::NeighborRows, backend| {
            Knn::from_parts(rows, &targets(), &[4, 9], backend)
                .and_then(|knn| knn.counting_known(&prior_values))
                .expect("good parts")
        };
        for backend in [Backend::Gemm, Backend::LinfaKdtree] {
            let (narrow, wide) = (
                knn(rows.clone().into(), backend),
                knn(unit(wide.clone()).into(), backend),
            );
            for n_queries in [1, 20] {
                let queries = queries().slice(s![..n_queries, ..]).to_owned();
                let predict = |knn: &Knn| knn.predict(queries.view(), &|_| ()).expect("predicted");
                assert_eq!(predict(&narrow), predict(&wide), "{backend:?}");
            }
        }
    }
}
