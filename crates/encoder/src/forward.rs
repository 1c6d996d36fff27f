//! The forward pass: products, attention and normalizations in float32, on the instruction set that the machine has.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
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
    linear::Linear,
    processor::{Processor, has_amx},
    product::Spread,
};
