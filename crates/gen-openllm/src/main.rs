//! gen-openllm

fn main() {}
