//! The world, made small: clusters of the real replica over simulated clocks, networks and disks.

pub mod cluster;
