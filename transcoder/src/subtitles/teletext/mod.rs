//! EBU teletext subtitles: PES packets to screens (ETSI EN 300 472, EN 300 706).
//!
//! ```text
//! PES data: data_identifier | { data_unit_id | length 44 | field, line | framing code
//!                               | magazine and packet 2 | 40 bytes }*
//! packet 0        header: page, control bits       begins a page, ends the one before it
//! packets 1 - 23  rows
//! packet 26       characters that rows cannot hold
//! packets 28, 29  which character sets: of the page, of the magazine
//! ```
//!
//! A page is shown from the time of its header on. Its rows may come in PES packets behind the
//! header's, and nothing but the next header says that no more will come. What is there at the
//! end of each PES packet is told, for the same time.

mod characters;
mod hamming;
mod page;

use characters::Designation;
use hamming::{character, nibble, pair, triplet};
use page::{MAX_PAGE_BYTES, Page, ROWS};

pub use page::{Colour, Line, Run, Screen};

use super::{Change, Decoder, Shown, Span, webvtt};
use crate::Language;
use crate::ts::clock::{TICKS_PER_SECOND, Timestamp};

/// How long a page is shown that is neither sent again nor erased. Subtitles stay for seconds; the
/// end of one may be lost.
pub const TIMEOUT_S: i64 = 30;

/// A page that is sent again without a change is returned again after this time, so that it stays.
const AGAIN_AFTER: i64 = 10 * TICKS_PER_SECOND;

/// data_identifier of EBU data (EN 300 472, table 2).
const EBU_DATA: std::ops::RangeInclusive<u8> = 0x10..=0x1F;

/// data_unit_id: teletext, and teletext subtitles.
const UNIT_TELETEXT: u8 = 0x02;
const UNIT_SUBTITLE: u8 = 0x03;

/// Field and line, framing code, address, 40 bytes.
const UNIT_BYTES: usize = 44;
const ADDRESS_AT: usize = 2;

/// Maximum size of a line's text: 40 letters and marks of three bytes, and as many runs.
const MAX_LINE_BYTES: usize = 40 * (6 + size_of::<Run>()) + size_of::<Line>();

/// A decoder of one page of a PID.
#[derive(Debug)]
pub struct TeletextDecoder {
    /// 1 to 8.
    magazine: u8,
    /// Two hexadecimal digits.
    number: u8,
    /// The group of character sets where no packet names one.
    usual_group: u8,
    /// What a packet M/29 says.
    of_magazine: Option<Designated>,
    /// What a packet X/28 says.
    of_page: Option<Designated>,
    /// C12 to C14 of the latest header.
    option: u8,
    /// C10: rows are not to be shown.
    is_inhibited: bool,
    page: Page,
    /// When the transmission under way began; none where packets belong to another page.
    receiving: Option<Timestamp>,
    /// How far packets X/26 of this transmission are read.
    enhancements: Enhancements,
    /// Data of the page has arrived since the page was last returned.
    has_news: bool,
    /// The screen that was last returned, and the time at which it is shown.
    told: Option<Screen>,
    told_at: Option<Timestamp>,
}

/// The packets X/26 of a transmission.
#[derive(Debug, Clone, Copy, Default)]
struct Enhancements {
    /// How many there were.
    packets: u8,
    /// The active position.
    row: Option<u8>,
    /// A triplet said that nothing follows.
    have_ended: bool,
}

impl TeletextDecoder {
    /// Make a decoder of a page: the magazine, 1 to 8, and two hexadecimal digits, as in 0x888. The
    /// language in the PMT selects the character sets of pages that do not name them.
    pub fn new(page: u16, language: Option<Language>) -> Self {
        let [magazine, number] = page.to_be_bytes();
        Self {
            magazine,
            number,
            usual_group: Designation::group_of(language),
            of_magazine: None,
            of_page: None,
            option: 0,
            is_inhibited: false,
            page: Page::new(),
            receiving: None,
            enhancements: Enhancements::default(),
            has_news: false,
            told: None,
            told_at: None,
        }
    }

    fn designation(&self) -> Designation {
        let told = self.of_page.or(self.of_magazine);
        Designation {
            designated: told.map(|told| told.default),
            usual_group: self.usual_group,
            option: self.option,
            second: told.and_then(|told| told.second),
        }
    }

    /// Take a packet: its address and 40 bytes.
    fn packet(
        &mut self,
        packet: &[u8; UNIT_BYTES - ADDRESS_AT],
        at: Timestamp,
        changes: &mut Vec<Change<Screen>>,
    ) {
        let [low, high, data @ ..] = packet;
        let Some(address) = pair(*low, *high) else {
            return;
        };
        let magazine = match address & 7 {
            0 => 8,
            magazine => magazine,
        };
        let is_ours = magazine == self.magazine;
        match address >> 3 {
            0 => self.header(is_ours, data, at, changes),
            29 if is_ours => self.of_magazine = designated(data).or(self.of_magazine),
            number if is_ours && self.receiving.is_some() => {
                match usize::from(number) {
                    row if row < ROWS => {
                        let codes = data.iter().map(|&byte| character(byte));
                        self.page.set_row(row, codes);
                    }
                    26 => self.enhance(data),
                    28 => self.of_page = designated(data).or(self.of_page),
                    _ => return,
                }
                self.has_news = true;
            }
            _ => {}
        }
    }

    /// Take a header (9.3.1): two digits of the page, four of the subcode with C4 to C6 among them,
    /// C7 to C10, C11 to C14.
    fn header(
        &mut self,
        is_ours: bool,
        data: &[u8; 40],
        at: Timestamp,
        changes: &mut Vec<Change<Screen>>,
    ) {
        let last = nibble(data[7]);
        let is_serial = last.is_some_and(|bits| bits & 1 != 0);
        if !(is_ours || is_serial) {
            return;
        }
        // Of all magazines only one page is transmitted at a time, or one of each.
        self.tell(changes);
        self.receiving = None;
        let number = pair(data[0], data[1]);
        if !is_ours || number != Some(self.number) {
            return;
        }
        let (Some(with_c4), Some(with_c10), Some(with_c14)) =
            (nibble(data[3]), nibble(data[6]), last)
        else {
            return;
        };
        self.page.begin(with_c4 & 8 != 0);
        self.is_inhibited = with_c10 & 8 != 0;
        // C12 is the highest bit of the option.
        self.option = with_c14 >> 3 & 1 | with_c14 >> 1 & 2 | with_c14 << 1 & 4;
        self.of_page = None;
        self.enhancements = Enhancements::default();
        self.receiving = Some(at);
        self.has_news = true;
    }

    /// Take a packet X/26 (12.3): 13 triplets of address 6, mode 5, data 7. The packets of a page
    /// are one list.
    fn enhance(&mut self, data: &[u8; 40]) {
        let [designation, triplets @ ..] = data;
        let number = nibble(*designation);
        if number != Some(self.enhancements.packets) {
            // The position that one before this may have set is not known.
            self.enhancements.row = None;
        }
        let read = number.unwrap_or(self.enhancements.packets);
        self.enhancements.packets = read.saturating_add(1);
        let sets = self.designation();
        for bytes in triplets.chunks_exact(3) {
            if self.enhancements.have_ended {
                return;
            }
            let &[a, b, c] = bytes else { return };
            let Some(bits) = triplet([a, b, c]) else {
                self.enhancements.row = None;
                continue;
            };
            let (address, mode) = ((bits & 0x3F) as u8, (bits >> 6 & 0x1F) as u8);
            let code = (bits >> 11) as u8;
            let letter = match (address, mode) {
                (40.., 0x01 | 0x04) => {
                    let row = if address == 40 { 24 } else { address - 40 };
                    self.enhancements.row = Some(row);
                    continue;
                }
                (40.., 0x07) => {
                    self.enhancements.row = Some(0);
                    continue;
                }
                (40.., 0x1F) => {
                    self.enhancements.have_ended = true;
                    continue;
                }
                (0..40, 0x09) if code >= 0x20 => (sets.plain_letter(code), None),
                (0..40, 0x0F) if code >= 0x20 => (sets.extra_letter(code), None),
                (0..40, 0x10..) if code >= 0x20 => sets.marked_letter(code, mode & 0x0F),
                _ => continue,
            };
            if let Some(row) = self.enhancements.row {
                self.page.set_extra(row, address, letter);
            }
        }
    }

    /// Tell what the page shows, if that is another screen than before.
    fn tell(&mut self, changes: &mut Vec<Change<Screen>>) {
        let Some(at) = self.receiving else {
            return;
        };
        if !std::mem::take(&mut self.has_news) {
            return;
        }
        let screen = match self.is_inhibited {
            true => None,
            false => self.page.screen(self.designation()),
        };
        if screen == self.told {
            let is_recent = |told_at: Timestamp| (0..AGAIN_AFTER).contains(&at.since(told_at));
            if screen.is_none() || self.told_at.is_some_and(is_recent) {
                return;
            }
        }
        self.told.clone_from(&screen);
        self.told_at = Some(at);
        changes.push(Change {
            at,
            screen,
            timeout_90k: TIMEOUT_S * TICKS_PER_SECOND,
        });
    }
}

impl Decoder for TeletextDecoder {
    type Screen = Screen;

    const MAX_HELD_BYTES: usize = MAX_PAGE_BYTES + ROWS * MAX_LINE_BYTES;
    const MAX_SCREEN_BYTES: usize = ROWS * MAX_LINE_BYTES;

    fn push(&mut self, data: &[u8], at: Timestamp, changes: &mut Vec<Change<Screen>>) {
        let Some((identifier, mut units)) = data.split_first() else {
            return;
        };
        if !EBU_DATA.contains(identifier) {
            return;
        }
        while let Some((&[id, length], rest)) = units.split_first_chunk() {
            let Some((unit, rest)) = rest.split_at_checked(length.into()) else {
                break;
            };
            units = rest;
            let is_teletext = matches!(id, UNIT_TELETEXT | UNIT_SUBTITLE);
            if let Some(unit) = unit.first_chunk::<UNIT_BYTES>().filter(|_| is_teletext) {
                // Teletext sends the lowest bit of a byte first, MPEG the highest.
                let reversed = unit.map(u8::reverse_bits);
                if let Some(packet) = reversed.last_chunk() {
                    self.packet(packet, at, changes);
                }
            }
        }
        self.tell(changes);
    }

    fn lose(&mut self) {
        // A header may be missing, and what follows belong to another page.
        self.receiving = None;
    }

    fn held_bytes(&self) -> usize {
        self.page.held_bytes() + self.told.as_ref().map_or(0, Self::screen_bytes)
    }

    fn screen_bytes(screen: &Screen) -> usize {
        let runs = |line: &Line| {
            let bytes = line
                .runs
                .iter()
                .map(|run| size_of::<Run>() + run.text.len());
            size_of::<Line>() + bytes.sum::<usize>()
        };
        screen.lines.iter().map(runs).sum()
    }

    fn file(span: Span, shown: &[Shown<'_, Screen>]) -> Vec<u8> {
        webvtt::file(span, shown)
    }
}

/// The character sets that a packet X/28 or M/29 designates, in seven bits each.
#[derive(Debug, Clone, Copy)]
struct Designated {
    default: u8,
    second: Option<u8>,
}

/// Read such a packet (9.4.2.2, 9.5.1: format 1 of a page of text; 9.4.3, of level 2.5).
fn designated(data: &[u8; 40]) -> Option<Designated> {
    let designation = nibble(data[0])?;
    if !matches!(designation, 0 | 4) {
        return None;
    }
    let first = triplet([data[1], data[2], data[3]])?;
    let second = triplet([data[4], data[5], data[6]])?;
    // Page function and coding: a page of text in seven bits with parity.
    if first & 0x7F != 0 {
        return None;
    }
    let default = (first >> 7 & 0x7F) as u8;
    let second = (first >> 14 & 0xF | (second & 7) << 4) as u8;
    Some(Designated {
        default,
        second: Some(second).filter(|&bits| bits != 0x7F),
    })
}
