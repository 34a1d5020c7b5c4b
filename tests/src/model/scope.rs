//! Scopes: what of the endless world one exploration looks at, by name.

use tanba_consensus::Config;
use tanba_ledger::Height;

use super::stage::{CONFIG, Stage};

/// What one exploration contains. Each part is the same world with another leader in the first view.
#[derive(Clone, Debug)]
pub struct Scope {
    /// What it is called.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// Who decides the first height, the next, ...; the last set decides all later ones.
    pub sets: Vec<Vec<usize>>,
    /// Who lies.
    pub liars: Vec<usize>,
    /// The first height of each part; it says who leads.
    pub firsts: Vec<u64>,
    /// Heights to decide.
    pub heights: u64,
    /// Views looked at in each height.
    pub views: u32,
    /// Single votes are delivered and counted, instead of certificates.
    pub votes: bool,
    /// Classes of states are searched first: not where the silence between two words is too long to be worth it.
    pub wide: bool,
    /// Hosts build, check and commit late or never, instead of at once.
    pub slow_host: bool,
    /// No view timer fires.
    pub calm: bool,
    /// Blocks are found valid at once.
    pub quick_checks: bool,
    /// Bodies are pulled, one by one, from a member that holds them; liars give theirs to whom they like.
    pub bodies: bool,
    /// Hosts find valid what they have not got: for showing that the checkers see it.
    pub careless: bool,
    /// A fresh block may be found invalid, differently by each.
    pub refusals: bool,
    /// Restarts of each member, at any moment and at each promise.
    pub crashes: u8,
    /// Who may lose its journal once, its store staying as it is or becoming what it was at the beginning.
    pub loses: Option<usize>,
    /// Who has work at the beginning.
    pub workers: Vec<usize>,
    /// At any moment of a height a heartbeat falls due at each member, until the next block.
    pub heartbeats: bool,
    /// How often work may come or go, for each member.
    pub toggles: u8,
    /// How often each member may repeat a question.
    pub retries: u8,
    /// A height was decided before, without a word of the last member of the first set: it is skipped.
    pub silent: bool,
    /// Who forgets its journal at each restart: for showing that the checkers see it.
    pub forgetful: Option<usize>,
}

impl Scope {
    /// n members of whom these lie; one height, certificates, everyone has work.
    fn of(name: &'static str, about: &'static str, n: usize, liars: &[usize], views: u32) -> Scope {
        let n64 = n as u64;
        Scope {
            name,
            about,
            sets: vec![(0..n).collect()],
            liars: liars.to_vec(),
            firsts: (10 * n64..11 * n64).collect(),
            heights: 1,
            views,
            votes: false,
            wide: true,
            slow_host: false,
            calm: false,
            quick_checks: false,
            bodies: false,
            careless: false,
            refusals: true,
            crashes: 0,
            loses: None,
            workers: (0..n).collect(),
            heartbeats: false,
            toggles: 0,
            retries: 0,
            silent: false,
            forgetful: None,
        }
    }

    /// The stage of the part that begins at this height.
    pub fn stage(&self, first: u64) -> Stage {
        let sets: Vec<&[usize]> = self.sets.iter().map(Vec::as_slice).collect();
        let last = first + self.heights - 1 + u64::from(self.silent);
        let mut stage = Stage::new(Height(first), Height(last), &sets);
        stage.liars.clone_from(&self.liars);
        stage.slow_host = self.slow_host;
        stage.quick_checks = self.quick_checks;
        (stage.bodies, stage.careless) = (self.bodies, self.careless);
        stage.heartbeats = self.heartbeats;
        (stage.forgetful, stage.loser) = (self.forgetful, self.loses);
        if self.silent {
            stage.config = Config { silent_heights: 1, ..CONFIG };
        }
        stage
    }
}

/// Every scope, in the order in which they are explored.
pub fn scopes() -> Vec<Scope> {
    vec![
        Scope::of("n4-1view", "four members, one liar, one view: small enough for every state", 4, &[0], 1),
        Scope::of("n4-3views", "four members, one liar, three views", 4, &[0], 3),
        Scope {
            slow_host: true,
            ..Scope::of("n4-slow", "blocks are built, checked and committed late or never", 4, &[0], 2)
        },
        Scope {
            bodies: true,
            ..Scope::of("n4-bodies", "bodies are pulled from members, and kept back by a liar", 4, &[0], 2)
        },
        Scope {
            votes: true,
            wide: false,
            refusals: false,
            ..Scope::of("n4-votes", "single votes are counted, two views", 4, &[0], 2)
        },
        Scope {
            // Four of seven beginnings: the liars lead both views, the second, the first, none.
            firsts: vec![76, 70, 75, 71],
            refusals: false,
            ..Scope::of(
                "n7-2views",
                "seven members, two liars, two views, four of the seven leaders",
                7,
                &[0, 1],
                2,
            )
        },
        Scope {
            crashes: 1,
            ..Scope::of("n4-crash", "power cuts at any moment and at each promise", 4, &[0], 2)
        },
        Scope {
            heights: 2,
            loses: Some(3),
            calm: true,
            quick_checks: true,
            refusals: false,
            ..Scope::of(
                "n4-journal-lost",
                "one member loses its journal, its store is perhaps an old one; no timeouts",
                4,
                &[],
                1,
            )
        },
        Scope {
            heights: 2,
            loses: Some(3),
            quick_checks: true,
            refusals: false,
            ..Scope::of("n4-journal-late", "the same over two views, which time out", 4, &[], 2)
        },
        Scope {
            heights: 2,
            loses: Some(3),
            quick_checks: true,
            refusals: false,
            ..Scope::of(
                "n4-journal-liar",
                "the same beside a liar, which is one fault too many for progress",
                4,
                &[0],
                2,
            )
        },
        Scope {
            sets: vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4]],
            wide: false,
            heights: 2,
            workers: (0..5).collect(),
            refusals: false,
            ..Scope::of("n4-set-change", "one member leaves, one joins, one that stays lies", 4, &[1], 2)
        },
        Scope {
            workers: vec![],
            toggles: 2,
            retries: 1,
            slow_host: true,
            refusals: false,
            ..Scope::of("n4-rest", "work comes and goes, also while a block is built", 4, &[0], 2)
        },
        Scope {
            workers: vec![],
            heartbeats: true,
            heights: 2,
            refusals: false,
            ..Scope::of("n4-heartbeat", "without work each height rests until its heartbeat", 4, &[0], 2)
        },
        Scope {
            silent: true,
            ..Scope::of("n4-silent", "a leader that fell silent is skipped, or speaks again", 4, &[3], 3)
        },
    ]
}

/// The scope of that name.
pub fn named(name: &str) -> Option<Scope> {
    scopes().into_iter().find(|scope| scope.name == name)
}
