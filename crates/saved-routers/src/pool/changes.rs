//! Changes of a record's LLMs, whatever the router.

use dataset::{CostKind, CostRule, ModelInfo, Prices};
use serde_json::{Value, json};

use super::{AddedGain, AddedModel, PoolEdit, RuleChange, refuse};
use crate::{Error, Record, Result, record::EDITS};

/// The positions of the LLMs that stay.
pub(super) fn kept(models: &[ModelInfo], removed: &[String]) -> Result<Vec<usize>> {
    let has = |name: &&String| models.iter().any(|model| model.name == **name);
    if let Some(name) = removed.iter().find(|name| !has(name)) {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        return refuse(format!(
            "cannot remove `{name}`, which the router does not have; it has `{}`",
            names.join("`, `")
        ));
    }
    Ok((0..models.len())
        .filter(|&m| !removed.contains(&models[m].name))
        .collect())
}

/// Appends an LLM whose price is still to come.
pub(super) fn add(record: &mut Record, name: &str) -> Result<()> {
    if record.models.iter().any(|model| model.name == name) {
        return refuse(format!("the router already has an LLM `{name}`"));
    }
    record.models.push(ModelInfo {
        name: name.to_owned(),
        price: None,
        cost_rule: match record.cost_kind {
            CostKind::OutputTokens => CostRule::InputAndOutputTokens,
            CostKind::Usd => CostRule::Given,
            CostKind::Known => CostRule::InputTokens,
        },
    });
    Ok(())
}

/// Sets prices, and checks the LLMs that there are now.
pub(super) fn settle(record: &mut Record, edit: &PoolEdit<'_>) -> Result<()> {
    if record.models.is_empty() {
        return refuse("no LLM would be left".to_owned());
    }
    if let Some(prices) = edit.prices {
        set_prices(record, prices)?;
    }
    // Where dollars were observed a price is not needed; elsewhere tokens without a price make a cost that nobody knows.
    if record.cost_kind != CostKind::Usd
        && let Some(model) = record.models.iter().find(|model| model.price.is_none())
    {
        return Err(Error::EditWithoutPrice {
            model: model.name.clone(),
        });
    }
    let has = |name: &String| record.models.iter().any(|model| model.name == *name);
    if let Some(lines) = &mut record.token_lines {
        lines.lines.retain(|model, _| has(model));
    }
    // Only binary routers need the pair, and they cannot be edited; metrics that ask for it do without.
    let pair = record.pair.take();
    record.pair = pair.filter(|pair| has(&pair.small) && has(&pair.large));
    Ok(())
}

fn set_prices(record: &mut Record, prices: &Prices) -> Result<()> {
    let has = |name: &&str| record.models.iter().any(|model| model.name == **name);
    if let Some(name) = prices.models().find(|name| !has(name)) {
        return refuse(format!(
            "there is a price for `{name}`, but the router has no such LLM"
        ));
    }
    for model in &mut record.models {
        let Some(price) = prices.get(&model.name) else {
            continue;
        };
        // An error rather than a shrug: whoever gives a price expects the costs to change.
        if record.cost_kind == CostKind::Usd {
            return refuse(format!(
                "the router predicts the cost of `{}` in dollars, as observed on train prompts, so a price has no effect",
                model.name
            ));
        }
        model.price = Some(price.clone());
    }
    Ok(())
}

/// Says in the record what was changed, after what was changed before.
pub(super) fn note(
    record: &mut Record,
    edit: &PoolEdit<'_>,
    added: &[AddedModel],
    added_gain: Option<&AddedGain>,
    rule: Option<&RuleChange>,
) {
    let priced: Vec<&str> = edit.prices.into_iter().flat_map(Prices::models).collect();
    let mut now = json!({ "removed": edit.removed, "added": added, "priced": priced });
    if let Some(gain) = added_gain {
        now["added-gain"] = json!(gain);
    }
    if let Some(rule) = rule {
        now["rule"] = json!(rule);
    }
    if let Value::Object(config) = &mut record.config {
        let edits = config.entry(EDITS).or_insert_with(|| json!([]));
        if let Value::Array(edits) = edits {
            edits.push(now);
        }
    } else {
        record.config = json!({ EDITS: [now] });
    }
}
