//! Real values to begin from: the golden vectors of `tests/vectors`, which hold every type in its bytes.

use std::{fs, path::Path};

use serde_json::Value;

/// A file of vectors.
pub(super) fn file(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors").join(name);
    let text = fs::read_to_string(path).expect("the golden vectors are part of the repository");
    serde_json::from_str(&text).expect("the golden vectors are JSON")
}

/// The canonical bytes of those vectors of a file whose name holds one of `words`; of all, if there are no words.
pub(super) fn bytes(name: &str, words: &[&str]) -> Vec<Vec<u8>> {
    let Value::Array(all) = file(name) else { panic!("{name} is a list of vectors") };
    let wanted = |vector: &&Value| {
        let name = vector["name"].as_str().unwrap_or_default();
        words.is_empty() || words.iter().any(|word| name.contains(word))
    };
    let found: Vec<Vec<u8>> = all.iter().filter(wanted).filter_map(|vector| field(vector, "bytes")).collect();
    assert!(!found.is_empty(), "{name} has vectors named {words:?}");
    found
}

/// A field of a vector, in hex; `None` if the vector has no such field.
pub(super) fn field(vector: &Value, name: &str) -> Option<Vec<u8>> {
    let text = vector[name].as_str()?;
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("vectors are in hex");
    Some((0..text.len()).step_by(2).map(digits).collect())
}
