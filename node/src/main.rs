//! The binary `tanba`. Everything is in the library, so that tests run the same program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tanba_node::main()
}
