//! The node under test: the same library, so that no test runs against a stale binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tanba_node::main()
}
