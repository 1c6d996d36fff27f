use std::fmt::Write as _;

use crate::Record;

/// The model card: what the router is, what it was made from, how good it was in the fit, and the license of its base.
pub(crate) fn text(record: &Record) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a string grows as needed");
    let licenses = [
        record.embedder.as_ref().and_then(|it| it.license.as_ref()),
        record.base.as_ref().and_then(|it| it.license.as_ref()),
    ];
    // What the hub reads.
    line("---".to_owned());
    line("tags: [llm-routing, carrot]".to_owned());
    if let Some(license) = licenses.into_iter().flatten().next() {
        line(format!("license: {license}"));
    }
    line("---".to_owned());
    line(format!("# {} on {}\n", record.router, record.dataset));
    line(format!(
        "{} Written by {}; the crate `saved-routers` reads it.\n",
        record.contents.description(&record.models),
        record.made_by
    ));
    line("## Data\n".to_owned());
    line(format!(
        "Fitted on the train part of `{}`, SHA-256 `{}`.\n",
        record.dataset, record.train_sha256
    ));
    line("| LLM | USD per million input tokens | output tokens |\n|---|---|---|".to_owned());
    for model in &record.models {
        let (input, output) = model.price.as_ref().map_or_else(
            || ("unknown".to_owned(), "unknown".to_owned()),
            |price| {
                (
                    price.input_usd_per_mtok.to_string(),
                    price.output_usd_per_mtok.to_string(),
                )
            },
        );
        line(format!("| {} | {input} | {output} |", model.name));
    }
    if let Some(pair) = &record.pair {
        line(format!("\nPair: `{}` or `{}`.", pair.small, pair.large));
    }
    let license = |license: &Option<String>| {
        let unstated = "which its model card does not state";
        license.clone().unwrap_or_else(|| unstated.to_owned())
    };
    let embedder = record.embedder.as_ref().map(|embedder| {
        let model = embedder.model.as_ref().map_or_else(
            || "embeddings that came with the data".to_owned(),
            |model| format!("`{model}`"),
        );
        format!(
            "`{}` of {} dimensions: {model}, license: {}.",
            embedder.name,
            embedder.dim,
            license(&embedder.license)
        )
    });
    let base = record.base.as_ref().map(|base| {
        format!(
            "Trained from `{}`, weights' SHA-256 `{}`, license: {}. The trained weights are a derived work of it.",
            base.model,
            base.sha256,
            license(&base.license)
        )
    });
    for (title, text) in [("Embedder", embedder), ("Base", base)] {
        if let Some(text) = text {
            line(format!("\n## {title}\n\n{text}"));
        }
    }
    for (title, value) in [
        ("Metrics of the fit", &record.results),
        ("Config", &record.config),
    ] {
        line(format!("\n## {title}\n\n```json\n{value:#}\n```"));
    }
    text
}
