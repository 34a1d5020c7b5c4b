//! Inputs on disk: `tests/fuzz/corpus/<target>/` holds what reached new code once, `tests/fuzz/regressions/` what
//! once did harm, each under a name that says what was wrong. Both are replayed by every test run.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tanba_crypto::Hash;

use super::Target;

/// Bytes of all kept inputs of one target: they are part of the repository.
const CORPUS_BYTES_MAX: usize = 24 * 1024;

/// Kept inputs of one target.
const CORPUS_INPUTS_MAX: usize = 24;

/// `tests/fuzz`, where kept inputs lie.
pub fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The inputs of a target in `folder` (`corpus` or `regressions`), with their paths, in order of name.
pub fn inputs(folder: &str, target: &Target) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let folder = home().join(folder).join(target.name);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    paths.into_iter().map(|path| Ok((path.clone(), fs::read(path)?))).collect()
}

/// Everything to begin a run of `target` with: real values, kept inputs and what once did harm.
pub fn beginnings(target: &Target) -> io::Result<Vec<Vec<u8>>> {
    let mut all = (target.seeds)();
    for folder in ["corpus", "regressions"] {
        all.extend(inputs(folder, target)?.into_iter().map(|(_, input)| input));
    }
    // The empty input is always one of them: there is something to begin from, and it is an attack.
    all.push(Vec::new());
    Ok(all)
}

/// Writes an input below `folder` under the hash of its bytes.
pub fn write(folder: &Path, input: &[u8]) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(&Hash::plain(input).to_string()[..16]);
    fs::write(&path, input)?;
    Ok(path)
}

/// Replaces the kept inputs of a target by some of `found`, of all lengths that fit. How many that are.
pub fn write_corpus(target: &Target, mut found: Vec<Vec<u8>>) -> io::Result<usize> {
    let folder = home().join("corpus").join(target.name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    found.sort_by_key(Vec::len);
    let mut left = CORPUS_BYTES_MAX;
    let mut kept = 0;
    let step = found.len().div_ceil(CORPUS_INPUTS_MAX).max(1);
    for input in found.into_iter().step_by(step) {
        let Some(less) = left.checked_sub(input.len()) else { break };
        left = less;
        write(&folder, &input)?;
        kept += 1;
    }
    Ok(kept)
}
