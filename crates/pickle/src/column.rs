use std::collections::HashMap;

use crate::{
    arena::{Arena, Call, Id, Node},
    array::{Array, Cell, Kind},
    error::{Error, Result},
    globals::Role,
};

/// Longer text that several cells share is checked for UTF-8 once, however many they are.
const SHORT_TEXT: usize = 64;

/// A number, or a reference to a text, as a cell is handed out.
const BYTES_PER_CELL: u64 = 16;

/// What a column's cells are, by its dtype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// `bool` or `boolean`.
    Bool,
    /// A signed or unsigned integer of any width.
    Integer,
    /// A float of any width.
    Float,
    /// Text only, or nothing: pandas' string dtypes.
    Text,
    /// Python objects: text in most frames, but any mixture can be there.
    Object,
    /// A dtype that is not read, such as a category or a date.
    Other,
}

/// One column of a frame: a view that copies nothing until its cells are requested.
#[derive(Debug)]
pub struct Column<'a> {
    pub(crate) name: &'a str,
    pub(crate) block: &'a Block<'a>,
    /// Which of the block's columns.
    pub(crate) idx: usize,
}

/// Columns of one dtype, as pandas keeps them.
#[derive(Debug)]
pub(crate) enum Block<'a> {
    /// Of shape `(n_columns, n_rows)`, or `(n_rows)`.
    Array(Array<'a>),
    /// Of shape `(n_rows)`; where the mask is true, nothing is known.
    Masked { values: Array<'a>, mask: Array<'a> },
    /// pandas' string dtypes in a NumPy array of objects.
    Text(Array<'a>),
    /// pandas' string dtypes in Arrow's layout.
    Arrow {
        offset: usize,
        chunks: Vec<Chunk<'a>>,
    },
    /// Not read.
    Other { offset: usize, what: String },
}

/// Text in Arrow's layout: text `i` is `data[ends[i]..ends[i + 1]]`, and is not null if bit `i` of `validity` is set.
#[derive(Debug)]
pub(crate) struct Chunk<'a> {
    n_rows: usize,
    /// Both validity and ends begin this many elements later.
    first: usize,
    validity: Option<&'a [u8]>,
    ends: &'a [u8],
    width: usize,
    data: &'a [u8],
}

impl<'a> Column<'a> {
    /// The column's name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// What the cells are, by the dtype.
    pub fn kind(&self) -> ColumnKind {
        match self.block {
            Block::Array(values) | Block::Masked { values, .. } => match values.dtype.kind {
                Kind::Bool => ColumnKind::Bool,
                Kind::Int(_) | Kind::UInt(_) => ColumnKind::Integer,
                Kind::Float(_) => ColumnKind::Float,
                Kind::Object => ColumnKind::Object,
            },
            Block::Text(_) | Block::Arrow { .. } => ColumnKind::Text,
            Block::Other { .. } => ColumnKind::Other,
        }
    }

    /// The cells as float64, `(n_rows)`: bools are 0 and 1, integers and narrower floats are widened, None, NaN and NA are NaN.
    ///
    /// # Errors
    /// If a cell is text or anything else that is not a number, or the dtype is not read.
    pub fn as_f64(&self) -> Result<Vec<f64>> {
        self.map("a number", |cell| cell.to_f64())
    }

    /// The cells as integers, `(n_rows)`, None where a cell is missing. Bools are 0 and 1; floats count if they are whole.
    ///
    /// # Errors
    /// If a cell is not an integer or beyond 64 bits with sign, or the dtype is not read.
    pub fn as_i64(&self) -> Result<Vec<Option<i64>>> {
        // Beyond 2^53 a float cannot represent every integer.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        self.map("an integer", |cell| match *cell {
            Cell::Missing => Ok(None),
            Cell::Bool(truth) => Ok(Some(truth.into())),
            Cell::Int(n) => Ok(Some(n)),
            Cell::Float(x) if x.fract() == 0.0 && x.abs() <= LARGEST => Ok(Some(x as i64)),
            _ => Err(cell.describe()),
        })
    }

    /// The cells as text borrowed from the file, `(n_rows)`, None where a cell is missing (None, NaN or NA).
    ///
    /// # Errors
    /// If a cell is not text, or the dtype is not read.
    pub fn as_text(&self) -> Result<Vec<Option<&'a str>>> {
        if let Block::Arrow { offset, chunks } = self.block {
            let mut all = Vec::new();
            for chunk in chunks {
                chunk.read(*offset, &mut all)?;
            }
            return Ok(all);
        }
        let mut long: HashMap<Id, &'a str> = HashMap::new();
        self.map("text", |cell| match *cell {
            Cell::Missing => Ok(None),
            Cell::Text(id, arena) => {
                let read = || arena.str(id).expect("only valid text becomes `Cell::Text`");
                let is_long = matches!(arena.node(id), Node::Str { len, .. } if len > SHORT_TEXT);
                Ok(Some(if is_long {
                    long.entry(id).or_insert_with(read)
                } else {
                    read()
                }))
            }
            _ => Err(cell.describe()),
        })
    }

    fn map<T>(
        &self,
        expected: &'static str,
        mut convert: impl FnMut(&Cell<'a>) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        let wrong = |row: usize, found| Error::Cell {
            column: self.name.to_owned(),
            row: row + 1,
            expected,
            found,
        };
        let (values, mask) = match self.block {
            Block::Array(values) | Block::Text(values) => (values, None),
            Block::Masked { values, mask } => (values, Some(mask)),
            Block::Arrow { .. } => {
                let text = self.as_text()?;
                let cell = |text: Option<&str>| {
                    if text.is_some() {
                        Cell::Other("text".into())
                    } else {
                        Cell::Missing
                    }
                };
                return text
                    .into_iter()
                    .enumerate()
                    .map(|(row, text)| convert(&cell(text)).map_err(|found| wrong(row, found)))
                    .collect();
            }
            Block::Other { offset, what } => {
                return Err(Error::unsupported(
                    *offset,
                    format!("column `{}`, {what}", self.name),
                ));
            }
        };
        let n_rows = values.shape[values.shape.len() - 1];
        let cell = |row: usize| match mask {
            Some(mask) if !matches!(mask.cell(row), Cell::Bool(false)) => Cell::Missing,
            _ if values.shape.len() == 1 => values.cell(row),
            _ => values.cell(values.position(self.idx, row)),
        };
        (0..n_rows)
            .map(|row| convert(&cell(row)).map_err(|found| wrong(row, found)))
            .collect()
    }
}

impl<'a> Block<'a> {
    /// Reads the values of a block. `max_chunks` is what the blocks of a frame may have together.
    pub(crate) fn new(
        arena: &'a Arena,
        id: Id,
        parent: usize,
        max_chunks: &mut usize,
    ) -> Result<Self> {
        let call = arena
            .call(id)
            .ok_or_else(|| arena.wrong(id, parent, "the values of a block"))?;
        let class = arena.class(call);
        let state = |key| call.state.and_then(|state| arena.get(state, key));
        let malformed = || Error::malformed(call.offset, format!("the state of `{}`", class.path));
        match class.role {
            Role::Ndarray | Role::FromBuffer => match Array::new(arena, id, parent) {
                Ok(values) if matches!(values.shape.len(), 1 | 2) => Ok(Self::Array(values)),
                Ok(values) => Err(Error::malformed(
                    call.offset,
                    format!("a block of shape {:?}", values.shape),
                )),
                // Dates, say: the other columns can still be read.
                Err(Error::Unsupported { offset, what }) => Ok(Self::Other { offset, what }),
                Err(error) => Err(error),
            },
            Role::StringArray => {
                let of_helper = call
                    .state
                    .and_then(|state| arena.sequence(state))
                    .and_then(|state| state.get(1).copied());
                let values = of_helper
                    .or_else(|| state("_ndarray"))
                    .ok_or_else(malformed)?;
                let values = Array::new(arena, values, call.offset)?;
                // Since pandas 3 a string column may be a row of a matrix, as numbers are.
                if matches!(values.shape.len(), 1 | 2) {
                    Ok(Self::Text(values))
                } else {
                    Err(malformed())
                }
            }
            Role::MaskedArray => {
                let part = |key| Array::new(arena, state(key).ok_or_else(malformed)?, call.offset);
                let (values, mask) = (part("_data")?, part("_mask")?);
                let fits = values.shape.len() == 1
                    && mask.shape == values.shape
                    && mask.dtype.kind == Kind::Bool;
                if fits {
                    Ok(Self::Masked { values, mask })
                } else {
                    Err(malformed())
                }
            }
            Role::ArrowStringArray => {
                let values = state("_pa_array")
                    .or_else(|| state("_data"))
                    .ok_or_else(malformed)?;
                Ok(Self::Arrow {
                    offset: call.offset,
                    chunks: chunks(arena, values, call.offset, max_chunks)?,
                })
            }
            _ => Ok(Self::Other {
                offset: call.offset,
                what: format!("which is a `{}`", class.path),
            }),
        }
    }

    /// The number of rows, if it is known.
    pub(crate) fn n_rows(&self) -> Option<usize> {
        match self {
            Self::Array(values) | Self::Text(values) | Self::Masked { values, .. } => {
                values.shape.last().copied()
            }
            Self::Arrow { chunks, .. } => Some(chunks.iter().map(|chunk| chunk.n_rows).sum()),
            Self::Other { .. } => None,
        }
    }

    /// Bytes that the block's cells take when they are copied out, or what it comes to when it exceeds `limit`.
    pub(crate) fn size_within(&self, limit: u64) -> u64 {
        let (n_cells, texts) = match self {
            Self::Array(values) | Self::Text(values) => (values.n_elements(), Some(values)),
            Self::Masked { values, .. } => (values.n_elements(), None),
            // Its texts are no more than the file's bytes: that was checked when it was read.
            Self::Arrow { chunks, .. } => (chunks.iter().map(|chunk| chunk.n_rows).sum(), None),
            Self::Other { .. } => (0, None),
        };
        let mut n_bytes = (n_cells as u64).saturating_mul(BYTES_PER_CELL);
        for &id in texts.map(Array::objects).unwrap_or_default() {
            if n_bytes > limit {
                break;
            }
            if let Some(Node::Str { len, .. }) = texts.map(|values| values.arena.node(id)) {
                n_bytes += len as u64;
            }
        }
        n_bytes
    }

    /// The number of columns, if it is known.
    pub(crate) fn n_columns(&self) -> Option<usize> {
        match self {
            Self::Array(values) | Self::Text(values) if values.shape.len() == 2 => {
                Some(values.shape[0])
            }
            Self::Other { .. } => None,
            _ => Some(1),
        }
    }
}

/// The chunks of a `pyarrow` array of text: `chunked_array([array, ...], type)`, or one array.
fn chunks<'a>(
    arena: &'a Arena,
    id: Id,
    parent: usize,
    max_chunks: &mut usize,
) -> Result<Vec<Chunk<'a>>> {
    let call = arena
        .call(id)
        .ok_or_else(|| arena.wrong(id, parent, "an Arrow array"))?;
    let arrays = match call.global.role {
        Role::ArrowChunks => arena
            .args(call)
            .first()
            .and_then(|&list| arena.sequence(list)),
        _ => Some(std::slice::from_ref(&id)),
    };
    let arrays =
        arrays.ok_or_else(|| Error::malformed(call.offset, "an Arrow array without its chunks"))?;
    *max_chunks = max_chunks.checked_sub(arrays.len()).ok_or_else(|| {
        Error::malformed(call.offset, "more Arrow arrays than the file has room for")
    })?;
    let mut found = Vec::new();
    let mut n_bytes = 0_usize;
    for &array in arrays {
        let chunk = Chunk::new(arena, array, call.offset)?;
        // One chunk referenced many times would expand to more than the file holds.
        n_bytes = n_bytes
            .saturating_add(chunk.data.len())
            .saturating_add(chunk.n_rows);
        if n_bytes > arena.bytes.len() {
            return Err(Error::malformed(
                call.offset,
                "more text in Arrow's layout than the file has bytes",
            ));
        }
        found.push(chunk);
    }
    Ok(found)
}

impl<'a> Chunk<'a> {
    /// `_restore_array((type, n_rows, n_missing, first, [validity, ends, data], children, dictionary))`
    fn new(arena: &'a Arena, id: Id, parent: usize) -> Result<Self> {
        let call = arena.call_of(id, Role::ArrowArray, parent, "an Arrow array")?;
        let malformed = || Error::malformed(call.offset, "the parts of an Arrow array");
        let parts = arena
            .args(call)
            .first()
            .and_then(|&parts| arena.sequence(parts))
            .ok_or_else(malformed)?;
        let &[of_type, n_rows, _, first, buffers, ..] = parts else {
            return Err(malformed());
        };
        let of_type = arena.call_of(of_type, Role::ArrowType, call.offset, "an Arrow type")?;
        let width = match arena
            .args(of_type)
            .first()
            .and_then(|&name| arena.str(name))
        {
            Some("large_string" | "large_utf8") => 8,
            Some("string" | "utf8") => 4,
            _ => {
                return Err(Error::unsupported(
                    of_type.offset,
                    "Arrow data that are not text",
                ));
            }
        };
        let (n_rows, first) = (
            arena.count(n_rows, call.offset)?,
            arena.count(first, call.offset)?,
        );
        let Some(&[validity, ends, data]) = arena.sequence(buffers) else {
            return Err(malformed());
        };
        let buffer = |id| buffer(arena, id, call);
        let (validity, ends, data) = (
            buffer(validity)?,
            buffer(ends)?.unwrap_or_default(),
            buffer(data)?.unwrap_or_default(),
        );
        // An array of no rows may come without its buffer of ends.
        let last = first.checked_add(n_rows).ok_or_else(malformed)?;
        let n_ends = if n_rows == 0 { 0 } else { last + 1 };
        if ends.len() / width < n_ends
            || validity.is_some_and(|validity| validity.len() < last.div_ceil(8))
        {
            return Err(malformed());
        }
        Ok(Self {
            n_rows,
            first,
            validity,
            ends,
            width,
            data,
        })
    }

    fn end(&self, i: usize) -> usize {
        let bytes = &self.ends[i * self.width..(i + 1) * self.width];
        bytes
            .iter()
            .rev()
            .fold(0, |n, &byte| n << 8 | usize::from(byte))
    }

    pub(crate) fn read(&self, offset: usize, into: &mut Vec<Option<&'a str>>) -> Result<()> {
        let malformed = || Error::malformed(offset, "text in Arrow's layout");
        // Overlapping texts would expand to more than the file holds.
        let mut previous = 0;
        for i in self.first..self.first + self.n_rows {
            if self
                .validity
                .is_some_and(|validity| validity[i / 8] >> (i % 8) & 1 == 0)
            {
                into.push(None);
                continue;
            }
            let (start, end) = (self.end(i), self.end(i + 1));
            if start < previous {
                return Err(malformed());
            }
            previous = end;
            let bytes = self.data.get(start..end).ok_or_else(malformed)?;
            into.push(Some(str::from_utf8(bytes).map_err(|_| malformed())?));
        }
        Ok(())
    }
}

/// None, or `py_buffer(bytes)`.
fn buffer<'a>(arena: &'a Arena, id: Id, parent: &Call) -> Result<Option<&'a [u8]>> {
    if let Node::None = arena.node(id) {
        return Ok(None);
    }
    let call = arena.call_of(id, Role::ArrowBuffer, parent.offset, "an Arrow buffer")?;
    let bytes = arena
        .args(call)
        .first()
        .and_then(|&bytes| arena.bytes(bytes));
    bytes
        .map(Some)
        .ok_or_else(|| Error::malformed(call.offset, "an Arrow buffer without bytes"))
}
