use dataset::{CostKind, CostRule, ModelInfo, Price};

/// LLMs with their prices, US dollars per million input and output tokens, whose costs are made as the data set's cost kind says.
///
/// ```
/// use dataset::{CostKind, CostRule};
///
/// let models = test_support::priced_models(CostKind::Known, &[("cheap", 1.0, 2.0)]);
/// assert_eq!(models[0].cost_rule, CostRule::InputTokens);
/// ```
pub fn priced_models(cost_kind: CostKind, prices: &[(&str, f64, f64)]) -> Vec<ModelInfo> {
    let model = |&(name, input_usd_per_mtok, output_usd_per_mtok): &(&str, f64, f64)| ModelInfo {
        name: name.to_owned(),
        price: Some(Price {
            input_usd_per_mtok,
            output_usd_per_mtok,
            source: None,
        }),
        cost_rule: match cost_kind {
            CostKind::Known => CostRule::InputTokens,
            CostKind::OutputTokens => CostRule::InputAndOutputTokens,
            CostKind::Usd => CostRule::Given,
        },
    };
    prices.iter().map(model).collect()
}
