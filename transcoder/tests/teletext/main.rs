//! EBU teletext: what a decoder makes of pages that are written by the standard, judged by
//! libzvbi where ffmpeg has it.

mod captured;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../captures/mod.rs"]
mod captures;
mod judged;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../packaging/judges.rs"]
mod judges;
mod made;
#[path = "../streams/mod.rs"]
mod streams;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../packaging/synthetic.rs"]
mod synthetic;
mod webvtt;
mod written;
