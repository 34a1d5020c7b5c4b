//! `tanba config show`: the settings in force, and where each comes from.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{CliError, Context, SettingFlags};
use crate::config::settings::SETTINGS;

/// `tanba config …`
#[derive(Debug, Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print every setting with the value in force
    Show(ShowArgs),
}

#[derive(Debug, Args)]
struct ShowArgs {
    /// Also print where each value comes from
    #[arg(long)]
    origin: bool,
    #[command(flatten)]
    settings: SettingFlags,
}

#[derive(Serialize)]
struct Shown {
    key: &'static str,
    value: serde_json::Value,
    unit: &'static str,
    meaning: &'static str,
    variable: String,
    origin: String,
}

/// Does what `args` say.
pub fn run(args: ConfigArgs, ctx: &Context) -> Result<(), CliError> {
    match args.verb {
        Verb::Show(args) => show(args, ctx),
    }
}

fn show(args: ShowArgs, ctx: &Context) -> Result<(), CliError> {
    use crate::config::settings::Value;
    let layers = ctx.layers(&args.settings)?;
    let shown = SETTINGS.iter().map(|setting| Shown {
        key: setting.key,
        value: match layers.value(setting.key) {
            Value::Text(text) => text.as_str().into(),
            Value::Integer(number) => (*number).into(),
            Value::List(items) => items.as_slice().into(),
        },
        unit: setting.unit,
        meaning: setting.meaning,
        variable: setting.variable(),
        origin: layers.origin(setting.key).to_string(),
    });
    let shown: Vec<Shown> = shown.collect();
    ctx.output.data("tanba.config.show.v1", &shown, |out| {
        for setting in SETTINGS {
            let value = layers.value(setting.key);
            match args.origin {
                true => writeln!(out, "{} = {value}  # {}", setting.key, layers.origin(setting.key))?,
                false => writeln!(out, "{} = {value}", setting.key)?,
            }
        }
        Ok(())
    })
}
