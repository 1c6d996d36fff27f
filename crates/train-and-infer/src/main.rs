//! Fits routers on a data set's train part and predicts its test part; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    train_and_infer::main()
}
