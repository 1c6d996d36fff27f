//! Arrow arrays as plain texts, numbers and vectors, whatever type their writer chose.

use std::path::Path;

use arrow_array::{Array, ArrayRef, cast::AsArray as _, types::*};
use arrow_schema::{DataType, TimeUnit};

use crate::{Error, Result};

/// Bytes of a UUID, which Parquet has as a fixed number of bytes.
const UUID_LEN: i32 = 16;

/// Where an array stands, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a Path,
    /// The column.
    pub column: &'a str,
    /// How many rows of the table come before the array.
    pub n_before: usize,
}

impl Place<'_> {
    fn wrong_type(&self, expected: &'static str, found: &DataType) -> Error {
        Error::ColumnType {
            path: self.path.to_owned(),
            column: self.column.to_owned(),
            expected,
            found: type_name(found),
        }
    }

    fn wrong_value(&self, i: usize, found: impl Into<String>, expected: &'static str) -> Error {
        Error::Value {
            path: self.path.to_owned(),
            column: self.column.to_owned(),
            row: self.n_before + i + 1,
            found: found.into(),
            expected,
        }
    }
}

/// Appends texts. Text of any kind, whole numbers, UUIDs, decimals without a fraction, and dictionaries of them count as text.
///
/// # Errors
/// [`Error::ColumnType`] for another type, [`Error::Value`] for bytes that are no UTF-8.
pub fn extend_texts(
    place: Place<'_>,
    array: &dyn Array,
    into: &mut Vec<Option<String>>,
) -> Result<()> {
    macro_rules! of {
        ($array:expr) => {
            into.extend($array.iter().map(|value| value.map(|v| v.to_string())))
        };
    }
    macro_rules! whole {
        ($type:ty) => {{
            let array = array.as_primitive::<$type>();
            let text = |i| (!array.is_null(i)).then(|| array.value_as_string(i));
            into.extend((0..array.len()).map(text))
        }};
    }
    match array.data_type() {
        DataType::Null => into.extend((0..array.len()).map(|_| None)),
        DataType::Utf8 => of!(array.as_string::<i32>()),
        DataType::LargeUtf8 => of!(array.as_string::<i64>()),
        DataType::Utf8View => of!(array.as_string_view()),
        // Writers from before Parquet had a type for text, and some engines still, write text as bytes.
        DataType::Binary => extend_utf8(place, array.as_binary::<i32>().iter(), into)?,
        DataType::LargeBinary => extend_utf8(place, array.as_binary::<i64>().iter(), into)?,
        DataType::BinaryView => extend_utf8(place, array.as_binary_view().iter(), into)?,
        DataType::FixedSizeBinary(UUID_LEN) => into.extend(
            array
                .as_fixed_size_binary()
                .iter()
                .map(|bytes| bytes.map(uuid)),
        ),
        DataType::Int8 => of!(array.as_primitive::<Int8Type>()),
        DataType::Int16 => of!(array.as_primitive::<Int16Type>()),
        DataType::Int32 => of!(array.as_primitive::<Int32Type>()),
        DataType::Int64 => of!(array.as_primitive::<Int64Type>()),
        DataType::UInt8 => of!(array.as_primitive::<UInt8Type>()),
        DataType::UInt16 => of!(array.as_primitive::<UInt16Type>()),
        DataType::UInt32 => of!(array.as_primitive::<UInt32Type>()),
        DataType::UInt64 => of!(array.as_primitive::<UInt64Type>()),
        // Whole numbers of databases without a limit to their digits.
        DataType::Decimal32(_, 0) => whole!(Decimal32Type),
        DataType::Decimal64(_, 0) => whole!(Decimal64Type),
        DataType::Decimal128(_, 0) => whole!(Decimal128Type),
        DataType::Decimal256(_, 0) => whole!(Decimal256Type),
        DataType::Dictionary(..) => {
            let mut values = Vec::new();
            let dictionary = array.as_any_dictionary();
            extend_texts(place, dictionary.values(), &mut values)?;
            into.extend(keys(array).map(|key| values.get(key?)?.clone()));
        }
        other => return Err(place.wrong_type("text or whole numbers", other)),
    }
    Ok(())
}

/// Appends values of any type that is one value, as [`crate::Kind::Any`] shows them.
///
/// # Errors
/// [`Error::ColumnType`] for lists, structs and other types of several values, [`Error::Value`] for bytes that are no UTF-8.
pub fn extend_shown(
    place: Place<'_>,
    array: &dyn Array,
    into: &mut Vec<Option<String>>,
) -> Result<()> {
    macro_rules! float {
        ($type:ty) => {{
            let values = array.as_primitive::<$type>().iter();
            // NaN is how pandas writes null.
            into.extend(values.map(|value| value.filter(|v| !v.is_nan()).map(|v| v.to_string())))
        }};
    }
    macro_rules! decimal {
        ($type:ty) => {{
            let array = array.as_primitive::<$type>();
            let text = |i| (!array.is_null(i)).then(|| array.value_as_string(i));
            into.extend((0..array.len()).map(text))
        }};
    }
    macro_rules! time {
        ($type:ty, $format:expr, $zone:expr) => {{
            let array = array.as_primitive::<$type>();
            for i in 0..array.len() {
                let text = match array.is_null(i) {
                    true => None,
                    false => match array.value_as_datetime(i) {
                        Some(time) => Some(format!("{}{}", time.format($format), $zone)),
                        None => {
                            let found = "beyond all dates";
                            return Err(place.wrong_value(i, found, "a date"));
                        }
                    },
                };
                into.push(text);
            }
        }};
    }
    const DAY: &str = "%Y-%m-%d";
    const TIME: &str = "%Y-%m-%dT%H:%M:%S%.f";
    let zone = match array.data_type() {
        // Times of a zone are stored as those of Greenwich.
        DataType::Timestamp(_, Some(_)) => "Z",
        _ => "",
    };
    match array.data_type() {
        DataType::Boolean => {
            let values = array.as_boolean().iter();
            into.extend(values.map(|value| value.map(|truth| truth.to_string())));
        }
        DataType::Float16 => float!(Float16Type),
        DataType::Float32 => float!(Float32Type),
        DataType::Float64 => float!(Float64Type),
        DataType::Decimal32(..) => decimal!(Decimal32Type),
        DataType::Decimal64(..) => decimal!(Decimal64Type),
        DataType::Decimal128(..) => decimal!(Decimal128Type),
        DataType::Decimal256(..) => decimal!(Decimal256Type),
        DataType::Date32 => time!(Date32Type, DAY, ""),
        DataType::Date64 => time!(Date64Type, DAY, ""),
        DataType::Timestamp(TimeUnit::Second, _) => time!(TimestampSecondType, TIME, zone),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            time!(TimestampMillisecondType, TIME, zone)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            time!(TimestampMicrosecondType, TIME, zone)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => time!(TimestampNanosecondType, TIME, zone),
        DataType::Dictionary(..) => {
            let mut values = Vec::new();
            extend_shown(place, array.as_any_dictionary().values(), &mut values)?;
            into.extend(keys(array).map(|key| values.get(key?)?.clone()));
        }
        ty if ty.is_nested() => return Err(place.wrong_type(crate::ONE_VALUE, ty)),
        _ => extend_texts(place, array, into)?,
    }
    Ok(())
}

/// Appends numbers: integers, floats and decimals of any width, booleans as 1 and 0, and dictionaries of them. Null and NaN are unknown, which
/// is NaN.
///
/// # Errors
/// [`Error::ColumnType`] for another type, [`Error::Value`] for an infinite number.
pub fn extend_numbers(place: Place<'_>, array: &dyn Array, into: &mut Vec<f64>) -> Result<()> {
    let n_before = into.len();
    append_numbers(place, array, into)?;
    match into[n_before..]
        .iter()
        .position(|value| value.is_infinite())
    {
        None => Ok(()),
        Some(i) => Err(place.wrong_value(i, into[n_before + i].to_string(), crate::FINITE)),
    }
}

fn append_numbers(place: Place<'_>, array: &dyn Array, into: &mut Vec<f64>) -> Result<()> {
    macro_rules! of {
        ($type:ty, $number:expr) => {{
            let values = array.as_primitive::<$type>().iter();
            into.extend(values.map(|value| value.map_or(f64::NAN, $number)))
        }};
    }
    macro_rules! decimal {
        ($type:ty) => {{
            let array = array.as_primitive::<$type>();
            // By way of the digits: a division by a power of ten would round once more than reading `0.0025` does.
            let number = |i| match array.is_null(i) {
                true => f64::NAN,
                false => array.value_as_string(i).parse().unwrap_or(f64::NAN),
            };
            into.extend((0..array.len()).map(number))
        }};
    }
    match array.data_type() {
        DataType::Null => into.extend((0..array.len()).map(|_| f64::NAN)),
        DataType::Boolean => into.extend(
            array
                .as_boolean()
                .iter()
                .map(|value| value.map_or(f64::NAN, f64::from)),
        ),
        DataType::Int8 => of!(Int8Type, f64::from),
        DataType::Int16 => of!(Int16Type, f64::from),
        DataType::Int32 => of!(Int32Type, f64::from),
        DataType::Int64 => of!(Int64Type, |value| value as f64),
        DataType::UInt8 => of!(UInt8Type, f64::from),
        DataType::UInt16 => of!(UInt16Type, f64::from),
        DataType::UInt32 => of!(UInt32Type, f64::from),
        DataType::UInt64 => of!(UInt64Type, |value| value as f64),
        DataType::Float16 => of!(Float16Type, f64::from),
        DataType::Float32 => of!(Float32Type, f64::from),
        DataType::Float64 => of!(Float64Type, |value| value),
        DataType::Decimal32(..) => decimal!(Decimal32Type),
        DataType::Decimal64(..) => decimal!(Decimal64Type),
        DataType::Decimal128(..) => decimal!(Decimal128Type),
        DataType::Decimal256(..) => decimal!(Decimal256Type),
        DataType::Dictionary(..) => {
            let mut values = Vec::new();
            append_numbers(place, array.as_any_dictionary().values(), &mut values)?;
            let number = |key: Option<usize>| values.get(key?).copied();
            into.extend(keys(array).map(|key| number(key).unwrap_or(f64::NAN)));
        }
        other => return Err(place.wrong_type("numbers", other)),
    }
    Ok(())
}

/// Appends lists of floats as vectors of one length, `dim`, which the first one sets: lists of any kind, of floats of 16, 32 or 64 bits.
///
/// # Errors
/// [`Error::ColumnType`] for another type; [`Error::Value`] for a list that is null, empty or of another length, or holds null, NaN or a
/// number that 32 bits cannot hold.
pub fn extend_vectors(
    place: Place<'_>,
    array: &dyn Array,
    dim: &mut Option<usize>,
    into: &mut Vec<f32>,
) -> Result<()> {
    let row = |i: usize| -> ArrayRef {
        match array.data_type() {
            DataType::List(_) => array.as_list::<i32>().value(i),
            DataType::LargeList(_) => array.as_list::<i64>().value(i),
            _ => array.as_fixed_size_list().value(i),
        }
    };
    let item = match array.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            item.data_type()
        }
        other => return Err(place.wrong_type(crate::VECTORS, other)),
    };
    if !matches!(
        item,
        DataType::Float16 | DataType::Float32 | DataType::Float64
    ) {
        return Err(place.wrong_type(crate::VECTORS, array.data_type()));
    }
    for i in 0..array.len() {
        // A null list of a fixed length keeps its slots, which hold anything.
        if array.is_null(i) {
            return Err(place.wrong_value(i, "null", crate::VECTORS));
        }
        let values = row(i);
        let n = values.len();
        if n == 0 || *dim.get_or_insert(n) != n {
            return Err(Error::VectorLength {
                path: place.path.to_owned(),
                column: place.column.to_owned(),
                row: place.n_before + i + 1,
                found: n,
                expected: dim.filter(|_| n > 0),
            });
        }
        let start = into.len();
        match item {
            DataType::Float16 => {
                into.extend(
                    values
                        .as_primitive::<Float16Type>()
                        .values()
                        .iter()
                        .map(|v| v.to_f32()),
                );
            }
            DataType::Float32 => {
                into.extend_from_slice(values.as_primitive::<Float32Type>().values())
            }
            _ => into.extend(
                values
                    .as_primitive::<Float64Type>()
                    .values()
                    .iter()
                    .map(|&v| v as f32),
            ),
        }
        if values.null_count() > 0 {
            return Err(place.wrong_value(i, "a list with a null in it", crate::VECTORS));
        }
        if let Some(bad) = into[start..].iter().find(|value| !value.is_finite()) {
            return Err(place.wrong_value(i, format!("a list with {bad} in it"), crate::VECTORS));
        }
    }
    Ok(())
}

/// A type for people, to whom it is all one how long a text may be.
fn type_name(ty: &DataType) -> String {
    match ty {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "bytes".to_owned(),
        other => other.to_string(),
    }
}

/// Each row's place among the values of a dictionary; none where the row is null.
pub(crate) fn keys(array: &dyn Array) -> impl Iterator<Item = Option<usize>> {
    let dictionary = array.as_any_dictionary();
    // An empty dictionary has no place to name.
    let keys = match dictionary.values().is_empty() {
        true => vec![0; array.len()],
        false => dictionary.normalized_keys(),
    };
    keys.into_iter()
        .enumerate()
        .map(|(i, key)| (!array.is_null(i)).then_some(key))
}

fn extend_utf8<'a>(
    place: Place<'_>,
    values: impl Iterator<Item = Option<&'a [u8]>>,
    into: &mut Vec<Option<String>>,
) -> Result<()> {
    for (i, bytes) in values.enumerate() {
        let text = bytes.map(str::from_utf8).transpose();
        let text = text.map_err(|_| place.wrong_value(i, "bytes that are no UTF-8", "text"))?;
        into.push(text.map(str::to_owned));
    }
    Ok(())
}

/// `01234567-89ab-cdef-0123-456789abcdef`.
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}
