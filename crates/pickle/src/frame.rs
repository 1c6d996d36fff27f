use std::{borrow::Cow, fmt};

use untrusted_files::Budget;

use crate::{
    arena::{Arena, Call, Id, Node},
    array::{Array, Cell, Kind, integer},
    column::{Block, Column},
    error::{Error, Result},
    globals::Role,
    value::Value,
};

/// Longer column names are refused: a name is compared and checked as often as the file mentions it.
const MAX_NAME_BYTES: usize = 4096;

/// Bytes that the smallest Arrow array takes in a pickle, and fewer than it does.
const BYTES_PER_CHUNK: usize = 16;

/// A pandas `DataFrame`: the columns' names, and where their cells are. The row index is not read.
pub struct Frame<'a> {
    names: Vec<Cow<'a, str>>,
    n_rows: usize,
    blocks: Vec<Block<'a>>,
    /// For each column its block, and which of the block's columns it is.
    places: Vec<(usize, usize)>,
}

/// A block as the file has it: its values, and which columns of the frame it holds.
struct RawBlock {
    values: Id,
    places: Id,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(value: Value<'a>, budget: Budget) -> Result<Self> {
        let arena = value.arena;
        let frame = arena.call_of(value.id, Role::DataFrame, 0, "a pandas DataFrame")?;
        let manager = frame.state.and_then(|state| {
            arena
                .get(state, "_mgr")
                .or_else(|| arena.get(state, "_data"))
        });
        let manager = manager
            .ok_or_else(|| Error::malformed(frame.offset, "a DataFrame without its `_mgr`"))?;
        let manager = arena.call_of(
            manager,
            Role::BlockManager,
            frame.offset,
            "a pandas BlockManager",
        )?;
        let (raw_blocks, axes) = raw_blocks(arena, manager)?;
        let Some(&[columns, rows]) = arena.sequence(axes) else {
            return Err(Error::malformed(
                manager.offset,
                "a BlockManager without its two axes",
            ));
        };

        let names = names(arena, columns, manager.offset)?;
        let mut blocks: Vec<Block<'a>> = Vec::new();
        let mut places = vec![None; names.len()];
        let mut n_rows = None;
        let mut max_chunks = 16 + arena.bytes.len() / BYTES_PER_CHUNK;
        for raw in raw_blocks {
            let block = Block::new(arena, raw.values, manager.offset, &mut max_chunks)?;
            let offset = arena.offset(raw.values, manager.offset);
            let columns = column_numbers(arena, raw.places, offset, names.len())?;
            if block
                .n_columns()
                .is_some_and(|n_columns| n_columns != columns.len())
            {
                return Err(Error::malformed(
                    offset,
                    format!(
                        "a block that is placed in {} columns, but has a different number of them",
                        columns.len()
                    ),
                ));
            }
            if let Some(n) = block.n_rows()
                && *n_rows.get_or_insert(n) != n
            {
                return Err(Error::malformed(
                    offset,
                    format!(
                        "a block of {n} rows beside blocks that have a different number of rows"
                    ),
                ));
            }
            for (idx, column) in columns.into_iter().enumerate() {
                if places[column].replace((blocks.len(), idx)).is_some() {
                    return Err(Error::malformed(
                        offset,
                        format!("two blocks for column {column}"),
                    ));
                }
            }
            blocks.push(block);
        }
        check_size(&blocks, budget)?;
        let places = places.into_iter().collect::<Option<Vec<_>>>();
        let places =
            places.ok_or_else(|| Error::malformed(manager.offset, "a column without a block"))?;
        let n_rows = match n_rows {
            Some(n_rows) => n_rows,
            None => n_labels(arena, rows, manager.offset)?,
        };
        Ok(Self {
            names,
            n_rows,
            blocks,
            places,
        })
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The number of columns.
    pub fn n_columns(&self) -> usize {
        self.names.len()
    }

    /// The columns' names in order. Whole numbers become their digits.
    pub fn column_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The column of a name.
    ///
    /// # Errors
    /// If no column has it, or several do.
    pub fn column(&self, name: &str) -> Result<Column<'_>> {
        let mut found = (0..self.n_columns()).filter(|&column_idx| self.names[column_idx] == name);
        match (found.next(), found.count()) {
            (Some(column_idx), 0) => {
                Ok(self.column_at(column_idx).expect("found below `n_columns`"))
            }
            (Some(_), others) => Err(Error::AmbiguousColumn {
                column: name.to_owned(),
                n_columns: others + 1,
            }),
            (None, _) => Err(Error::NoColumn {
                column: name.to_owned(),
            }),
        }
    }

    /// The column at a position, from 0; None beyond the last.
    pub fn column_at(&self, column_idx: usize) -> Option<Column<'_>> {
        let &(block, idx) = self.places.get(column_idx)?;
        Some(Column {
            name: &self.names[column_idx],
            block: &self.blocks[block],
            idx,
        })
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("n_rows", &self.n_rows)
            .field("n_columns", &self.n_columns())
            .finish_non_exhaustive()
    }
}

/// Refuses a frame whose cells, copied out, would take more than the budget: two bytes in a pickle can mention any long text once more.
fn check_size(blocks: &[Block<'_>], budget: Budget) -> Result<()> {
    let mut n_bytes = 0;
    for block in blocks {
        // No further than the budget, since a block, too, can be mentioned any number of times.
        n_bytes += block.size_within(budget.bytes().saturating_sub(n_bytes));
        budget.check("the frame", n_bytes)?;
    }
    Ok(())
}

/// The blocks and the axes. Since pandas 1.3 they are arguments, `BlockManager((block, ...), [columns, rows])`;
/// before, the fourth part of a state, under the name of the version that had introduced it.
fn raw_blocks(arena: &Arena, manager: &Call) -> Result<(Vec<RawBlock>, Id)> {
    let malformed = || Error::malformed(manager.offset, "a BlockManager without its blocks");
    if let [blocks, axes, ..] = *arena.args(manager) {
        let blocks = arena
            .sequence(blocks)
            .ok_or_else(malformed)?
            .iter()
            .map(|&block| {
                let call = arena.call_of(block, Role::Block, manager.offset, "a block")?;
                let &[values, places, ..] = arena.args(call) else {
                    return Err(Error::malformed(call.offset, "a block without its parts"));
                };
                Ok(RawBlock { values, places })
            });
        return Ok((blocks.collect::<Result<_>>()?, axes));
    }
    let state = manager
        .state
        .and_then(|state| arena.sequence(state))
        .and_then(|state| state.get(3).copied());
    let state = state
        .and_then(|state| arena.get(state, "0.14.1"))
        .ok_or_else(malformed)?;
    let (axes, blocks) = arena
        .get(state, "axes")
        .zip(arena.get(state, "blocks"))
        .ok_or_else(malformed)?;
    let blocks = arena
        .sequence(blocks)
        .ok_or_else(malformed)?
        .iter()
        .map(|&block| {
            let (values, places) = arena
                .get(block, "values")
                .zip(arena.get(block, "mgr_locs"))
                .ok_or_else(malformed)?;
            Ok(RawBlock { values, places })
        });
    Ok((blocks.collect::<Result<_>>()?, axes))
}

/// What an index was made of: its class and the dictionary of its parts.
fn index(arena: &Arena, id: Id, parent: usize) -> Result<(Role, Id)> {
    let call = arena.call_of(id, Role::NewIndex, parent, "a pandas Index")?;
    let parts = arena
        .args(call)
        .get(1)
        .copied()
        .ok_or_else(|| Error::malformed(call.offset, "an Index without its parts"))?;
    Ok((arena.class(call).role, parts))
}

/// The columns' names.
fn names<'a>(arena: &'a Arena, id: Id, parent: usize) -> Result<Vec<Cow<'a, str>>> {
    let offset = arena.offset(id, parent);
    let (class, parts) = index(arena, id, parent)?;
    match class {
        Role::RangeIndex => {
            let (start, step, n_labels) = range(arena, parts, offset)?;
            // Each column takes some bytes in the file, if only in the shape of a block.
            if n_labels > arena.bytes.len() {
                return Err(Error::malformed(
                    offset,
                    format!(
                        "{n_labels} columns in a file of {} bytes",
                        arena.bytes.len()
                    ),
                ));
            }
            Ok((0..n_labels)
                .map(|i| Cow::Owned((i128::from(start) + i as i128 * i128::from(step)).to_string()))
                .collect())
        }
        Role::Index => match Block::new(arena, data(arena, parts, offset)?, offset, &mut 16)? {
            Block::Array(values) | Block::Text(values) if values.shape.len() == 1 => {
                let name = |i| match values.cell(i) {
                    Cell::Text(id, _) if matches!(arena.node(id), Node::Str { len, .. } if len > MAX_NAME_BYTES) => {
                        Err(Error::malformed(
                            arena.offset(id, offset),
                            format!("a column name of more than {MAX_NAME_BYTES} bytes"),
                        ))
                    }
                    Cell::Text(id, _) => Ok(Cow::Borrowed(
                        arena.str(id).expect("only valid text becomes `Cell::Text`"),
                    )),
                    Cell::Int(n) => Ok(Cow::Owned(n.to_string())),
                    cell => Err(Error::Type {
                        offset,
                        expected: "column names",
                        found: cell.describe(),
                    }),
                };
                (0..values.shape[0]).map(name).collect()
            }
            Block::Arrow { offset, chunks } => {
                let mut names = Vec::new();
                for chunk in &chunks {
                    chunk.read(offset, &mut names)?;
                }
                let missing = || Error::Type {
                    offset,
                    expected: "column names",
                    found: "nothing".into(),
                };
                names
                    .into_iter()
                    .map(|name| name.map(Cow::Borrowed).ok_or_else(missing))
                    .collect()
            }
            _ => Err(Error::unsupported(
                offset,
                "column names that are neither text nor whole numbers",
            )),
        },
        Role::MultiIndex => Err(Error::unsupported(
            offset,
            "columns of several levels (a MultiIndex); flatten them before pickling",
        )),
        _ => Err(Error::unsupported(
            offset,
            "column names that are neither text nor whole numbers",
        )),
    }
}

/// How many labels an index has, where no column gives the number of rows.
fn n_labels(arena: &Arena, id: Id, parent: usize) -> Result<usize> {
    let offset = arena.offset(id, parent);
    let (class, parts) = index(arena, id, parent)?;
    let known = match class {
        Role::RangeIndex => Some(range(arena, parts, offset)?.2),
        Role::Index => Block::new(arena, data(arena, parts, offset)?, offset, &mut 16)?.n_rows(),
        _ => None,
    };
    known.ok_or_else(|| {
        Error::unsupported(
            offset,
            "the number of rows of this kind of index, without any column",
        )
    })
}

fn data(arena: &Arena, parts: Id, parent: usize) -> Result<Id> {
    arena
        .get(parts, "data")
        .ok_or_else(|| Error::malformed(parent, "an Index without its data"))
}

/// Start, step and length of a RangeIndex.
fn range(arena: &Arena, parts: Id, parent: usize) -> Result<(i64, i64, usize)> {
    let part = |key| {
        let number = arena.get(parts, key).and_then(|id| integer(arena, id));
        number.ok_or_else(|| Error::malformed(parent, format!("a RangeIndex without its `{key}`")))
    };
    let (start, stop, step) = (part("start")?, part("stop")?, part("step")?);
    Ok((
        start,
        step,
        range_len(start, stop, step)
            .ok_or_else(|| Error::malformed(parent, "a range of step 0 or beyond all memory"))?,
    ))
}

/// The number of integers from `start` to before `stop`.
fn range_len(start: i64, stop: i64, step: i64) -> Option<usize> {
    let span = (i128::from(stop) - i128::from(start)) * i128::from(step.signum());
    match step {
        0 => None,
        _ if span <= 0 => Some(0),
        _ => usize::try_from(
            (span + i128::from(step.unsigned_abs()) - 1) / i128::from(step.unsigned_abs()),
        )
        .ok(),
    }
}

/// Which of the frame's columns a block holds: `slice(start, stop, step)`, or an array of integers.
fn column_numbers(arena: &Arena, id: Id, parent: usize, n_columns: usize) -> Result<Vec<usize>> {
    let malformed = || {
        Error::malformed(
            parent,
            format!("a block placed in columns that are not among the {n_columns} of the frame"),
        )
    };
    let checked = |n: i128| {
        usize::try_from(n)
            .ok()
            .filter(|&n| n < n_columns)
            .ok_or_else(malformed)
    };
    if let Some(call) = arena
        .call(id)
        .filter(|call| call.global.role == Role::Slice)
    {
        let &[start, stop, step] = arena.args(call) else {
            return Err(malformed());
        };
        // A block that pandas cut out itself, in `fillna` say, has the numbers as it counted them: NumPy's.
        let int = |id, default| match arena.node(id) {
            Node::None => Ok(default),
            _ => integer(arena, id).ok_or_else(malformed),
        };
        let step = int(step, 1)?;
        let start = int(start, 0)?;
        // Backwards to the first column, a slice has no stop.
        let stop = int(stop, if step < 0 { -1 } else { n_columns as i64 })?;
        let len = range_len(start, stop, step)
            .filter(|&len| len <= n_columns)
            .ok_or_else(malformed)?;
        return (0..len)
            .map(|i| checked(i128::from(start) + i as i128 * i128::from(step)))
            .collect();
    }
    let values = Array::new(arena, id, parent)?;
    match values.shape[..] {
        [len] if len <= n_columns && matches!(values.dtype.kind, Kind::Int(_) | Kind::UInt(_)) => {
            let number = |i| match values.cell(i) {
                Cell::Int(n) => checked(n.into()),
                _ => Err(malformed()),
            };
            (0..len).map(number).collect()
        }
        _ => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    use super::range_len;

    #[test]
    fn ranges_have_the_length_that_python_says() {
        let cases = [
            ((0, 5, 1), Some(5)),
            ((0, 5, 2), Some(3)),
            ((5, 1, -2), Some(2)),
            ((5, -1, -5), Some(2)),
            ((5, 5, 1), Some(0)),
            ((5, 0, 1), Some(0)),
            ((0, 5, -1), Some(0)),
            ((0, 5, 0), None),
            ((i64::MIN, i64::MAX, 1), Some(usize::MAX)),
            ((i64::MAX, i64::MIN, i64::MIN), Some(2)),
        ];
        for ((start, stop, step), expected) in cases {
            assert_eq!(
                range_len(start, stop, step),
                expected,
                "range({start}, {stop}, {step})"
            );
        }
    }
}
