//! Compiles the contract with protox: no `protoc` is needed on the machine that builds.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 4] = [
    "tanba/ledger/v1/as_of.proto",
    "tanba/ledger/v1/ledger.proto",
    "tanba/registrar/v1/registrar.proto",
    "tanba/verifier/v1/verifier.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=tanba");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    // Reflection serves these bytes, comments left out: a client wants shapes, a reader has the files.
    let mut shapes = descriptors.clone();
    for file in &mut shapes.file {
        file.source_code_info = None;
    }
    fs::write(out.join("descriptors.bin"), shapes.encode_to_vec())?;
    tonic_prost_build::configure().emit_rerun_if_changed(false).compile_fds(descriptors)?;
    Ok(())
}
