//! A legend below a figure.

use charts::{
    draw::{
        legend::{Entry, Legend},
        style::Style,
        theme,
    },
    error::Result,
};

/// The entries in as many columns as a page of `width` points has room for.
///
/// # Errors
/// When the font is broken.
pub(super) fn legend_below(entries: Vec<Entry>, width: f64, style: &Style) -> Result<Legend> {
    let one_column = Legend::new(entries, style.legend_pt, 1)?;
    let n_most = one_column.n_entries().max(1);
    for n_columns in (2..=n_most).rev() {
        let legend = one_column.clone().in_columns(n_columns);
        // A last row with a single entry looks like a mistake, so only numbers of columns are taken that fill the rows as evenly as
        // possible.
        let is_full = n_most.div_ceil(n_most.div_ceil(n_columns)) == n_columns;
        if is_full && legend.width() <= width - 2.0 * theme::MARGIN {
            return Ok(legend);
        }
    }
    Ok(one_column)
}
