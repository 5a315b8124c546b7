//! Packaging: what a packager gives plays as the broadcast does, judged by parsers and
//! decoders that are not ours.

mod broadcast;
mod captured;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../captures/mod.rs"]
mod captures;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../dvb_subtitles/written.rs"]
mod display_sets;
mod files;
mod images;
mod judges;
mod made;
mod splitting;
#[path = "../streams/mod.rs"]
mod streams;
mod subtitles;
mod synthetic;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../teletext/written.rs"]
mod written;
