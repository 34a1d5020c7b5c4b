//! The binary `tanba`.
fn main() {}
