//! What each path does. The OpenAPI document is made of the lines above each function.

pub(super) mod mpeg_ts;
pub(super) mod remux;
pub(super) mod remuxers;
pub(super) mod status;
