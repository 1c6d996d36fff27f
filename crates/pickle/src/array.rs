use std::fmt;

use ndarray::{Array1, Array2};

use crate::{
    arena::{Arena, Id, Node},
    error::{Error, Result},
    globals::Role,
};

/// NumPy 2 allows 64 dimensions, NumPy 1 half of that.
const MAX_DIMENSIONS: usize = 64;

/// What an element is; the number is its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int(usize),
    UInt(usize),
    Float(usize),
    Object,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dtype {
    pub(crate) kind: Kind,
    big_endian: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Data<'a> {
    Bytes(&'a [u8]),
    Objects(&'a [Id]),
}

/// A NumPy array: its shape, and a view of its data.
#[derive(Clone)]
pub struct Array<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) offset: usize,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    fortran: bool,
    data: Data<'a>,
}

/// A cell as the file has it.
pub(crate) enum Cell<'a> {
    /// None, NaN or NA.
    Missing,
    Bool(bool),
    Int(i64),
    /// Above what an `i64` holds.
    Large(u64),
    Float(f64),
    Text(Id, &'a Arena),
    Other(String),
}

impl<'a> Array<'a> {
    /// Reads the two ways in which NumPy writes arrays. Takes no longer for a large array than for a small one.
    pub(crate) fn new(arena: &'a Arena, id: Id, parent: usize) -> Result<Self> {
        let wrong = || arena.wrong(id, parent, "a NumPy array");
        let call = arena.call(id).ok_or_else(wrong)?;
        let args = arena.args(call);
        let malformed = |what: &str| Error::malformed(call.offset, what);
        let (shape, dtype, fortran, data) = match call.global.role {
            // `_reconstruct(ndarray, (0,), b"b")`, then the state (version, shape, dtype, is it in Fortran's order, data).
            Role::Reconstruct => {
                if !matches!(args.first().map(|&id| arena.node(id)), Some(Node::Global { global, .. }) if global.role == Role::Ndarray)
                {
                    return Err(wrong());
                }
                let state = call.state.and_then(|state| arena.sequence(state));
                let Some(&[_, shape, dtype, fortran, data]) = state else {
                    return Err(malformed("an array without its state"));
                };
                let Node::Bool(fortran) = arena.node(fortran) else {
                    return Err(arena.wrong(fortran, call.offset, "a bool"));
                };
                (shape, dtype, fortran, data)
            }
            // `_frombuffer(data, dtype, shape, order)`
            Role::FromBuffer => {
                let &[data, dtype, shape, order] = args else {
                    return Err(Error::unsupported(
                        call.offset,
                        "an array whose axes are permuted",
                    ));
                };
                let fortran = match arena.str(order) {
                    Some("C") => false,
                    Some("F") => true,
                    _ => {
                        return Err(Error::unsupported(
                            call.offset,
                            "an array whose order is neither C nor Fortran",
                        ));
                    }
                };
                (shape, dtype, fortran, data)
            }
            _ => return Err(wrong()),
        };
        let dtype = Dtype::new(arena, dtype, call.offset)?;
        let shape = arena
            .sequence(shape)
            .ok_or_else(|| arena.wrong(shape, call.offset, "a tuple of lengths"))?;
        if shape.len() > MAX_DIMENSIONS {
            return Err(malformed("an array of more than 64 dimensions"));
        }
        let shape: Vec<usize> = shape
            .iter()
            .map(|&n| arena.count(n, call.offset))
            .collect::<Result<_>>()?;
        let n_elements = shape.iter().try_fold(1_usize, |n, &len| n.checked_mul(len));
        let n_elements = n_elements.ok_or_else(|| malformed("a shape beyond all memory"))?;
        // The flag tells how raw bytes lie. NumPy walks through objects in C order whatever their array's order is, and reads them back so.
        let fortran = fortran && dtype.kind != Kind::Object;
        let (data, n_found) = if dtype.kind == Kind::Object {
            let ids = arena
                .sequence(data)
                .ok_or_else(|| arena.wrong(data, call.offset, "a list of objects"))?;
            (Data::Objects(ids), ids.len())
        } else {
            let bytes = arena
                .bytes(data)
                .ok_or_else(|| arena.wrong(data, call.offset, "bytes"))?;
            let size = dtype.size();
            // A rest of bytes is one element too many.
            (Data::Bytes(bytes), bytes.len().div_ceil(size))
        };
        if n_found != n_elements {
            return Err(malformed(&format!(
                "an array of shape {shape:?} with {n_found} elements"
            )));
        }
        if let Data::Bytes(bytes) = data
            && bytes.len() % dtype.size() != 0
        {
            return Err(malformed("an array that ends inside an element"));
        }
        Ok(Self {
            arena,
            offset: call.offset,
            dtype,
            shape,
            fortran,
            data,
        })
    }

    /// The length of each dimension.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements of a one-dimensional array, as [`Column::as_f64`](crate::Column::as_f64) turns cells into numbers.
    ///
    /// # Errors
    /// If there is another number of dimensions, or an object is not a number.
    pub fn to_array1_f64(&self) -> Result<Array1<f64>> {
        let &[n] = &self.shape[..] else {
            return Err(self.wrong_shape(1));
        };
        (0..n).map(|i| self.f64_at(i)).collect()
    }

    /// The elements of a two-dimensional array, in its shape whatever its order in memory.
    ///
    /// # Errors
    /// If there is another number of dimensions, or an object is not a number.
    pub fn to_array2_f64(&self) -> Result<Array2<f64>> {
        let &[n_rows, n_columns] = &self.shape[..] else {
            return Err(self.wrong_shape(2));
        };
        let mut elements = Vec::with_capacity(n_rows * n_columns);
        // Not one step for each row: an array of no columns can have any number of rows.
        for i in 0..n_rows * n_columns {
            elements.push(self.f64_at(self.position(i / n_columns, i % n_columns))?);
        }
        Array2::from_shape_vec((n_rows, n_columns), elements)
            .map_err(|_| Error::malformed(self.offset, "a shape beyond all memory"))
    }

    fn wrong_shape(&self, expected: usize) -> Error {
        Error::Shape {
            offset: self.offset,
            expected,
            found: self.shape.clone(),
        }
    }

    fn f64_at(&self, position: usize) -> Result<f64> {
        self.cell(position).to_f64().map_err(|found| Error::Type {
            offset: self.offset,
            expected: "a number",
            found,
        })
    }

    /// The number of elements.
    pub(crate) fn n_elements(&self) -> usize {
        match self.data {
            Data::Bytes(bytes) => bytes.len() / self.dtype.size(),
            Data::Objects(ids) => ids.len(),
        }
    }

    /// The objects of an array that has some.
    pub(crate) fn objects(&self) -> &'a [Id] {
        match self.data {
            Data::Bytes(_) => &[],
            Data::Objects(ids) => ids,
        }
    }

    /// The position of an element of a two-dimensional array.
    pub(crate) fn position(&self, row: usize, column: usize) -> usize {
        if self.fortran {
            column * self.shape[0] + row
        } else {
            row * self.shape[1] + column
        }
    }

    /// The element at a position in memory.
    pub(crate) fn cell(&self, position: usize) -> Cell<'a> {
        match self.data {
            Data::Bytes(bytes) => {
                let size = self.dtype.size();
                self.dtype
                    .cell(&bytes[position * size..(position + 1) * size])
            }
            Data::Objects(ids) => Cell::of_object(self.arena, ids[position]),
        }
    }
}

impl fmt::Debug for Array<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Array")
            .field("dtype", &self.dtype)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl Dtype {
    /// `dtype("f8", align, copy)` with the state (version, byte order, ...).
    fn new(arena: &Arena, id: Id, parent: usize) -> Result<Self> {
        let call = arena.call_of(id, Role::Dtype, parent, "a NumPy dtype")?;
        let code = arena.args(call).first().and_then(|&code| arena.str(code));
        let code = code.ok_or_else(|| Error::malformed(call.offset, "a dtype without its code"))?;
        let state = call
            .state
            .and_then(|state| arena.sequence(state))
            .unwrap_or_default();
        let order = state
            .get(1)
            .and_then(|&order| arena.str(order))
            .unwrap_or("|");
        let big_endian = match order {
            "<" | "|" | "=" => false,
            ">" => true,
            _ => {
                return Err(Error::malformed(
                    call.offset,
                    "a byte order other than `<`, `>`, `=` and `|`",
                ));
            }
        };
        let kind = match code {
            "b1" => Kind::Bool,
            "i1" => Kind::Int(1),
            "i2" => Kind::Int(2),
            "i4" => Kind::Int(4),
            "i8" => Kind::Int(8),
            "u1" => Kind::UInt(1),
            "u2" => Kind::UInt(2),
            "u4" => Kind::UInt(4),
            "u8" => Kind::UInt(8),
            "f2" => Kind::Float(2),
            "f4" => Kind::Float(4),
            "f8" => Kind::Float(8),
            "O8" | "O4" | "O" => Kind::Object,
            _ => {
                let code: String = code.chars().take(20).collect();
                return Err(Error::unsupported(
                    call.offset,
                    format!("NumPy data of dtype `{code}`"),
                ));
            }
        };
        Ok(Self { kind, big_endian })
    }

    fn size(self) -> usize {
        match self.kind {
            Kind::Bool => 1,
            Kind::Int(size) | Kind::UInt(size) | Kind::Float(size) => size,
            Kind::Object => unreachable!("objects have no bytes"),
        }
    }

    /// One element, of as many bytes as `size` says.
    fn cell(self, bytes: &[u8]) -> Cell<'static> {
        // Little-endian, and for signed integers filled up with the sign.
        let negative = bytes[if self.big_endian { 0 } else { bytes.len() - 1 }] >= 0x80;
        let fill = if negative && matches!(self.kind, Kind::Int(_)) {
            0xff
        } else {
            0
        };
        let mut wide = [fill; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        if self.big_endian {
            wide[..bytes.len()].reverse();
        }
        let bits = u64::from_le_bytes(wide);
        let float = match self.kind {
            Kind::Bool => return Cell::Bool(bits != 0),
            Kind::Int(_) => return Cell::Int(bits as i64),
            Kind::UInt(_) => return i64::try_from(bits).map_or(Cell::Large(bits), Cell::Int),
            Kind::Float(2) => f64_of_half(bits as u16),
            Kind::Float(4) => f64::from(f32::from_bits(bits as u32)),
            Kind::Float(_) => f64::from_bits(bits),
            Kind::Object => unreachable!("objects have no bytes"),
        };
        if float.is_nan() {
            Cell::Missing
        } else {
            Cell::Float(float)
        }
    }
}

/// IEEE 754 binary16: one bit of sign, 5 of exponent (bias 15), 10 of fraction.
fn f64_of_half(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff);
    let magnitude = match bits >> 10 & 0x1f {
        0 => fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        exponent => (1024.0 + fraction) * 2_f64.powi(i32::from(exponent) - 25),
    };
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

/// An integer of Python's or NumPy's.
pub(crate) fn integer(arena: &Arena, id: Id) -> Option<i64> {
    match Cell::of_object(arena, id) {
        Cell::Int(n) => Some(n),
        _ => None,
    }
}

impl<'a> Cell<'a> {
    fn of_object(arena: &'a Arena, id: Id) -> Self {
        match arena.node(id) {
            Node::None => Self::Missing,
            Node::Bool(truth) => Self::Bool(truth),
            Node::Int(n) => Self::Int(n),
            Node::Float(x) if x.is_nan() => Self::Missing,
            Node::Float(x) => Self::Float(x),
            Node::Str { .. } => Self::Text(id, arena),
            Node::Global { global, .. } if global.role == Role::Na => Self::Missing,
            Node::Call(_) => {
                Self::of_scalar(arena, id).unwrap_or_else(|| Self::Other(arena.describe(id)))
            }
            _ => Self::Other(arena.describe(id)),
        }
    }

    /// `scalar(dtype, bytes)`
    fn of_scalar(arena: &Arena, id: Id) -> Option<Self> {
        let call = arena
            .call(id)
            .filter(|call| call.global.role == Role::Scalar)?;
        let &[dtype, bytes] = arena.args(call) else {
            return None;
        };
        let dtype = Dtype::new(arena, dtype, call.offset)
            .ok()
            .filter(|dtype| dtype.kind != Kind::Object)?;
        let bytes = arena
            .bytes(bytes)
            .filter(|bytes| bytes.len() == dtype.size())?;
        Some(dtype.cell(bytes))
    }

    /// The number, NaN where it is missing, or a description of what the cell holds instead.
    pub(crate) fn to_f64(&self) -> Result<f64, String> {
        match self {
            Self::Missing => Ok(f64::NAN),
            Self::Bool(truth) => Ok(f64::from(u8::from(*truth))),
            Self::Int(n) => Ok(*n as f64),
            Self::Large(n) => Ok(*n as f64),
            Self::Float(x) => Ok(*x),
            Self::Text(..) | Self::Other(_) => Err(self.describe()),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Missing => "nothing".into(),
            Self::Bool(truth) => format!("the bool `{truth}`"),
            Self::Int(n) => format!("the integer `{n}`"),
            Self::Large(n) => format!("the integer `{n}`"),
            Self::Float(x) => format!("the float `{x}`"),
            Self::Text(..) => "text".into(),
            Self::Other(what) => what.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::f64_of_half;

    #[test]
    fn halves_are_widened_exactly() {
        // Least and greatest of the subnormal and normal numbers, from the format's definition.
        let cases = [
            (0x0000, 0.0),
            (0x0001, 2_f64.powi(-24)),
            (0x03ff, 1023.0 * 2_f64.powi(-24)),
            (0x0400, 2_f64.powi(-14)),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x7c00, f64::INFINITY),
            (0xfc00, f64::NEG_INFINITY),
        ];
        for (bits, expected) in cases {
            assert_eq!(f64_of_half(bits), expected, "{bits:#06x}");
        }
        assert!(f64_of_half(0x7e00).is_nan());
    }
}
