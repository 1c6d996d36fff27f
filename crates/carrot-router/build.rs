//! Records in the binary and the tests where libtorch is, so that they start without LD_LIBRARY_PATH, wherever the target folder is.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Set by torch-sys for crates that depend on it directly; absent without the feature `torch`.
    if let Ok(libtorch) = std::env::var("DEP_TCH_LIBTORCH_LIB") {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}");
    }
}
