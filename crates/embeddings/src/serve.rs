use std::sync::atomic::Ordering;

use crate::{
    Error, Result,
    answer::Answer,
    error::{NotEmbedded, RequestName},
    failure::Kind,
    pace::Ticket,
    run::Run,
    send::{Outcome, Outgoing, Refusal, Sender},
    tokens::{Cut, Tokenizer},
};

/// Texts refused one after the other, with nothing answered between them, until the server itself is doubted.
const DOUBTFUL: usize = 3;

/// The texts of one request, until each has its embedding or is known to get none.
#[derive(Debug)]
pub(crate) struct Parcel {
    /// From 1, and of how many.
    pub(crate) number: usize,
    pub(crate) n_requests: usize,
    pub(crate) items: Vec<Item>,
}

#[derive(Debug)]
pub(crate) struct Item {
    /// Which of the texts that have to be asked for.
    pub(crate) pending: usize,
    /// The first text that it is, from 0.
    pub(crate) row: usize,
    pub(crate) text: String,
    pub(crate) n_tokens: u64,
}

/// What a request brought: for each row of the answer, which of the texts that have to be asked for it belongs to.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) pending: Vec<Option<usize>>,
    pub(crate) answer: Answer,
}

impl Part {
    /// The embeddings, each with the text that it belongs to.
    pub(crate) fn vectors(&self) -> impl Iterator<Item = (usize, &[f32])> {
        // A length of 0 comes only with embeddings that are all unusable.
        let vectors = self.answer.values.chunks_exact(self.answer.dim.max(1));
        let pairs = self.pending.iter().zip(vectors);
        pairs.filter_map(|(pending, vector)| Some(((*pending)?, vector)))
    }
}

/// Items that are to be sent together.
#[derive(Debug)]
struct Work {
    items: Vec<usize>,
    kind: WorkKind,
    /// Which of the requests that were refused and halved it is a half of.
    half_of: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum WorkKind {
    Normal,
    /// Shows whether the server refuses everything: nothing was ever answered.
    Probe,
    /// It was sent before, and its embeddings were unusable.
    Again,
    /// To be retried as long as is allowed: not the texts are the cause, but the server.
    Patient,
}

/// A request that was refused and sent in halves.
#[derive(Debug)]
struct Halved {
    n_inputs: usize,
    n_tokens: u64,
    names_tokens: bool,
    n_answered: usize,
}

/// The parcel on its way: what of it is still to be sent, the next at the end.
struct Service<'a> {
    sender: &'a Sender,
    run: &'a Run,
    parcel: Parcel,
    open: Vec<Work>,
    halved: Vec<Halved>,
    has_probed: bool,
}

impl Sender {
    /// Sends a parcel until each text was answered or given up, in smaller and smaller requests if the server refuses larger ones. `keep` gets
    /// what arrives; when it is false, that is not needed any more.
    pub(crate) async fn serve(
        &self,
        parcel: Parcel,
        ticket: Ticket,
        run: &Run,
        mut keep: impl FnMut(Part) -> bool,
    ) -> Result<()> {
        let all = Work {
            items: (0..parcel.items.len()).collect(),
            kind: WorkKind::Normal,
            half_of: None,
        };
        let mut service = Service {
            sender: self,
            run,
            parcel,
            open: vec![all],
            halved: Vec::new(),
            has_probed: false,
        };
        let mut ticket = Some(ticket);
        while let Some(work) = service.next() {
            match service.deliver(&work, ticket.take()).await? {
                Outcome::Stopped => return Ok(()),
                Outcome::Answered(answer) => {
                    let part = service.answered(work, answer);
                    if !keep(part) {
                        return Ok(());
                    }
                }
                Outcome::Refused(refusal) => service.refused(work, refusal).await?,
            }
            if run.is_stopped() {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Service<'_> {
    /// What to send next: no more at once than the server is known to take.
    fn next(&mut self) -> Option<Work> {
        let mut work = self.open.pop()?;
        let (max_inputs, max_tokens) = self.sender.learned.limits();
        let mut n_fitting = 0;
        let mut n_tokens = 0;
        for &item in &work.items {
            n_tokens += self.parcel.items[item].n_tokens;
            let is_over = max_inputs.is_some_and(|max| n_fitting == max)
                || max_tokens.is_some_and(|max| n_tokens > max);
            if is_over && n_fitting > 0 {
                break;
            }
            n_fitting += 1;
        }
        let rest = work.items.split_off(n_fitting);
        if !rest.is_empty() {
            self.open.push(Work {
                items: rest,
                kind: WorkKind::Normal,
                half_of: None,
            });
        }
        Some(work)
    }

    async fn deliver(&self, work: &Work, ticket: Option<Ticket>) -> Result<Outcome> {
        let items = work.items.iter().map(|&item| &self.parcel.items[item]);
        let texts: Vec<&str> = items.clone().map(|item| item.text.as_str()).collect();
        let outgoing = Outgoing {
            name: self.name(work),
            texts: &texts,
            n_tokens: items.map(|item| item.n_tokens).sum(),
            ticket,
            is_patient: work.kind == WorkKind::Patient,
        };
        self.sender.deliver(outgoing, self.run).await
    }

    fn name(&self, work: &Work) -> RequestName {
        let rows = work
            .items
            .iter()
            .map(|&item| self.parcel.items[item].row + 1);
        RequestName {
            number: self.parcel.number,
            n_requests: self.parcel.n_requests,
            first_row: rows.clone().min().unwrap_or(0),
            last_row: rows.max().unwrap_or(0),
        }
    }

    fn answered(&mut self, work: Work, answer: Answer) -> Part {
        let run = self.run;
        let n_good = work.items.len() - answer.bad.len();
        run.n_good.fetch_add(n_good, Ordering::Relaxed);
        if n_good == self.parcel.items.len() {
            // As it was: there is nothing to find out.
            run.is_known.send_replace(true);
        }
        if let Some(halved) = work.half_of.map(|idx| &mut self.halved[idx]) {
            halved.n_answered += 1;
            if halved.n_answered == 2 {
                halved.learn(self.sender);
            }
        }
        let pending = |(row, &item): (usize, &usize)| {
            let is_bad = answer.bad.iter().any(|(bad, _)| *bad == row);
            (!is_bad).then_some(self.parcel.items[item].pending)
        };
        let pending = work.items.iter().enumerate().map(pending).collect();
        if work.kind == WorkKind::Again {
            for (row, problem) in &answer.bad {
                self.give_up(work.items[*row], problem.clone());
            }
            if run.n_good() == 0 {
                // It sends nothing usable at all.
                self.sender.stop(run);
            }
        } else if !answer.bad.is_empty() {
            self.open.push(Work {
                items: answer.bad.iter().map(|(row, _)| work.items[*row]).collect(),
                kind: WorkKind::Again,
                half_of: None,
            });
        }
        Part { pending, answer }
    }

    async fn refused(&mut self, work: Work, refusal: Refusal) -> Result<()> {
        if work.kind == WorkKind::Probe && !refusal.kind.is_internal() {
            return Err(refusal.error);
        }
        if work.kind == WorkKind::Probe {
            // It is the server, not the texts.
            let rest = self.open.drain(..).flat_map(|work| work.items);
            let items = work.items.into_iter().chain(rest).collect();
            self.push(items, WorkKind::Patient, None);
            return Ok(());
        }
        if let &[item] = work.items.as_slice() {
            return self.refused_alone(item, refusal).await;
        }
        let mut items = work.items;
        let has_answered = self.sender.learned.answered_text().is_some();
        if !has_answered && !self.has_probed {
            self.has_probed = true;
            let length = |item: &usize| self.parcel.items[*item].text.len();
            let shortest = (0..items.len()).min_by_key(|&idx| length(&items[idx]));
            let probe = items.remove(shortest.unwrap_or(0));
            self.halve(items, &refusal);
            self.push(vec![probe], WorkKind::Probe, None);
        } else {
            self.halve(items, &refusal);
        }
        Ok(())
    }

    fn halve(&mut self, items: Vec<usize>, refusal: &Refusal) {
        let n_tokens = items.iter().map(|&item| self.parcel.items[item].n_tokens);
        // A fault that passed would teach a limit that there is not.
        let can_learn = items.len() > 1 && !refusal.kind.is_internal();
        let half_of = can_learn.then(|| {
            self.halved.push(Halved {
                n_inputs: items.len(),
                n_tokens: n_tokens.sum(),
                names_tokens: refusal.names_tokens,
                n_answered: 0,
            });
            self.halved.len() - 1
        });
        let mut left = items;
        let right = left.split_off(left.len().div_ceil(2));
        self.push(right, WorkKind::Normal, half_of);
        self.push(left, WorkKind::Normal, half_of);
    }

    fn push(&mut self, items: Vec<usize>, kind: WorkKind, half_of: Option<usize>) {
        if !items.is_empty() {
            self.open.push(Work {
                items,
                kind,
                half_of,
            });
        }
    }

    /// A text that the server refuses by itself: it is cut a little more if it may be too long by the server's count, or given up.
    async fn refused_alone(&mut self, item: usize, refusal: Refusal) -> Result<()> {
        if refusal.names_tokens && self.shorten(item) {
            self.push(vec![item], WorkKind::Normal, None);
            return Ok(());
        }
        let n_in_a_row = self.sender.learned.refused_text();
        if n_in_a_row >= DOUBTFUL || self.sender.learned.answered_text().is_none() {
            match self.is_serving().await? {
                Some(true) => (),
                // Everything is refused.
                Some(false) if !refusal.kind.is_internal() && n_in_a_row >= DOUBTFUL => {
                    return Err(refusal.error);
                }
                Some(false) if refusal.kind.is_internal() => {
                    self.push(vec![item], WorkKind::Patient, None);
                    return Ok(());
                }
                Some(false) => (),
                None => return Ok(()),
            }
        }
        self.give_up(item, refusal.message);
        Ok(())
    }

    /// Whether the server still embeds a text that it embedded before; `None` if the run was stopped meanwhile.
    async fn is_serving(&self) -> Result<Option<bool>> {
        let Some(text) = self.sender.learned.answered_text() else {
            return Ok(Some(false));
        };
        let outgoing = Outgoing {
            name: RequestName {
                number: self.parcel.number,
                n_requests: self.parcel.n_requests,
                first_row: 1,
                last_row: 1,
            },
            texts: &[&text],
            n_tokens: text.len() as u64,
            ticket: None,
            is_patient: false,
        };
        Ok(match self.sender.deliver(outgoing, self.run).await? {
            Outcome::Answered(_) => Some(true),
            Outcome::Refused(_) => Some(false),
            Outcome::Stopped => None,
        })
    }

    /// Cuts a tenth off a text that is about as long as the model takes: the server counts more tokens than we do.
    fn shorten(&mut self, item: usize) -> bool {
        let max_tokens = self.sender.model.max_tokens as u64;
        let item = &mut self.parcel.items[item];
        // Shorter ones are refused for another reason, or by a model that takes much less than was said; that is for the user to decide.
        if item.n_tokens * 2 <= max_tokens {
            return false;
        }
        let n_kept = usize::try_from(item.n_tokens * 9 / 10).unwrap_or(usize::MAX);
        let Some(Cut { n_bytes, n_tokens }) = Tokenizer::new().cut(&item.text, n_kept) else {
            return false;
        };
        if n_bytes == 0 {
            return false;
        }
        if item.n_tokens * 10 > max_tokens * 9 {
            // Its first cut: each text counts once.
            self.run.n_shortened.fetch_add(1, Ordering::Relaxed);
        }
        item.text.truncate(n_bytes);
        item.n_tokens = n_tokens as u64;
        true
    }

    fn give_up(&self, item: usize, message: String) {
        self.run.give_up(NotEmbedded {
            row: self.parcel.items[item].row + 1,
            message,
        });
    }
}

impl Halved {
    /// Both halves of a request were answered that was refused as a whole: the server takes no more than that.
    fn learn(&self, sender: &Sender) {
        let (n_inputs, n_tokens) = (self.n_inputs.div_ceil(2), self.n_tokens.div_ceil(2));
        if self.names_tokens {
            tracing::info!(
                "the server refuses requests of {} tokens; sending at most {n_tokens} from here on",
                self.n_tokens
            );
            sender.learned.limit_tokens(n_tokens);
        } else {
            tracing::info!(
                "the server refuses requests of {} texts; sending at most {n_inputs} from here on",
                self.n_inputs
            );
            sender.learned.limit_inputs(n_inputs);
        }
    }
}

impl Refusal {
    pub(crate) fn new(kind: Kind, error: Error, message: String, names_tokens: bool) -> Self {
        Self {
            kind,
            error,
            message,
            names_tokens,
        }
    }
}
