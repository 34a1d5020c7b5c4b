//! A program that starts the node under another one: a script of one line. It becomes what it starts, so that the
//! process started is the node, to be asked and killed by its own id.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::Stopped;

/// Writes the script `name` into `folder`: it starts `program`, with the arguments it is given, under `words`.
pub(super) fn under(folder: &Path, name: &str, words: &[String], program: &Path) -> Result<PathBuf, Stopped> {
    let path = folder.join(name);
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let program = quoted(&program.display().to_string());
    fs::write(&path, format!("#!/bin/sh\nexec {} {program} \"$@\"\n", words.join(" ")))?;
    fs::set_permissions(&path, Permissions::from_mode(0o700))?;
    Ok(path)
}

/// As the shell takes it, letter by letter.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_reach_the_program_letter_by_letter() {
        let folder = tempfile::tempdir().expect("a folder");
        let words = ["env".to_owned(), "A=it's $HOME \"x\"".to_owned()];
        let path = super::under(folder.path(), "shim", &words, "/bin/sh".as_ref()).expect("written");
        let output = std::process::Command::new(path).args(["-c", "printf %s \"$A\""]).output();
        assert_eq!(output.expect("it starts").stdout, b"it's $HOME \"x\"");
    }
}
