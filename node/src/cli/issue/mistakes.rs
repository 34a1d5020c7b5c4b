//! The mistakes of a class list, as a table for people and an array for machines. No cell's content is told.

use std::path::Path;

use comfy_table::{Table, presets::NOTHING};

use super::super::{CliError, Exit, output::counted};
use crate::issue::{Language, RosterError, RosterRefused};

/// The failure that tells them all.
pub(super) fn told(path: &Path, refused: &RosterRefused) -> CliError {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["line", "column", "code", "what", "remedy"]);
    for error in &refused.errors {
        let (what, remedy) = (error.what(Language::En), error.remedy(Language::En));
        table.add_row([&error.line.to_string(), &column(error), error.code.name(), &what, remedy]);
    }
    let more = refused.count - refused.errors.len().min(refused.count);
    let more = if more == 0 { String::new() } else { format!("\nand {more} more") };
    let details = refused.errors.iter().map(|error| {
        serde_json::json!({
            "line": error.line,
            "column": error.column,
            "cell": error.cell,
            "code": error.code.name(),
            "what": error.what(Language::En),
            "remedy": error.remedy(Language::En),
        })
    });
    let mistakes = counted(refused.count, "mistake", "mistakes");
    let message = format!("{} has {mistakes}; nothing was made of it", path.display());
    let next_step = "correct each as its row says and run the command again";
    let error = CliError::new(Exit::ConfigInvalid, "ROSTER_MISTAKES", message, next_step);
    let details = serde_json::Value::Array(details.collect());
    CliError { details: Some(Box::new(details)), ..error.caused_by(format!("{table}{more}")) }
}

fn column(error: &RosterError) -> String {
    match (error.column, error.cell) {
        (Some(column), _) => column.to_owned(),
        (None, Some(cell)) => format!("cell {cell}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Roster;

    #[test]
    fn every_mistake_is_a_row_and_an_object() {
        let refused = Roster::parse(b"family_name_kk\nx\n").expect_err("columns are missing");
        let error = told(Path::new("class.csv"), &refused);
        let rows = error.cause.expect("a table").lines().count();
        assert_eq!(rows, refused.errors.len() + 1);
        let details = error.details.expect("an array");
        assert_eq!(details.as_array().map(Vec::len), Some(refused.errors.len()));
    }
}
