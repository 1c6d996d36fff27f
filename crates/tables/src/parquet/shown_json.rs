//! Arrow arrays as JSON, for tables whose lines are written as objects.

use arrow_array::{Array, ArrayRef, cast::AsArray as _};
use arrow_schema::DataType;

use crate::{
    Error, Place, Result,
    arrays::keys,
    cell::{push_json_of, push_text},
    extend_numbers, extend_shown,
};

/// Each value as JSON. Numbers stay numbers and truth values truth values; text, dates and times are text; lists become arrays, and structs
/// objects.
///
/// # Errors
/// [`Error::NotPassed`] for maps and other types that JSON has nothing for; [`Error::Value`] for infinite numbers and for bytes that are no text.
pub(crate) fn json_values(place: Place<'_>, array: &dyn Array) -> Result<Vec<String>> {
    let ty = array.data_type();
    match ty {
        DataType::List(_) => {
            let lists = array.as_list::<i32>();
            lists_of(place, array, |i| lists.value(i))
        }
        DataType::LargeList(_) => {
            let lists = array.as_list::<i64>();
            lists_of(place, array, |i| lists.value(i))
        }
        DataType::FixedSizeList(..) => {
            let lists = array.as_fixed_size_list();
            lists_of(place, array, |i| lists.value(i))
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let columns: Vec<Vec<String>> = columns
                .map(|column| json_values(place, column))
                .collect::<Result<_>>()?;
            let object = |i: usize| {
                let mut json = "{".to_owned();
                for (field, (name, column)) in fields.iter().zip(&columns).enumerate() {
                    if field > 0 {
                        json.push(',');
                    }
                    push_text(name.name(), &mut json);
                    json.push(':');
                    json.push_str(&column[i]);
                }
                json + "}"
            };
            Ok(unless_null(array, object))
        }
        DataType::Dictionary(..) => {
            let values = json_values(place, array.as_any_dictionary().values())?;
            let value = |key: Option<usize>| Some(values.get(key?)?.clone());
            Ok(keys(array)
                .map(|key| value(key).unwrap_or_else(null))
                .collect())
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let mut numbers = Vec::new();
            extend_numbers(place, array, &mut numbers)?;
            let is_double = *ty == DataType::Float64;
            let number = |number: f64| {
                let mut json = String::new();
                match is_double {
                    true => push_json_of(&number, &mut json),
                    // By the digits that 32 bits need.
                    false => push_json_of(&(number as f32), &mut json),
                }
                json
            };
            Ok(numbers.into_iter().map(number).collect())
        }
        ty if ty.is_nested() => Err(Error::NotPassed {
            path: place.path.to_owned(),
            column: place.column.to_owned(),
            found: format!("`{ty}`"),
            format: "JSON lines",
            cure: ".parquet",
        }),
        ty => {
            let is_quoted = !ty.is_integer() && !ty.is_decimal() && *ty != DataType::Boolean;
            let mut shown = Vec::new();
            extend_shown(place, array, &mut shown)?;
            let value = |text: String| match is_quoted {
                true => {
                    let mut json = String::new();
                    push_text(&text, &mut json);
                    json
                }
                false => text,
            };
            let shown = shown.into_iter();
            Ok(shown.map(|text| text.map_or_else(null, value)).collect())
        }
    }
}

fn lists_of(
    place: Place<'_>,
    array: &dyn Array,
    list: impl Fn(usize) -> ArrayRef,
) -> Result<Vec<String>> {
    let json = |i| match array.is_null(i) {
        true => Ok(null()),
        false => Ok(format!("[{}]", json_values(place, &list(i))?.join(","))),
    };
    (0..array.len()).map(json).collect()
}

fn unless_null(array: &dyn Array, value: impl Fn(usize) -> String) -> Vec<String> {
    let value = |i| match array.is_null(i) {
        true => null(),
        false => value(i),
    };
    (0..array.len()).map(value).collect()
}

fn null() -> String {
    "null".to_owned()
}
