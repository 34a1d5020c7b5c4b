//! Cutting and mending DER by hand: one value deep inside is replaced, and the lengths around it follow.

use tanba_eds::der::{self, write::element};

/// `bytes`, one value, with the value at `path` (places among siblings, from the outside in) replaced by `change`.
pub(crate) fn edit(bytes: &[u8], path: &[usize], change: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let [place, deeper @ ..] = path else { return change(bytes) };
    let whole = der::read(bytes, |r| r.any()).expect("one value");
    let parts = der::read(whole.content, |r| r.list(1000, |r| r.any().map(|part| part.whole.to_vec())));
    let mut parts = parts.expect("values");
    parts[*place] = edit(&parts[*place], deeper, change);
    element(whole.tag, &[&parts.concat()])
}

/// The same with the value itself.
pub(crate) fn replace(bytes: &[u8], path: &[usize], by: &[u8]) -> Vec<u8> {
    edit(bytes, path, &|_| by.to_vec())
}

/// The same with something behind the value.
pub(crate) fn append(bytes: &[u8], path: &[usize], behind: &[u8]) -> Vec<u8> {
    edit(bytes, path, &|value| [value, behind].concat())
}

/// The value at `path`.
pub(crate) fn at(bytes: &[u8], path: &[usize]) -> Vec<u8> {
    let found = std::cell::RefCell::new(Vec::new());
    edit(bytes, path, &|value| {
        *found.borrow_mut() = value.to_vec();
        value.to_vec()
    });
    found.into_inner()
}
