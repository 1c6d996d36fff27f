use carrot_router::{CarrotRouter, Decision, Error};
use tables::Chunk;

use super::{INPUT_TOKENS, PROMPT};

/// What came of some rows.
pub(super) struct Answers {
    /// One for each row: where in `decisions` its decision is, or why there is none.
    pub(super) rows: Vec<Result<usize, String>>,
    pub(super) decisions: Vec<Decision>,
}

impl Answers {
    /// Decides on the rows of a chunk.
    ///
    /// # Errors
    /// Where it is not a row's fault.
    pub(super) fn of(router: &CarrotRouter, chunk: &Chunk, mu: f64) -> anyhow::Result<Self> {
        let mut rows = Vec::with_capacity(chunk.table.n_rows);
        let (mut prompts, mut input_tokens) = (Vec::new(), Vec::new());
        for row in 0..chunk.table.n_rows {
            rows.push(request(chunk, row).map(|(prompt, tokens)| {
                prompts.push(prompt.to_owned());
                input_tokens.push(tokens);
                prompts.len() - 1
            }));
        }
        let error = match router.route_counted(&prompts, &input_tokens, mu) {
            Ok(decisions) => return Ok(Self { rows, decisions }),
            Err(error) => error,
        };
        if error.prompt_idx().is_none() {
            return Err(error.into());
        }
        // One of them is at fault, and perhaps others are.
        let mut decisions = Vec::new();
        for row in &mut rows {
            let Ok(at) = *row else { continue };
            match router.route_counted(&prompts[at..=at], &input_tokens[at..=at], mu) {
                Ok(decided) => {
                    *row = Ok(decisions.len());
                    decisions.extend(decided);
                }
                Err(Error::NothingToChoose { .. }) => {
                    *row = Err("no LLM has a known score and cost for it".to_owned());
                }
                Err(Error::Tokenize { source, .. }) => {
                    *row = Err(format!("its prompt cannot be tokenized: {source}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self { rows, decisions })
    }

    /// The first row without a decision, from 0, and why.
    pub(super) fn first_error(&self) -> Option<(usize, &str)> {
        let mut errors = self.rows.iter().enumerate();
        errors.find_map(|(row, answer)| Some((row, answer.as_ref().err()?.as_str())))
    }

    /// For each row its decision, or why there is none.
    pub(super) fn iter(&self) -> impl Iterator<Item = Result<&Decision, &str>> {
        let rows = self.rows.iter();
        rows.map(|row| match row {
            Ok(at) => Ok(&self.decisions[*at]),
            Err(why) => Err(why.as_str()),
        })
    }
}

/// A row's prompt and what it is billed for.
fn request(chunk: &Chunk, row: usize) -> Result<(&str, Option<usize>), String> {
    let prompts = chunk.table.texts.get(PROMPT);
    let prompt = prompts.and_then(|prompts| prompts[row].as_deref());
    let prompt = match prompt {
        None => return Err(format!("it has no `{PROMPT}`")),
        Some(prompt) if prompt.trim().is_empty() => return Err("the prompt is empty".to_owned()),
        Some(prompt) => prompt,
    };
    let tokens = chunk.table.numbers.get(INPUT_TOKENS);
    let tokens = tokens.map_or(f64::NAN, |tokens| tokens[row]);
    if tokens.is_nan() {
        return Ok((prompt, None));
    }
    let is_count = tokens.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&tokens);
    match is_count {
        true => Ok((prompt, Some(tokens as usize))),
        false => Err(format!(
            "its `{INPUT_TOKENS}` is {tokens}, expected a whole number below 2^32, or none"
        )),
    }
}
