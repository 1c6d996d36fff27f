//! The stack machine, after the opcode table of Python's `pickletools`. It makes nodes and calls nothing.
//!
//! Each opcode takes at least one byte and makes at most one node, so nodes are no more than bytes. What one-byte opcodes make is shared
//! (None, bools, the empty tuple, integers below 256) or limited (lists and dictionaries).

use std::{collections::HashMap, ops::Range};

use untrusted_files::{Budget, Mistaken};

use crate::{
    arena::{Arena, Call, Id, Items, Node},
    error::{Error, Result},
    globals::{self, Global, Role},
    opcodes::name,
};

const NONE: Id = 0;
const TRUE: Id = 1;
const FALSE: Id = 2;
const EMPTY_TUPLE: Id = 3;
const FIRST_INT: Id = 4;

/// Lists, tuples and dictionaries in one pickle. A frame has some hundreds, and one for each cell
/// that is a list or a NumPy scalar; a hostile file could ask for 60 bytes of memory with each of its own.
const MAX_CONTAINERS: usize = 1 << 22;

/// How often the memory in use is compared with the budget.
const OPCODES_PER_CHECK: u64 = 1 << 16;

/// Takes a pickle apart; returns its nodes and the number of the outermost one.
pub(crate) fn run(bytes: Vec<u8>, budget: Budget) -> Result<(Arena, Id)> {
    Machine::new(bytes, budget)?.run()
}

struct Machine {
    arena: Arena,
    budget: Budget,
    pos: usize,
    stack: Vec<Id>,
    /// Heights of the stack at each open `MARK`.
    marks: Vec<usize>,
    memo: Vec<Option<Id>>,
    n_memoized: usize,
    /// Text that was turned into bytes, so that doing it again costs nothing.
    decoded: HashMap<Id, Id>,
    /// Where the current opcode is, and its name.
    at: usize,
    opcode: &'static str,
}

impl Machine {
    fn new(bytes: Vec<u8>, budget: Budget) -> Result<Self> {
        if let Some(mistaken) = Mistaken::recognize(&bytes) {
            return Err(Error::NotAPickle {
                found: mistaken.to_string(),
            });
        }
        match bytes[..] {
            [0x80, 2..=5, ..] => {}
            [0x80, protocol, ..] => {
                return Err(Error::NotAPickle {
                    found: format!("protocol `{protocol}`"),
                });
            }
            [byte, ..] => {
                return Err(Error::NotAPickle {
                    found: format!("byte `0x{byte:02x}`"),
                });
            }
            [] => {
                return Err(Error::NotAPickle {
                    found: "an empty file".into(),
                });
            }
        }
        // Node numbers have 32 bits.
        if bytes.len() > u32::MAX as usize - 1024 {
            return Err(Error::unsupported(0, "a pickle of more than 4 GB"));
        }
        let mut nodes = vec![
            Node::None,
            Node::Bool(true),
            Node::Bool(false),
            Node::Tuple(0),
        ];
        nodes.extend((0..256).map(Node::Int));
        let items = vec![Items {
            offset: 0,
            ids: Vec::new(),
        }];
        let arena = Arena {
            bytes,
            nodes,
            items,
            calls: Vec::new(),
            decoded: Vec::new(),
        };
        Ok(Self {
            arena,
            budget,
            pos: 2,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
            n_memoized: 0,
            decoded: HashMap::new(),
            at: 0,
            opcode: "PROTO",
        })
    }

    fn run(mut self) -> Result<(Arena, Id)> {
        let mut n_opcodes = 0_u64;
        loop {
            if n_opcodes.is_multiple_of(OPCODES_PER_CHECK) {
                self.budget
                    .check("the pickle's values", self.n_bytes(n_opcodes))?;
            }
            n_opcodes += 1;
            self.at = self.pos;
            self.opcode = "STOP";
            let [opcode] = self.fixed()?;
            self.opcode = name(opcode);
            if opcode == b'.' {
                let root = self.pop()?;
                return Ok((self.arena, root));
            }
            // The most frequent first: a frame is mostly cells, and each text is memoized.
            let is_known = self.scalar_opcode(opcode)?
                || self.memo_opcode(opcode)?
                || self.collection_opcode(opcode)?
                || self.stack_opcode(opcode)?
                || self.object_opcode(opcode)?;
            if !is_known {
                return Err(self.refusal(opcode));
            }
        }
    }

    /// Memory that the file and what has been built of it take.
    fn n_bytes(&self, n_opcodes: u64) -> u64 {
        let arena = &self.arena;
        let parts = [
            arena.bytes.len(),
            arena.nodes.capacity() * size_of::<Node>(),
            arena.items.capacity() * size_of::<Items>(),
            arena.calls.capacity() * size_of::<Call>(),
            self.stack.capacity() * size_of::<Id>(),
            self.memo.capacity() * size_of::<Option<Id>>(),
        ];
        // Each child of a container was put on the stack by an opcode.
        let children = n_opcodes * size_of::<Id>() as u64;
        children + parts.iter().map(|&n| n as u64).sum::<u64>()
    }

    fn refusal(&self, opcode: u8) -> Error {
        if let 0x97 | 0x98 = opcode {
            return Error::unsupported(self.at, "a buffer that lies outside of the pickle");
        }
        let opcode = if self.opcode.is_empty() {
            format!("0x{opcode:02x}")
        } else {
            self.opcode.into()
        };
        Error::Opcode {
            offset: self.at,
            opcode,
        }
    }

    /// Numbers, text, bytes and constants. Returns whether the opcode is one of them, as do the functions below.
    fn scalar_opcode(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b'N' => self.stack.push(NONE),
            0x88 => self.stack.push(TRUE),
            0x89 => self.stack.push(FALSE),
            b')' => self.stack.push(EMPTY_TUPLE),
            b'K' => {
                let [byte] = self.fixed()?;
                self.stack.push(FIRST_INT + Id::from(byte));
            }
            b'M' => {
                let n = u16::from_le_bytes(self.fixed()?);
                self.push(Node::Int(n.into()));
            }
            b'J' => {
                let n = i32::from_le_bytes(self.fixed()?);
                self.push(Node::Int(n.into()));
            }
            0x8a => {
                let [len] = self.fixed()?;
                self.long(len.into())?;
            }
            0x8b => {
                let len = i32::from_le_bytes(self.fixed()?);
                self.long(
                    u64::try_from(len)
                        .map_err(|_| self.malformed("an integer of negative length"))?,
                )?;
            }
            b'G' => {
                let x = f64::from_be_bytes(self.fixed()?);
                self.push(Node::Float(x));
            }
            0x8c => self.text(1)?,
            b'X' => self.text(4)?,
            0x8d => self.text(8)?,
            b'C' => self.binary(1)?,
            b'B' => self.binary(4)?,
            0x8e | 0x96 => self.binary(8)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// What keeps the top of the stack, or brings back what was kept.
    fn memo_opcode(&mut self, opcode: u8) -> Result<bool> {
        // The memo is numbered in one byte while that is enough, and in four from then on.
        let width = if matches!(opcode, b'h' | b'q') { 1 } else { 4 };
        match opcode {
            b'h' | b'j' => {
                let i = self.number(width)?;
                self.recall(i as usize)?;
            }
            b'q' | b'r' => {
                let i = self.number(width)?;
                self.memoize(i as usize)?;
            }
            0x94 => self.memoize(self.n_memoized)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Lists, dictionaries and tuples.
    fn collection_opcode(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b']' => self.container(Vec::new(), Node::List)?,
            b'}' => self.container(Vec::new(), Node::Dict)?,
            0x85 => self.tuple_of(1)?,
            0x86 => self.tuple_of(2)?,
            0x87 => self.tuple_of(3)?,
            b't' => {
                let mark = self.mark()?;
                let ids = self.stack.split_off(mark);
                self.container(ids, Node::Tuple)?;
            }
            b'a' => {
                let from = self.top(1)?;
                self.append(from)?;
            }
            b'e' => {
                let mark = self.mark()?;
                self.append(mark)?;
            }
            b's' => {
                let from = self.top(2)?;
                self.set(from)?;
            }
            b'u' => {
                let mark = self.mark()?;
                self.set(mark)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Frames, and the stack itself.
    fn stack_opcode(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            0x95 => {
                let n = u64::from_le_bytes(self.fixed()?);
                // A frame is how Python reads ahead; its end means nothing here, but it must be there.
                self.require(n)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'0' => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            b'1' => {
                let mark = self.mark()?;
                self.stack.truncate(mark);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Names of functions and classes, and what is made with them.
    fn object_opcode(&mut self, opcode: u8) -> Result<bool> {
        match opcode {
            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                let range = |range: Range<usize>| {
                    String::from_utf8_lossy(&self.arena.bytes[range]).into_owned()
                };
                self.global(&range(module), &range(name))?;
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let both = self.arena.str(module).zip(self.arena.str(name));
                let (module, name) =
                    both.ok_or_else(|| self.malformed("a name that is not text"))?;
                // A name as long as the file is not on the list, and not worth copying into the message.
                let shorten = |text: &str| text.chars().take(200).collect::<String>();
                let (module, name) = (shorten(module), shorten(name));
                self.global(&module, &name)?;
            }
            b'R' | 0x81 => self.reduce()?,
            b'b' => self.build()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn malformed(&self, what: impl Into<String>) -> Error {
        Error::malformed(self.at, what)
    }

    // What follows an opcode.

    fn require(&self, n_bytes: u64) -> Result<()> {
        let left = self.arena.bytes.len() - self.pos;
        if n_bytes > left as u64 {
            return Err(Error::Truncated {
                offset: self.at,
                opcode: self.opcode,
                needed: n_bytes,
                left,
            });
        }
        Ok(())
    }

    fn take(&mut self, n_bytes: u64) -> Result<Range<usize>> {
        self.require(n_bytes)?;
        let start = self.pos;
        self.pos += n_bytes as usize;
        Ok(start..self.pos)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let range = self.take(N as u64)?;
        Ok(self.arena.bytes[range]
            .try_into()
            .expect("N bytes were taken"))
    }

    /// An unsigned, little-endian number of this width in bytes.
    fn number(&mut self, width: u64) -> Result<u64> {
        let range = self.take(width)?;
        let bytes = self.arena.bytes[range].iter().rev();
        Ok(bytes.fold(0, |n, &byte| n << 8 | u64::from(byte)))
    }

    /// A length of 1, 4 or 8 bytes, and as many bytes as it says.
    fn counted(&mut self, width: u64) -> Result<Range<usize>> {
        let len = self.number(width)?;
        self.take(len)
    }

    /// The rest of a line; the names in a pickle are short.
    fn line(&mut self) -> Result<Range<usize>> {
        let rest = &self.arena.bytes[self.pos..];
        let rest = &rest[..rest.len().min(1000)];
        let Some(len) = rest.iter().position(|&byte| byte == b'\n') else {
            return Err(self.malformed("a name without an end"));
        };
        let start = self.pos;
        self.pos += len + 1;
        Ok(start..start + len)
    }

    fn text(&mut self, width: u64) -> Result<()> {
        let range = self.counted(width)?;
        let (start, len) = (range.start, range.len());
        let is_text = str::from_utf8(&self.arena.bytes[range]).is_ok();
        self.push(if is_text {
            Node::Str { start, len }
        } else {
            Node::BrokenStr { start }
        });
        Ok(())
    }

    fn binary(&mut self, width: u64) -> Result<()> {
        let range = self.counted(width)?;
        self.push(Node::Bytes {
            start: range.start,
            len: range.len(),
        });
        Ok(())
    }

    /// Two's complement, little-endian.
    fn long(&mut self, len: u64) -> Result<()> {
        let range = self.take(len)?;
        let bytes = &self.arena.bytes[range];
        if bytes.len() > 8 {
            return Err(Error::unsupported(
                self.at,
                format!("an integer of {} bytes", bytes.len()),
            ));
        }
        let fill = if bytes.last().is_some_and(|&byte| byte >= 0x80) {
            0xff
        } else {
            0
        };
        let mut wide = [fill; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.push(Node::Int(i64::from_le_bytes(wide)));
        Ok(())
    }

    // The stack.

    fn add(&mut self, node: Node) -> Id {
        let id = self.arena.nodes.len() as Id;
        self.arena.nodes.push(node);
        id
    }

    fn push(&mut self, node: Node) {
        let id = self.add(node);
        self.stack.push(id);
    }

    /// Where the upper `n` values begin, none of them below an open `MARK`.
    fn top(&self, n: usize) -> Result<usize> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(n) {
            Some(from) if from >= bottom => Ok(from),
            _ => Err(self.malformed(format!("`{}` on an empty stack", self.opcode))),
        }
    }

    fn pop(&mut self) -> Result<Id> {
        let from = self.top(1)?;
        let id = self.stack[from];
        self.stack.truncate(from);
        Ok(id)
    }

    fn mark(&mut self) -> Result<usize> {
        self.marks
            .pop()
            .ok_or_else(|| self.malformed(format!("`{}` without a mark", self.opcode)))
    }

    // Containers.

    fn container(&mut self, ids: Vec<Id>, kind: fn(u32) -> Node) -> Result<()> {
        if self.arena.items.len() == MAX_CONTAINERS {
            return Err(self.malformed(format!(
                "more than {MAX_CONTAINERS} lists, tuples and dictionaries"
            )));
        }
        let i = self.arena.items.len() as u32;
        self.arena.items.push(Items {
            offset: self.at,
            ids,
        });
        self.push(kind(i));
        Ok(())
    }

    fn tuple_of(&mut self, n: usize) -> Result<()> {
        let from = self.top(n)?;
        let ids = self.stack.split_off(from);
        self.container(ids, Node::Tuple)
    }

    /// The value below `from`, which the ones above go into.
    fn below(&self, from: usize) -> Result<Id> {
        let bottom = self.marks.last().copied().unwrap_or(0);
        if from <= bottom {
            return Err(self.malformed(format!("`{}` on an empty stack", self.opcode)));
        }
        Ok(self.stack[from - 1])
    }

    fn append(&mut self, from: usize) -> Result<()> {
        let list = self.below(from)?;
        let Node::List(i) = self.arena.node(list) else {
            return Err(self.arena.wrong(list, self.at, "a list to append to"));
        };
        self.arena.items[i as usize]
            .ids
            .extend(self.stack.drain(from..));
        Ok(())
    }

    fn set(&mut self, from: usize) -> Result<()> {
        let dict = self.below(from)?;
        let Node::Dict(i) = self.arena.node(dict) else {
            return Err(self.arena.wrong(dict, self.at, "a dictionary to fill"));
        };
        if !(self.stack.len() - from).is_multiple_of(2) {
            return Err(self.malformed("a key without a value"));
        }
        self.arena.items[i as usize]
            .ids
            .extend(self.stack.drain(from..));
        Ok(())
    }

    // The memo.

    fn memoize(&mut self, i: usize) -> Result<()> {
        let id = self.stack[self.top(1)?];
        // Python numbers the memo as it goes, so a number above the count of bytes is made up.
        if i >= self.arena.bytes.len() {
            return Err(self.malformed(format!("memo number `{i}`")));
        }
        if i >= self.memo.len() {
            self.memo.resize(i + 1, None);
        }
        if self.memo[i].replace(id).is_none() {
            self.n_memoized += 1;
        }
        Ok(())
    }

    fn recall(&mut self, i: usize) -> Result<()> {
        let id = self.memo.get(i).copied().flatten();
        self.stack.push(id.ok_or_else(|| {
            self.malformed(format!("memo number `{i}` before anything was put there"))
        })?);
        Ok(())
    }

    // Names, and what Python would call.

    fn global(&mut self, module: &str, name: &str) -> Result<()> {
        let refused = || Error::Refused {
            offset: self.at,
            global: format!("{module}.{name}"),
        };
        let global = globals::find(module, name).ok_or_else(refused)?;
        self.push(Node::Global {
            global,
            offset: self.at,
        });
        Ok(())
    }

    fn reduce(&mut self) -> Result<()> {
        let (args, callable) = (self.pop()?, self.pop()?);
        let Node::Global { global, .. } = self.arena.node(callable) else {
            return Err(self.arena.wrong(callable, self.at, "a class or function"));
        };
        let Node::Tuple(_) = self.arena.node(args) else {
            return Err(self.arena.wrong(args, self.at, "a tuple of arguments"));
        };
        if matches!(global.role, Role::Encode | Role::Bytes | Role::Bytearray) {
            let id = self.bytes_of(global, args)?;
            self.stack.push(id);
            return Ok(());
        }
        let i = self.arena.calls.len() as u32;
        self.arena.calls.push(Call {
            offset: self.at,
            global,
            args,
            state: None,
        });
        self.push(Node::Call(i));
        Ok(())
    }

    /// Protocols 2 and 3 write bytes as `encode(text, "latin1")`, and no bytes as `bytes()`; a bytearray is made of bytes.
    fn bytes_of(&mut self, global: &Global, args: Id) -> Result<Id> {
        let args = self.arena.sequence(args).unwrap_or_default();
        match (global.role, args) {
            (Role::Bytes | Role::Bytearray, []) => Ok(self.add(Node::Bytes {
                start: self.at,
                len: 0,
            })),
            (Role::Bytearray, &[bytes]) if self.arena.bytes(bytes).is_some() => Ok(bytes),
            (Role::Encode | Role::Bytearray, &[text, encoding])
                if matches!(self.arena.str(encoding), Some("latin1" | "latin-1"))
                    && matches!(self.arena.node(text), Node::Str { .. }) =>
            {
                if let Some(&id) = self.decoded.get(&text) {
                    return Ok(id);
                }
                let chars = self.arena.str(text).unwrap_or_default().chars();
                let bytes = chars
                    .map(|c| u8::try_from(u32::from(c)))
                    .collect::<Result<Vec<u8>, _>>();
                let bytes = bytes
                    .map_err(|_| self.malformed("bytes written as text that is not Latin-1"))?;
                let i = self.arena.decoded.len() as u32;
                self.arena.decoded.push((self.at, bytes));
                let id = self.add(Node::Decoded(i));
                self.decoded.insert(text, id);
                Ok(id)
            }
            _ => Err(self.malformed(format!("arguments of `{}`", global.path))),
        }
    }

    fn build(&mut self) -> Result<()> {
        let (state, target) = (self.pop()?, self.pop()?);
        let Node::Call(i) = self.arena.node(target) else {
            return Err(self
                .arena
                .wrong(target, self.at, "an object to give a state"));
        };
        if self.arena.calls[i as usize].state.replace(state).is_some() {
            return Err(self.malformed("a second state for one object"));
        }
        self.stack.push(target);
        Ok(())
    }
}
