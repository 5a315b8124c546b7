//! Screens of teletext as a WebVTT segment (W3C WebVTT; RFC 8216, 3.5).

use super::teletext::{Colour, Line, Screen};
use super::{Shown, Span};

const TICKS_PER_MS: u64 = 90;
const MODULUS: u64 = 1 << 33;

/// Height of a row in percent of the picture's.
const ROW_PERCENT: usize = 4;

/// Height of a line as players show it: letters of 5 % and the space between lines.
const LINE_PERCENT: usize = 6;

/// Lowest position at which a line may end.
const BOTTOM_PERCENT: usize = 96;

/// Columns of the picture; text keeps away from the left and right edge by 5 %.
const COLUMNS: usize = 40;

/// Return the file of a segment. Times count from the segment's start.
pub(super) fn file(span: Span, shown: &[Shown<'_, Screen>]) -> Vec<u8> {
    let start = span.start_90k % MODULUS;
    let mut text = format!("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:{start},LOCAL:00:00:00.000\n");
    let mut rest = shown.iter().peekable();
    while let Some(this) = rest.next() {
        let Some(screen) = this.screen else {
            continue;
        };
        let mut until = this.until_90k;
        // The same screen told again is one cue.
        while let Some(next) = rest.peek() {
            if until != Some(next.from_90k) || next.screen != this.screen {
                break;
            }
            until = next.until_90k;
            rest.next();
        }
        let ms = |time: u64| time.saturating_sub(span.start_90k) / TICKS_PER_MS;
        let (from, until) = (ms(this.from_90k), ms(until.unwrap_or(span.end_90k)));
        if from < until {
            for cue in cues(screen) {
                let (from, until) = (timestamp(from), timestamp(until));
                text.push_str(&format!("\n{from} --> {until}{}\n", cue.settings));
                text.push_str(&cue.text);
            }
        }
    }
    text.into_bytes()
}

fn timestamp(ms: u64) -> String {
    let (s, ms) = (ms / 1000, ms % 1000);
    let (min, s) = (s / 60, s % 60);
    format!("{:02}:{:02}:{s:02}.{ms:03}", min / 60, min % 60)
}

struct Cue {
    settings: String,
    /// Lines, each with its end.
    text: String,
}

/// Where lines stand in their row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Centre,
    /// Centred about a place of the row, in half columns.
    About(usize),
    Left(usize),
    Right(usize),
}

/// Return a cue for lines that stand one below the other.
fn cues(screen: &Screen) -> Vec<Cue> {
    let mut cues = Vec::new();
    let mut limit = BOTTOM_PERCENT;
    // From below, so that what is above can make room.
    for (lines, place) in blocks(&screen.lines).into_iter().rev() {
        let height = lines.len() * LINE_PERCENT;
        let row = lines.first().map_or(0, |line| line.row);
        let top = (row * ROW_PERCENT).min(limit.saturating_sub(height));
        limit = top;
        let mut settings = format!(" line:{top}%");
        settings.push_str(&match place {
            Place::Centre => " align:center".to_owned(),
            Place::About(twice) => format!(" position:{}% align:center", percent(twice)),
            Place::Left(column) => format!(" position:{}% align:start", percent(2 * column)),
            Place::Right(column) => format!(" position:{}% align:end", percent(2 * column)),
        });
        let mut text = String::new();
        for line in lines {
            write_line(line, &mut text);
            text.push('\n');
        }
        cues.push(Cue { settings, text });
    }
    cues.reverse();
    cues
}

/// Half columns in percent of the picture's width.
fn percent(twice: usize) -> usize {
    5 + (90 * twice + COLUMNS) / (2 * COLUMNS)
}

/// Divide lines into blocks that have one place.
fn blocks(lines: &[Line]) -> Vec<(&[Line], Place)> {
    let mut blocks = Vec::new();
    let mut start = 0;
    for index in 1..=lines.len() {
        let Some(block) = lines.get(start..index).filter(|block| !block.is_empty()) else {
            continue;
        };
        let follows = lines.get(start..=index).filter(|longer| {
            let is_near = |pair: &[Line]| pair[1].row - pair[0].row <= 2;
            longer.windows(2).all(is_near) && common_place(longer).is_some()
        });
        if follows.is_none() {
            let place = common_place(block).unwrap_or(Place::Centre);
            blocks.push((block, place));
            start = index;
        }
    }
    blocks
}

/// Return the place that lines have in common, give or take what a colour in front of the text
/// takes.
fn common_place(lines: &[Line]) -> Option<Place> {
    let first = lines.first()?;
    let twice = |line: &Line| line.start + line.end;
    if lines.iter().all(|line| twice(line).abs_diff(COLUMNS) <= 4) {
        return Some(Place::Centre);
    }
    if let [line] = lines {
        return Some(match twice(line) < COLUMNS {
            true => Place::Left(line.start),
            false => Place::Right(line.end),
        });
    }
    let near = |side: fn(&Line) -> usize, by| {
        lines
            .iter()
            .all(|line| side(line).abs_diff(side(first)) <= by)
    };
    if near(|line| line.start, 1) {
        return Some(Place::Left(first.start));
    }
    if near(|line| line.end, 1) {
        return Some(Place::Right(first.end));
    }
    near(|line| line.start + line.end, 4).then(|| Place::About(twice(first)))
}

fn write_line(line: &Line, text: &mut String) {
    for run in &line.runs {
        let mut classes = Vec::new();
        if run.foreground != Colour::White {
            classes.push(name(run.foreground).to_owned());
        }
        if run.background != Colour::Black {
            classes.push(format!("bg_{}", name(run.background)));
        }
        if !classes.is_empty() {
            text.push_str(&format!("<c.{}>", classes.join(".")));
        }
        for letter in run.text.chars() {
            match letter {
                '&' => text.push_str("&amp;"),
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                letter => text.push(letter),
            }
        }
        if !classes.is_empty() {
            text.push_str("</c>");
        }
    }
}

/// Name of the classes that players colour without a style sheet (WebVTT, 5).
fn name(colour: Colour) -> &'static str {
    match colour {
        Colour::Black => "black",
        Colour::Red => "red",
        Colour::Green => "lime",
        Colour::Yellow => "yellow",
        Colour::Blue => "blue",
        Colour::Magenta => "magenta",
        Colour::Cyan => "cyan",
        Colour::White => "white",
    }
}
