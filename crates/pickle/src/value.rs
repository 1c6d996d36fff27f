use std::fmt;

use crate::{
    arena::{Arena, Id, Node},
    array::Array,
    error::{Error, Result},
};

/// One value of a pickle. A copy is a number; nothing is expanded until it is asked for, so that nesting and sharing cost nothing.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) id: Id,
}

impl<'a> Value<'a> {
    fn with(self, id: Id) -> Self {
        Self {
            arena: self.arena,
            id,
        }
    }

    fn wrong(self, expected: &'static str) -> Error {
        self.arena.wrong(self.id, 0, expected)
    }

    /// The type, for messages: `text`, `an integer`, `a list`, the name of a class.
    pub fn describe(self) -> String {
        self.arena.describe(self.id)
    }

    /// Whether it is None.
    pub fn is_none(self) -> bool {
        matches!(self.arena.node(self.id), Node::None)
    }

    /// The text, borrowed from the file.
    ///
    /// # Errors
    /// If the value is not text, or text with lone surrogates.
    pub fn as_str(self) -> Result<&'a str> {
        self.arena.str(self.id).ok_or_else(|| self.wrong("text"))
    }

    /// The integer.
    ///
    /// # Errors
    /// If the value is not an integer; a bool does not count as one.
    pub fn as_i64(self) -> Result<i64> {
        match self.arena.node(self.id) {
            Node::Int(n) => Ok(n),
            _ => Err(self.wrong("an integer")),
        }
    }

    /// The float.
    ///
    /// # Errors
    /// If the value is not a float; an integer does not count as one.
    pub fn as_f64(self) -> Result<f64> {
        match self.arena.node(self.id) {
            Node::Float(x) => Ok(x),
            _ => Err(self.wrong("a float")),
        }
    }

    /// The items of a list or tuple.
    ///
    /// # Errors
    /// If the value is neither.
    pub fn items(self) -> Result<impl ExactSizeIterator<Item = Value<'a>> + use<'a>> {
        let ids = self
            .arena
            .sequence(self.id)
            .ok_or_else(|| self.wrong("a list"))?;
        Ok(ids.iter().map(move |&id| self.with(id)))
    }

    /// Keys and values of a dictionary, in the order of the file.
    ///
    /// # Errors
    /// If the value is not a dictionary.
    pub fn entries(
        self,
    ) -> Result<impl ExactSizeIterator<Item = (Value<'a>, Value<'a>)> + use<'a>> {
        let ids = self
            .arena
            .pairs(self.id)
            .ok_or_else(|| self.wrong("a dictionary"))?;
        Ok(ids
            .chunks_exact(2)
            .map(move |pair| (self.with(pair[0]), self.with(pair[1]))))
    }

    /// What a dictionary holds under a key.
    ///
    /// # Errors
    /// If the value is not a dictionary or has no such key.
    pub fn get(self, key: &str) -> Result<Value<'a>> {
        if self.arena.pairs(self.id).is_none() {
            return Err(self.wrong("a dictionary"));
        }
        let no_key = || Error::NoKey {
            offset: self.arena.offset(self.id, 0),
            key: key.to_owned(),
        };
        self.arena
            .get(self.id, key)
            .map(|id| self.with(id))
            .ok_or_else(no_key)
    }

    /// The NumPy array.
    ///
    /// # Errors
    /// If the value is not an array, if its dtype is neither numeric, nor bool, nor object, or if its data do not have the size that its shape says.
    pub fn array(self) -> Result<Array<'a>> {
        Array::new(self.arena, self.id, 0)
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({})", self.describe())
    }
}
