//! The allow-list: every name that a pickle may mention, and the part that it plays for the reader. None is ever called.

/// What a name means to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    DataFrame,
    BlockManager,
    Block,
    NewIndex,
    Index,
    RangeIndex,
    MultiIndex,
    Ndarray,
    Dtype,
    Reconstruct,
    Scalar,
    FromBuffer,
    Slice,
    Encode,
    Bytes,
    Bytearray,
    /// An extension array around one NumPy array; its class is the first argument.
    Backed,
    StringArray,
    MaskedArray,
    ArrowStringArray,
    ArrowArray,
    ArrowChunks,
    ArrowBuffer,
    ArrowType,
    Na,
    /// Allowed so that the rest of the frame can be read, itself never looked into.
    Inert,
}

/// A row of the allow-list.
#[derive(Debug)]
pub(crate) struct Global {
    /// Module and name.
    pub(crate) path: &'static str,
    pub(crate) role: Role,
}

/// The row for a name, or nothing if it is not allowed.
pub(crate) fn find(module: &str, name: &str) -> Option<&'static Global> {
    // PartTable at the last dot only: a pickle can name an attribute of an attribute, and none of those is allowed.
    ALLOWED
        .iter()
        .find(|global| global.path.rsplit_once('.') == Some((module, name)))
}

/// Each line has a role and the names that play it. Rows are static, so that a node refers to one by its address and stays small.
macro_rules! allow {
    ($($role:ident: $($path:literal)+;)+) => {
        static ALLOWED: &[Global] = &[$($(Global { path: $path, role: Role::$role }),+),+];
    };
}

allow! {
    // Python 3 writes `__builtin__` for protocol 2.
    Slice: "builtins.slice" "__builtin__.slice";
    Bytearray: "builtins.bytearray" "__builtin__.bytearray";
    Bytes: "builtins.bytes" "__builtin__.bytes";
    Encode: "_codecs.encode";

    // NumPy 2 renamed `numpy.core`.
    Ndarray: "numpy.ndarray";
    Dtype: "numpy.dtype";
    Reconstruct: "numpy.core.multiarray._reconstruct" "numpy._core.multiarray._reconstruct";
    Scalar: "numpy.core.multiarray.scalar" "numpy._core.multiarray.scalar";
    FromBuffer: "numpy.core.numeric._frombuffer" "numpy._core.numeric._frombuffer";

    // pandas 3 gives public names where 1 and 2 give the defining module.
    DataFrame: "pandas.core.frame.DataFrame" "pandas.DataFrame";
    BlockManager: "pandas.core.internals.managers.BlockManager";
    Block: "pandas._libs.internals._unpickle_block" "pandas.core.internals.blocks.new_block";
    NewIndex: "pandas.core.indexes.base._new_Index";
    Index: "pandas.core.indexes.base.Index" "pandas.Index" "pandas.core.indexes.numeric.Int64Index"
        "pandas.core.indexes.numeric.UInt64Index" "pandas.core.indexes.numeric.Float64Index";
    RangeIndex: "pandas.core.indexes.range.RangeIndex" "pandas.RangeIndex";
    MultiIndex: "pandas.core.indexes.multi.MultiIndex" "pandas.MultiIndex";
    // Row indexes of dates and categories. Rows are read by position, so an index need not be understood.
    Inert: "pandas.core.indexes.datetimes._new_DatetimeIndex" "pandas.core.indexes.datetimes.DatetimeIndex" "pandas.DatetimeIndex"
        "pandas.core.indexes.timedeltas.TimedeltaIndex" "pandas.TimedeltaIndex"
        "pandas.core.indexes.category.CategoricalIndex" "pandas.CategoricalIndex"
        "pandas._libs.tslibs.offsets.Day" "pandas._libs.tslibs.offsets.Hour"
        "pandas._libs.tslibs.offsets.Minute" "pandas._libs.tslibs.offsets.Second"
        "datetime.timezone" "datetime.timedelta" "pytz._UTC";

    // Columns that have a dtype of pandas' own.
    Backed: "pandas._libs.arrays.__pyx_unpickle_NDArrayBacked";
    StringArray: "pandas.core.arrays.string_.StringArray" "pandas.arrays.StringArray"
        "pandas.core.arrays.string_.StringArrayNumpySemantics";
    MaskedArray: "pandas.core.arrays.integer.IntegerArray" "pandas.arrays.IntegerArray"
        "pandas.core.arrays.floating.FloatingArray" "pandas.arrays.FloatingArray"
        "pandas.core.arrays.boolean.BooleanArray" "pandas.arrays.BooleanArray";
    Na: "pandas._libs.missing.NA" "pandas.NA";
    // What these columns hold is in the arrays above; the dtypes themselves add nothing to it.
    Inert: "pandas.core.arrays.numpy_.PandasArray"
        "pandas.core.arrays.string_.StringDtype" "pandas.StringDtype"
        "pandas.core.arrays.integer.Int8Dtype" "pandas.Int8Dtype" "pandas.core.arrays.integer.Int16Dtype" "pandas.Int16Dtype"
        "pandas.core.arrays.integer.Int32Dtype" "pandas.Int32Dtype" "pandas.core.arrays.integer.Int64Dtype" "pandas.Int64Dtype"
        "pandas.core.arrays.integer.UInt8Dtype" "pandas.UInt8Dtype" "pandas.core.arrays.integer.UInt16Dtype" "pandas.UInt16Dtype"
        "pandas.core.arrays.integer.UInt32Dtype" "pandas.UInt32Dtype" "pandas.core.arrays.integer.UInt64Dtype" "pandas.UInt64Dtype"
        "pandas.core.arrays.floating.Float32Dtype" "pandas.Float32Dtype"
        "pandas.core.arrays.floating.Float64Dtype" "pandas.Float64Dtype"
        "pandas.core.arrays.boolean.BooleanDtype" "pandas.BooleanDtype";
    // Columns of categories and dates, which are not read; the frame's other columns are.
    Inert: "pandas.core.arrays.categorical.Categorical" "pandas.Categorical"
        "pandas.core.dtypes.dtypes.CategoricalDtype" "pandas.CategoricalDtype"
        "pandas.core.arrays.datetimes.DatetimeArray" "pandas.arrays.DatetimeArray"
        "pandas.core.arrays.timedeltas.TimedeltaArray" "pandas.arrays.TimedeltaArray"
        "pandas.core.dtypes.dtypes.DatetimeTZDtype" "pandas.DatetimeTZDtype";

    // The `str` columns of pandas 3 where pyarrow is installed.
    ArrowStringArray: "pandas.core.arrays.string_arrow.ArrowStringArray"
        "pandas.core.arrays.string_arrow.ArrowStringArrayNumpySemantics" "pandas.arrays.ArrowStringArray";
    ArrowArray: "pyarrow.lib._restore_array";
    ArrowChunks: "pyarrow.lib.chunked_array";
    ArrowBuffer: "pyarrow.lib.py_buffer";
    ArrowType: "pyarrow.lib.type_for_alias";
}
