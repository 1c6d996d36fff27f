//! The data set's tables, each read once however many routers use it.

use std::{collections::BTreeMap, panic::resume_unwind, rc::Rc, thread, time::Instant};

use anyhow::Context as _;
use dataset::{EqualPrompts, Lock, Part, PartTable, Source, Stage};
use hub::ModelPlace;
use ndarray::Axis;
use tracing::{info, warn};

use crate::{
    distill::{Distillation, source_name},
    embedder::Embedder,
    embeddings::{self, SplitEmbeddings},
    local_model::LocalModel,
    losses::Losses,
    router::Router,
    sample::Sample,
    setup::Setup,
    stopwatch::Stopwatch,
};

/// What was read so far; each table and each model is read once, however many routers use it.
#[derive(Default)]
pub(crate) struct Data {
    sources: Option<[Source; 2]>,
    // Shared, because a run holds on to its prompts while it asks for more, such as the embedder's model.
    splits: Option<(Rc<Splits>, Stage)>,
    models: BTreeMap<String, Option<LocalModel>>,
    embeddings: BTreeMap<String, Rc<SplitEmbeddings>>,
    /// Tokens of the train prompts, by embedder; none where they cannot be counted.
    counted: BTreeMap<String, Option<Rc<[usize]>>>,
}

/// Both parts.
pub(crate) struct Splits {
    pub(crate) train: PartTable,
    pub(crate) test: PartTable,
    /// Prompts with the same text.
    pub(crate) equal: EqualPrompts,
}

impl Splits {
    fn new(train: PartTable, test: PartTable) -> Self {
        Self {
            equal: EqualPrompts::count(&train.prompts, &test.prompts),
            train,
            test,
        }
    }
}

impl Data {
    /// The files of the train and the test part, with their hashes.
    pub(crate) fn sources(&mut self, setup: &Setup) -> anyhow::Result<&[Source; 2]> {
        if self.sources.is_none() {
            let [train, test] = Part::ALL.map(|part| Source::of(&setup.dir.split(part)));
            self.sources = Some([train?, test?]);
        }
        Ok(self.sources.as_ref().expect("just read"))
    }

    /// Both splits, and the stage of reading them.
    pub(crate) fn splits(&mut self, setup: &Setup) -> anyhow::Result<(Rc<Splits>, Stage)> {
        if self.splits.is_none() {
            let start = Instant::now();
            let read = |part| PartTable::read_part(&setup.dir, &setup.info, part);
            let (train, test) = thread::scope(|scope| {
                let test = scope.spawn(|| read(Part::Test));
                (read(Part::Train), test.join())
            });
            let test = test.unwrap_or_else(|panic| resume_unwind(panic));
            let splits = Splits::new(train?, test?);
            if let Some(note) = splits.equal.note(splits.test.n_prompts()) {
                warn!("{note}: results on them are better than on new prompts");
            }
            let stage = Stage {
                name: "read splits".to_owned(),
                seconds: start.elapsed().as_secs_f64(),
            };
            self.splits = Some((Rc::new(splits), stage));
        }
        Ok(self.splits.clone().expect("just read"))
    }

    /// The model behind an embedder, if one is known; it is looked up once, and loaded only to compute embeddings.
    pub(crate) fn model(
        &mut self,
        setup: &Setup,
        embedder: &Embedder,
    ) -> anyhow::Result<&mut Option<LocalModel>> {
        // Finding a model may download it, and hashing it reads hundreds of megabytes.
        if !self.models.contains_key(&embedder.name) {
            make_if_static(setup, embedder)?;
            let model = embedder.model.as_ref();
            let model = model
                .map(|model| {
                    LocalModel::find(setup.of_models(), &embedder.name, embedder.precision, model)
                })
                .transpose()?;
            self.models.insert(embedder.name.clone(), model);
        }
        Ok(self
            .models
            .get_mut(&embedder.name)
            .expect("just looked for"))
    }

    /// The tokens of each train prompt's text, as the embedder's tokenizer counts them. None where its model is not known, or cannot be used.
    pub(crate) fn counted(
        &mut self,
        setup: &Setup,
        embedder: &Embedder,
    ) -> anyhow::Result<Option<Rc<[usize]>>> {
        if !self.counted.contains_key(&embedder.name) {
            let (splits, _) = self.splits(setup)?;
            let counted = match self.model(setup, embedder)? {
                None => None,
                Some(model) => model
                    .count(setup.of_models(), &splits.train.prompts)
                    .inspect_err(|error| {
                        warn!("cannot count the tokens of the train prompts, so this router will not know what system prompts cost: {error:#}");
                    })
                    .ok(),
            };
            self.counted
                .insert(embedder.name.clone(), counted.map(Rc::from));
        }
        Ok(self.counted[&embedder.name].clone())
    }

    /// The embeddings of both parts.
    pub(crate) fn embeddings(
        &mut self,
        setup: &Setup,
        embedder: &Embedder,
    ) -> anyhow::Result<Rc<SplitEmbeddings>> {
        if !self.embeddings.contains_key(&embedder.name) {
            let (splits, _) = self.splits(setup)?;
            let sources = self.sources(setup)?.clone();
            let model = self.model(setup, embedder)?;
            // Another fit may be computing the same embeddings: then they are there at the end of the wait.
            let _lock = Lock::wait_for(&setup.dir.embeddings_dir(&embedder.name), |holder| {
                info!(
                    "waiting for the embeddings `{}`, which are being written by {holder}",
                    embedder.name
                );
            })?;
            let loaded = embeddings::load(
                setup,
                embedder,
                model,
                [(&splits.train, &sources[0]), (&splits.test, &sources[1])],
            )?;
            self.embeddings
                .insert(embedder.name.clone(), Rc::new(loaded));
        }
        Ok(Rc::clone(&self.embeddings[&embedder.name]))
    }
}

impl Data {
    /// Lets the embedder's model be loaded while the tables are read, where it will have embeddings to compute.
    fn prepare(&mut self, setup: &Setup, embedder: &Embedder) -> anyhow::Result<()> {
        let is_missing = |part| !setup.dir.embeddings(&embedder.name, part).is_file();
        if self.splits.is_none()
            && Part::ALL.into_iter().any(is_missing)
            && let Some(model) = self.model(setup, embedder)?
        {
            model.begin_to_load(setup.of_models());
        }
        Ok(())
    }
}

/// Makes a static embedder that is not there yet, if the settings say of what.
fn make_if_static(setup: &Setup, embedder: &Embedder) -> anyhow::Result<()> {
    let (Some(source), Some(ModelPlace::Folder(place))) = (&embedder.source, &embedder.model)
    else {
        return Ok(());
    };
    let distillation = Distillation {
        name: source_name(&source.name, &source.place),
        source: source.name.clone(),
        place_of_source: source.place.clone(),
        place: place.clone(),
        params: setup.distill.clone(),
        force: false,
        quiet: setup.quiet,
    };
    let made = distillation.make();
    made.with_context(|| format!("cannot make the static embedder `{}`", embedder.name))?;
    Ok(())
}

/// The files that go into a router, hashed as they are now, the parts first and `others` last; `None` where some do not exist yet.
pub(crate) fn inputs(
    setup: &Setup,
    router: &Router,
    others: &[Source],
    data: &mut Data,
) -> anyhow::Result<Option<Vec<Source>>> {
    let mut inputs = data.sources(setup)?.to_vec();
    if let Some(embedder) = setup.embedder_for(router.input) {
        for path in Part::ALL.map(|part| setup.dir.embeddings(&embedder.name, part)) {
            if !path.is_file() {
                return Ok(None);
            }
            inputs.push(Source::of(&path)?);
        }
    }
    inputs.extend(others.iter().cloned());
    Ok(Some(inputs))
}

/// What a router is fitted on, and what it predicts for.
pub(crate) struct Prompts {
    pub(crate) splits: Rc<Splits>,
    /// For routers that predict from embeddings.
    pub(crate) embeddings: Option<Rc<SplitEmbeddings>>,
}

impl Data {
    /// Both parts with a router's embeddings; of the train part, only a sample.
    pub(crate) fn prompts(
        &mut self,
        setup: &Setup,
        router: &Router,
        sample: &Sample,
        stopwatch: &mut Stopwatch,
    ) -> anyhow::Result<Prompts> {
        if let Some(embedder) = setup.embedder_for(router.input) {
            self.prepare(setup, embedder)?;
        }
        let (splits, read_splits) = self.splits(setup)?;
        // Every manifest lists this stage, although only the first router waited for it: so the times of routers can be compared.
        stopwatch.add(read_splits);
        let embeddings = match setup.embedder_for(router.input) {
            Some(embedder) => Some(stopwatch.time("embed", || self.embeddings(setup, embedder))?),
            None => None,
        };
        let whole = Prompts { splits, embeddings };
        // A sample's embeddings are rows of the whole part's, which are computed once for all sizes.
        match sample {
            Sample::Whole => Ok(whole),
            Sample::Rows(rows) => stopwatch.time("take prompts", || Ok(whole.select(rows))),
        }
    }
}

impl Prompts {
    /// The same with some of the train prompts only.
    fn select(&self, rows: &[usize]) -> Self {
        // The test part is whole: the points of a learning curve are compared on the same prompts.
        let splits = Splits::new(self.splits.train.select(rows), self.splits.test.clone());
        let embeddings = self.embeddings.as_ref().map(|whole| {
            let train = whole.train.select(Axis(0), rows);
            SplitEmbeddings {
                // How many were cut is counted of the whole part; which prompts they were is not kept.
                losses: [
                    Losses::of(&splits.train, train.view(), None),
                    whole.losses[1],
                ],
                test: whole.test.clone(),
                train,
                server: whole.server.clone(),
                precision: whole.precision,
            }
        });
        Self {
            splits: Rc::new(splits),
            embeddings: embeddings.map(Rc::new),
        }
    }
}
