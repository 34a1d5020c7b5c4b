//! The binary `tanba`. Everything is in the library, so that tests run the same program.

use std::process::ExitCode;

// Known mistakes can be planted for the suite that looks for them; never in what people run.
const _: () =
    assert!(!tanba_crypto::planted::IS_POSSIBLE, "the program is not built with the feature `planted`");

fn main() -> ExitCode {
    tanba_node::main()
}
