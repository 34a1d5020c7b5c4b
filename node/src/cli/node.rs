//! Which node a command asks, and how its answers fail.

use std::future::Future;

use clap::Args;
use tanba_ledger::Transaction;
use tanba_storage::Position;

use super::{CliError, Exit};
use crate::{
    client::{Client, ClientError, Code, End, Refused},
    issue::FileError,
    node::NodeError,
};

/// The environment variable that names the node to ask.
pub const NODE_VARIABLE: &str = "TANBA_NODE";

/// Where a node listens unless its settings say otherwise.
pub const NODE_DEFAULT: &str = "127.0.0.1:4601";

/// Which node to ask.
#[derive(Clone, Debug, Args)]
pub struct NodeArgs {
    /// The node to ask; its answers are proven, so any node of the network will do
    #[arg(long, value_name = "HOST:PORT", env = NODE_VARIABLE, default_value = NODE_DEFAULT)]
    pub node: String,
}

impl NodeArgs {
    /// Connects.
    pub async fn connect(&self) -> Result<Client, CliError> {
        Ok(Client::connect(&self.node).await?)
    }
}

/// Runs what a command awaits. Ctrl-C ends the process: nothing here loses what it has not told.
pub fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| CliError::from(NodeError::Thread(error)))?.block_on(work)
}

/// Submits a transaction and waits until it is final; gives its place.
pub async fn submit(client: &Client, transaction: &Transaction) -> Result<Position, CliError> {
    match client.submit_and_track(transaction).await? {
        End::Final { position, .. } => Ok(position),
        End::Refused(refused) => Err(refused.into()),
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> CliError {
        let message = error.to_string();
        let another = "ask another node with --node";
        match error {
            ClientError::Address(_) => {
                CliError::new(Exit::Usage, "NODE_ADDRESS", message, "correct --node or TANBA_NODE")
            }
            ClientError::Unreachable { .. } | ClientError::Ended { .. } => {
                CliError::new(Exit::Unavailable, "NODE_UNREACHABLE", message, another)
            }
            ClientError::Refused(refused) => refused.into(),
            ClientError::Foreign { .. } | ClientError::Malformed(_) | ClientError::OutOfOrder { .. } => {
                CliError::new(Exit::Unavailable, "NODE_ANSWER_UNUSABLE", message, another)
            }
            ClientError::Proof { failure } => {
                let exit = super::verify::exit_of_failure(&failure);
                let details = serde_json::json!({ "reason": failure.code() });
                let error = CliError::new(exit, "PROOF_FAILED", message, "do as the message says");
                CliError { details: Some(Box::new(details)), ..error }
            }
            ClientError::WrongNetwork { .. } => CliError::new(
                Exit::ConfigInvalid,
                "OTHER_NETWORK",
                message,
                "name a node of the network with --node",
            ),
        }
    }
}

/// A node's refusal. Its reason is in `details`, since it is the node's word and not from a list of ours.
impl From<Refused> for CliError {
    fn from(refused: Refused) -> CliError {
        let (exit, next_step) = match refused.code {
            Code::Unavailable | Code::ResourceExhausted | Code::Aborted => {
                (Exit::Retry, "run the same command again in a while")
            }
            Code::NotFound => (Exit::NotFound, "do as the message says"),
            Code::FailedPrecondition => (Exit::Conflict, "do as the message says"),
            Code::InvalidArgument => (Exit::Permission, "do as the message says"),
            _ => (Exit::Failure, "do as the message says"),
        };
        let details = serde_json::json!({ "reason": refused.reason });
        let error = CliError::new(exit, "REFUSED", refused.message, next_step);
        CliError { details: Some(Box::new(details)), ..error }
    }
}

impl From<FileError> for CliError {
    fn from(error: FileError) -> CliError {
        let (exit, code) = match &error {
            FileError::Io { error, .. } => match error.kind() {
                std::io::ErrorKind::NotFound => (Exit::NotFound, "FILE_NOT_FOUND"),
                std::io::ErrorKind::PermissionDenied => (Exit::Permission, "FILE_PERMISSION"),
                _ => (Exit::Failure, "FILE_IO"),
            },
            FileError::TooLong { .. } | FileError::TooMany { .. } => (Exit::ConfigInvalid, "FILE_TOO_LONG"),
            FileError::Exists { .. } | FileError::LeftOver { .. } => (Exit::Conflict, "FILE_EXISTS"),
        };
        CliError::new(exit, code, error.to_string(), "check the path and run the command again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_node_is_where_nodes_listen_by_default() {
        let layers = crate::config::Layers::load(std::path::Path::new("/nonexistent/config.toml"), [], &[]);
        let config = crate::config::Config::of(&layers.expect("defaults"));
        assert_eq!(config.grpc.listen.to_string(), NODE_DEFAULT);
    }
}
