//! Node processes: started, watched, killed. A node ends with its parent, however the parent ends: it stops
//! when its standard input closes.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde::Deserialize;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep},
};

use crate::{client::Client, home::Home};

/// A node answers within this after its start.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A node ends within this after the wish to stop; by default its own deadline is 10 s.
const STOPS_WITHIN: Duration = Duration::from_secs(60);

/// How often it is asked until it answers.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// Bytes of a log's end that a failure shows.
const LOG_SHOWN_BYTES: usize = 2_000;

/// Why a process is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It cannot be started or killed.
    #[error("cannot {doing} the node of {name}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// Whose node.
        name: String,
        /// The system's words.
        source: io::Error,
    },
    /// It ended by itself.
    #[error("the node of {name} ended ({status}); the end of its log:\n{log}")]
    Ended {
        /// Whose node.
        name: String,
        /// How.
        status: ExitStatus,
        /// What it logged last.
        log: String,
    },
    /// It does not answer.
    #[error("the node of {name} does not answer after {} s; the end of its log:\n{log}", READY_WITHIN.as_secs())]
    Silent {
        /// Whose node.
        name: String,
        /// What it logged last.
        log: String,
    },
    /// It was to stop and did not, so that it was killed.
    #[error("the node of {name} did not stop within {} s and was killed; the end of its log:\n{log}", STOPS_WITHIN.as_secs())]
    Killed {
        /// Whose node.
        name: String,
        /// What it logged last.
        log: String,
    },
}

/// What a node wrote of itself.
#[derive(Debug, Deserialize)]
struct Endpoints {
    pid: u32,
    grpc: String,
    metrics: Option<String>,
}

/// A node of the devnet.
#[derive(Debug)]
pub struct NodeProcess {
    name: String,
    program: PathBuf,
    home: Home,
    child: Option<Child>,
    /// Where it answers, while it runs.
    pub grpc: String,
    /// Where it is scraped, while it runs.
    pub metrics: Option<String>,
}

impl NodeProcess {
    /// A node that is not started yet.
    pub fn new(name: &str, program: &Path, home: &Home) -> NodeProcess {
        NodeProcess {
            name: name.to_owned(),
            program: program.to_owned(),
            home: home.clone(),
            child: None,
            grpc: String::new(),
            metrics: None,
        }
    }

    /// Whose node it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its home.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Its log.
    pub fn log_path(&self) -> PathBuf {
        self.home.root().join("node.log")
    }

    /// Starts the process; it may not answer yet.
    pub fn start(&mut self) -> Result<(), ProcessError> {
        let log = File::options().create(true).append(true).open(self.log_path());
        let log = log.map_err(|source| self.failed("start", source))?;
        let mut command = Command::new(&self.program);
        // The settings of whoever runs this are not the settings of five nodes.
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("TANBA_") {
                command.env_remove(variable);
            }
        }
        let child = command
            .arg("--home")
            .arg(self.home.root())
            .args(["--quiet", "run", "--stop-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn();
        self.child = Some(child.map_err(|source| self.failed("start", source))?);
        Ok(())
    }

    /// Waits until the process answers over gRPC.
    pub async fn ready(&mut self) -> Result<Client, ProcessError> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            self.check_running()?;
            if let Some(client) = self.answers().await {
                return Ok(client);
            }
            sleep(ASK_EVERY).await;
        }
        Err(ProcessError::Silent { name: self.name.clone(), log: self.log_end() })
    }

    async fn answers(&mut self) -> Option<Client> {
        let text = std::fs::read(self.home.endpoints_file()).ok()?;
        let endpoints: Endpoints = serde_json::from_slice(&text).ok()?;
        // The file of an earlier life names an earlier process.
        if Some(endpoints.pid) != self.pid() {
            return None;
        }
        let client = Client::connect(&endpoints.grpc).await.ok()?;
        client.node_info().await.ok()?;
        self.grpc = endpoints.grpc;
        self.metrics = endpoints.metrics;
        Some(client)
    }

    /// Fails if the process has ended.
    pub fn check_running(&mut self) -> Result<(), ProcessError> {
        let Some(child) = &mut self.child else { return Ok(()) };
        match child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                self.child = None;
                Err(ProcessError::Ended { name: self.name.clone(), status, log: self.log_end() })
            }
            Err(source) => Err(self.failed("watch", source)),
        }
    }

    /// SIGKILL: what the process had not made durable is for it to lose.
    pub async fn kill(&mut self) -> Result<(), ProcessError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        child.kill().await.map_err(|source| self.failed("kill", source))
    }

    /// Stops the process by closing its input, and waits for its end. Fails if it ends in no good order, and if it
    /// takes too long: then it is killed.
    pub async fn stop(&mut self) -> Result<(), ProcessError> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        drop(child.stdin.take());
        match tokio::time::timeout(STOPS_WITHIN, child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => {
                Err(ProcessError::Ended { name: self.name.clone(), status, log: self.log_end() })
            }
            Ok(Err(source)) => Err(self.failed("stop", source)),
            Err(_) => {
                child.kill().await.map_err(|source| self.failed("kill", source))?;
                Err(ProcessError::Killed { name: self.name.clone(), log: self.log_end() })
            }
        }
    }

    /// Bytes of memory the process holds, as the system counts them; `None` where it does not tell.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kib * 1024)
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> ProcessError {
        ProcessError::System { doing, name: self.name.clone(), source }
    }

    fn log_end(&self) -> String {
        let log = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_SHOWN_BYTES)..]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_node_that_does_not_stop_is_killed_and_that_is_no_good_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("hangs");
        std::fs::write(&program, "#!/bin/sh\nexec sleep 600\n").expect("written");
        std::fs::set_permissions(&program, Permissions::from_mode(0o700)).expect("its owner's");
        let mut node = NodeProcess::new("nobody", &program, &Home::at(folder.path()));
        node.start().expect("it starts");
        let error = node.stop().await.expect_err("it did not stop");
        assert!(matches!(error, ProcessError::Killed { .. }), "{error}");
        assert_eq!(node.pid(), None);
    }
}
