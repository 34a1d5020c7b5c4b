//! The world, made small: clusters of the real replica over simulated clocks, networks and disks, and networks
//! of real processes.

pub mod chaos;
pub mod cluster;
pub mod network;
