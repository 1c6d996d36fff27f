//! Vectors and values as Postgres sends them.

use std::error::Error;

use bytes::{BufMut as _, BytesMut};
use half::f16;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

type BoxError = Box<dyn Error + Sync + Send>;

/// A vector of pgvector's type `halfvec`.
///
/// ```text
/// dim u16, 0 u16, then dim float16, all with the highest byte first
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HalfVec(pub(crate) Vec<f16>);

impl ToSql for HalfVec {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, BoxError> {
        put_halves(out, &self.0)?;
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "halfvec"
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for HalfVec {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let bad = || BoxError::from("a malformed halfvec");
        let (dim, rest) = raw.split_first_chunk().ok_or_else(bad)?;
        let (_, rest) = rest.split_first_chunk::<2>().ok_or_else(bad)?;
        let (halves, odd) = rest.as_chunks();
        if halves.len() != usize::from(u16::from_be_bytes(*dim)) || !odd.is_empty() {
            return Err(bad());
        }
        Ok(Self(
            halves.iter().map(|&it| f16::from_be_bytes(it)).collect(),
        ))
    }

    fn accepts(ty: &Type) -> bool {
        ty.name() == "halfvec"
    }
}

/// Appends a vector.
pub(crate) fn put_halves(out: &mut BytesMut, halves: &[f16]) -> Result<(), BoxError> {
    out.put_u16(u16::try_from(halves.len())?);
    out.put_u16(0);
    for half in halves {
        out.put_u16(half.to_bits());
    }
    Ok(())
}

/// Values of type `real[]`, NaN where one is null.
///
/// ```text
/// dimensions i32 (0 or 1), has nulls i32, the elements' type u32; if 1: length i32, first index i32; for each its length i32 (-1: null), float32
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reals(pub(crate) Vec<f32>);

impl<'a> FromSql<'a> for Reals {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, BoxError> {
        let bad = || BoxError::from("a malformed array of reals");
        let mut rest = raw;
        let mut take = || -> Result<[u8; 4], BoxError> {
            let (four, tail) = rest.split_first_chunk().ok_or_else(bad)?;
            rest = tail;
            Ok(*four)
        };
        let n_dimensions = i32::from_be_bytes(take()?);
        let (_, _) = (take()?, take()?);
        let n = match n_dimensions {
            0 => 0,
            1 => {
                let n = i32::from_be_bytes(take()?);
                take()?;
                usize::try_from(n)?
            }
            _ => return Err(bad()),
        };
        let mut values = Vec::with_capacity(n.min(raw.len()));
        for _ in 0..n {
            values.push(match i32::from_be_bytes(take()?) {
                -1 => f32::NAN,
                4 => f32::from_be_bytes(take()?),
                _ => return Err(bad()),
            });
        }
        match rest.is_empty() {
            true => Ok(Self(values)),
            false => Err(bad()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::FLOAT4_ARRAY
    }
}

/// Appends an array, with null for NaN.
pub(crate) fn put_reals(out: &mut BytesMut, values: &[f32]) -> Result<(), BoxError> {
    out.put_i32(1);
    out.put_i32(values.iter().any(|it| it.is_nan()).into());
    out.put_u32(Type::FLOAT4.oid());
    out.put_i32(i32::try_from(values.len())?);
    out.put_i32(1);
    for value in values {
        if value.is_nan() {
            out.put_i32(-1);
        } else {
            out.put_i32(4);
            out.put_f32(*value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_again() {
        let mut out = BytesMut::new();
        let halves: Vec<f16> = [0.5, -1.0, 65504.0].map(f16::from_f32).into();
        put_halves(&mut out, &halves).expect("short enough");
        assert_eq!(out[..6], [0, 3, 0, 0, 0x38, 0]);
        let found = HalfVec::from_sql(&Type::TEXT, &out).expect("good");
        assert_eq!(found.0, halves);
        for n in 0..out.len() {
            assert!(HalfVec::from_sql(&Type::TEXT, &out[..n]).is_err());
        }
        for values in [vec![], vec![1.5], vec![f32::NAN, -0.25, f32::NAN]] {
            let mut out = BytesMut::new();
            put_reals(&mut out, &values).expect("short enough");
            let found = Reals::from_sql(&Type::FLOAT4_ARRAY, &out).expect("good").0;
            let bits =
                |values: &[f32]| -> Vec<u32> { values.iter().map(|it| it.to_bits()).collect() };
            assert_eq!(bits(&found), bits(&values));
            for n in 0..out.len() {
                assert!(Reals::from_sql(&Type::FLOAT4_ARRAY, &out[..n]).is_err());
            }
        }
        // As Postgres sends an empty array.
        let empty = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0xbc];
        let found = Reals::from_sql(&Type::FLOAT4_ARRAY, &empty);
        assert!(found.expect("good").0.is_empty());
        assert!(put_halves(&mut BytesMut::new(), &vec![f16::ONE; 70_000]).is_err());
    }
}
