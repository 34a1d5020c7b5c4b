//! Compiles the contract with protox: no `protoc` is needed on the machine that builds.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

/// What every node serves to everybody.
const PUBLIC: [&str; 4] = [
    "tanba/ledger/v1/as_of.proto",
    "tanba/ledger/v1/ledger.proto",
    "tanba/registrar/v1/registrar.proto",
    "tanba/verifier/v1/verifier.proto",
];

/// What an institution serves to its officers and graduates, behind mutual TLS.
const INSTITUTION: [&str; 2] = ["tanba/holder/v1/holder.proto", "tanba/registrar/v1/office.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=tanba");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (files, name) in [(&PUBLIC[..], "descriptors.bin"), (&INSTITUTION[..], "institution.bin")] {
        // Reflection serves these bytes, comments left out: a client wants shapes, a reader has the files.
        let mut shapes = protox::compile(files, ["."])?;
        for file in &mut shapes.file {
            file.source_code_info = None;
        }
        fs::write(out.join(name), shapes.encode_to_vec())?;
    }
    let descriptors = protox::compile(PUBLIC.iter().chain(&INSTITUTION), ["."])?;
    tonic_prost_build::configure().emit_rerun_if_changed(false).compile_fds(descriptors)?;
    Ok(())
}
