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
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) role: Role,
}

/// The row for a name, or nothing if it is not allowed.
pub(crate) fn find(module: &str, name: &str) -> Option<&'static Global> {
    ALLOWED
        .iter()
        .find(|global| global.name == name && global.module == module)
}

const fn row(module: &'static str, name: &'static str, role: Role) -> Global {
    Global { module, name, role }
}

static ALLOWED: [Global; 86] = [
    // Python 3 writes `__builtin__` for protocol 2.
    row("builtins", "slice", Role::Slice),
    row("__builtin__", "slice", Role::Slice),
    row("builtins", "bytearray", Role::Bytearray),
    row("__builtin__", "bytearray", Role::Bytearray),
    row("builtins", "bytes", Role::Bytes),
    row("__builtin__", "bytes", Role::Bytes),
    row("_codecs", "encode", Role::Encode),
    // NumPy 1 and 2.
    row("numpy", "ndarray", Role::Ndarray),
    row("numpy", "dtype", Role::Dtype),
    row("numpy.core.multiarray", "_reconstruct", Role::Reconstruct),
    row("numpy._core.multiarray", "_reconstruct", Role::Reconstruct),
    row("numpy.core.multiarray", "scalar", Role::Scalar),
    row("numpy._core.multiarray", "scalar", Role::Scalar),
    row("numpy.core.numeric", "_frombuffer", Role::FromBuffer),
    row("numpy._core.numeric", "_frombuffer", Role::FromBuffer),
    // pandas 3 gives public names where 1 and 2 give the defining module.
    row("pandas.core.frame", "DataFrame", Role::DataFrame),
    row("pandas", "DataFrame", Role::DataFrame),
    row(
        "pandas.core.internals.managers",
        "BlockManager",
        Role::BlockManager,
    ),
    row("pandas._libs.internals", "_unpickle_block", Role::Block),
    row("pandas.core.internals.blocks", "new_block", Role::Block),
    row("pandas.core.indexes.base", "_new_Index", Role::NewIndex),
    row("pandas.core.indexes.base", "Index", Role::Index),
    row("pandas", "Index", Role::Index),
    row("pandas.core.indexes.numeric", "Int64Index", Role::Index),
    row("pandas.core.indexes.numeric", "UInt64Index", Role::Index),
    row("pandas.core.indexes.numeric", "Float64Index", Role::Index),
    row("pandas.core.indexes.range", "RangeIndex", Role::RangeIndex),
    row("pandas", "RangeIndex", Role::RangeIndex),
    row("pandas.core.indexes.multi", "MultiIndex", Role::MultiIndex),
    row("pandas", "MultiIndex", Role::MultiIndex),
    row(
        "pandas.core.indexes.datetimes",
        "_new_DatetimeIndex",
        Role::Inert,
    ),
    row(
        "pandas.core.indexes.datetimes",
        "DatetimeIndex",
        Role::Inert,
    ),
    row("pandas", "DatetimeIndex", Role::Inert),
    row(
        "pandas.core.indexes.timedeltas",
        "TimedeltaIndex",
        Role::Inert,
    ),
    row("pandas", "TimedeltaIndex", Role::Inert),
    row(
        "pandas.core.indexes.category",
        "CategoricalIndex",
        Role::Inert,
    ),
    row("pandas", "CategoricalIndex", Role::Inert),
    row("pandas._libs.tslibs.offsets", "Day", Role::Inert),
    row("pandas._libs.tslibs.offsets", "Hour", Role::Inert),
    row("pandas._libs.tslibs.offsets", "Minute", Role::Inert),
    row("pandas._libs.tslibs.offsets", "Second", Role::Inert),
    row("datetime", "timezone", Role::Inert),
    row("datetime", "timedelta", Role::Inert),
    row("pytz", "_UTC", Role::Inert),
    // Columns that have a dtype of pandas' own.
    row(
        "pandas._libs.arrays",
        "__pyx_unpickle_NDArrayBacked",
        Role::Backed,
    ),
    row("pandas.core.arrays.numpy_", "PandasArray", Role::Inert),
    row(
        "pandas.core.arrays.string_",
        "StringArray",
        Role::StringArray,
    ),
    row("pandas.arrays", "StringArray", Role::StringArray),
    row(
        "pandas.core.arrays.string_",
        "StringArrayNumpySemantics",
        Role::StringArray,
    ),
    row("pandas.core.arrays.string_", "StringDtype", Role::Inert),
    row("pandas", "StringDtype", Role::Inert),
    row(
        "pandas.core.arrays.integer",
        "IntegerArray",
        Role::MaskedArray,
    ),
    row("pandas.arrays", "IntegerArray", Role::MaskedArray),
    row(
        "pandas.core.arrays.floating",
        "FloatingArray",
        Role::MaskedArray,
    ),
    row("pandas.arrays", "FloatingArray", Role::MaskedArray),
    row(
        "pandas.core.arrays.boolean",
        "BooleanArray",
        Role::MaskedArray,
    ),
    row("pandas.arrays", "BooleanArray", Role::MaskedArray),
    row("pandas.core.arrays.integer", "Int32Dtype", Role::Inert),
    row("pandas", "Int32Dtype", Role::Inert),
    row("pandas.core.arrays.integer", "Int64Dtype", Role::Inert),
    row("pandas", "Int64Dtype", Role::Inert),
    row("pandas.core.arrays.floating", "Float32Dtype", Role::Inert),
    row("pandas", "Float32Dtype", Role::Inert),
    row("pandas.core.arrays.floating", "Float64Dtype", Role::Inert),
    row("pandas", "Float64Dtype", Role::Inert),
    row("pandas.core.arrays.boolean", "BooleanDtype", Role::Inert),
    row("pandas", "BooleanDtype", Role::Inert),
    row("pandas._libs.missing", "NA", Role::Na),
    row("pandas", "NA", Role::Na),
    row("pandas.core.arrays.categorical", "Categorical", Role::Inert),
    row("pandas", "Categorical", Role::Inert),
    row("pandas.core.dtypes.dtypes", "CategoricalDtype", Role::Inert),
    row("pandas", "CategoricalDtype", Role::Inert),
    row("pandas.core.arrays.datetimes", "DatetimeArray", Role::Inert),
    row("pandas.arrays", "DatetimeArray", Role::Inert),
    row(
        "pandas.core.arrays.timedeltas",
        "TimedeltaArray",
        Role::Inert,
    ),
    row("pandas.arrays", "TimedeltaArray", Role::Inert),
    row("pandas.core.dtypes.dtypes", "DatetimeTZDtype", Role::Inert),
    row("pandas", "DatetimeTZDtype", Role::Inert),
    // The `str` columns of pandas 3 where pyarrow is installed.
    row(
        "pandas.core.arrays.string_arrow",
        "ArrowStringArray",
        Role::ArrowStringArray,
    ),
    row(
        "pandas.core.arrays.string_arrow",
        "ArrowStringArrayNumpySemantics",
        Role::ArrowStringArray,
    ),
    row("pandas.arrays", "ArrowStringArray", Role::ArrowStringArray),
    row("pyarrow.lib", "_restore_array", Role::ArrowArray),
    row("pyarrow.lib", "chunked_array", Role::ArrowChunks),
    row("pyarrow.lib", "py_buffer", Role::ArrowBuffer),
    row("pyarrow.lib", "type_for_alias", Role::ArrowType),
];
