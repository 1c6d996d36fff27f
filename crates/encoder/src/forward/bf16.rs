//! The forward pass with products in bfloat16.
//!
//! What is multiplied is rounded to 8 bits; sums, residuals, softmax, activations and normalizations are float32. A part of 32 values is summed as
//! AMX's `TDPBF16PS` does it, and parts are added in their order:
//!
//! ```text
//! y[r, c] = sum over parts (sum over even k + sum over odd k of x[r, k] w[c, k])
//! ```
//!
//! So a row is the same, bit for bit, whatever stands beside it and on however many cores, with AMX and without. What leaves a product is rounded and
//! laid out for the next one while it is in the innermost cache.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
mod attention;
mod functions;
mod layer;
mod lines;
mod map;
mod product;

pub(super) use self::{
    layer::{Layer, Room},
    product::Tiles,
};
