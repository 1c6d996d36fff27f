use dataset::{CostKind, CostRule, ModelInfo, Price};

/// SPROUT's 13 LLMs as CarrotRouter lists them.
pub const SPROUT_MODELS: [&str; 13] = [
    "aws-claude-3-5-sonnet-v1",
    "aws-titan-text-premier-v1",
    "openai-gpt-4o",
    "openai-gpt-4o-mini",
    "wxai-granite-3-2b-instruct-8k-max-tokens",
    "wxai-granite-3-8b-instruct-8k-max-tokens",
    "wxai-llama-3-1-70b-instruct",
    "wxai-llama-3-1-8b-instruct",
    "wxai-llama-3-2-1b-instruct",
    "wxai-llama-3-2-3b-instruct",
    "wxai-llama-3-3-70b-instruct",
    "wxai-mixtral-8x7b-instruct-v01",
    "wxai-llama-3-405b-instruct",
];

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
