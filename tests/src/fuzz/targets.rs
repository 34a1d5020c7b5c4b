//! Every decoder under attack, in one list.

use super::Target;

mod blocks;
mod canonical;
mod consents;
mod documents;
mod eds;
mod files;
mod frames;
mod grpc;
mod proofs;
mod replica;
mod texts;
mod vault;
mod vectors;

/// All targets, in order of name.
pub fn all() -> Vec<Target> {
    let mut all = [
        canonical::targets(),
        frames::targets(),
        grpc::targets(),
        files::targets(),
        texts::targets(),
        proofs::targets(),
        blocks::targets(),
        replica::targets(),
        eds::targets(),
        consents::targets(),
        documents::targets(),
        vault::targets(),
    ]
    .concat();
    all.sort_by_key(|target| target.name);
    all
}

/// The target of this name.
pub fn find(name: &str) -> Option<Target> {
    all().into_iter().find(|target| target.name == name)
}
