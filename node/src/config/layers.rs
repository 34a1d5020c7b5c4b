//! Sources laid over each other: default, file, environment, command line. Each value remembers where it came
//! from, each mistake says where it lies.

use std::{collections::BTreeMap, fmt, path::Path};

use tanba_genesis::{
    Mistakes,
    mistake::Notes,
    reader::{self, Section, field, integer, text, texts},
};
use toml::de::DeValue;

use super::{
    Config,
    settings::{self, Form, SETTINGS, Setting, Value},
};
use crate::home::files::{self, FileError};

/// Bytes of a settings file.
const CONFIG_BYTES_MAX: usize = 1024 * 1024;

/// What environment variables that give settings begin with.
const VARIABLE_PREFIX: &str = "TANBA__";

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file says what no setting says; every mistake with its line.
    #[error("{0}")]
    Mistakes(#[from] Mistakes),
    /// A variable or flag does.
    #[error("{origin}: {what}; {remedy}")]
    Outside {
        /// Which.
        origin: Origin,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
}

/// Where a value came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// No source gave one.
    Default,
    /// The settings file.
    File(String),
    /// An environment variable.
    Variable(String),
    /// `--set`, with the key it names, or another flag.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => f.write_str(path),
            Origin::Variable(name) => write!(f, "environment variable {name}"),
            Origin::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Every setting's value and where it came from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layers {
    values: BTreeMap<&'static str, (Value, Origin)>,
}

impl Layers {
    /// The defaults alone.
    pub fn defaults() -> Layers {
        let default = |setting: &Setting| {
            let value = setting.parse(setting.default).expect("defaults have their form");
            (setting.key, (value, Origin::Default))
        };
        Layers { values: SETTINGS.iter().map(default).collect() }
    }

    /// All four sources. A `file` that does not exist gives nothing; `variables` are the process's environment;
    /// `flags` are the `KEY=VALUE` of the command line, the last one of a key wins.
    pub fn load(
        file: &Path,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Layers, ConfigError> {
        let mut layers = Layers::defaults();
        if file.exists() {
            let bytes = files::read_bounded(file, CONFIG_BYTES_MAX)?;
            let name = file.display().to_string();
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Mistakes::whole(&name, "the file is not UTF-8", "save it as UTF-8"))?;
            layers.lay_file(&name, text)?;
        }
        layers.lay_variables(variables)?;
        for (key, text) in flags {
            layers.lay(key, text, Origin::Flag(format!("--set {key}")))?;
        }
        Ok(layers)
    }

    /// Lays a settings file over what is there. Fails with every mistake of it.
    pub fn lay_file(&mut self, file: &str, text: &str) -> Result<(), Mistakes> {
        let mut notes = Notes::default();
        let table = reader::parse(text, &mut notes);
        let mut root = Section::root(&table);
        let mut sections: BTreeMap<&str, Option<Section<'_>>> = BTreeMap::new();
        for setting in SETTINGS {
            let (section, _) = setting.parts();
            let section = sections.entry(section).or_insert_with(|| root.section(&mut notes, section));
            let found = section.as_mut().and_then(|section| read(section, setting, &mut notes));
            if let Some(value) = found {
                self.values.insert(setting.key, (value, Origin::File(file.to_owned())));
            }
        }
        sections.into_values().flatten().for_each(|section| section.finish(&mut notes));
        root.finish(&mut notes);
        notes.in_text(file, text)
    }

    /// Lays every variable that begins with `TANBA__` over what is there.
    fn lay_variables(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, text) in variables {
            let Some(rest) = name.strip_prefix(VARIABLE_PREFIX) else { continue };
            let key = rest.to_lowercase().replacen("__", ".", 1);
            self.lay(&key, &text, Origin::Variable(name))?;
        }
        Ok(())
    }

    /// Lays one value over what is there.
    pub fn lay(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        let Some(setting) = settings::find(key) else {
            let (what, remedy) = (format!("there is no setting `{key}`"), settings::hint(key));
            return Err(ConfigError::Outside { origin, what, remedy });
        };
        match setting.parse(text) {
            Ok(value) => {
                self.values.insert(setting.key, (value, origin));
                Ok(())
            }
            Err(what) => {
                let remedy = format!("write it like {}", setting.example());
                Err(ConfigError::Outside { origin, what, remedy })
            }
        }
    }

    /// A setting's value. Panics for a key that no setting has: callers name keys of the table.
    pub fn value(&self, key: &str) -> &Value {
        &self.entry(key).0
    }

    /// Where a setting's value came from. Panics as [`Layers::value`] does.
    pub fn origin(&self, key: &str) -> &Origin {
        &self.entry(key).1
    }

    fn entry(&self, key: &str) -> &(Value, Origin) {
        self.values.get(key).expect("the key is one of the settings table")
    }

    /// The settings.
    pub fn config(&self) -> Config {
        Config::of(self)
    }
}

fn read(section: &mut Section<'_>, setting: &Setting, notes: &mut Notes) -> Option<Value> {
    let (_, name) = setting.parts();
    let read = |value: &DeValue<'_>| {
        let value = match setting.form {
            Form::Integer { .. } => Value::Integer(integer(value)?),
            Form::Peers => Value::List(texts(value)?),
            Form::Address | Form::AddressOrOff | Form::Word(_) | Form::Filter => Value::Text(text(value)?),
        };
        setting.check(&value)?;
        Ok(value)
    };
    section.optional(notes, field(name, setting.example()), read).flatten()
}
