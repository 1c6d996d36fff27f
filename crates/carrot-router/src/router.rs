use std::path::{Path, PathBuf};

use dataset::{ModelInfo, Price};
use nets::{DeviceChoice, ModelFiles, SentenceEmbedder};
use saved_routers::{
    Contents, Model, PredictedCost, Quantity, Record, SavedKnn, SavedKnnPredictions, SavedRouter,
};

use crate::{
    Candidate, Decision, EmbedderPlace, Error, Result, check_mu, decision,
    input_tokens::{InputTokens, Length},
    one_thread::OneThread,
};

/// A router that is ready: for each prompt it predicts every LLM's score and cost, and chooses by the weight of cost, mu.
///
/// ```text
/// argmax_m (1 - mu) * score[m] - mu * 100 * cost_usd[m]      ties go to the lowest m
///   score     mean score of the k nearest train prompts
///   cost_usd  what the router predicts decides:
///             output tokens   (input tokens * input price + predicted output tokens * output price) / 10^6
///             dollars         as predicted
///             nothing         input tokens * input price / 10^6
/// ```
///
/// From CARROT (somerstep/CARROT at 3e6acff), `CarrotRouter.route`: mu = 0 is always the most accurate LLM, mu = 1 always the cheapest.
///
/// # Deviations
/// The reference counts input tokens with the gated tokenizer of Llama 3.1 for every LLM; here the embedder's tokenizer stands in, named by
/// [`CarrotRouter::token_counter`]. It is there and free, and one for all LLMs, as in the reference. The reference's shipped router is RoBERTa; this one predicts from nearest neighbors.
#[derive(Debug)]
pub struct CarrotRouter {
    models: Vec<ModelInfo>,
    knn: SavedKnn,
    embedder: SentenceEmbedder,
    embedder_folder: PathBuf,
    input_tokens: InputTokens,
}

impl CarrotRouter {
    /// Opens a folder such as `models/sprout/carrot-knn`, with the embedder where [`EmbedderPlace::of`] finds it.
    ///
    /// # Errors
    /// [`Error::NoEmbedder`] when it is not on disk, or any of [`CarrotRouter::open_with_embedder`].
    pub fn open(folder: &Path, device: DeviceChoice) -> Result<Self> {
        match EmbedderPlace::of(folder)? {
            EmbedderPlace::Folder(embedder) => Self::open_with_embedder(folder, &embedder, device),
            EmbedderPlace::Elsewhere { name, recorded } => Err(Error::NoEmbedder {
                folder: folder.to_owned(),
                name,
                recorded,
            }),
        }
    }

    /// The same with the embedder in a folder of its own, a sentence-transformers model. It must be the one that the router was fitted with.
    ///
    /// # Errors
    /// [`Error::NotKnn`], [`Error::NoPrice`], [`Error::OtherEmbedder`], or any that concerns a file.
    pub fn open_with_embedder(
        folder: &Path,
        embedder_folder: &Path,
        device: DeviceChoice,
    ) -> Result<Self> {
        let SavedRouter { record, model } = SavedRouter::open(folder)?;
        let needs_prices = needs_prices(&record);
        let (Model::Knn(knn), Some(recorded)) = (model, record.embedder) else {
            return Err(Error::NotKnn {
                folder: folder.to_owned(),
                router: record.router,
            });
        };
        let files = ModelFiles::in_folder(embedder_folder)?;
        if let Some(expected) = recorded.sha256 {
            let found = files.sha256()?;
            if found != expected {
                return Err(Error::OtherEmbedder {
                    folder: embedder_folder.to_owned(),
                    expected,
                    found,
                });
            }
        }
        let embedder = {
            let _one_thread = OneThread::start();
            SentenceEmbedder::load(&files, device)?
        };
        if embedder.dim() != recorded.dim {
            return Err(saved_routers::Error::Dimension {
                expected: recorded.dim,
                found: embedder.dim(),
            }
            .into());
        }
        let without_price = record.models.iter().find(|model| model.price.is_none());
        if let (true, Some(model)) = (needs_prices, without_price) {
            return Err(Error::NoPrice {
                path: folder.join("router.json"),
                model: model.name.clone(),
            });
        }
        Ok(Self {
            models: record.models,
            knn,
            embedder,
            embedder_folder: embedder_folder.to_owned(),
            input_tokens: InputTokens::load(&files)?,
        })
    }

    /// The LLMs to choose from, with their prices.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }

    /// What counts input tokens, in words: for messages.
    pub fn token_counter(&self) -> String {
        format!(
            "the tokenizer of the embedder `{}`, standing in for each LLM's own",
            self.embedder_folder.display()
        )
    }

    /// The number of train prompts that neighbors are searched among.
    pub fn n_rows(&self) -> usize {
        self.knn.n_rows()
    }

    /// One decision per prompt, in their order; a single prompt runs on the calling thread, more on all cores. A decision depends on the other prompts through rounding of the embedder only.
    ///
    /// # Errors
    /// [`Error::BadMu`], [`Error::Tokenize`], [`Error::NothingToChoose`], or what the embedder or the neighbor search say.
    pub fn route(&self, prompts: &[String], mu: f64) -> Result<Vec<Decision>> {
        check_mu(mu)?;
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        let embedded = {
            // More prompts are spread over the cores.
            let _one_thread = (prompts.len() == 1).then(OneThread::start);
            self.embedder.embed(prompts, &|_| ())?
        };
        let predicted = self.knn.predict(&embedded.values, &|_| ())?;
        let decide = |(prompt_idx, prompt): (usize, &String)| {
            self.decide(prompt_idx, prompt, &predicted, mu)
        };
        prompts.iter().enumerate().map(decide).collect()
    }

    /// The decision for a single prompt.
    ///
    /// # Errors
    /// As [`CarrotRouter::route`].
    pub fn explain(&self, prompt: &str, mu: f64) -> Result<Decision> {
        let mut decisions = self.route(&[prompt.to_owned()], mu)?;
        Ok(decisions.pop().expect("one decision per prompt"))
    }

    fn decide(
        &self,
        prompt_idx: usize,
        prompt: &str,
        predicted: &SavedKnnPredictions,
        mu: f64,
    ) -> Result<Decision> {
        let Length {
            n_tokens,
            n_with_special,
        } = self
            .input_tokens
            .count(prompt)
            .map_err(|source| Error::Tokenize { prompt_idx, source })?;
        let candidate = |(model_idx, model): (usize, &ModelInfo)| {
            let at = [prompt_idx, model_idx];
            let score = predicted.scores[at];
            let (output_tokens, cost_usd) = match &predicted.cost {
                PredictedCost::OutputTokens(tokens) => {
                    let n_output_tokens = tokens[at];
                    let price = price(model);
                    let cost = price.cost_usd(n_tokens as f64, f64::from(n_output_tokens));
                    (Some(n_output_tokens), cost)
                }
                PredictedCost::Usd(cost_usd) => (None, cost_usd[at]),
                PredictedCost::Known => (None, price(model).cost_usd(n_tokens as f64, 0.0)),
            };
            Candidate {
                name: model.name.clone(),
                score,
                input_tokens: n_tokens,
                output_tokens,
                cost_usd,
                utility: decision::utility(score, cost_usd, mu),
            }
        };
        let models: Vec<Candidate> = self.models.iter().enumerate().map(candidate).collect();
        let selected_idx =
            decision::choose(&models, mu).ok_or(Error::NothingToChoose { prompt_idx })?;
        Ok(Decision {
            prompt: prompt.to_owned(),
            selected: models[selected_idx].name.clone(),
            selected_idx,
            mu,
            truncated: n_with_special > self.embedder.max_tokens(),
            models,
        })
    }
}

/// Whether costs are made of tokens, and not predicted as dollars.
fn needs_prices(record: &Record) -> bool {
    match &record.contents {
        Contents::Knn { targets, .. } => targets
            .iter()
            .all(|target| target.quantity != Quantity::StandardizedUsd),
        _ => false,
    }
}

fn price(model: &ModelInfo) -> &Price {
    let price = model.price.as_ref();
    price.expect("a router that needs prices is not opened without them")
}
