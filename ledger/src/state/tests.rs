//! Whole blocks over the small world: founding, judging, building, and a naive model beside the real state.

mod blocks;
mod founding;
mod leaders;
mod model;
