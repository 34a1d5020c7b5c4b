//! The node under test.
fn main() {}
