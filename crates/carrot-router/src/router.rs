use std::path::Path;

use dataset::{ModelInfo, Precision, Truncate};
use encoder::{DeviceChoice, NetworkTask, Runtime};
use saved_routers::{Model, Record, RobertaCost, SavedRouter, TokenLines, read_whole};

use crate::{
    Candidate, Decision, EmbedderPlace, Error, IndexPlace, NetworkPair, PriceFile, Result,
    ServerEmbedder, TokenSource, check_mu, decision,
    embedded::{Embedded, LocalEmbedder, PromptEmbedder},
    index,
    networks::{LoadedNetwork, Networks, Outputs},
    own_tokenizers::OwnTokenizers,
    predicted::{Length, Predicted},
    predictor::Predictor,
    token_words,
};

/// A router that is ready for use: for each prompt it predicts every LLM's score and cost, and chooses by the weight of cost, mu.
///
/// ```text
/// argmax_m (1 - mu) * score[m] - mu * 100 * cost_usd[m]      ties go to the lowest m
///   score     KNN: mean score of the k nearest train prompts; linear, kernel, cluster, blend: as their learners in `routers` say;
///             RoBERTa: 1 / (1 + exp(-output of the performance network))
///   cost_usd  what the router predicts decides:
///             output tokens   (input tokens * input price + predicted output tokens * output price) / 10^6; RoBERTa's cost network
///                             predicts thousands of them, and a negative count is taken as 0
///             dollars         as predicted
///             nothing         input tokens * input price / 10^6
///             not to route    the LLM's mean cost on train prompts
/// ```
///
/// Input tokens are what the request says, where it does ([`CarrotRouter::route_counted`]). Else they are expected from the prompt's text: by the line
/// from counted to billed tokens that was fitted on the train part, which knows of system prompts ([`saved_routers::TokenLines`]); for a router
/// without lines the text is counted by each LLM's own tokenizer, or what stands in for it.
///
/// A blend may have decided, when it was fitted, that routing is not worth it ([`CarrotRouter::routes`]). It then predicts each LLM's mean
/// score and mean cost for every prompt, so that mu alone decides, and every prompt goes to the same LLM.
///
/// From CARROT (somerstep/CARROT at 3e6acff), `CarrotRouter.route`: mu = 0 is always the most accurate LLM, mu = 1 always the cheapest.
///
/// # Deviations
/// - The reference counts input tokens with the gated tokenizer of Llama 3.1 for every LLM. Here each LLM's own tokenizer counts where it is
///   available ([`Setup::tokenizers`]); elsewhere that of the embedder, or of the performance network, stands in, which is loaded anyway.
///   [`CarrotRouter::token_counter`] names what counts.
/// - The reference passes no attention mask to its networks, so that a prompt's decision depends on the longest prompt of the call; here
///   padding is masked, and a decision does not.
/// - A cost network may predict a negative number of output tokens, which would make the LLM cheaper than free; it is taken as 0.
/// - The reference's shipped router charges Titan 0.5 and 1.5 $ per million tokens; the built-in list has 0.8 and 3.2, as in the reference's
///   results on SPROUT.
#[derive(Debug)]
pub struct CarrotRouter {
    models: Vec<ModelInfo>,
    predictor: Predictor,
    own_tokenizers: OwnTokenizers,
    token_lines: Option<TokenLines>,
    /// Whether costs are computed from tokens and prices.
    needs_prices: bool,
}

/// What any router is opened with.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// Where networks run.
    pub device: DeviceChoice,
    /// Prices that override those of the router.
    pub prices: Option<&'a PriceFile>,
    /// A folder with `<LLM>/tokenizer.json` for some of the LLMs.
    pub tokenizers: Option<&'a Path>,
    /// Where the rows of a router are that has them in an index.
    pub index: Option<&'a IndexPlace>,
}

/// What embeds prompts for a router that predicts from embeddings.
#[derive(Debug)]
pub enum EmbeddingSource<'a> {
    /// The embedder that the router was fitted with, where [`EmbedderPlace::of`] finds it.
    Recorded,
    /// The same embedder in another folder, a sentence-transformers model.
    Folder(&'a Path),
    /// A server that each prompt is sent to.
    Server(Box<ServerEmbedder>),
}

impl Setup<'_> {
    /// On a device, with the router's own prices and a stand-in for each LLM's tokenizer.
    pub fn on(device: DeviceChoice) -> Self {
        Self {
            device,
            prices: None,
            tokenizers: None,
            index: None,
        }
    }
}

impl CarrotRouter {
    /// Opens a folder that train-and-infer wrote, such as `models/sprout/carrot-knn` or `models/sprout/carrot-roberta`.
    ///
    /// # Errors
    /// [`Error::NoEmbedder`] when the embedder is not on disk, or any of [`CarrotRouter::open_saved`].
    pub fn open(folder: &Path, device: DeviceChoice) -> Result<Self> {
        Self::open_saved(folder, EmbeddingSource::Recorded, &Setup::on(device))
    }

    /// The same with all options; `embeddings` is for routers that predict from embeddings, networks need none.
    ///
    /// # Errors
    /// [`Error::NotARouter`]; [`Error::NoIndexPlace`], [`Error::UselessIndex`], [`Error::NoIndexSupport`] or [`Error::Index`]; [`Error::NoEmbedder`] or [`Error::OtherEmbedder`]; [`Error::NoPrice`], [`Error::UnknownPrice`] or
    /// [`Error::UselessPrices`]; [`Error::NoTokenizers`]; or any error about a file.
    pub fn open_saved(
        folder: &Path,
        embeddings: EmbeddingSource<'_>,
        setup: &Setup<'_>,
    ) -> Result<Self> {
        // Networks are read only by the second step, when a refit may have put other ones in the folder.
        let read = |folder: &Path| {
            let saved = SavedRouter::open(folder)?;
            let networks = load_networks(&saved, setup.device)?;
            Ok::<_, Error>((saved, networks))
        };
        let (SavedRouter { mut record, model }, networks) = read_whole(folder, read)?;
        let model = index::connected(model, folder, setup.index)?;
        let needs_prices = record.needs_prices();
        let names: Vec<String> = record.models.iter().map(|it| it.name.clone()).collect();
        let predictor = match (model, record.embedder.take()) {
            (model, Some(recorded)) if model.is_on_embeddings() => {
                // Wherever the user says it is, it must be the recorded one: embeddings of another model mean nothing to the router.
                let local = |embedder: &Path| {
                    let local = LocalEmbedder::load(embedder, recorded, setup.device)?;
                    Ok::<_, Error>(PromptEmbedder::Local(local.into()))
                };
                let embedder = match embeddings {
                    EmbeddingSource::Server(server) => PromptEmbedder::Server(server),
                    EmbeddingSource::Folder(embedder) => local(embedder)?,
                    // Looked for only here, so that a router with a server or a folder does not need it.
                    EmbeddingSource::Recorded => {
                        let place = EmbedderPlace::of(folder)?;
                        let place = place.expect("a router on embeddings records their embedder");
                        local(&place.folder(folder)?)?
                    }
                };
                Predictor::Embedded(Embedded::new(model, embedder).into())
            }
            (Model::Roberta { .. }, _) => {
                let (performance, cost) = networks.expect("loaded for each router of this kind");
                let outputs = Outputs {
                    models: &names,
                    order: None,
                };
                let networks = Networks::new(performance, cost, outputs, max_tokens(&record))?;
                Predictor::Networks(networks.into())
            }
            _ => {
                return Err(Error::NotARouter {
                    folder: folder.to_owned(),
                    router: record.router,
                });
            }
        };
        // Refused rather than ignored: whoever passes prices expects decisions to follow them.
        if let (false, Some(_)) = (needs_prices, setup.prices) {
            return Err(Error::UselessPrices {
                folder: folder.to_owned(),
            });
        }
        let router = Self::new(record.models, predictor, needs_prices, setup)?;
        Ok(Self {
            token_lines: record.token_lines,
            ..router
        })
    }

    /// Opens two networks that were trained elsewhere.
    ///
    /// # Errors
    /// [`Error::Network`] or [`Error::OtherTask`] for one of them; [`Error::PairSizes`], [`Error::PairNames`], [`Error::OneOrderForTwo`],
    /// [`Error::NamedTwice`] or what [`saved_routers::outputs_of_models`] says of their outputs; [`Error::NoPrice`] or [`Error::UnknownPrice`];
    /// [`Error::NoTokenizers`].
    pub fn open_pair(pair: &NetworkPair<'_>, setup: &Setup<'_>) -> Result<Self> {
        let (models, networks) = pair.load(setup.device)?;
        // The cost network predicts tokens, so every cost is computed from prices.
        let needs_prices = true;
        Self::new(
            models,
            Predictor::Networks(networks.into()),
            needs_prices,
            setup,
        )
    }

    fn new(
        mut models: Vec<ModelInfo>,
        predictor: Predictor,
        needs_prices: bool,
        setup: &Setup<'_>,
    ) -> Result<Self> {
        if let Some(prices) = setup.prices {
            prices.apply(&mut models)?;
        }
        // Only now, since the user's list may fill in what the router lacks.
        let without_price = models.iter().find(|model| model.price.is_none());
        if let (true, Some(model)) = (needs_prices, without_price) {
            return Err(Error::NoPrice {
                model: model.name.clone(),
            });
        }
        let own_tokenizers = match setup.tokenizers {
            Some(folder) => OwnTokenizers::load(folder, &models)?,
            None => OwnTokenizers::default(),
        };
        Ok(Self {
            models,
            predictor,
            own_tokenizers,
            token_lines: None,
            needs_prices,
        })
    }

    /// The LLMs to choose from, with their prices.
    pub fn models(&self) -> &[ModelInfo] {
        &self.models
    }

    /// How input tokens are known that a request does not give, in words: for messages.
    pub fn token_counter(&self) -> String {
        let stand_in = self.predictor.stand_in();
        match &self.token_lines {
            Some(lines) if !lines.lines.is_empty() => {
                let words = token_words::of_lines(lines, &stand_in);
                match self.unused_tokenizers() {
                    None => words,
                    Some(folder) => format!(
                        "{words}; that comes before the tokenizers under `{}`, which are not used",
                        folder.display()
                    ),
                }
            }
            _ => {
                let words = self.own_tokenizers.describe(&self.models, &stand_in);
                match self.predictor.is_on_server() {
                    false => words,
                    true => format!("{words}; {}", token_words::NO_LINES_OF_SERVER),
                }
            }
        }
    }

    /// The folder of tokenizers that count nothing, as what each LLM billed on the train prompts comes before them ([`saved_routers::TokenLines`]).
    pub fn unused_tokenizers(&self) -> Option<&Path> {
        let has_lines = (self.token_lines.as_ref()).is_some_and(|it| !it.lines.is_empty());
        self.own_tokenizers.folder().filter(|_| has_lines)
    }

    /// Whether a prompt's input tokens change what it is expected to cost. They do not where dollars are predicted, which hold the tokens of the train
    /// prompts, and where a blend does not route.
    pub fn uses_input_tokens(&self) -> bool {
        self.needs_prices && self.routes()
    }

    /// Whether what is chosen depends on the prompt. A blend that found routing not to be worth it chooses by mu alone.
    pub fn routes(&self) -> bool {
        self.predictor.routes()
    }

    /// What predicts, in words: for messages.
    pub fn describe(&self) -> String {
        self.predictor.describe()
    }

    /// One decision per prompt, in their order. A router on embeddings handles a single prompt on the calling thread and more on all cores. The other
    /// prompts affect a decision only through rounding in networks.
    ///
    /// # Errors
    /// [`Error::BadMu`], [`Error::Tokenize`], [`Error::NothingToChoose`], or an error of the networks, the server or the neighbor search.
    pub fn route(&self, prompts: &[String], mu: f64) -> Result<Vec<Decision>> {
        self.route_counted(prompts, &vec![None; prompts.len()], mu)
    }

    /// The same for requests that know how many input tokens they are billed, with system prompt and history, which the prompt's text does not show.
    /// `input_tokens` has a count for each prompt, the same for all LLMs, or none where it is to be expected from the text.
    ///
    /// # Errors
    /// [`Error::CountOfCounts`], or as for [`CarrotRouter::route`].
    pub fn route_counted(
        &self,
        prompts: &[String],
        input_tokens: &[Option<usize>],
        mu: f64,
    ) -> Result<Vec<Decision>> {
        check_mu(mu)?;
        if input_tokens.len() != prompts.len() {
            return Err(Error::CountOfCounts {
                n_counts: input_tokens.len(),
                n_prompts: prompts.len(),
            });
        }
        if prompts.is_empty() {
            return Ok(Vec::new());
        }
        let predicted = self.predictor.predict(prompts)?;
        let decide = |(prompt_idx, prompt): (usize, &String)| {
            let given = input_tokens[prompt_idx];
            let tokens = self.input_tokens(prompt, given, predicted.lengths[prompt_idx].n_tokens);
            let tokens = tokens.map_err(|source| Error::Tokenize { prompt_idx, source })?;
            self.decide(prompt_idx, prompt, &tokens, &predicted, mu)
        };
        prompts.iter().enumerate().map(decide).collect()
    }

    /// The decision for a prompt that is sent with something else, such as a system prompt, a history or tools. Those do not change what is predicted
    /// of it, but are billed: each LLM's input tokens are those of the prompt's text and `n_context_tokens`.
    ///
    /// # Errors
    /// As [`CarrotRouter::route`].
    pub fn route_with_context(
        &self,
        prompt: &str,
        n_context_tokens: usize,
        mu: f64,
    ) -> Result<Decision> {
        check_mu(mu)?;
        let predicted = self.predictor.predict(&[prompt.to_owned()])?;
        let prompt_idx = 0;
        let n_counted = predicted.lengths[prompt_idx].n_tokens;
        let tokens = match n_context_tokens {
            0 => self.input_tokens(prompt, None, n_counted),
            // Lines hold the system prompt of the train prompts, which this request has or has not, but shows.
            n_context => self.count(prompt, n_counted).map(|mut tokens| {
                tokens.iter_mut().for_each(|(n, _)| *n += n_context);
                tokens
            }),
        };
        let tokens = tokens.map_err(|source| Error::Tokenize { prompt_idx, source })?;
        self.decide(prompt_idx, prompt, &tokens, &predicted, mu)
    }

    /// The decision for a single prompt.
    ///
    /// # Errors
    /// As [`CarrotRouter::route`].
    pub fn explain(&self, prompt: &str, mu: f64) -> Result<Decision> {
        let mut decisions = self.route(&[prompt.to_owned()], mu)?;
        Ok(decisions.pop().expect("one decision per prompt"))
    }

    /// For each LLM the input tokens that it is expected to bill, and how they are known. An LLM charges for the whole prompt, however little of it the
    /// predictor has seen, so `n_counted` is of all of it.
    fn input_tokens(
        &self,
        prompt: &str,
        given: Option<usize>,
        n_counted: usize,
    ) -> tokenizers::Result<Vec<(usize, TokenSource)>> {
        if let Some(n) = given {
            return Ok(vec![(n, TokenSource::Given); self.models.len()]);
        }
        let lines = self.token_lines.as_ref();
        let fitted = |model: &ModelInfo| Some(lines?.of(&model.name)?.billed(n_counted));
        // All LLMs have a line, or none: that of an LLM without one is the others' mean.
        let fitted: Option<Vec<f64>> = self.models.iter().map(fitted).collect();
        if let Some(fitted) = fitted {
            let tokens = fitted.into_iter().map(|n| n.round() as usize);
            return Ok(tokens.map(|n| (n, TokenSource::Fitted)).collect());
        }
        self.count(prompt, n_counted)
    }

    /// For each LLM the tokens of the prompt's text, by its own tokenizer where that is there.
    fn count(
        &self,
        prompt: &str,
        n_counted: usize,
    ) -> tokenizers::Result<Vec<(usize, TokenSource)>> {
        let own = self.own_tokenizers.count(prompt, self.models.len())?;
        let tokens = own.into_iter().map(|own| match own {
            Some(n) => (n, TokenSource::OwnTokenizer),
            None => (n_counted, TokenSource::StandIn),
        });
        Ok(tokens.collect())
    }

    fn decide(
        &self,
        prompt_idx: usize,
        prompt: &str,
        input_tokens: &[(usize, TokenSource)],
        predicted: &Predicted,
        mu: f64,
    ) -> Result<Decision> {
        let Length { is_truncated, .. } = predicted.lengths[prompt_idx];
        let candidate = |(model_idx, model): (usize, &ModelInfo)| {
            let at = [prompt_idx, model_idx];
            let score = predicted.scores[at];
            let (n_input_tokens, input_tokens_from) = input_tokens[model_idx];
            let price = model.price.as_ref();
            let cost_usd = predicted.cost.usd(at, n_input_tokens as f64, price);
            Candidate {
                name: model.name.clone(),
                score,
                input_tokens: n_input_tokens,
                input_tokens_from,
                output_tokens: predicted.cost.output_tokens(at),
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
            truncated: is_truncated,
            routes: self.routes(),
            shards_missing: predicted
                .shards_missing
                .get(prompt_idx)
                .copied()
                .unwrap_or(0),
            sketch: predicted.sketches.as_ref().map(|all| all[prompt_idx]),
            models,
        })
    }
}

/// A performance network, and a cost network unless costs are known.
type LoadedNetworks = (LoadedNetwork, Option<(LoadedNetwork, RobertaCost)>);

/// The networks of a router that has one or two with an output for each LLM.
fn load_networks(saved: &SavedRouter, device: DeviceChoice) -> Result<Option<LoadedNetworks>> {
    let Model::Roberta { performance, cost } = &saved.model else {
        return Ok(None);
    };
    // As the train prompts were cut, so are those to be routed.
    let truncate = truncate(&saved.record);
    let runtime = Runtime {
        device,
        precision: precision(&saved.record),
    };
    let load = |folder: &Path, task| {
        let name = folder.display().to_string();
        LoadedNetwork::load(&name, folder, task, runtime, truncate)
    };
    let performance = load(performance, NetworkTask::Performance)?;
    let cost = match cost {
        Some(unit) => Some((load(&unit.folder, NetworkTask::Cost)?, unit.clone())),
        None => None,
    };
    Ok(Some((performance, cost)))
}

/// The length at which train-and-infer truncated prompts, so that a prompt gets the prediction here that its row got there; without a record
/// of it, as much as the networks can take.
fn max_tokens(record: &Record) -> usize {
    let recorded = record.config.pointer("/predict/max-tokens");
    let recorded = recorded.and_then(serde_json::Value::as_u64);
    recorded.map_or(usize::MAX, |n| n as usize)
}

/// Which part of long prompts the router's networks were trained to lose; `None` where their files decide.
fn truncate(record: &Record) -> Option<Truncate> {
    let recorded = record.config.pointer("/predict/truncate")?;
    Truncate::named(recorded.as_str()?)
}

/// How exactly the router's networks multiplied when their predictions were judged.
fn precision(record: &Record) -> Precision {
    let recorded = record.config.pointer("/predict/precision");
    let recorded = recorded.and_then(serde_json::Value::as_str);
    recorded.and_then(Precision::named).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_may_share_a_router() {
        fn shared<T: Send + Sync>() {}
        shared::<CarrotRouter>();
        shared::<crate::Error>();
    }
}
