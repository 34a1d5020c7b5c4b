//! Agreement on block hashes: Simplex, one small instance per height, without IO.
//!
//! A round-robin Byzantine fault tolerant protocol among the n validators of a height, of whom at most
//! f = ⌊(n−1)/3⌋ may be faulty in any way; q = n − f votes decide. This crate sees hashes, votes and
//! certificates, and never a block body, a key, a clock or a disk: events go in, requests come out, and the same
//! events give the same requests.
//!
//! Read in this order: this page; [`input`] and [`output`]; [`message`] and [`promise`] (what is said, and
//! what is written first); [`guard`] and [`recovery`] (what keeps a validator from saying two things);
//! [`engine`] (the rules); [`evidence`] and [`set_change`].
//!
//! # The protocol
//!
//! Height h has an ordered set V_h of validators and one block to decide. Views 1, 2, 3 ... are attempts at it;
//! the leader of view v is V_h[(h + v) mod n]. A validator says five things about a view: as its leader a
//! `Proposal`; and the votes `Notarize` (this block is valid and stored here), `Nullify` (nothing comes of this
//! view with my help) and `Finalize` (this block was notarized and is stored here). q equal votes make a
//! certificate: Notarization, Nullification, Finalization. The *justification* J(v) is how v was entered: the
//! notarized view vp that it builds on (0 for none) with its Notarization, and the Nullification of every view
//! strictly between vp and v.
//!
//! * **R0 rest.** In a view with vp = 0 and no work no timer runs and nothing is sent but answers. Work is a
//!   block that could be built here, a justified proposal, or the votes of f + 1 validators in this very view:
//!   one liar wakes nobody. A node with work sends its transactions to the leader, and after a retry interval to
//!   all. A leader without work never gives up its view by itself; it joins when f + 1 do.
//! * **R1 propose.** The leader of v proposes once. With vp = 0 a fresh block on the decided head, at least the
//!   block interval after the last; with vp > 0, after a short wait for the finalization, the notarized block of
//!   vp again, even without its body or any work.
//! * **R2 justified.** A proposal counts if the leader signed it, it is fresh or names the block notarized in
//!   its vp, and every view strictly between is nullified; what a node lacks of these it pulls in pages. Its own
//!   vp does not matter.
//! * **R3 notarize.** In the present view, the first justified proposal whose block is valid and stored gets
//!   the one `Notarize`, also after `Nullify`.
//! * **R4 notarization.** Broadcast once. When the block is stored, `Finalize` it unless that view was nullified
//!   by us. If v is the present view or later, enter v + 1 with vp = v, even if we nullified v. If it is
//!   earlier and all views since are nullified, build on it from now on, unless we have proposed. A notarized
//!   block that is invalid here means that we are wrong: stop.
//! * **R5 timeout.** When the timer fires, the block is invalid, or the leader is known to be silent: `Nullify`,
//!   unless we finalized. While a view lasts, repeat own votes, the leader's proposal and J(v).
//! * **R6 nullification.** Broadcast once; when the justification is complete (else pull it), enter v + 1.
//! * **R7 finalization.** Broadcast once, commit, enter view 1 of the next height at rest.
//! * **R8 behind.** Whoever is behind in height catches up on certified blocks; that is the host's part. Whoever
//!   shows that it is behind us gets the finalization or our J, once per retry interval, also while we rest.
//! * **Promises.** A signature and all it rests on are on disk, with one sync, before it is sent: [`guard`].
//! * **Journal lost.** A validator that may have forgotten what it said stays silent for long enough:
//!   [`recovery`].
//! * **Equivocation.** Two contradicting signatures of one key convict it: [`evidence`].
//! * **Set change.** The set changes between heights, slowly enough: [`set_change`].
//!
//! # Why two blocks are never final at one height
//!
//! Two quorums share at least f + 1 validators, so at least one honest one. An honest validator (I1) notarizes
//! at most one block in a view, so at most one is notarized there; and (I2) never says both `Nullify` and
//! `Finalize` in a view, so it is not both nullified and finalized. The guard keeps both through crashes.
//!
//! Let v be the lowest view with a Finalization, of block x. Its honest voters held Notarization(v, x). Claim:
//! whatever is notarized in a later view w is x. One honest validator notarized it on a justified proposal with
//! parent view vp < w. vp < v would need Nullification(v), which I2 excludes. vp = v makes it x by I1. vp > v
//! makes it what vp notarized, x by induction on w. So every later Notarization, and hence Finalization, is of
//! x. Across heights: height h + 1 builds on what height h decided, and nothing else.
//!
//! # Why it goes on
//!
//! Let the network deliver within δ from some moment on. Certificates, not clocks, move views: the first honest
//! node to enter a view broadcast the certificate that led there, so all enter within δ, or pull what they lack
//! within a retry interval. An honest leader's proposal then carries its whole justification and reaches all
//! before their timers, which exceed four δ, the check of a block and the leader's wait; q validators notarize,
//! all see the notarization, q finalize. No view can block: whoever lacks its Notarization gives it up in time
//! and nullifies, whoever has it has broadcast it, and either certificate leads on. f + 1 leaders in turn hold
//! an honest one. A view with work reaches everyone's attention: its owner repeats the work to all.
//!
//! # Differences from the paper
//!
//! Chan and Pass, *Simplex Consensus: A Simple and Fast Consensus Protocol*, TCC 2023, runs one chain of views.
//! * Here each height is an instance of its own, and a later view proposes the *same* block again where the
//!   paper extends it. That gives every block its own finalization, which an offline verifier needs, and one hop
//!   more between blocks, which signature checks hide.
//! * `Finalize` is withheld only after `Nullify`, not after a timeout as such; entering a view by a notarization
//!   does not need that we took part.
//! * Rest, repetition, answers to laggards, pulled justifications and the skip of silent leaders are ours. They
//!   add messages, and never a vote the paper's rules would forbid.
//! * A pull that is under way keeps its retry timer also at rest: others have already moved on.
//!
//! # What others ran into
//!
//! | what happened elsewhere | what holds here | tested in |
//! |---|---|---|
//! | a restarted validator signs again, differently | guard, replayed from the journal | `promises`, `r3_notarize`, `network` |
//! | a guard refuses repetitions, or all older slots: the chain halts | keyed guard, no high-water mark | `promises` |
//! | holders of a notarization and of a nullification of one view refuse each other's proposals | R2 asks for the proposal's own justification and pulls it | `r2_justified` |
//! | a node that nullified refuses the notarization and is stuck | R4 withholds only the `Finalize` | `r4_notarization` |
//! | finalize after nullify in one view | I2, in engine and guard | `r4_notarization`, `promises` |
//! | uncapped exponential timeouts: hours to recover | linear, capped, reset per height | `r5_timeout` |
//! | timers alone advance views, and nodes drift apart | certificates advance views; standings are repeated | `r6_nullification`, `r8_behind`, `network` |
//! | only a proposal brings a laggard back | J(v) in every repetition and answer | `r8_behind` |
//! | restarted nodes without data hold back the quorum, or vote twice | the start-up protocol | `journal_lost` |
//! | view changes while there is nothing to decide | R0 | `r0_rest`, `network` |
//! | one liar wakes the network, again and again | f + 1 votes of the present view | `r0_rest` |
//! | a timeliness test on a block proposed again | only fresh proposals are checked live | `r3_notarize`, `r4_notarization` |
//! | a dead leader costs a full timeout every n-th block | silent leaders are skipped | `r5_timeout` |
//! | evidence is lost because votes for decided heights are dropped | the evidence window | `equivocation` |
//!
//! # How to drive it
//!
//! The host owns keys, sockets, clock and disk, and calls in this order.
//!
//! 1. **Start.** Read the journal, [`Guard::replay`] it, tell the guard the store's head
//!    ([`Guard::commit`](guard::Guard::commit)). Run [`Recovery`]; until it says `Vote`, the engine gets
//!    `own: None` and only follows. Hand over what the journal holds of the open height
//!    ([`Guard::recovered`](guard::Guard::recovered)) with [`Input::StartHeight`], then say whether there is
//!    work. When the start-up protocol ends within a height, [`Input::StartVoting`].
//! 2. **Each event.** [`Engine::handle`], then [`Engine::next_output`] until it is empty. Everything signed is
//!    checked before: a wrong signature is the sender's mistake and goes no further.
//! 3. **[`Output::Speak`]**. Through the guard, then journal, then wire; the signed word comes back as
//!    [`Input::Vote`] or [`Input::Proposal`]. Several may share a sync if nothing of them is sent before it. A
//!    refusal by the guard is our own mistake. A proposal travels with the notarization of its parent view,
//!    found among its grounds.
//! 4. **Receiving.** Of a proposal first the notarization, then the proposal. Of a
//!    [`Standing`] what its documentation says. Keep a bounded number of
//!    messages for the next height until it starts; later heights start the catch-up. A vote signed with our
//!    own key that the guard does not know means that a twin runs: stop.
//! 5. **[`Output::Check`]**. Fetch, validate for the purpose, store beside the journal, answer. A block that was
//!    valid when fresh need not be checked again when it is notarized.
//! 6. **[`Output::Decide`]**. Fetch the body if it is missing, append
//!    [`Guard::cover`](guard::Guard::cover) if it returns a record, commit, tell the guard, start the next
//!    height. The catch-up commits in the same way and starts the height above the last it committed.
//!
//! Nothing here needs a lock, a thread or an answer in time: every request may be served late or, after a crash,
//! never.

// The derives of canonical bytes name the crate `bincode`; ours stands in for it.
extern crate tanba_crypto as bincode;

mod certificates;
pub mod engine;
pub mod evidence;
pub mod guard;
pub mod input;
pub mod limits;
pub mod message;
pub mod output;
pub mod promise;
pub mod recovery;
pub mod set_change;
mod silence;
mod tally;

pub use engine::{Config, Delays, Engine};
pub use evidence::Evidence;
pub use guard::{Admission, Guard, Recovered, Refusal};
pub use input::{Input, Purpose, StartHeight, Timeout, Verdict};
pub use message::{Proposal, SignedProposal, Standing, Wanted};
pub use output::{Audience, Output};
pub use promise::{GuardReset, Record, Utterance};
pub use recovery::Recovery;
