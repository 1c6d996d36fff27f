//! Added values as Arrow arrays.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray, StringArray,
    StructArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};

use crate::{Cell, CellType};

/// The field of a column, which may be null.
pub(super) fn field(name: &str, cell_type: &CellType) -> Field {
    Field::new(name, data_type(cell_type), true)
}

fn data_type(cell_type: &CellType) -> DataType {
    match cell_type {
        CellType::Text => DataType::Utf8,
        CellType::Truth => DataType::Boolean,
        CellType::Whole => DataType::Int64,
        CellType::Single => DataType::Float32,
        CellType::Double => DataType::Float64,
        // As pyarrow, pandas and Spark name what is in a list.
        CellType::List(item) => DataType::List(Arc::new(field("element", item))),
        CellType::Record(fields) => DataType::Struct(fields_of(fields)),
    }
}

fn fields_of(fields: &[(String, CellType)]) -> Fields {
    let fields = fields.iter().map(|(name, ty)| field(name, ty));
    fields.collect()
}

/// The values of a column.
///
/// # Panics
/// If one is of another type.
pub(super) fn array(cell_type: &CellType, cells: &[&Cell]) -> ArrayRef {
    /// One value per cell, `None` where it is null.
    macro_rules! values {
        ($kind:ident, $value:expr) => {
            cells.iter().map(|cell| match cell {
                Cell::Null => None,
                Cell::$kind(value) => $value(value),
                other => other.mistyped(cell_type),
            })
        };
    }
    match cell_type {
        CellType::Text => {
            let texts = values!(Text, |text| Some(String::as_str(text)));
            Arc::new(texts.collect::<StringArray>())
        }
        CellType::Truth => {
            Arc::new(values!(Truth, |&truth: &bool| Some(truth)).collect::<BooleanArray>())
        }
        CellType::Whole => {
            Arc::new(values!(Whole, |&number: &i64| Some(number)).collect::<Int64Array>())
        }
        CellType::Single => {
            let known = |&number: &f32| Some(number).filter(|it| it.is_finite());
            Arc::new(values!(Single, known).collect::<Float32Array>())
        }
        CellType::Double => {
            let known = |&number: &f64| Some(number).filter(|it| it.is_finite());
            Arc::new(values!(Double, known).collect::<Float64Array>())
        }
        CellType::List(item) => {
            let lists: Vec<Option<&Vec<Cell>>> = values!(List, Some).collect();
            let lengths = lists.iter().map(|list| list.map_or(0, Vec::len));
            let offsets = OffsetBuffer::from_lengths(lengths);
            let nulls: NullBuffer = lists.iter().map(Option::is_some).collect();
            let items: Vec<&Cell> = lists.into_iter().flatten().flatten().collect();
            let field = Arc::new(field("element", item));
            let values = array(item, &items);
            Arc::new(ListArray::new(field, offsets, values, Some(nulls)))
        }
        CellType::Record(fields) => {
            let records: Vec<Option<&Vec<Cell>>> = values!(Record, Some).collect();
            let nulls: NullBuffer = records.iter().map(Option::is_some).collect();
            let column = |(i, (_, ty)): (usize, &(String, CellType))| {
                let cells = records
                    .iter()
                    .map(|record| record.map_or(&Cell::Null, |it| &it[i]));
                array(ty, &cells.collect::<Vec<_>>())
            };
            let columns: Vec<ArrayRef> = fields.iter().enumerate().map(column).collect();
            Arc::new(StructArray::new(fields_of(fields), columns, Some(nulls)))
        }
    }
}
