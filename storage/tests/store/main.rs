//! The same facts about both stores, and what only a disk or only a memory can show.

mod aside;
mod blocks;
mod chain;
mod crashes;
mod disk;
mod journal;
mod rig;
mod rot;
mod rules;
