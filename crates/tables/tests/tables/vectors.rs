use std::{path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, FixedSizeListArray, LargeListArray, ListArray,
    builder::{Float32Builder, ListBuilder},
    types::{Float16Type, Float32Type, Float64Type, Int32Type},
};
use half::f16;
use tables::{ParquetFile, Place, extend_vectors};

use super::{Folder, parquet_of, told};

fn vectors(array: ArrayRef) -> Result<(Option<usize>, Vec<f32>), String> {
    let folder = Folder::new();
    let path = folder.write("v.parquet", parquet_of(vec![("v", array)]));
    let (mut dim, mut into, mut n_before) = (None, Vec::new(), 0);
    let file = ParquetFile::open(&path).map_err(told)?;
    for batch in file.batches(&["v"]).map_err(told)? {
        let batch = batch.map_err(told)?;
        let place = Place {
            path: Path::new("v"),
            column: "v",
            n_before,
        };
        extend_vectors(place, batch.column(0), &mut dim, &mut into).map_err(told)?;
        n_before += batch.num_rows();
    }
    Ok((dim, into))
}

fn of<T>(values: impl Fn(f32) -> T) -> Vec<Option<Vec<Option<T>>>> {
    [[0.5, 1.0, -2.0], [0.25, 0.0, 4.0]]
        .iter()
        .map(|row| Some(row.iter().map(|&value| Some(values(value))).collect()))
        .collect()
}

#[test]
fn lists_of_every_kind_are_vectors() {
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(ListArray::from_iter_primitive::<Float32Type, _, _>(of(
            |v| v,
        ))),
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(of(
            f64::from,
        ))),
        Arc::new(ListArray::from_iter_primitive::<Float16Type, _, _>(of(
            f16::from_f32,
        ))),
        Arc::new(LargeListArray::from_iter_primitive::<Float64Type, _, _>(
            of(f64::from),
        )),
        Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(of(|v| v), 3)),
        Arc::new(FixedSizeListArray::from_iter_primitive::<Float64Type, _, _>(of(f64::from), 3)),
        Arc::new(
            FixedSizeListArray::from_iter_primitive::<Float16Type, _, _>(of(f16::from_f32), 3),
        ),
    ];
    for array in arrays {
        let ty = array.data_type().to_string();
        let expected = (Some(3), vec![0.5, 1.0, -2.0, 0.25, 0.0, 4.0]);
        assert_eq!(vectors(array), Ok(expected), "{ty}");
    }
}

#[test]
fn other_lists_are_refused_with_their_row() {
    let list = |rows: Vec<Option<Vec<Option<f64>>>>| -> ArrayRef {
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows))
    };
    let good = || Some(vec![Some(1.0), Some(2.0)]);
    let whole: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1)]),
    ]));
    let mut nested = ListBuilder::new(ListBuilder::new(Float32Builder::new()));
    nested.values().values().append_value(1.0);
    nested.values().append(true);
    nested.append(true);
    for (array, expected) in [
        (
            list(vec![good(), None]),
            "column `v` of `v` is null in row 2",
        ),
        (
            list(vec![good(), Some(vec![Some(1.0)])]),
            "has a list of 1 numbers in row 2, expected 2, as in",
        ),
        (
            list(vec![Some(vec![])]),
            "has a list of 0 numbers in row 1, expected some",
        ),
        (
            list(vec![Some(vec![Some(1.0), None])]),
            "a list with a null in it in row 1",
        ),
        (
            list(vec![Some(vec![Some(f64::NAN)])]),
            "a list with NaN in it in row 1",
        ),
        (
            list(vec![Some(vec![Some(1e300)])]),
            "a list with inf in it in row 1",
        ),
        (whole, "expected lists of finite floats"),
        (Arc::new(nested.finish()), "expected lists of finite floats"),
        (
            super::strings(&["[1.0]"]),
            "expected lists of finite floats",
        ),
    ] {
        let message = vectors(array).expect_err(expected);
        assert!(message.contains(expected), "{message}");
    }
}
