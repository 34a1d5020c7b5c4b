//! The world, made small: clusters of the real replica over simulated clocks, networks and disks, and networks
//! of real processes; hostile bytes for every decoder, floods on every port; and how fast it is.

pub mod chaos;
pub mod cluster;
pub mod floods;
pub mod fuzz;
pub mod model;
pub mod network;
#[cfg(feature = "planted")]
pub mod planted;
pub mod sim;
pub mod speed;
pub mod twins;
