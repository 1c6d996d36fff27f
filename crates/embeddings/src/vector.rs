use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};

/// With the padding at the end or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One text's embedding: base64 of little-endian float32, or a plain array, which servers send that do not know `encoding_format`. Null and
/// whatever else is not a number in an array is NaN here; null instead of an array is no values.
#[derive(Debug, Default)]
pub(crate) struct Vector(pub(crate) Vec<f32>);

impl<'de> Deserialize<'de> for Vector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VectorVisitor)
    }
}

struct VectorVisitor;

impl<'de> Visitor<'de> for VectorVisitor {
    type Value = Vector;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an embedding as base64 or as an array of numbers")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Vector, E> {
        Ok(Vector(Vec::new()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vector, E> {
        let bytes = BASE64.decode(text).map_err(E::custom)?;
        let (values, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(E::custom(format_args!(
                "{} bytes are not a whole number of float32 values",
                bytes.len()
            )));
        }
        Ok(Vector(
            values.iter().map(|v| f32::from_le_bytes(*v)).collect(),
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vector, A::Error> {
        let mut values = Vec::new();
        while let Some(entry) = seq.next_element()? {
            match entry {
                Entry::Value(value) => values.push(value),
                Entry::Nested(nested) => {
                    // llama.cpp nests the vector, and sends one a token where it does not pool them.
                    let is_alone = values.is_empty() && seq.next_element::<Entry>()?.is_none();
                    return if is_alone {
                        Ok(Vector(nested))
                    } else {
                        Err(de::Error::custom(
                            "several vectors for one text, one a token perhaps: let the server pool them",
                        ))
                    };
                }
            }
        }
        Ok(Vector(values))
    }
}

enum Entry {
    Value(f32),
    Nested(Vec<f32>),
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = Entry;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Entry, E> {
        Ok(Entry::Value(value as f32))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Entry, E> {
        Ok(Entry::Value(value as f32))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Entry, E> {
        Ok(Entry::Value(value as f32))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Entry, E> {
        Ok(Entry::Value(f32::NAN))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Entry, E> {
        // `"NaN"` and `"Infinity"`, say.
        Ok(Entry::Value(f32::NAN))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Entry, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element::<Option<f32>>()? {
            values.push(value.unwrap_or(f32::NAN));
        }
        Ok(Entry::Nested(values))
    }
}
