//! Rows of a page to what is seen of it (ETSI EN 300 706, 12.2 and 12.3).

use super::characters::{Designation, is_right_to_left, mirrored};

/// Characters of a row.
pub(super) const COLUMNS: usize = 40;

/// Rows of a page: the header, 23 of text. The 24th is for prompts.
pub(super) const ROWS: usize = 24;

const SPACE: u8 = 0x20;

/// A colour of level 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// 0
    Black,
    /// 1
    Red,
    /// 2
    Green,
    /// 3
    Yellow,
    /// 4
    Blue,
    /// 5
    Magenta,
    /// 6
    Cyan,
    /// 7
    White,
}

impl Colour {
    fn of_code(code: u8) -> Self {
        match code & 7 {
            0 => Self::Black,
            1 => Self::Red,
            2 => Self::Green,
            3 => Self::Yellow,
            4 => Self::Blue,
            5 => Self::Magenta,
            6 => Self::Cyan,
            _ => Self::White,
        }
    }
}

/// What is seen of a page: its boxed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Lines with text, from above.
    pub lines: Vec<Line>,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Row, 1 to 23.
    pub row: usize,
    /// Whether it takes this row and the next.
    pub is_double_height: bool,
    /// The column of the first character, 0 to 39.
    pub start: usize,
    /// The column behind the last character.
    pub end: usize,
    /// The text, without spaces at its ends, in the order in which it is read.
    pub runs: Vec<Run>,
}

/// Text of one colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Of the letters.
    pub foreground: Colour,
    /// Behind them.
    pub background: Colour,
    /// Never empty; no two spaces meet.
    pub text: String,
}

/// The content of a page as it was transmitted.
#[derive(Debug)]
pub(super) struct Page {
    /// Codes of seven bits. The header's row is not kept.
    rows: [[u8; COLUMNS]; ROWS],
    /// The transmission in which a row came last.
    received: [u32; ROWS],
    transmission: u32,
    extras: std::collections::BTreeMap<(u8, u8), Extra>,
}

/// A character that a packet X/26 puts in the place of another.
#[derive(Debug, Clone, Copy)]
struct Extra {
    letter: char,
    mark: Option<char>,
    transmission: u32,
}

/// Maximum size of a page in bytes.
pub(super) const MAX_PAGE_BYTES: usize = size_of::<Page>() + ROWS * COLUMNS * EXTRA_BYTES;

/// An entry of the map, and its share of nodes that are half empty.
const EXTRA_BYTES: usize = 2 * (size_of::<Extra>() + size_of::<(u8, u8)>() + 8);

#[derive(Debug, Clone, Copy)]
struct Cell {
    letter: char,
    /// A diacritical mark that Unicode writes behind the letter.
    mark: Option<char>,
    foreground: Colour,
    background: Colour,
    /// A wide character to its left takes its place.
    is_covered: bool,
}

impl Page {
    pub(super) fn new() -> Self {
        Self {
            rows: [[SPACE; COLUMNS]; ROWS],
            received: [0; ROWS],
            transmission: 0,
            extras: std::collections::BTreeMap::new(),
        }
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of::<Self>() + self.extras.len() * EXTRA_BYTES
    }

    /// Begin a transmission of the page.
    pub(super) fn begin(&mut self, erases: bool) {
        self.transmission = self.transmission.wrapping_add(1);
        if erases {
            self.rows = [[SPACE; COLUMNS]; ROWS];
            self.extras.clear();
        }
    }

    /// Take a row. A character that was damaged leaves the one that was there.
    pub(super) fn set_row(&mut self, row: usize, codes: impl Iterator<Item = Option<u8>>) {
        let Some(cells) = self.rows.get_mut(row) else {
            return;
        };
        for (cell, code) in cells.iter_mut().zip(codes) {
            *cell = code.unwrap_or(*cell);
        }
        self.received[row] = self.transmission;
    }

    /// Put a character of another set in its place.
    pub(super) fn set_extra(&mut self, row: u8, column: u8, (letter, mark): (char, Option<char>)) {
        if usize::from(row) < ROWS && usize::from(column) < COLUMNS {
            let transmission = self.transmission;
            self.extras.insert(
                (row, column),
                Extra {
                    letter,
                    mark,
                    transmission,
                },
            );
        }
    }

    /// Return the extra character at a place. It goes when its row comes without it.
    fn extra(&self, row: usize, column: usize) -> Option<Extra> {
        let extra = self.extras.get(&(row as u8, column as u8))?;
        let is_stale = self.received[row] > extra.transmission;
        (!is_stale).then_some(*extra)
    }

    /// Return what is seen of it; none where nothing is.
    pub(super) fn screen(&self, designation: Designation) -> Option<Screen> {
        let mut lines = Vec::new();
        let mut row = 1;
        while row < ROWS {
            let (cells, is_double_height) = self.cells(row, designation);
            lines.extend(line(row, is_double_height, &cells));
            // The row beneath shows the lower halves.
            row += if is_double_height { 2 } else { 1 };
        }
        (!lines.is_empty()).then_some(Screen { lines })
    }

    /// Return the cells of a row that are in a box and not concealed, and whether it is of double
    /// height.
    fn cells(&self, row: usize, designation: Designation) -> ([Option<Cell>; COLUMNS], bool) {
        let mut cells = [None; COLUMNS];
        let mut is_double_height = false;
        let (mut foreground, mut background) = (Colour::White, Colour::Black);
        let (mut is_boxed, mut is_concealed, mut is_mosaic) = (false, false, false);
        let (mut is_second_set, mut is_wide, mut is_covered) = (false, false, false);
        for (column, (cell, &code)) in cells.iter_mut().zip(&self.rows[row]).enumerate() {
            // Set at: in force in this place already.
            match code {
                0x0C => is_wide = false,
                0x18 => is_concealed = true,
                0x1C => background = Colour::Black,
                0x1D => background = foreground,
                _ => {}
            }
            let is_block = is_mosaic && code & 0x20 != 0;
            let extra = self.extra(row, column);
            let letter = match extra {
                Some(extra) => extra.letter,
                None if code < SPACE || is_block => ' ',
                None => designation.letter(code, is_second_set),
            };
            if is_boxed {
                *cell = Some(Cell {
                    letter: if is_concealed { ' ' } else { letter },
                    mark: extra.and_then(|extra| extra.mark).filter(|_| !is_concealed),
                    foreground,
                    background,
                    is_covered,
                });
            }
            // A wide character covers the place to its right.
            is_covered = is_wide && !is_covered && code >= SPACE;
            // Set after: in force from the next place on.
            match code {
                0x00..=0x07 | 0x10..=0x17 => {
                    foreground = Colour::of_code(code);
                    is_mosaic = code >= 0x10;
                    is_concealed = false;
                }
                0x0A => is_boxed = false,
                0x0B => is_boxed = true,
                0x0D => {
                    is_double_height = true;
                    is_wide = false;
                }
                0x0E => is_wide = true,
                0x0F => {
                    is_double_height = true;
                    is_wide = true;
                }
                0x1B => is_second_set = !is_second_set,
                _ => {}
            }
        }
        (cells, is_double_height && row + 1 < ROWS)
    }
}

fn line(row: usize, is_double_height: bool, cells: &[Option<Cell>]) -> Option<Line> {
    let is_seen =
        |cell: &Option<Cell>| cell.is_some_and(|cell| cell.letter != ' ' && !cell.is_covered);
    let start = cells.iter().position(is_seen)?;
    let end = cells.iter().rposition(is_seen)? + 1;
    let seen = cells.get(start..end)?;
    let mut runs: Vec<Run> = Vec::new();
    let mut ends_with_space = false;
    for cell in in_reading_order(seen) {
        let is_space = cell.letter == ' ';
        if is_space && ends_with_space {
            continue;
        }
        ends_with_space = is_space;
        let same = |run: &&mut Run| {
            is_space || (run.foreground, run.background) == (cell.foreground, cell.background)
        };
        match runs.last_mut().filter(same) {
            Some(run) => run.text.push(cell.letter),
            None => runs.push(Run {
                foreground: cell.foreground,
                background: cell.background,
                text: cell.letter.to_string(),
            }),
        }
        if let (Some(mark), Some(run)) = (cell.mark, runs.last_mut()) {
            run.text.push(mark);
        }
    }
    Some(Line {
        row,
        is_double_height,
        start,
        end,
        runs,
    })
}

/// Return the cells in the order in which they are read. A page holds them as they stand on the
/// screen, text in Hebrew or Arabic from its end, and players lay out what they are given from its
/// beginning.
fn in_reading_order(seen: &[Option<Cell>]) -> Vec<Cell> {
    let mut last = Cell {
        letter: ' ',
        mark: None,
        foreground: Colour::White,
        background: Colour::Black,
        is_covered: false,
    };
    let fill = |cell: &Option<Cell>| {
        last = match cell {
            Some(cell) => *cell,
            None => Cell {
                letter: ' ',
                mark: None,
                is_covered: false,
                ..last
            },
        };
        last
    };
    let mut cells: Vec<Cell> = seen.iter().map(fill).collect();
    cells.retain(|cell| !cell.is_covered);
    if !cells.iter().any(|cell| is_right_to_left(cell.letter)) {
        return cells;
    }
    cells.reverse();
    for cell in &mut cells {
        cell.letter = mirrored(cell.letter);
    }
    // Numbers and Latin words within keep their order.
    let is_word = |cell: &Cell| cell.letter.is_alphanumeric() && !is_right_to_left(cell.letter);
    let mut start = 0;
    while start < cells.len() {
        let length = cells[start..].iter().take_while(|c| is_word(c)).count();
        cells[start..start + length].reverse();
        start += length.max(1);
    }
    cells
}
