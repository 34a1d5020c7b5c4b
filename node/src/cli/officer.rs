//! An officer signs: the role, the key of this home, and what opens it.

use clap::{Args, builder::PossibleValuesParser};
use tanba_crypto::SigningKey;
use tanba_genesis::{GenesisDocument, text};
use tanba_ledger::record::KeyRole;

use super::{CliError, Context, Exit, keys::parse_name, passphrase::PassphraseArgs};
use crate::{
    home::Home,
    keystore::{KeyName, Keystore, Purpose},
};

/// Who signs.
#[derive(Debug, Args)]
pub struct OfficerArgs {
    /// The role in which you sign
    #[arg(long, value_parser = PossibleValuesParser::new(["registrar", "approver"]))]
    role: String,
    /// The name of your key in this home [default: the role]
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    key: Option<KeyName>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

impl OfficerArgs {
    /// The role in which is signed.
    pub fn role(&self) -> KeyRole {
        text::value_of(text::KEY_ROLES, &self.role).expect("clap admits the roles alone")
    }

    /// Opens the key, which must be of the role.
    pub fn unlock(&self, ctx: &Context, genesis: &GenesisDocument) -> Result<SigningKey, CliError> {
        let name = match &self.key {
            Some(name) => name.clone(),
            None => KeyName::new(&self.role).expect("roles are good names"),
        };
        let purpose = text::value_of(Purpose::WORDS, &self.role).expect("officers' roles are purposes");
        unlock(&ctx.home()?, &name, purpose, genesis, &self.passphrase)
    }
}

/// Opens the key of this name in `home`, which must be for `purpose`.
pub fn unlock(
    home: &Home,
    name: &KeyName,
    purpose: Purpose,
    genesis: &GenesisDocument,
    passphrase: &PassphraseArgs,
) -> Result<SigningKey, CliError> {
    home.check()?;
    let keys = Keystore::open(home.keys_dir())?;
    let info = keys.info(name)?;
    if info.purpose != purpose {
        let message = format!("\"{name}\" is a key of role {}, not {}", info.purpose.word(), purpose.word());
        return Err(CliError::new(
            Exit::Permission,
            "KEY_ROLE",
            message,
            "name a key of the role with --key",
        ));
    }
    Ok(keys.unlock(name, genesis.kind(), || passphrase.existing(name))?)
}
