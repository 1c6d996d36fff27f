use cli_support::read_toml;
use dataset::{Price, Prices};
use serde::Deserialize;

/// configs/carrot-router.toml.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    pair: Vec<PairConfig>,
}

/// A pair of networks that CARROT released.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PairConfig {
    pub(super) performance: String,
    pub(super) cost: String,
    /// The LLM of each of their outputs, used if the networks do not name them.
    pub(super) label_order: Vec<String>,
    /// Another order that was claimed, for the example that compares them.
    #[serde(default)]
    other_label_order: Option<Vec<String>>,
    /// How sure the order is, in words.
    pub(super) label_order_evidence: String,
    pub(super) max_tokens: usize,
}

/// The prices in configs/sprout.toml and configs/sprout-o3mini.toml. Other keys are ignored here, because gen-sprout, which owns these files,
/// refuses unknown ones.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct PriceConfig {
    models: Vec<PricedModel>,
    price_notes: Vec<PriceNote>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PricedModel {
    name: String,
    input_usd_per_mtok: f64,
    output_usd_per_mtok: f64,
    source: String,
}

/// A remark about a price, to be logged when the price is used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct PriceNote {
    pub(super) model: String,
    pub(super) note: String,
}

/// Prices of the LLMs that CARROT's released networks predict for.
#[derive(Debug)]
pub(super) struct BuiltInPrices {
    pub(super) prices: Prices,
    pub(super) notes: Vec<PriceNote>,
}

/// The released pairs; the first is the default.
pub(super) fn pairs() -> anyhow::Result<Vec<PairConfig>> {
    let config: Config = read_toml(
        None,
        include_str!("../../../../../configs/carrot-router.toml"),
    )?;
    Ok(config.pair)
}

pub(super) fn prices() -> anyhow::Result<BuiltInPrices> {
    // The second adds o3-mini; the other prices agree, as a test below proves.
    let texts = [
        include_str!("../../../../../configs/sprout.toml"),
        include_str!("../../../../../configs/sprout-o3mini.toml"),
    ];
    let mut models = Vec::new();
    let mut notes = Vec::new();
    for text in texts {
        let config: PriceConfig = read_toml(None, text)?;
        models.extend(config.models);
        notes = config.price_notes;
    }
    let price = |model: PricedModel| {
        let price = Price {
            input_usd_per_mtok: model.input_usd_per_mtok,
            output_usd_per_mtok: model.output_usd_per_mtok,
            source: Some(model.source),
        };
        (model.name, price)
    };
    Ok(BuiltInPrices {
        prices: models.into_iter().map(price).collect(),
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_released_pair_is_that_of_train_and_infer_and_has_prices() {
        let pairs = pairs().expect("usable");
        let pair = &pairs[0];
        let of_training: toml::Table = include_str!("../../../../../configs/routers.toml")
            .parse()
            .expect("settings");
        let of_training = &of_training["roberta"];
        for (key, ours) in [
            ("released-performance", &pair.performance),
            ("released-cost", &pair.cost),
        ] {
            assert_eq!(of_training[key].as_str(), Some(ours.as_str()), "{key}");
        }
        let max_tokens = of_training["predict-max-tokens"].as_integer();
        assert_eq!(max_tokens, Some(pair.max_tokens as i64));

        let BuiltInPrices { prices, notes } = prices().expect("usable");
        assert_eq!(pair.label_order.len(), 13);
        // The same LLMs, two of them the other way round.
        let other = pair.other_label_order.as_ref().expect("there is one");
        assert_eq!(other[..11], pair.label_order[..11]);
        assert_eq!(
            [&other[11], &other[12]],
            [&pair.label_order[12], &pair.label_order[11]]
        );
        // As the columns of SPROUT-o3mini, which configs/sprout-o3mini.toml has in their order too.
        let o3 = &pairs[1];
        assert_eq!((pairs.len(), o3.label_order.len()), (2, 14));
        let list: PriceConfig = read_toml(
            None,
            include_str!("../../../../../configs/sprout-o3mini.toml"),
        )
        .expect("usable");
        let columns: Vec<String> = list.models.into_iter().map(|model| model.name).collect();
        assert_eq!(o3.label_order, columns);
        for model in pairs.iter().flat_map(|pair| &pair.label_order) {
            assert!(prices.get(model).is_some(), "{model}");
        }
        assert_eq!(prices.models().count(), 14);
        for PriceNote { model, .. } in notes {
            assert!(prices.get(&model).is_some(), "{model}");
        }
    }

    #[test]
    fn both_lists_charge_alike() {
        let list = |text| -> PriceConfig { read_toml(None, text).expect("usable") };
        let sprout = list(include_str!("../../../../../configs/sprout.toml"));
        let prices = prices().expect("usable").prices;
        for model in sprout.models {
            let price = prices.get(&model.name).expect("listed");
            assert_eq!(price.input_usd_per_mtok, model.input_usd_per_mtok);
            assert_eq!(price.output_usd_per_mtok, model.output_usd_per_mtok);
        }
    }
}
