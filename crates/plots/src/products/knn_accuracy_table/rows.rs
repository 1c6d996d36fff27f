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

/// A number of the table: its column, those of the published number and of ours less that, and where ours comes from.
struct Metric {
    name: &'static str,
    published: &'static str,
    difference: &'static str,
    ours: fn(&PredictionAccuracy) -> Cell,
}

// A macro, because the names of columns are constants and only `concat!` joins them at compile time.
macro_rules! metric {
    ($name:literal, $ours:expr) => {
        Metric {
            name: $name,
            published: concat!($name, "_published"),
            difference: concat!($name, "_difference"),
            ours: $ours,
        }
    };
}

/// The columns of the CARROT repository's `plots/knn_accuracy_table.md`.
const METRICS: [Metric; 9] = [
    metric!("n_test", |accuracy| Cell::Count(accuracy.n_test)),
    metric!("n_models", |accuracy| Cell::Count(accuracy.n_models)),
    metric!("binarized_acc", |accuracy| Cell::Number(
        accuracy.binarized_acc
    )),
    metric!("score_mae", |accuracy| Cell::Number(accuracy.score_mae)),
    metric!("score_r2", |accuracy| Cell::Number(accuracy.score_r2)),
    metric!("routing_acc", |accuracy| Cell::Number(accuracy.routing_acc)),
    metric!("best_single", |accuracy| Cell::Number(accuracy.best_single)),
    metric!("oracle", |accuracy| Cell::Number(accuracy.oracle)),
    metric!("cost_mae", cost),
];

/// One row per data set on which the paper's KNN was run, with the embedder and the mean over LLMs of the area under the ROC curve besides. The
/// table has the published numbers and the differences in the same row, empty where nothing was published; the document, which must fit a
/// reader's window, has them in a second table.
pub(crate) fn knn_accuracy_table(all: &[&Results], published: &Published) -> (Table, Document) {
    let (mut rows, mut beside) = (Vec::new(), Vec::new());
    for results in all {
        if let Some(accuracy) = &results.knn_accuracy {
            let with_published = with_published(results, accuracy, published);
            rows.push(row(results, accuracy, &with_published));
            beside.extend(with_published.into_iter().flatten());
        }
    }
    let table = Table {
        columns: columns(),
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
        beside_published(table.document(), beside)
    };
    (table, document)
}

fn columns() -> Vec<Column> {
    let column = |csv, markdown| Column { csv, markdown };
    let mut columns = vec![column("dataset", "dataset"), column("embedder", "embedder")];
    columns.extend(METRICS.map(|metric| column(metric.name, metric.name)));
    columns.push(column("cost_mae_unit", ""));
    columns.push(column("mean_auc", "mean_auc"));
    for metric in METRICS {
        columns.push(column(metric.published, ""));
        columns.push(column(metric.difference, ""));
    }
    columns
}

/// A data set's row of the table.
fn row(
    results: &Results,
    accuracy: &PredictionAccuracy,
    with_published: &[Option<Beside>],
) -> Vec<Cell> {
    let embedder = results.knn_embedder.clone();
    let mut row = vec![
        Cell::Text(results.dataset.clone()),
        embedder.map_or(Cell::Missing, Cell::Text),
    ];
    row.extend(METRICS.map(|metric| (metric.ours)(accuracy)));
    row.push(Cell::Text(unit(accuracy).to_owned()));
    row.push(Cell::number(accuracy.mean_auc));
    for beside in with_published {
        row.extend(match beside {
            Some(beside) => [beside.theirs.clone(), beside.difference.clone()],
            None => [Cell::Blank, Cell::Blank],
        });
    }
    row
}

/// One of our numbers beside the published one.
struct Beside {
    dataset: String,
    metric: &'static str,
    ours: Cell,
    theirs: Cell,
    /// Ours less theirs.
    difference: Cell,
    conditions: String,
    source: String,
}

/// A data set's numbers in the order of [`METRICS`]; `None` where nothing was published.
fn with_published(
    results: &Results,
    accuracy: &PredictionAccuracy,
    published: &Published,
) -> Vec<Option<Beside>> {
    let beside = |metric: &Metric| {
        let number = published.of(&results.dataset, CARROT_KNN, metric.name)?;
        let ours = (metric.ours)(accuracy);
        Some(Beside {
            dataset: results.dataset.clone(),
            metric: metric.name,
            theirs: ours.with_value(number.value),
            difference: ours.value().map_or(Cell::Missing, |value| {
                ours.with_value(value - number.value).signed()
            }),
            ours,
            conditions: number.conditions().join(", "),
            source: number.source.clone(),
        })
    };
    METRICS.iter().map(beside).collect()
}

/// Adds the table of our numbers beside the published ones.
fn beside_published(document: Document, all: Vec<Beside>) -> Document {
    let names = [
        "dataset",
        "metric",
        "ours",
        "published",
        "difference",
        "published of",
        "source",
    ];
    let rows = all.into_iter().map(|beside| {
        vec![
            Cell::Text(beside.dataset),
            Cell::Text(beside.metric.to_owned()),
            beside.ours,
            beside.theirs,
            beside.difference,
            Cell::Text(beside.conditions),
            Cell::Text(beside.source),
        ]
    });
    let beside = Table {
        columns: names
            .map(|name| Column {
                csv: name,
                markdown: name,
            })
            .to_vec(),
        rows: rows.collect(),
        notes: Vec::new(),
    };
    document
        .heading(2, "Beside the published numbers")
        .rows(beside.rows())
        .paragraph(
            Prose::from("A difference is meaningful only where our run meets the conditions under ")
                .code("published of")
                .text(
                    ": the same embeddings and, for the Open LLM Leaderboard, the matrix with its rows in the published order, which mixes \
                     up questions.",
                ),
        )
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
