//! Which flag of this program, or which command, cures an error of a library, which knows no flags.

use carrot_router::{CalibrationError, Error, WorthError, check_device, find_precision};
use cli_support::{fit_command, usage_error, with_hint};
use dataset::Precision;
use encoder::DeviceChoice;

/// Adds a hint to an error of the libraries where a flag of this program, or a command, could cure it.
pub(super) fn add(error: anyhow::Error) -> anyhow::Error {
    let hint = error.chain().find_map(|cause| {
        let own = cause.downcast_ref().and_then(of_router);
        let of_saved = || cause.downcast_ref().and_then(of_saved_router);
        let flag = own.or_else(|| of_saved().map(str::to_owned));
        let command = flag.or_else(|| cause.downcast_ref().and_then(of_calibration));
        command.or_else(|| cause.downcast_ref().and_then(of_worth))
    });
    match hint {
        Some(hint) => with_hint(error, hint),
        None => error,
    }
}

/// The device that `--device` names. Tried at once: reading a network takes seconds, and a device that this machine lacks is a mistake on the command
/// line.
pub(super) fn device(name: &str) -> anyhow::Result<DeviceChoice> {
    let device = name.parse().and_then(|device| {
        check_device(device)?;
        Ok(device)
    });
    device.map_err(|error| match error {
        encoder::Error::NoDevice { .. } if cfg!(not(feature = "torch")) => usage_error(format!(
            "{error}; `--features torch` builds it with libtorch"
        )),
        error => usage_error(error.to_string()),
    })
}

/// The precision that `--precision` names, for models on a device.
pub(super) fn precision(name: &str, device: DeviceChoice) -> anyhow::Result<Precision> {
    let precision = name.parse();
    let precision = precision.and_then(|precision| find_precision(precision, device));
    precision.map_err(|error| usage_error(with_cure(&error)))
}

/// A message about a precision, with what helps where this build lacks it.
fn with_cure(error: &encoder::Error) -> String {
    match error {
        encoder::Error::NoPrecision { .. } if cfg!(not(feature = "torch")) => {
            format!("{error}; `--features torch` builds it with libtorch")
        }
        error => error.to_string(),
    }
}

fn of_router(error: &Error) -> Option<String> {
    if let Error::NoTrainEmbeddings {
        dataset, embedder, ..
    } = error
    {
        return Some(format!(
            "compute them with `cargo run -p train-and-infer -- --dataset {dataset} --embedding {embedder} --routers carrot-blend`"
        ));
    }
    of_other(error).map(str::to_owned)
}

fn of_other(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::NoEmbedder { recorded: None, .. } => {
            "if an OpenAI-compatible server made the embeddings, pass `--embedder openai` to send each prompt to it, which may cost money; if a \
             sentence-transformers model did, pass its folder with `--embedder`"
        }
        Error::NoEmbedder { .. } => "pass its folder with `--embedder`",
        Error::OtherEmbedder { .. } => "pass the original embedder's folder with `--embedder`",
        Error::LocalEmbeddings { .. } => "leave out `--embedder openai`",
        Error::OtherServerModel { .. } => {
            "leave out `--embedding-model` to use the name that the embeddings have"
        }
        Error::OtherTask { .. } => "`--performance` and `--cost` may be swapped",
        Error::OneOrderForTwo { .. } => {
            "leave out `--label-order` to use the networks' own names for their outputs"
        }
        Error::NamedTwice { .. } => "give each output a name of its own with `--label-order`",
        Error::NoPrice { .. } => "give it a price with `--prices`",
        Error::UselessPrices { .. } => "leave out `--prices`",
        Error::NoIndexPlace { .. } => "name each shard with `--index`, or in CARROT_INDEX",
        Error::UselessIndex { .. } => {
            "leave out `--index` and CARROT_INDEX; `carrot-router index` writes a router that uses them"
        }
        Error::NoIndexSupport => {
            "build it with `cargo run -p carrot-router --features index -- ...`"
        }
        Error::WorseWithAdded { .. } => {
            "score it on more train prompts, or add it all the same with `--allow-worse`"
        }
        // Transparent errors are not in the chain themselves, only what caused them is.
        Error::SavedRouter(error) => return of_saved_router(error),
        Error::Model(error) => return of_model(error),
        Error::Network { source, .. } => return of_model(source),
        _ => return None,
    })
}

fn of_model(error: &encoder::Error) -> Option<&'static str> {
    match error {
        encoder::Error::NoPrecision { .. } if cfg!(not(feature = "torch")) => Some(
            "build with libtorch (`scripts/libtorch.sh`, then `cargo run -p carrot-router --features torch -- ...`), or refit the router with \
             `--precision f32`",
        ),
        encoder::Error::NoPrecision { .. } => Some("leave out `--device`, or pass `--device cpu`"),
        _ => None,
    }
}

fn of_calibration(error: &CalibrationError) -> Option<String> {
    let command = match error {
        CalibrationError::Unusable(it) => fit_command(&it.dataset, &it.router, it.n_train),
        CalibrationError::OtherFit {
            dataset, router, ..
        } => fit_command(dataset, router, None),
        CalibrationError::UnknownReference {
            is_promise,
            budget_usd_per_1k,
            ..
        } => {
            let budget = budget_usd_per_1k.map_or_else(
                || "give a budget in dollars instead, with `--usd-per-1k`".to_owned(),
                |usd| {
                    format!(
                        "give the same in dollars, `--usd-per-1k {usd:.3e}` by its mean cost where that is known"
                    )
                },
            );
            let others = match is_promise {
                true => ", leave out `--confidence`",
                false => "",
            };
            return Some(format!(
                "{budget}{others}, or generate the data set again with a price or a cost for it on every prompt"
            ));
        }
        CalibrationError::OtherTokens { are_given, .. } => {
            let give = match are_given {
                true => "",
                false => {
                    "give what each request is billed for (`--input-tokens`, or `input_tokens` in its line of JSON), fit the router on a table with \
                     `<model>/input_tokens`, "
                }
            };
            return Some(format!(
                "{give}calibrate on prompts like these, or pass the calibration's weight as `--mu`, which promises nothing"
            ));
        }
        _ => return None,
    };
    Some(format!("refit the router with `{command}`"))
}

fn of_worth(error: &WorthError) -> Option<String> {
    Some(match error {
        WorthError::NoEmbeddings {
            dataset,
            name,
            router,
            ..
        } => {
            let command = fit_command(dataset, router, None);
            format!(
                "compute them with `{command} --embedding {name}`, or name others with `--embedding`"
            )
        }
        // Transparent: it is not in the chain itself.
        WorthError::Fitting(fitting::Error::BadFolds { n_groups, .. }) if *n_groups >= 2 => {
            format!("ask for {n_groups} folds at most with `--folds`")
        }
        WorthError::NoColumn { column, .. } => format!(
            "generate the data set again with `cargo run -p gen-custom -- ... --keep {column}`"
        ),
        _ => return None,
    })
}

fn of_saved_router(error: &saved_routers::Error) -> Option<&'static str> {
    use saved_routers::Error;
    Some(match error {
        Error::LabelOrderLength { .. } | Error::UnnamedOutputs { .. } => {
            "give the LLMs' names in the order of the outputs with `--label-order`"
        }
        Error::NotEditable { .. } => "`route --prices` takes other prices for any router",
        Error::EditWithoutPrice { .. } => "give it a price with `--prices`",
        _ => return None,
    })
}
