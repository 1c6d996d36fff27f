use std::path::{Path, PathBuf};

use dataset::{CostRule, Error as DatasetError, Field, Price, Prices, column_name};

use crate::{Error, RawModel, RawTable, Result};

/// A price list and the file that it was read from.
#[derive(Debug, Clone)]
pub struct PriceList {
    path: PathBuf,
    prices: Prices,
}

/// One LLM's costs and where they come from.
#[derive(Debug)]
pub(crate) struct Costs {
    pub(crate) rule: CostRule,
    pub(crate) price: Option<Price>,
    pub(crate) usd: Vec<f64>,
}

impl PriceList {
    /// Checks prices read from `path`, which may hold other settings too.
    ///
    /// # Errors
    /// [`DatasetError::BadPrice`].
    pub fn new(path: &Path, prices: Prices) -> Result<Self> {
        prices.check(path)?;
        Ok(Self {
            path: path.to_owned(),
            prices,
        })
    }

    /// Reads and checks a `prices.toml`.
    ///
    /// # Errors
    /// As for [`Prices::read`].
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            prices: Prices::read(path)?,
        })
    }

    fn price(&self, model: &str) -> Result<Price> {
        self.prices.get(model).cloned().ok_or_else(|| {
            DatasetError::UnknownPrice {
                path: self.path.clone(),
                model: model.to_owned(),
            }
            .into()
        })
    }
}

/// Costs of one LLM: `cost_usd` if given, else tokens times prices; of the input alone where output tokens are not given.
/// Refuses a row whose score is known and whose cost is not.
pub(crate) fn costs(
    table: &RawTable,
    model: &RawModel,
    prices: Option<&PriceList>,
) -> Result<Costs> {
    let costs = match (&model.cost_usd, &model.input_tokens) {
        // What a call did cost is better than what a price list says, so given costs come first. The price is still recorded: a router
        // may be applied to other prompts later, for which only the price is known.
        (Some(given), _) => Costs {
            rule: CostRule::Given,
            price: prices.and_then(|list| list.prices.get(&model.name).cloned()),
            usd: given.clone(),
        },
        (None, None) => {
            return Err(Error::NoCostColumns {
                path: table.path.clone(),
                model: model.name.clone(),
            });
        }
        (None, Some(n_input)) => {
            let list = prices.ok_or_else(|| Error::NoPriceList {
                path: table.path.clone(),
                model: model.name.clone(),
            })?;
            let price = list.price(&model.name)?;
            let (rule, usd) = match &model.output_tokens {
                Some(n_output) => {
                    let tokens = n_input.iter().zip(n_output);
                    let usd = tokens.map(|(&n_in, &n_out)| price.cost_usd(n_in, n_out));
                    (CostRule::InputAndOutputTokens, usd.collect())
                }
                None => {
                    let usd = n_input.iter().map(|&n_in| price.input_cost_usd(n_in));
                    (CostRule::InputTokens, usd.collect())
                }
            };
            Costs {
                rule,
                price: Some(price),
                usd,
            }
        }
    };
    refuse_unknown_costs(table, model, &costs)?;
    Ok(costs)
}

fn refuse_unknown_costs(table: &RawTable, model: &RawModel, costs: &Costs) -> Result<()> {
    // A router weighs scores against costs, so a score without a cost is of no use. Where both are unknown, nothing is claimed.
    let unknown =
        (0..costs.usd.len()).find(|&i| !model.scores[i].is_nan() && costs.usd[i].is_nan());
    let Some(i) = unknown else { return Ok(()) };
    let is_unknown = |field| model.column(field).is_some_and(|column| column[i].is_nan());
    let field = match costs.rule {
        CostRule::Given => Field::CostUsd,
        _ if is_unknown(Field::InputTokens) => Field::InputTokens,
        _ => Field::OutputTokens,
    };
    Err(Error::MissingCost {
        path: table.path.clone(),
        model: model.name.clone(),
        row: table.row_numbers[i],
        column: column_name(&model.name, field),
    })
}
