//! Every setting: its key, the form of its value, its unit, default and meaning. The one table from which files
//! are checked, `config show` prints and the first `config.toml` is written.

use std::{fmt, net::SocketAddr};

use tanba_crypto::PublicKey;
use tanba_genesis::nearest::nearest;

use super::PeerAddress;

/// A value as the sources write it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number of at least zero.
    Integer(u64),
    /// Texts.
    List(Vec<String>),
}

impl fmt::Display for Value {
    /// As TOML writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |text: &String| toml::Value::String(text.clone()).to_string();
        match self {
            Value::Text(text) => f.write_str(&quoted(text)),
            Value::Integer(number) => write!(f, "{number}"),
            Value::List(items) => write!(f, "[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// What a value must look like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// An IP address and a port.
    Address,
    /// An IP address and a port, or [`OFF`].
    AddressOrOff,
    /// A list of node keys with addresses.
    Peers,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A `tracing` filter.
    Filter,
    /// A whole number within these bounds.
    Integer {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
}

/// The word for an address that is not used.
pub const OFF: &str = "off";

/// Entries of a list.
const LIST_MAX: usize = 1_024;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// `section.name`.
    pub key: &'static str,
    /// What a value must look like.
    pub form: Form,
    /// The value where no source gives one, as a command line would write it.
    pub default: &'static str,
    /// What is counted; empty where nothing is.
    pub unit: &'static str,
    /// What it does.
    pub meaning: &'static str,
}

const fn setting(
    key: &'static str,
    form: Form,
    default: &'static str,
    unit: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { key, form, default, unit, meaning }
}

const fn integer(min: u64, max: u64) -> Form {
    Form::Integer { min, max }
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// A queue must hold the largest message and what it costs beside its bytes.
const PEER_QUEUE_BYTES_MIN: u64 = 3 * MIB;

/// Every setting, in the order in which it is shown.
pub const SETTINGS: &[Setting] = &[
    setting("p2p.listen", Form::Address, "0.0.0.0:4600", "", "where this node listens for others"),
    setting(
        "p2p.peers",
        Form::Peers,
        "",
        "",
        "nodes to dial at start, each \"ed25519:<64 hex digits>@<address>:<port>\"",
    ),
    setting("p2p.connections_max", integer(8, 4_096), "512", "connections", "connections to other nodes"),
    setting(
        "p2p.peer_queue_bytes_max",
        integer(PEER_QUEUE_BYTES_MIN, GIB),
        "8388608",
        "bytes",
        "waiting for one node; the oldest are dropped beyond it",
    ),
    setting(
        "grpc.listen",
        Form::Address,
        "127.0.0.1:4601",
        "",
        "where registrars, holders and verifiers call",
    ),
    setting(
        "metrics.listen",
        Form::AddressOrOff,
        "127.0.0.1:4602",
        "",
        "where metrics are scraped, or \"off\"",
    ),
    setting("log.format", Form::Word(&["text", "json"]), "text", "", "how log lines are written to stderr"),
    setting(
        "log.filter",
        Form::Filter,
        "info,libp2p=error",
        "",
        "what is logged: a level, or target=level, comma-separated",
    ),
    setting(
        "mempool.bytes_max",
        integer(2 * MIB, 16 * GIB),
        "67108864",
        "bytes",
        "transactions waiting, together",
    ),
    setting(
        "mempool.transactions_max",
        integer(1, 10_000_000),
        "50000",
        "transactions",
        "transactions waiting",
    ),
    setting(
        "shutdown.deadline_ms",
        integer(0, 600_000),
        "10000",
        "milliseconds",
        "for what is under way when the node is asked to stop",
    ),
];

/// The setting with `key`.
pub fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// A sentence that names the setting nearest to a key that none has.
pub fn hint(key: &str) -> String {
    match nearest(key, SETTINGS.iter().map(|setting| setting.key)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tanba config show` lists every setting".to_owned(),
    }
}

impl Setting {
    /// Section and name.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.key.split_once('.').expect("keys have a section")
    }

    /// The environment variable that gives this setting.
    pub fn variable(&self) -> String {
        let (section, name) = self.parts();
        format!("TANBA__{}__{}", section.to_uppercase(), name.to_uppercase())
    }

    /// An example of a value, as TOML writes it.
    pub fn example(&self) -> &'static str {
        match self.form {
            Form::Address | Form::AddressOrOff => "\"127.0.0.1:4600\"",
            Form::Peers => "[\"ed25519:<64 hex digits>@192.0.2.7:4600\"]",
            Form::Word(_) => "\"json\"",
            Form::Filter => "\"info,tanba_node=debug\"",
            Form::Integer { .. } => self.default,
        }
    }

    /// Reads a value as the environment and the command line write it: lists are separated by commas.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let value = match self.form {
            Form::Integer { .. } => {
                Value::Integer(text.parse().map_err(|_| format!("a whole number is due, not {text:?}"))?)
            }
            Form::Peers => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                Value::List(items.map(str::to_owned).collect())
            }
            Form::Address | Form::AddressOrOff | Form::Word(_) | Form::Filter => Value::Text(text.to_owned()),
        };
        self.check(&value)?;
        Ok(value)
    }

    /// Refuses a value of another form.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let refuse_unless = |good: bool, what: String| if good { Ok(()) } else { Err(what) };
        let address = |text: &String| {
            let good = parse_address(text).is_some();
            refuse_unless(good, format!("an IP address and port is due (127.0.0.1:4600), not {text:?}"))
        };
        match (self.form, value) {
            (Form::AddressOrOff, Value::Text(text)) if text == OFF => Ok(()),
            (Form::Address | Form::AddressOrOff, Value::Text(text)) => address(text),
            (Form::Word(words), Value::Text(text)) => {
                refuse_unless(words.contains(&text.as_str()), format!("{text:?} is none of {words:?}"))
            }
            (Form::Filter, Value::Text(text)) => match text.parse::<tracing_subscriber::EnvFilter>() {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{text:?} is no log filter: {error}")),
            },
            (Form::Integer { min, max }, Value::Integer(number)) => {
                let what = format!("{number} is not within {min} and {max}{}", spaced(self.unit));
                refuse_unless((min..=max).contains(number), what)
            }
            (Form::Peers, Value::List(items)) if items.len() > LIST_MAX => {
                Err(format!("{} entries, the limit is {LIST_MAX}", items.len()))
            }
            (Form::Peers, Value::List(items)) => items.iter().try_for_each(|item| {
                let due = "a node is written \"ed25519:<64 hex digits>@<address>:<port>\"";
                refuse_unless(parse_peer(item).is_some(), format!("{due}, not {item:?}"))
            }),
            (form, value) => Err(format!("a value of another kind is due ({form:?}), not {value}")),
        }
    }
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() { String::new() } else { format!(" {unit}") }
}

/// An IP address and a port.
pub fn parse_address(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

/// A node key and an address, with `@` between.
pub fn parse_peer(text: &str) -> Option<PeerAddress> {
    let (key, address) = text.split_once('@')?;
    let key = PublicKey::from_text(key).ok().filter(|key| key.check().is_ok())?;
    Some(PeerAddress { key, address: parse_address(address)? })
}

/// The `config.toml` of a new home: every setting, commented out, with its meaning, unit and default.
pub fn template() -> String {
    let mut out = String::from(
        "# Local settings of this node. A line takes effect when its # is taken off; the values shown are the\n\
         # defaults. The environment (TANBA__SECTION__NAME) and --set override this file.\n\
         # `tanba config show --origin` tells where each value comes from.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        let (own, name) = setting.parts();
        if own != section {
            section = own;
            out += &format!("\n[{section}]\n");
        }
        let default = setting.parse(setting.default).expect("defaults have their form");
        let unit = if setting.unit.is_empty() { String::new() } else { format!(" ({})", setting.unit) };
        out += &format!("# {}{unit}\n# {name} = {default}\n", setting.meaning);
    }
    out
}
