//! How a test pins bytes: it makes named vectors and compares them with their file in this folder. The golden
//! tests of `ledger`, `consensus` and `genesis` include this file as a module.
//!
//! A vector has a name and fields in lower-case hex, or text where the name says so. With `TANBA_WRITE_VECTORS`
//! set the files are written anew instead.

use std::{fmt::Debug, fs, path::PathBuf};

use serde_json::{Map, Value, json};
use tanba_crypto::Canonical;

/// The vectors of one file.
pub(crate) struct Vectors {
    file: &'static str,
    all: Vec<Value>,
}

impl Vectors {
    /// None yet, of the file of this name.
    pub(crate) fn of(file: &'static str) -> Vectors {
        Vectors { file, all: Vec::new() }
    }

    /// A vector of named texts.
    pub(crate) fn add(&mut self, name: &str, fields: &[(&str, String)]) {
        let mut vector = Map::new();
        vector.insert("name".into(), name.into());
        fields.iter().for_each(|(field, text)| drop(vector.insert((*field).into(), text.as_str().into())));
        self.all.push(Value::Object(vector));
    }

    /// A value's canonical bytes, and what else is derived from it. The bytes must read back as the value.
    pub(crate) fn value<T: Canonical + PartialEq + Debug>(
        &mut self,
        name: &str,
        value: &T,
        derived: &[(&str, String)],
    ) {
        let bytes = value.to_canonical();
        assert_eq!(T::from_canonical(&bytes, bytes.len()).as_ref(), Ok(value), "{name} reads back");
        let mut fields = vec![("bytes", hex::encode(bytes))];
        fields.extend_from_slice(derived);
        self.add(name, &fields);
    }

    /// Compares with the file, or writes it when asked to.
    pub(crate) fn check(self) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(self.file);
        let made = json!(self.all);
        if std::env::var_os("TANBA_WRITE_VECTORS").is_some() {
            let text = serde_json::to_string_pretty(&made).expect("vectors are JSON");
            fs::write(&path, text + "\n").expect("the vectors can be written");
            return;
        }
        let text = fs::read_to_string(&path).expect("the vectors can be read");
        let pinned: Vec<Value> = serde_json::from_str(&text).expect("the vectors are JSON");
        for (pinned, made) in pinned.iter().zip(&self.all) {
            assert_eq!(pinned, made, "{}: {} has changed", self.file, made["name"]);
        }
        assert_eq!(pinned.len(), self.all.len(), "{}: vectors were added or lost", self.file);
    }
}
