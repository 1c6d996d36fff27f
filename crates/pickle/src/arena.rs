//! The inert tree: nodes in one vector, children by number, text and bytes as ranges of the file.

use crate::{
    error::{Error, Result},
    globals::{Global, Role},
};

/// The number of a node.
pub(crate) type Id = u32;

/// A value of the pickle. Text and bytes begin at `start` in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Valid UTF-8.
    Str {
        start: usize,
        len: usize,
    },
    /// Python writes lone surrogates, which are not UTF-8 and no text to anyone else.
    BrokenStr {
        start: usize,
    },
    Bytes {
        start: usize,
        len: usize,
    },
    /// Bytes that protocol 2 wrote as text.
    Decoded(u32),
    Tuple(u32),
    List(u32),
    /// Keys and values alternate.
    Dict(u32),
    Global {
        global: &'static Global,
        offset: usize,
    },
    Call(u32),
}

/// The children of a tuple, list or dictionary.
#[derive(Debug)]
pub(crate) struct Items {
    pub(crate) offset: usize,
    pub(crate) ids: Vec<Id>,
}

/// What Python would have called, and the state it would have set: only written down here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub(crate) offset: usize,
    pub(crate) global: &'static Global,
    /// A tuple.
    pub(crate) args: Id,
    pub(crate) state: Option<Id>,
}

/// All nodes of a pickle.
pub(crate) struct Arena {
    pub(crate) bytes: Vec<u8>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) items: Vec<Items>,
    pub(crate) calls: Vec<Call>,
    pub(crate) decoded: Vec<(usize, Vec<u8>)>,
}

impl Arena {
    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    /// Where a value is; for numbers, which have no place of their own, `parent`'s.
    pub(crate) fn offset(&self, id: Id, parent: usize) -> usize {
        match self.node(id) {
            Node::None | Node::Bool(_) | Node::Int(_) | Node::Float(_) => parent,
            Node::Str { start, .. } | Node::BrokenStr { start } | Node::Bytes { start, .. } => {
                start
            }
            Node::Decoded(i) => self.decoded[i as usize].0,
            Node::Tuple(i) | Node::List(i) | Node::Dict(i) => self.items[i as usize].offset,
            Node::Global { offset, .. } => offset,
            Node::Call(i) => self.calls[i as usize].offset,
        }
    }

    /// A value's type, for messages.
    pub(crate) fn describe(&self, id: Id) -> String {
        match self.node(id) {
            Node::None => "None".into(),
            Node::Bool(_) => "a bool".into(),
            Node::Int(_) => "an integer".into(),
            Node::Float(_) => "a float".into(),
            Node::Str { .. } => "text".into(),
            Node::BrokenStr { .. } => "text that is not UTF-8".into(),
            Node::Bytes { .. } | Node::Decoded(_) => "bytes".into(),
            Node::Tuple(_) => "a tuple".into(),
            Node::List(_) => "a list".into(),
            Node::Dict(_) => "a dictionary".into(),
            Node::Global { global, .. } => format!("`{}`", global.path),
            Node::Call(i) => {
                let global = self.class(&self.calls[i as usize]);
                format!("a `{}`", global.path)
            }
        }
    }

    /// The class of what a call would have made, where a helper function makes it.
    pub(crate) fn class(&self, call: &Call) -> &'static Global {
        if matches!(
            call.global.role,
            Role::Backed | Role::NewIndex | Role::Reconstruct
        ) && let Some(&first) = self.args(call).first()
            && let Node::Global { global, .. } = self.node(first)
        {
            return global;
        }
        call.global
    }

    pub(crate) fn wrong(&self, id: Id, parent: usize, expected: &'static str) -> Error {
        Error::Type {
            offset: self.offset(id, parent),
            expected,
            found: self.describe(id),
        }
    }

    pub(crate) fn str(&self, id: Id) -> Option<&str> {
        match self.node(id) {
            Node::Str { start, len } => Some(
                str::from_utf8(&self.bytes[start..start + len]).expect("checked when it was read"),
            ),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, id: Id) -> Option<&[u8]> {
        match self.node(id) {
            Node::Bytes { start, len } => Some(&self.bytes[start..start + len]),
            Node::Decoded(i) => Some(&self.decoded[i as usize].1),
            _ => None,
        }
    }

    pub(crate) fn call(&self, id: Id) -> Option<&Call> {
        match self.node(id) {
            Node::Call(i) => Some(&self.calls[i as usize]),
            _ => None,
        }
    }

    /// The call of a name that plays this part.
    pub(crate) fn call_of(
        &self,
        id: Id,
        role: Role,
        parent: usize,
        expected: &'static str,
    ) -> Result<&Call> {
        self.call(id)
            .filter(|call| call.global.role == role)
            .ok_or_else(|| self.wrong(id, parent, expected))
    }

    pub(crate) fn args(&self, call: &Call) -> &[Id] {
        self.sequence(call.args)
            .expect("only tuples become arguments")
    }

    /// The children of a tuple or list.
    pub(crate) fn sequence(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Tuple(i) | Node::List(i) => Some(&self.items[i as usize].ids),
            _ => None,
        }
    }

    /// The children of a dictionary, keys and values by turns.
    pub(crate) fn pairs(&self, id: Id) -> Option<&[Id]> {
        match self.node(id) {
            Node::Dict(i) => Some(&self.items[i as usize].ids),
            _ => None,
        }
    }

    /// What a dictionary holds under a key. As in Python, of two equal keys the last counts.
    pub(crate) fn get(&self, id: Id, key: &str) -> Option<Id> {
        // Bytes are compared, not text: checking a long key for UTF-8 again and again is what a hostile file would ask for.
        let is_key = |id| matches!(self.node(id), Node::Str { start, len } if self.bytes[start..start + len] == *key.as_bytes());
        self.pairs(id)?
            .chunks_exact(2)
            .rev()
            .find(|pair| is_key(pair[0]))
            .map(|pair| pair[1])
    }

    /// A count or a length: an integer that is not negative.
    pub(crate) fn count(&self, id: Id, parent: usize) -> Result<usize> {
        match self.node(id) {
            Node::Int(n) => usize::try_from(n)
                .map_err(|_| Error::malformed(parent, format!("`{n}` as a length"))),
            _ => Err(self.wrong(id, parent, "a length")),
        }
    }
}
