//! DVB subtitles: what a display set says is what the images show, pixel by pixel.

mod any_bytes;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../captures/mod.rs"]
mod captures;
mod judged;
#[expect(dead_code, reason = "a part of it is used")]
#[path = "../packaging/judges.rs"]
mod judges;
mod pages;
mod pixels;
mod shown;
#[path = "../streams/mod.rs"]
mod streams;
mod transport;
mod written;
