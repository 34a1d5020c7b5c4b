//! t
use super::{Plan, Stopped, report::Figures};
pub(super) async fn run(_plan: &mut Plan) -> Result<Figures, Stopped> { Err(Stopped::Skipped("not yet".into())) }
