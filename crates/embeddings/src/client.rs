use std::{
    panic,
    sync::{Arc, Once, OnceLock, atomic::Ordering},
    thread,
    time::Duration,
};

use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{Semaphore, mpsc},
    task::JoinSet,
};

use crate::{
    Embedded, Endpoint, Error, Limits, Model, Plan, Progress, Result, Store, Usage,
    keep::{Answered, Meter, keep_all},
    learned::Learned,
    pace::Pacer,
    prepare::{Asker, Prepared},
    rows::Rows,
    run::Run,
    send::Sender,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Sockets and decoding; more would take processors from the caller, who has them at the same time for nothing but storing.
const N_WORKERS: usize = 2;
/// Answers that may be on their way to the disk, if fewer requests may be under way: a sync takes now 1 ms, now 20.
const MIN_UNSAVED: usize = 4;

/// Asks an endpoint for the embeddings of texts.
///
/// Its methods block; it owns the threads that its requests run on. It must not be used, or dropped, inside another asynchronous runtime.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    sender: Arc<Sender>,
    server: String,
    asks_anew: bool,
    has_warned: Once,
    /// Of all its embeddings: a data set's parts are useless together if a server computes others in between.
    dim: OnceLock<usize>,
}

impl Client {
    /// Sets the client up; nothing is sent.
    ///
    /// # Errors
    /// [`Error::BadSetting`] or [`Error::BadKey`] for what no request can use; [`Error::Setup`] or [`Error::Thread`] if the machine lacks
    /// something, such as certificates.
    pub fn new(endpoint: Endpoint, model: Model, limits: Limits) -> Result<Self> {
        model.check()?;
        limits.check()?;
        endpoint.headers(endpoint.key_header)?;
        let server = endpoint.server()?;
        let url = endpoint.embeddings_url()?;
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(limits.timeout)
            // A key must not follow a redirect.
            .redirect(Policy::none())
            .pool_max_idle_per_host(limits.max_in_flight);
        if url.scheme() == "http" {
            // Plain HTTP must work where no certificates are installed.
            let provider = Arc::new(ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| Error::Setup(Box::new(error)))?
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth();
            http = http.tls_backend_preconfigured(config);
        } else {
            // reqwest is built without a provider. If the program has set one already, that one is taken.
            _ = ring::default_provider().install_default();
        }
        let http = http
            .build()
            .map_err(|error| Error::Setup(Box::new(error)))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(N_WORKERS)
            .thread_name("embeddings")
            .enable_all()
            .build()
            .map_err(Error::Thread)?;
        let sender = Sender {
            http,
            url,
            learned: Learned::new(endpoint.key_header),
            secrets: endpoint.secrets(),
            endpoint,
            model,
            limits,
            pacer: Pacer::default(),
        };
        Ok(Self {
            runtime,
            sender: Arc::new(sender),
            server,
            asks_anew: false,
            has_warned: Once::new(),
            dim: OnceLock::new(),
        })
    }

    /// The same client, which asks for every text even if the store has its embedding, and puts what comes into its place: for a server that has
    /// changed what it makes of texts.
    #[must_use]
    pub fn asking_anew(mut self, asks_anew: bool) -> Self {
        self.asks_anew = asks_anew;
        self
    }

    /// Refuses embeddings of another length than this from here on: others of the server's have it. The first length that is known stays, this one
    /// or that of the first embeddings that arrived; whether it is this one.
    pub fn expect_dim(&self, dim: usize) -> bool {
        *self.dim.get_or_init(|| dim) == dim
    }

    /// What the server's embeddings are known by: its scheme, host and port, and a hash of its whole address. Never anything secret.
    pub fn server(&self) -> &str {
        &self.server
    }

    fn asker(&self) -> Asker<'_> {
        Asker {
            server: &self.server,
            model: &self.sender.model,
            limits: &self.sender.limits,
            asks_anew: self.asks_anew,
        }
    }

    /// What [`Client::embed`] would do. Sends nothing, and needs no key.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn plan(&self, store: &Store, texts: &[impl AsRef<str> + Sync]) -> Result<Plan> {
        Ok(Prepared::new(texts, store, &self.asker())?.plan)
    }

    /// The embeddings of the texts, in their order. The same text has the same embedding, and is asked for once.
    ///
    /// A server that does not take requests as they are is asked otherwise: without `encoding_format`, for fewer texts at a time, with texts cut a
    /// tenth shorter that it finds too long though they are about as long as the model takes. What it refuses by itself is left out.
    ///
    /// An empty text, which OpenAI refuses, is sent as a single space; one with more than the model's `max_tokens` is cut. Embeddings are taken
    /// from the store where it has them. What is asked for goes into the store, and each request's embeddings are on disk before `on_progress`
    /// hears of it. Running a killed run again therefore pays a second time only for the requests that were under way to the server, or
    /// from there to the disk: at most twice [`Limits::max_in_flight`], or 4 more than it if that is more.
    ///
    /// Beside the result, memory is bounded by some 100 bytes per text, and by requests and answers under way. Values do not depend on how
    /// texts were packed as far as the server's do not.
    ///
    /// # Errors
    /// [`Error::NoKey`] before anything is sent; [`Error::Refused`], [`Error::QuotaUsedUp`], [`Error::LongWait`], [`Error::Untrusted`],
    /// [`Error::BadAnswer`] or [`Error::OtherLength`] at the first one; [`Error::Unavailable`] or [`Error::Broken`] after the last attempt;
    /// [`Error::NotEmbedded`] in the end, if all texts but some have their embeddings; [`Error::Store`] or [`Error::StoredVector`] for the
    /// store. After any, requests that were under way are still awaited and stored, as they are paid for.
    pub fn embed(
        &self,
        store: &Store,
        texts: &[impl AsRef<str> + Sync],
        on_progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Embedded> {
        let model = &self.sender.model;
        let prepared = Prepared::new(texts, store, &self.asker())?;
        let mut rows = Rows::new(
            &prepared,
            model.expected_dimensions(),
            self.dim.get().copied(),
        );
        rows.load(store, &prepared)?;
        let mut meter = Meter {
            run: Arc::new(Run::new()),
            model,
            n_tokens_billed: 0,
            progress: Progress {
                n_done: rows.n_done(),
                n_total: prepared.plan.n_texts,
                tokens_done: 0,
                tokens_total: prepared.plan.n_tokens,
                n_requests_done: 0,
                n_requests: prepared.plan.n_requests,
                n_retries: 0,
                usd: model.usd(0),
            },
            on_progress,
        };
        (meter.on_progress)(meter.progress);
        if !prepared.requests.is_empty() {
            self.sender.endpoint.check_key()?;
            let endpoint = &self.sender.endpoint;
            self.has_warned.call_once(|| endpoint.warn_of_open_key());
            self.ask(store, texts, &prepared, &mut rows, &mut meter)?;
        }
        let n_retries = meter.run.n_retries.load(Ordering::Relaxed);
        let usage = Usage {
            n_requests: meter.progress.n_requests_done,
            n_retries,
            n_tokens: meter.n_tokens_billed,
            usd: model.usd(meter.n_tokens_billed),
            n_shortened: meter.run.n_shortened.load(Ordering::Relaxed),
            max_inputs: self.sender.learned.limits().0,
        };
        let values = rows.finish(&prepared.distinct_of_row);
        if !values.is_empty() {
            _ = self.dim.set(values.ncols());
        }
        Ok(Embedded {
            values,
            plan: prepared.plan,
            usage,
        })
    }

    /// Sends all requests, while another thread stores what they bring.
    fn ask(
        &self,
        store: &Store,
        texts: &[impl AsRef<str>],
        prepared: &Prepared,
        rows: &mut Rows,
        meter: &mut Meter<'_>,
    ) -> Result<()> {
        let run = Arc::clone(&meter.run);
        // Bounded all the same: every answer in it holds one of a limited number of permits.
        let (sender, receiver) = mpsc::unbounded_channel();
        thread::scope(|scope| {
            let storing = thread::Builder::new()
                .name("embeddings-store".to_owned())
                .spawn_scoped(scope, move || {
                    keep_all(receiver, store, prepared, rows, meter)
                })
                .map_err(Error::Thread)?;
            let sent = self
                .runtime
                .block_on(self.send_all(texts, prepared, &run, sender));
            let stored = storing.join();
            let stored = stored.unwrap_or_else(|payload| panic::resume_unwind(payload));
            // What stopped the storing is the cause where both failed.
            stored.and(sent)?;
            match run.given_up() {
                texts if texts.is_empty() => Ok(()),
                texts => Err(Error::NotEmbedded { texts }),
            }
        })
    }

    async fn send_all(
        &self,
        texts: &[impl AsRef<str>],
        prepared: &Prepared,
        run: &Arc<Run>,
        answers: mpsc::UnboundedSender<Answered>,
    ) -> Result<()> {
        let n = self.sender.limits.max_in_flight;
        let in_flight = Arc::new(Semaphore::new(n));
        // While some answers go to the disk, requests are under way.
        let unsaved = Arc::new(Semaphore::new(n + n.max(MIN_UNSAVED)));
        let mut tasks = JoinSet::new();
        let mut first_error = None;
        let mut note = |ended: Result<Result<()>, tokio::task::JoinError>| match ended {
            Ok(Ok(())) => (),
            Ok(Err(error)) => _ = first_error.get_or_insert(error),
            Err(error) => panic::resume_unwind(error.into_panic()),
        };
        for idx in 0..prepared.requests.len() {
            let permit = Arc::clone(&in_flight).acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            let unsaved = Arc::clone(&unsaved).acquire_owned().await;
            let unsaved = unsaved.expect("the semaphore is never closed");
            while let Some(ended) = tasks.try_join_next() {
                note(ended);
            }
            let n_tokens = prepared.n_tokens(idx);
            // Taken here, so that requests set out in the order of the texts.
            let name = prepared.request_name(idx);
            let ticket = match self.sender.ticket(n_tokens, &name, run).await {
                Ok(Some(ticket)) => ticket,
                Ok(None) => break,
                Err(error) => {
                    note(Ok(Err(error)));
                    break;
                }
            };
            let parcel = prepared.parcel(idx, texts);
            let (sender, task_run, answers) =
                (Arc::clone(&self.sender), Arc::clone(run), answers.clone());
            tasks.spawn(async move {
                let unsaved = Arc::new(unsaved);
                let keep = |part| {
                    let unsaved = Arc::clone(&unsaved);
                    let is_kept = answers.send(Answered { idx, part, unsaved }).is_ok();
                    if !is_kept {
                        // The storing thread is gone, and says itself why.
                        sender.stop(&task_run);
                    }
                    is_kept
                };
                let served = sender.serve(parcel, ticket, &task_run, keep).await;
                if served.is_err() {
                    sender.stop(&task_run);
                }
                task_run.is_known.send_replace(true);
                drop(permit);
                served
            });
            if idx == 0 && self.sender.learned.answered_text().is_none() {
                // How this server wants to be asked is found out once, not by all requests at the same time.
                let mut is_known = run.is_known.subscribe();
                _ = is_known.wait_for(|is_known| *is_known).await;
            }
        }
        drop(answers);
        while let Some(ended) = tasks.join_next().await {
            note(ended);
        }
        match first_error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}
