use anyhow::Context as _;
use cli_support::{read_toml, usage_error};
use dataset::CostKind;
use encoder::{Padding, PredictParams};
use fitting::RobertaNames;
use nets::{CheckedTrainParams, TrainParams};
use saved_routers::read_label_order;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    roberta_args::{RobertaArgs, Trainer},
    setup::Setup,
};

/// configs/roberta.toml.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TrainingConfig {
    custom: TrainParams,
    hf: TrainParams,
}

/// The training settings that the program was built with.
const BUILT_IN: &str = include_str!("../../../../../../configs/roberta.toml");

/// The settings of RoBERTa routers, checked.
#[derive(Debug)]
pub(crate) struct RobertaSettings {
    pub(super) plan: Plan,
    pub(super) pretrained: Option<Pretrained>,
    pub(super) predict: PredictParams,
}

/// How networks are trained.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) params: CheckedTrainParams,
    /// The section's name.
    pub(super) trainer: &'static str,
    /// A folder or an id on the hub.
    pub(super) base: String,
}

/// Networks that were trained elsewhere; each a folder or an id on the hub.
#[derive(Debug)]
pub(super) struct Pretrained {
    pub(super) performance: String,
    pub(super) cost: String,
    /// The LLM of each output, if given.
    pub(super) label_order: Option<Vec<String>>,
}

impl RobertaSettings {
    pub(crate) fn check(args: RobertaArgs, config: RobertaNames) -> anyhow::Result<Self> {
        let path = args.training_config.as_deref();
        let training: TrainingConfig = read_toml(path, BUILT_IN)?;
        let (trainer, mut params) = match args.trainer {
            Trainer::Custom => ("custom", training.custom),
            Trainer::Hf => ("hf", training.hf),
        };
        if let Some(n_epochs) = args.epochs {
            params.n_epochs = n_epochs;
        }
        let params = params
            .check()
            .map_err(|error| usage_error(format!("training settings `{trainer}`: {error}")))?;
        let pretrained = match args.pretrained.as_deref() {
            None => None,
            Some([]) => Some([config.released_performance, config.released_cost]),
            Some([performance, cost]) => Some([performance.clone(), cost.clone()]),
            // clap allows 0 to 2 values; a single one could be either network.
            Some(_) => {
                return Err(usage_error(
                    "`--pretrained` takes a performance and a cost network, or no value for the released ones",
                ));
            }
        };
        let label_order = args
            .label_order
            .map(|order| read_label_order(&order))
            .transpose()
            .context("cannot read `--label-order`")?;
        Ok(Self {
            plan: Plan {
                params,
                trainer,
                base: args.base.unwrap_or(config.base),
            },
            pretrained: pretrained.map(|[performance, cost]| Pretrained {
                performance,
                cost,
                label_order,
            }),
            predict: PredictParams {
                max_tokens: config.predict_max_tokens,
                // With attended padding a prediction depends on the batch, so its size is a setting, and part of the recipe.
                padding: match args.reference_quirks {
                    true => Padding::Attended {
                        prompts_per_batch: config.quirks_batch_size,
                    },
                    false => Padding::Masked,
                },
            },
        })
    }

    /// How predictions are made, for a manifest.
    pub(super) fn predict_config(&self, setup: &Setup) -> Value {
        let batch_size = match self.predict.padding {
            Padding::Masked => None,
            Padding::Attended { prompts_per_batch } => Some(prompts_per_batch),
        };
        let mut config =
            json!({ "max-tokens": self.predict.max_tokens, "quirks-batch-size": batch_size });
        if let Some(truncate) = setup.truncate {
            config["truncate"] = json!(truncate);
        }
        if !setup.precision.is_f32() {
            config["precision"] = json!(setup.precision);
        }
        config
    }
}

impl Pretrained {
    /// The networks that a cost kind needs.
    pub(super) fn models(&self, cost_kind: CostKind) -> Vec<&String> {
        match cost_kind {
            CostKind::Known => vec![&self.performance],
            CostKind::OutputTokens | CostKind::Usd => vec![&self.performance, &self.cost],
        }
    }
}
