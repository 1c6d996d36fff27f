"""Arrays as Rust takes them. What has the right type and order is passed on as it is."""

import numpy as np


def embeddings(X, estimator=None):
    """X as float32, row after row. The words of refusals are scikit-learn's, which its own checks look for."""
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError("Sparse data was passed for X, but dense data is required. Use '.toarray()' to convert to a dense numpy array.")
    array = np.asarray(X)
    if np.iscomplexobj(array):
        raise ValueError("Complex data not supported")
    if array.dtype.kind in "OUSV":
        try:
            array = array.astype(np.float64)
        except TypeError as error:
            raise TypeError(f"argument must be a string or a number: {error}") from error
    if array.ndim != 2:
        what = "Reshape your data either using array.reshape(-1, 1) or array.reshape(1, -1)"
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead. {what}")
    n_samples, n_features = array.shape
    if n_samples == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={array.shape}) while a minimum of 1 is required.")
    if n_features == 0:
        raise ValueError(f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required.")
    expected = getattr(estimator, "n_features_in_", n_features)
    if n_features != expected:
        name = type(estimator).__name__
        raise ValueError(f"X has {n_features} features, but {name} is expecting {expected} features as input")
    array = matrix(array, np.float32)
    if not np.isfinite(array).all():
        kind = "NaN" if np.isnan(array).any() else "infinity"
        raise ValueError(f"Input X contains {kind}: embeddings are finite")
    return array


def matrix(values, dtype):
    """Any matrix, without a copy where it is what is asked for."""
    return np.ascontiguousarray(values, dtype=dtype)


def targets(values, dtype, what="y"):
    """A matrix of one column per LLM, and whether it came as a single column without its second axis."""
    if values is None:
        raise ValueError(f"requires {what} to be passed, but the target {what} is None")
    array = np.asarray(values)
    if np.iscomplexobj(array):
        raise ValueError("Complex data not supported")
    is_flat = array.ndim == 1
    if is_flat:
        array = array[:, np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{what} has {array.ndim} axes, expected one row per prompt and one column per LLM")
    array = matrix(array, dtype)
    if np.isinf(array).any():
        raise ValueError(f"Input {what} contains infinity or a value too large for dtype('float64'): unknown is NaN")
    return array, is_flat


def numbers_of(groups):
    """One number per row, equal where groups are."""
    if groups is None:
        return None
    return np.unique(np.asarray(groups), return_inverse=True)[1].ravel().tolist()
