//! The first facts of a network: TOML in, canonical bytes and chain id out.
