//! The forward pass: products, attention and normalizations in float32, on the instruction set that the machine has.

mod attention;
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
    linear::Linear,
    processor::Processor,
    product::Spread,
};
