//! Exit codes: a promise to scripts. A code never changes its meaning.

use std::process::ExitCode;

/// Why the program ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Exit {
    /// Done; of `verify` and `check`: valid.
    Ok = 0,
    /// Failed for a reason with no code of its own.
    Failure = 1,
    /// The command line is not understood.
    Usage = 2,
    /// A settings, genesis or input file is wrong.
    ConfigInvalid = 3,
    /// What was asked for does not exist; of `verify`: not recorded.
    NotFound = 4,
    /// Not allowed: file modes, roles, approvals.
    Permission = 5,
    /// It exists already, or was changed by another meanwhile.
    Conflict = 6,
    /// The diploma is revoked.
    Revoked = 10,
    /// The diploma is replaced or suspended.
    NotInForce = 11,
    /// A proof or signature does not hold, or the document was altered.
    NotProven = 12,
    /// The checkpoint trusted is unknown or too old.
    TrustRootStale = 13,
    /// The holder lets the diploma not be checked.
    NotAvailable = 14,
    /// Of `check`: nothing was found wrong, but evidence or a key is missing. Not valid.
    NotChecked = 15,
    /// The node refused to sign, so as not to contradict itself.
    SafetyRefusal = 30,
    /// What is on disk is not what was written.
    Damaged = 40,
    /// This node's state is not the network's.
    Diverged = 41,
    /// Nobody answers there.
    Unavailable = 69,
    /// Not now: the same command may succeed later.
    Retry = 75,
    /// Stopped by the user.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its meaning, as help and manual print them.
    pub const ALL: &'static [(Exit, &'static str)] = &[
        (Exit::Ok, "done; of verify and check: valid"),
        (Exit::Failure, "failed"),
        (Exit::Usage, "command line not understood"),
        (Exit::ConfigInvalid, "settings, genesis or input file wrong"),
        (Exit::NotFound, "not found; of verify: not recorded"),
        (Exit::Permission, "not allowed"),
        (Exit::Conflict, "exists already, or changed meanwhile"),
        (Exit::Revoked, "diploma revoked"),
        (Exit::NotInForce, "diploma replaced or suspended"),
        (Exit::NotProven, "proof or signature invalid, document altered"),
        (Exit::TrustRootStale, "trusted checkpoint unknown or too old"),
        (Exit::NotAvailable, "holder does not let it be checked"),
        (Exit::NotChecked, "not checked: evidence or a key is missing"),
        (Exit::SafetyRefusal, "refused to sign, so as not to contradict itself"),
        (Exit::Damaged, "data on disk damaged"),
        (Exit::Diverged, "state differs from the network's"),
        (Exit::Unavailable, "nobody answers"),
        (Exit::Retry, "not now, try again"),
        (Exit::Interrupted, "stopped by the user"),
    ];

    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// The table as `--help` ends with it.
pub const AFTER_HELP: &str = "\
Exit codes:
    0  done; of verify and check: valid
    1  failed
    2  command line not understood
    3  settings, genesis or input file wrong
    4  not found; of verify: not recorded
    5  not allowed
    6  exists already, or changed meanwhile
   10  diploma revoked
   11  diploma replaced or suspended
   12  proof or signature invalid, document altered
   13  trusted checkpoint unknown or too old
   14  holder does not let it be checked
   15  not checked: evidence or a key is missing
   30  refused to sign, so as not to contradict itself
   40  data on disk damaged
   41  state differs from the network's
   69  nobody answers
   75  not now, try again
  130  stopped by the user";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_pinned() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 30, 40, 41, 69, 75, 130]);
    }

    #[test]
    fn help_prints_every_code_with_its_meaning() {
        let lines: Vec<String> =
            Exit::ALL.iter().map(|(exit, meaning)| format!("{:5}  {meaning}", exit.code())).collect();
        assert_eq!(AFTER_HELP, format!("Exit codes:\n{}", lines.join("\n")));
    }
}
