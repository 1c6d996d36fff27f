//! The forward pass: products, attention and normalizations in float32, on the instruction set that the machine has.

mod attention;
mod bf16;
mod elementwise;
mod encoder;
mod groups;
mod layer;
mod linear;
mod processor;
mod product;

pub(crate) use self::{
    elementwise::{dot, gelu, layer_norm, relu},
    encoder::{Encoder, Wanted},
    linear::{Affine, Linear},
    processor::Processor,
    product::Spread,
};

/// Whether this processor has Intel's tiles, and this process may use them.
pub(crate) fn has_amx() -> bool {
    bf16::Tiles::detect() != bf16::Tiles::None
}
