//! `tanba eds check` and `tanba document check` as scripts see them: one verdict, its code, its exit code, and nothing
//! that a terminal would obey.

mod document;
mod national;
mod signature;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A folder to work in, and the program.
struct Scene {
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Scene {
        Scene { folder: tempfile::tempdir().expect("a folder") }
    }

    /// Writes a file, in folders as its name says.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
        fs::write(path, bytes).expect("written");
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tanba"))
            .args(args)
            .env_clear()
            .env("TANBA_HOME", self.folder.path().join("home"))
            .current_dir(self.folder.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the program starts")
    }

    /// What is said to people, all of it, after a look that nothing of it commands a terminal.
    #[track_caller]
    fn text(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        let all = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(all).expect("text");
        let is_quiet = |c: char| c == '\n' || !c.is_control() && !('\u{202a}'..='\u{202e}').contains(&c);
        assert!(text.chars().all(is_quiet), "{text:?}");
        (output.status.code().expect("it ended by itself"), text)
    }

    /// Exit code, and the data of the JSON answer; the answer must say the same exit code.
    #[track_caller]
    fn data(&self, args: &[&str]) -> (i32, Value) {
        let output = self.run(&[args, &["--json"]].concat());
        let mut answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!(answer["ok"], true, "{answer}");
        let code = output.status.code().expect("it ended by itself");
        assert_eq!(answer["data"]["exit"], code, "{answer}");
        (code, answer["data"].take())
    }

    /// Exit code and the error's code of a command that could not be done.
    #[track_caller]
    fn error(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(&[args, &["--json"]].concat());
        let answer: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
        assert_eq!(answer["ok"], false, "{answer}");
        assert!(answer["error"]["next_step"].as_str().is_some_and(|step| !step.is_empty()), "{answer}");
        let code = answer["error"]["code"].as_str().expect("a code").to_owned();
        (output.status.code().expect("it ended by itself"), code)
    }
}

/// A folder of collected files beside the repository; `None`, after saying so, where it is not there.
fn collected(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    {
        println!("skipped: no {}", path.display());
    }
    None
}
