use arrow_array::{Array, cast::AsArray as _, types};
use arrow_schema::DataType;

/// A column of numbers of any usual type as float64; null becomes NaN. `None` if the column holds anything else.
pub(crate) fn numbers(array: &dyn Array) -> Option<Vec<f64>> {
    Some(match array.data_type() {
        DataType::Null => vec![f64::NAN; array.len()],
        DataType::Int32 => widen::<types::Int32Type>(array, f64::from),
        // Exact up to 2^53, far above any count of tokens.
        DataType::Int64 => widen::<types::Int64Type>(array, |value| value as f64),
        DataType::UInt32 => widen::<types::UInt32Type>(array, f64::from),
        DataType::UInt64 => widen::<types::UInt64Type>(array, |value| value as f64),
        DataType::Float32 => widen::<types::Float32Type>(array, f64::from),
        DataType::Float64 => widen::<types::Float64Type>(array, |value| value),
        _ => return None,
    })
}

fn widen<T: arrow_array::ArrowPrimitiveType>(
    array: &dyn Array,
    widen: impl Fn(T::Native) -> f64,
) -> Vec<f64> {
    let values = array.as_primitive::<T>().iter();
    values.map(|value| value.map_or(f64::NAN, &widen)).collect()
}

/// A column of text, or of whole numbers as their digits, with nulls. `None` if the column holds anything else.
pub(crate) fn texts(array: &dyn Array) -> Option<Vec<Option<String>>> {
    fn digits<T: arrow_array::ArrowPrimitiveType>(array: &dyn Array) -> Vec<Option<String>>
    where
        T::Native: ToString,
    {
        let values = array.as_primitive::<T>().iter();
        values
            .map(|value| value.map(|value| value.to_string()))
            .collect()
    }
    Some(match array.data_type() {
        // A column that holds nothing but nulls has no type of its own.
        DataType::Null => vec![None; array.len()],
        DataType::Utf8 => array
            .as_string::<i32>()
            .iter()
            .map(|text| text.map(str::to_owned))
            .collect(),
        DataType::Int32 => digits::<types::Int32Type>(array),
        DataType::Int64 => digits::<types::Int64Type>(array),
        _ => return None,
    })
}
