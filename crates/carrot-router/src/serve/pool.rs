//! The LLMs that can be chosen or asked.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use super::{
    ServeError,
    config::Config,
    request::{Format, Need},
    upstream::Upstream,
};
use crate::CarrotRouter;

/// All LLMs: first those that the router predicts for, in its order, then those that only answer to their names.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) llms: Vec<Llm>,
    pub(crate) upstreams: Vec<Upstream>,
    /// Where the default model is.
    pub(crate) default_idx: usize,
}

/// One LLM.
#[derive(Debug)]
pub(crate) struct Llm {
    pub(crate) name: String,
    /// Whether the router predicts for it. Its position is then the router's.
    pub(crate) is_predicted: bool,
    /// How it is asked; one without can only be decided for.
    pub(crate) served: Option<Served>,
    /// US dollars per million input and output tokens, where they are known.
    pub(crate) price: Option<[f64; 2]>,
    /// Until when it asked to be left alone, in milliseconds since `made`; 0 for not at all.
    cool_until: AtomicU64,
    made: Instant,
}

/// How an LLM is asked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Served {
    pub(crate) upstream_idx: usize,
    /// What it is called there.
    pub(crate) model: String,
    pub(crate) can: Vec<Need>,
    pub(crate) context_window: Option<usize>,
}

impl Pool {
    pub(crate) fn new(config: &Config, router: &CarrotRouter) -> Result<Self, ServeError> {
        let upstreams = config.upstreams.iter().map(Upstream::new);
        let upstreams: Vec<Upstream> = upstreams.collect::<Result<_, _>>()?;
        let made = Instant::now();
        let mut llms: Vec<Llm> = (router.models().iter())
            .map(|model| Llm {
                name: model.name.clone(),
                is_predicted: true,
                served: None,
                price: (model.price.as_ref())
                    .map(|it| [it.input_usd_per_mtok, it.output_usd_per_mtok]),
                cool_until: AtomicU64::new(0),
                made,
            })
            .collect();
        for llm in &config.llms {
            let upstream_idx = (upstreams.iter().position(|it| it.name == llm.upstream))
                .expect("checked with the configuration");
            let served = Served {
                upstream_idx,
                model: llm.model.clone().unwrap_or_else(|| llm.name.clone()),
                can: llm.can.clone(),
                context_window: llm.context_window,
            };
            let price = llm.input_usd_per_mtok.zip(llm.output_usd_per_mtok);
            let price = price.map(|(input, output)| [input, output]);
            match llms.iter_mut().find(|known| known.name == llm.name) {
                Some(known) => {
                    known.served = Some(served);
                    known.price = price.or(known.price);
                }
                None => llms.push(Llm {
                    name: llm.name.clone(),
                    is_predicted: false,
                    served: Some(served),
                    price,
                    cool_until: AtomicU64::new(0),
                    made,
                }),
            }
        }
        let default = &config.router.default_model;
        let default_idx = (llms.iter().position(|llm| llm.name == *default))
            .expect("checked with the configuration");
        Ok(Self {
            llms,
            upstreams,
            default_idx,
        })
    }

    /// The server of an LLM, if it has one that speaks the format.
    pub(crate) fn upstream_of(&self, llm: &Llm, format: Format) -> Option<&Upstream> {
        let upstream = &self.upstreams[llm.served.as_ref()?.upstream_idx];
        upstream.speaks(format).then_some(upstream)
    }
}

impl Llm {
    /// Leaves it alone for a while.
    pub(crate) fn cool_down(&self, wait: Duration) {
        let until = (self.made.elapsed() + wait).as_millis() as u64;
        self.cool_until.fetch_max(until, Ordering::Relaxed);
    }

    /// How long it wants to be left alone.
    pub(crate) fn cooling(&self) -> Option<Duration> {
        let until = self.cool_until.load(Ordering::Relaxed);
        if until == 0 {
            return None;
        }
        let left = Duration::from_millis(until).checked_sub(self.made.elapsed())?;
        (!left.is_zero()).then_some(left)
    }

    /// What so many tokens cost in US dollars; `None` where its price is unknown.
    pub(crate) fn usd(&self, n_input: u64, n_output: u64) -> Option<f64> {
        let [input, output] = self.price?;
        Some((n_input as f64 * input + n_output as f64 * output) / 1e6)
    }
}
