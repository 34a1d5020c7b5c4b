//! The world, made small: clusters of the real replica over simulated clocks, networks and disks, and networks
//! of real processes.

pub mod cluster;
pub mod model;
pub mod network;
pub mod twins;
