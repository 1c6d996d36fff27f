//! Figures and tables, a module each; `catalog` lists them.

pub(crate) mod catalog;
pub(crate) mod evaluated;

mod accuracy_cost;
mod binary;
mod comparisons;
mod embedding_dim;
mod figure_csv;
mod interval_bar;
mod knn_accuracy_table;
mod legend_below;
mod metrics_table;
mod percent;
mod rate_optimality;
mod reference;
mod regret;
mod report;
mod spider;
mod table;
mod vs_rb;
mod worth;
