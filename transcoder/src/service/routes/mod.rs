//! The handlers of the paths. Their comments and annotations become the OpenAPI document.

pub(super) mod mpeg_ts;
pub(super) mod remux;
pub(super) mod remuxers;
pub(super) mod status;
