//! `tanba blocks`: the blocks of a node from a height on, and new ones as they become final. The order and the
//! links of the blocks are checked here; that they are final is the node's word.

use clap::Args;
use serde::Serialize;
use tanba_genesis::text::moment;
use tanba_ledger::{Block, Height, Operation};

use super::{
    CliError, Context,
    node::{NodeArgs, block_on},
};

/// `tanba blocks`
#[derive(Debug, Args)]
pub struct BlocksArgs {
    #[command(flatten)]
    node: NodeArgs,
    /// The first height [default: the last 20 blocks]
    #[arg(long, value_name = "HEIGHT")]
    from: Option<u64>,
    /// How many blocks at most
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Go on with new blocks as they become final; Ctrl-C ends it
    #[arg(long, short)]
    follow: bool,
}

/// Blocks shown where no first height is given.
const LAST: u64 = 20;

#[derive(Serialize)]
struct Told {
    height: u64,
    block: String,
    time: String,
    proposer: Option<String>,
    transactions: Vec<TransactionTold>,
}

#[derive(Serialize)]
struct TransactionTold {
    id: String,
    institution: String,
    operation: &'static str,
    diplomas: usize,
}

/// Lists blocks, one line each.
pub fn run(args: &BlocksArgs, ctx: &Context) -> Result<(), CliError> {
    block_on(async {
        let client = args.node.connect().await?;
        let info = client.node_info().await?;
        let head = info.as_of.height;
        let last = Height((head.0 + 1).saturating_sub(LAST)).max(info.lowest);
        let from = args.from.map_or(last, Height);
        let mut left = args.count.unwrap_or(u64::MAX);
        let mut blocks = client.blocks(from);
        while left > 0 && (args.follow || blocks.next_height() <= head) {
            let block = blocks.next_block().await?;
            let told = Told::of(&block.block);
            ctx.output.data("tanba.block.v1", &told, |out| told.write(out))?;
            left -= 1;
        }
        Ok(())
    })
}

impl Told {
    fn of(block: &Block) -> Told {
        let header = &block.header;
        let told = |transaction: &tanba_ledger::Transaction| TransactionTold {
            id: transaction.id().to_string(),
            institution: transaction.body.institution.to_string(),
            operation: operation_word(&transaction.body.operation),
            diplomas: diplomas_of(&transaction.body.operation),
        };
        Told {
            height: header.height.0,
            block: header.hash().0.to_string(),
            time: moment(header.time),
            proposer: header.proposer.map(|bin| bin.to_string()),
            transactions: block.transactions.iter().map(told).collect(),
        }
    }

    fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let proposer = self.proposer.as_deref().unwrap_or("-");
        let count = self.transactions.len();
        writeln!(
            out,
            "{:>8}  {:24}  {:12}  {count:>4} tx  {}",
            self.height, self.time, proposer, self.block
        )?;
        self.transactions.iter().try_for_each(|tx| {
            writeln!(
                out,
                "          {:10} {:>5}  by {}  {}",
                tx.operation, tx.diplomas, tx.institution, tx.id
            )
        })
    }
}

/// The word for an operation, as commands and answers use it.
pub(crate) const fn operation_word(operation: &Operation) -> &'static str {
    match operation {
        Operation::Issue(_) => "issue",
        Operation::Suspend(_) => "suspend",
        Operation::Reinstate(_) => "reinstate",
        Operation::Revoke(_) => "revoke",
        Operation::Replace(_) => "replace",
        Operation::Restrict(_) => "restrict",
        Operation::Lift(_) => "lift",
        Operation::Withdraw(_) => "withdraw",
    }
}

/// How many diplomas an operation is about.
fn diplomas_of(operation: &Operation) -> usize {
    match operation {
        Operation::Issue(issue) => issue.entries.len(),
        Operation::Suspend(list) | Operation::Reinstate(list) | Operation::Revoke(list) => list.changes.len(),
        Operation::Replace(list) => list.changes.len(),
        Operation::Restrict(_) | Operation::Lift(_) | Operation::Withdraw(_) => 1,
    }
}
