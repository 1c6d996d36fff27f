//! The table of KNN accuracies, beside the published numbers.

use dataset::router_names::CARROT_KNN;
use evaluation::{
    metric::{CostUnit, PredictionAccuracy},
    published::Published,
};

use crate::{
    data::results::Results,
    output::tables::{Cell, Column, Document, Prose, Table},
};

/// The columns of the CARROT repository's `plots/knn_accuracy_table.md`: ours, the published number, ours less that.
const METRICS: [(&str, &str, &str); 9] = [
    ("n_test", "n_test_published", "n_test_difference"),
    ("n_models", "n_models_published", "n_models_difference"),
    (
        "binarized_acc",
        "binarized_acc_published",
        "binarized_acc_difference",
    ),
    ("score_mae", "score_mae_published", "score_mae_difference"),
    ("score_r2", "score_r2_published", "score_r2_difference"),
    (
        "routing_acc",
        "routing_acc_published",
        "routing_acc_difference",
    ),
    (
        "best_single",
        "best_single_published",
        "best_single_difference",
    ),
    ("oracle", "oracle_published", "oracle_difference"),
    ("cost_mae", "cost_mae_published", "cost_mae_difference"),
];

/// One row per data set on which the paper's KNN was run, with the embedder and the mean over LLMs of the area under the ROC curve besides. The
/// table has the published numbers and the differences in the same row, empty where nothing was published; the document, which must fit a
/// reader's window, has them in a second table.
pub(crate) fn knn_accuracy_table(all: &[Results], published: &Published) -> (Table, Document) {
    let column = |csv, markdown| Column { csv, markdown };
    let mut columns = vec![column("dataset", "dataset"), column("embedder", "embedder")];
    columns.extend(METRICS.iter().map(|&(name, ..)| column(name, name)));
    columns.push(column("cost_mae_unit", ""));
    columns.push(column("mean_auc", "mean_auc"));
    for (_, published, difference) in METRICS {
        columns.push(column(published, ""));
        columns.push(column(difference, ""));
    }
    let (mut rows, mut beside) = (Vec::new(), Vec::new());
    for results in all {
        let Some(accuracy) = &results.knn_accuracy else {
            continue;
        };
        let mut row = vec![
            Cell::Text(results.dataset.clone()),
            results
                .knn_embedder
                .clone()
                .map_or(Cell::Missing, Cell::Text),
        ];
        row.extend(METRICS.iter().map(|(name, ..)| ours(accuracy, name)));
        row.push(Cell::Text(unit(accuracy).to_owned()));
        row.push(Cell::number(accuracy.mean_auc));
        for (name, ..) in METRICS {
            let number = published.of(&results.dataset, CARROT_KNN, name);
            let Some(number) = number else {
                row.extend([Cell::Blank, Cell::Blank]);
                continue;
            };
            let ours = ours(accuracy, name);
            let theirs = ours.with_value(number.value);
            let difference = ours.value().map_or(Cell::Missing, |value| {
                ours.with_value(value - number.value).signed()
            });
            row.extend([theirs.clone(), difference.clone()]);
            beside.push(vec![
                Cell::Text(results.dataset.clone()),
                Cell::Text(name.to_owned()),
                ours,
                theirs,
                difference,
                Cell::Text(number.conditions().join(", ")),
                Cell::Text(number.source.clone()),
            ]);
        }
        rows.push(row);
    }
    let table = Table {
        columns,
        rows,
        notes: vec![
            "binarized_acc: share of (prompt, LLM) pairs on whose success, a score above .5, prediction and truth agree. routing_acc: mean score of \
             the LLM with the best predicted score. cost_mae is in the unit that the data set's cost is predicted in; N/A where costs are known \
             beforehand."
                .to_owned(),
        ],
    };
    let document = if beside.is_empty() {
        table.document()
    } else {
        with_published(table.document(), beside)
    };
    (table, document)
}

/// Adds the table of our numbers beside the published ones.
fn with_published(document: Document, rows: Vec<Vec<Cell>>) -> Document {
    let names = [
        "dataset",
        "metric",
        "ours",
        "published",
        "difference",
        "published of",
        "source",
    ];
    let beside = Table {
        columns: names
            .map(|name| Column {
                csv: name,
                markdown: name,
            })
            .to_vec(),
        rows,
        notes: Vec::new(),
    };
    document
        .heading(2, "Beside the published numbers")
        .rows(beside.rows())
        .paragraph(
            Prose::from("A difference means what it says only where ours has what stands under ")
                .code("published of")
                .text(
                    ": these vectors, and of the Open LLM Leaderboard the matrix with its rows in the published order, which mixes questions up.",
                ),
        )
}

fn ours(accuracy: &PredictionAccuracy, metric: &str) -> Cell {
    match metric {
        "n_test" => Cell::Count(accuracy.n_test),
        "n_models" => Cell::Count(accuracy.n_models),
        "binarized_acc" => Cell::Number(accuracy.binarized_acc),
        "score_mae" => Cell::Number(accuracy.score_mae),
        "score_r2" => Cell::Number(accuracy.score_r2),
        "routing_acc" => Cell::Number(accuracy.routing_acc),
        "best_single" => Cell::Number(accuracy.best_single),
        "oracle" => Cell::Number(accuracy.oracle),
        "cost_mae" => cost(accuracy),
        _ => unreachable!("`METRICS` has no other"),
    }
}

fn cost(accuracy: &PredictionAccuracy) -> Cell {
    accuracy.cost_mae.map_or(Cell::Missing, |mae| {
        let (n_decimals, unit) = match mae.unit {
            CostUnit::Usd => (6, "$/query"),
            CostUnit::OutputTokens => (4, "output tokens"),
        };
        Cell::Measure {
            value: mae.mean,
            n_decimals,
            unit,
        }
    })
}

fn unit(accuracy: &PredictionAccuracy) -> &'static str {
    accuracy.cost_mae.map_or("", |mae| match mae.unit {
        CostUnit::Usd => "usd_per_query",
        CostUnit::OutputTokens => "output_tokens_per_query",
    })
}
