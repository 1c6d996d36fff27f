use std::{
    collections::{HashMap, hash_map::Entry},
    path::Path,
};

use anyhow::{bail, ensure};
use cli_support::usage_error;
use dataset::{Error as DatasetError, Field, column_name};
use tables::{Table, shortened};
use untrusted_files::Budget;

use super::{Long, Role};

/// A table with a row for each prompt.
pub(crate) struct Wide {
    pub(crate) table: Table,
    /// For each row, where its prompt first appears in the long table, from 1.
    pub(crate) first_rows: Vec<usize>,
}

/// Gives each LLM columns of its own. A prompt is what its id says, or its text where there are no ids; prompts and LLMs keep the order in
/// which they first appear, and what no row tells of is unknown. The columns to keep have to have one value for each prompt.
pub(crate) fn pivot(
    path: &Path,
    long: &Long,
    table: &Table,
    keep: &[String],
) -> anyhow::Result<Wide> {
    if let Some(missing) = long.columns().find(|column| !table.has(column)) {
        let message = format!("--long: `{}` has no column `{missing}`", path.display());
        return Err(usage_error(message));
    }
    let rows = Rows::of(path, long, table)?;
    let (n_prompts, n_models) = (rows.first_rows.len(), rows.models.len());
    let mut wide = Table {
        path: path.to_owned(),
        n_rows: n_prompts,
        ..Table::default()
    };
    let id = rows.id;
    let texts = [
        ("id", Some(id)),
        ("prompt", long.column(Role::Prompt)),
        ("task", long.column(Role::Task)),
        ("split", long.column(Role::Split)),
    ];
    let kept = keep.iter().map(|name| (name.as_str(), Some(name.as_str())));
    for (name, column) in texts.into_iter().chain(kept) {
        let Some(column) = column else { continue };
        let Some(all) = table.texts.get(column) else {
            let path = path.display();
            let message = match table.has(column) {
                true => format!(
                    "--keep, --group: `{column}` is a number to --long, and is kept only as text"
                ),
                false => format!("--keep, --group: `{path}` has no column `{column}`"),
            };
            return Err(usage_error(message));
        };
        check_one_value(path, column, table, &rows)?;
        let first = rows.first_rows.iter().map(|&row| all[row - 1].clone());
        wide.names.push(name.to_owned());
        wide.texts.insert(name.to_owned(), first.collect());
    }
    let fields = [
        (Field::Score, Role::Score),
        (Field::InputTokens, Role::InputTokens),
        (Field::OutputTokens, Role::OutputTokens),
        (Field::CostUsd, Role::Cost),
        (Field::Propensity, Role::Propensity),
    ];
    let n_values = n_prompts as u64 * n_models as u64 * fields.len() as u64;
    Budget::get().check(
        format!("a table of {n_prompts} prompts and {n_models} LLMs"),
        n_values.saturating_mul(size_of::<f64>() as u64),
    )?;
    for (field, role) in fields {
        let Some(column) = long.column(role) else {
            continue;
        };
        let mut values = vec![vec![f64::NAN; n_prompts]; n_models];
        for (row, (&value, &(prompt, model))) in
            table.numbers[column].iter().zip(&rows.places).enumerate()
        {
            let value = field.without_rounding(value);
            field.check_range(path, &rows.models[model], [(row + 1, value)])?;
            values[model][prompt] = value;
        }
        for (model, values) in rows.models.iter().zip(values) {
            // One LLM's costs may be known and another's follow from its tokens: an empty column would stand in the way.
            if field == Field::Score || values.iter().any(|value| !value.is_nan()) {
                wide.names.push(column_name(model, field));
                wide.numbers.insert(column_name(model, field), values);
            }
        }
    }
    Ok(Wide {
        table: wide,
        first_rows: rows.first_rows,
    })
}

/// What each row of a long table is about.
struct Rows<'a> {
    /// The column that tells prompts apart.
    id: &'a str,
    models: Vec<String>,
    first_rows: Vec<usize>,
    /// For each row its prompt and its LLM, by position.
    places: Vec<(usize, usize)>,
}

impl<'a> Rows<'a> {
    fn of(path: &Path, long: &'a Long, table: &'a Table) -> anyhow::Result<Self> {
        let column = |role| long.column(role);
        let prompt = column(Role::Prompt).unwrap_or_default();
        let id = column(Role::Id).unwrap_or(prompt);
        let model = column(Role::Model).unwrap_or_default();
        let mut rows = Self {
            id,
            models: Vec::new(),
            first_rows: Vec::new(),
            places: Vec::with_capacity(table.n_rows),
        };
        let (mut prompts, mut models) = (HashMap::new(), HashMap::new());
        let mut seen = HashMap::new();
        for i in 0..table.n_rows {
            let row = i + 1;
            let text = |column: &'a str| {
                let text = table.texts[column][i].as_deref();
                // An empty prompt is one, too; an LLM without a name is none.
                let text = text.filter(|text| !text.is_empty() || column == prompt);
                text.ok_or_else(|| DatasetError::NullValue {
                    path: path.to_owned(),
                    column: column.to_owned(),
                    row,
                })
            };
            let (id, name) = (text(id)?, text(model)?);
            let prompt = *prompts.entry(id).or_insert_with(|| {
                rows.first_rows.push(row);
                rows.first_rows.len() - 1
            });
            let model = *models.entry(name).or_insert_with(|| {
                rows.models.push(name.to_owned());
                rows.models.len() - 1
            });
            match seen.entry((prompt, model)) {
                Entry::Vacant(place) => _ = place.insert(row),
                Entry::Occupied(first) => bail!(
                    "rows {} and {row} of `{}` are both about the model `{name}` and the prompt `{}`; one row of each is needed, with the mean of \
                     repeated answers",
                    first.get(),
                    path.display(),
                    shortened(id)
                ),
            }
            rows.places.push((prompt, model));
        }
        Ok(rows)
    }
}

/// Refuses a prompt whose rows say different things of it.
fn check_one_value(
    path: &Path,
    column: &str,
    table: &Table,
    rows: &Rows<'_>,
) -> anyhow::Result<()> {
    let values = &table.texts[column];
    for (i, &(prompt, _)) in rows.places.iter().enumerate() {
        let first = rows.first_rows[prompt] - 1;
        ensure!(
            values[i] == values[first],
            "rows {} and {} of `{}` have one `{}`, `{}`, but differ in column `{column}`",
            first + 1,
            i + 1,
            path.display(),
            rows.id,
            shortened(table.texts[rows.id][i].as_deref().unwrap_or_default()),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tables::Files;
    use test_support::try_mutations;

    use super::*;
    use crate::contract::{Filter, raw_table};

    #[test]
    fn mutations_of_long_tables() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("t.csv");
        let long: Long = "id=id,prompt=prompt,model=model,score=score,cost=cost"
            .parse()
            .expect("complete");
        let filter = Filter {
            excluded_models: Vec::new(),
            excluded_tasks: Vec::new(),
        };
        let read = |bytes: &[u8]| -> anyhow::Result<usize> {
            fs::write(&path, bytes)?;
            let table = Table::read(&Files::find(&path, None)?, &|column| long.kind(column))?;
            let wide = pivot(&path, &long, &table, &[])?;
            let n_rows = wide.first_rows.len();
            raw_table(&path, wide.table, &filter, &[])?;
            Ok(n_rows)
        };
        let table = "id,prompt,model,score,cost\n1,x,a,1,0.5\n1,x,b/c,0.5,\n2,\"y, \"\"z\"\"\",a,NaN,\n2,\"y, \"\"z\"\"\",b/c,True,1e-3\n";
        assert_eq!(read(table.as_bytes()).expect("read"), 2);
        try_mutations(&[table.into()], |bytes| _ = read(&bytes));
    }
}
