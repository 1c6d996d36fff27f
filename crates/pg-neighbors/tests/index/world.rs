use std::time::Duration;

use ndarray::{Array2, ArrayView2, s};
use pg_neighbors::{
    BuildOptions, Built, Hnsw, IndexAddress, IndexSpec, PgNeighbors, Result, SearchBy,
    SearchSettings, build,
};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use routers::{Backend, HalfRows, Knn, NeighborRows, OverTarget, Target, UnitRows};
use test_support::Postgres;

pub(crate) const DIM: usize = 48;
const N_LATENT: usize = 6;
pub(crate) const N_MODELS: usize = 3;

/// Rows of few degrees of freedom, as embeddings are, with scores and tokens of three LLMs.
pub(crate) struct World {
    pub(crate) rows: HalfRows,
    pub(crate) scores: Array2<f32>,
    pub(crate) tokens: Array2<f32>,
    pub(crate) queries: Array2<f32>,
}

impl World {
    pub(crate) fn new(n_rows: usize, n_queries: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut normal = |shape: (usize, usize)| {
            Array2::from_shape_simple_fn(shape, || rng.sample::<f32, _>(StandardNormal))
        };
        let (latent, map) = (
            normal((n_rows + n_queries, N_LATENT)),
            normal((N_LATENT, DIM)),
        );
        let mut all = latent.dot(&map) + 0.1 * normal((n_rows + n_queries, DIM));
        // A prompt without an embedding is nobody's neighbor.
        all.row_mut(n_rows / 2).fill(0.0);
        let queries = all.slice(s![n_rows.., ..]).to_owned();
        let unit = UnitRows::new(all.slice(s![..n_rows, ..]).to_owned()).expect("finite");
        let scores = Array2::from_shape_fn((n_rows, N_MODELS), |(row, model)| {
            match (row * 7 + model * 3) % 11 {
                // Unknown here and there.
                4 => f32::NAN,
                _ => f32::from(u8::from(latent[[row, model]] > 0.3 * latent[[row, 5]])),
            }
        });
        let tokens = Array2::from_shape_fn((n_rows, N_MODELS), |(row, model)| {
            100.0 + ((row * 13 + model * 101) % 463) as f32 + 0.25
        });
        Self {
            rows: NeighborRows::from(unit).to_half_rows().expect("finite"),
            scores,
            tokens,
            queries,
        }
    }

    pub(crate) fn values(&self) -> Array2<f32> {
        ndarray::concatenate(ndarray::Axis(1), &[self.scores.view(), self.tokens.view()])
            .expect("rows")
    }

    pub(crate) fn spec(&self) -> IndexSpec {
        IndexSpec {
            fit: "0123456789abcdef".repeat(4),
            dim: DIM,
            n_values: 2 * N_MODELS,
        }
    }

    /// The same rows in memory.
    pub(crate) fn in_memory(&self, ks: [usize; 2]) -> Knn {
        let targets = [("score", &self.scores), ("tokens", &self.tokens)];
        let targets = targets.map(|(name, values)| Target {
            name: name.to_owned(),
            values: values.clone(),
        });
        Knn::from_parts(self.rows.clone(), &targets, &ks, Backend::Gemm).expect("good parts")
    }

    /// The rows of an index.
    pub(crate) fn over(&self, index: PgNeighbors, ks: [usize; 2]) -> Knn {
        let here = self.in_memory(ks);
        let target = |i: usize| OverTarget {
            name: here.fits()[i].target.clone(),
            n_neighbors: ks[i],
            means: here.means(i).to_vec(),
        };
        Knn::over(std::sync::Arc::new(index), &[target(0), target(1)]).expect("good parts")
    }

    pub(crate) fn build(&self, urls: &[String], options: &BuildOptions) -> Result<Built> {
        let values = self.values();
        build(
            &addresses(urls),
            &self.spec(),
            &self.rows,
            values.view(),
            options,
            &|_| (),
        )
    }

    pub(crate) fn open(
        &self,
        urls: &[String],
        search: SearchBy,
        k: usize,
        settings: SearchSettings,
    ) -> Result<PgNeighbors> {
        PgNeighbors::open(&addresses(urls), &self.spec(), search, k, &settings)
    }
}

pub(crate) fn addresses(urls: &[String]) -> Vec<IndexAddress> {
    urls.iter()
        .map(|url| url.parse().expect("an address"))
        .collect()
}

/// Of exact searches.
pub(crate) const EXACT: BuildOptions = BuildOptions {
    hnsw: None,
    k: 16,
    recall: 0.95,
    n_recall_queries: 200,
    seed: 42,
};

/// Of a graph that is built in no time.
pub(crate) const GRAPH: BuildOptions = BuildOptions {
    hnsw: Some(Hnsw {
        m: 8,
        ef_construction: 32,
    }),
    ..EXACT
};

pub(crate) fn settings(min_shards: usize) -> SearchSettings {
    SearchSettings {
        min_shards,
        timeout: Duration::from_secs(5),
        n_connections: 4,
    }
}

pub(crate) fn bits(predicted: &[Array2<f32>]) -> Vec<Array2<u32>> {
    predicted.iter().map(|it| it.mapv(f32::to_bits)).collect()
}

pub(crate) fn predict(knn: &Knn, queries: ArrayView2<'_, f32>) -> Vec<Array2<f32>> {
    knn.predict(queries, &|_| ()).expect("predicted")
}

/// The error with all its causes, none of which may tell a secret.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut text = format!("{error}");
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    let shown = format!("{text} {error:?}");
    assert!(!shown.contains(Postgres::PASSWORD), "{shown}");
    text
}

/// Runs SQL in a database, as someone else would.
pub(crate) fn sql(url: &str, text: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .expect("connected");
        tokio::spawn(connection);
        let messages = client.simple_query(text).await.expect("run");
        let mut rows = Vec::new();
        for message in messages {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                rows.push(row.get(0).unwrap_or("null").to_owned());
            }
        }
        rows
    })
}

/// A connection of someone else's, that is held while `during` runs.
pub(crate) fn while_holding<T>(url: &str, text: &str, during: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_io()
        .enable_time()
        .build()
        .expect("a runtime");
    let client = runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .expect("connected");
        tokio::spawn(connection);
        client.batch_execute(text).await.expect("run");
        client
    });
    let result = during();
    drop(client);
    result
}
