//! Teletext written bit by bit, by the standards' tables and not by the decoder's code
//! (ETSI EN 300 706, EN 300 472).

/// EN 300 706, table 11: the code of four bits, with the first bit sent as the lowest.
const HAMMING_8_4: [u8; 16] = [
    0x15, 0x02, 0x49, 0x5E, 0x64, 0x73, 0x38, 0x2F, 0xD0, 0xC7, 0x8C, 0x9B, 0xA1, 0xB6, 0xFD, 0xEA,
];

/// A packet as it is sent in a line: address and 40 bytes.
pub(crate) type Packet = [u8; 42];

pub(crate) const ERASE: u16 = 1 << 4;
pub(crate) const SUBTITLE: u16 = 1 << 6;
pub(crate) const INHIBIT: u16 = 1 << 10;
pub(crate) const SERIAL: u16 = 1 << 11;
/// C12, which is the highest of three bits.
pub(crate) const OPTION_4: u16 = 1 << 12;
pub(crate) const OPTION_2: u16 = 1 << 13;
pub(crate) const OPTION_1: u16 = 1 << 14;

pub(crate) fn option(value: u16) -> u16 {
    let bit = |from: u16, to: u16| if value & from != 0 { to } else { 0 };
    bit(4, OPTION_4) | bit(2, OPTION_2) | bit(1, OPTION_1)
}

fn nibble(value: u16) -> u8 {
    HAMMING_8_4[usize::from(value & 0xF)]
}

/// The code of 18 bits (table 13).
pub(crate) fn hamming_24_18(data: u32) -> [u8; 3] {
    let d = |n: u32| data >> (n - 1) & 1;
    let test = |ns: &[u32]| 1 ^ ns.iter().fold(0, |sum, &n| sum ^ d(n));
    let mut bits = vec![
        test(&[1, 2, 4, 5, 7, 9, 11, 12, 14, 16, 18]),
        test(&[1, 3, 4, 6, 7, 10, 11, 13, 14, 17, 18]),
        d(1),
        test(&[2, 3, 4, 8, 9, 10, 11, 15, 16, 17, 18]),
        d(2),
        d(3),
        d(4),
        test(&[5, 6, 7, 8, 9, 10, 11]),
    ];
    bits.extend((5..=11).map(d));
    bits.push(test(&[12, 13, 14, 15, 16, 17, 18]));
    bits.extend((12..=18).map(d));
    bits.push(1 ^ bits.iter().fold(0, |sum, bit| sum ^ bit));
    let byte = |n: usize| (0..8).fold(0, |byte, bit| byte | (bits[n * 8 + bit] as u8) << bit);
    [byte(0), byte(1), byte(2)]
}

/// A character with a bit that makes the number of ones odd.
pub(crate) fn odd(code: u8) -> u8 {
    let code = code & 0x7F;
    code | u8::from(code.count_ones().is_multiple_of(2)) << 7
}

fn addressed(magazine: u16, number: u16) -> Packet {
    let mut packet = [odd(b' '); 42];
    packet[0] = nibble(magazine & 7 | (number & 1) << 3);
    packet[1] = nibble(number >> 1);
    packet
}

/// A header of a page, as in 0x888, with these of the bits C4 to C14.
pub(crate) fn header(page: u16, controls: u16) -> Packet {
    let mut packet = addressed(page >> 8, 0);
    let bit = |number: u16, place: u16| (controls >> number & 1) << place;
    let fields = [
        page,
        page >> 4,
        0,
        bit(4, 3),
        0,
        bit(5, 2) | bit(6, 3),
        bit(7, 0) | bit(8, 1) | bit(9, 2) | bit(10, 3),
        bit(11, 0) | bit(12, 1) | bit(13, 2) | bit(14, 3),
    ];
    for (byte, field) in packet[2..].iter_mut().zip(fields) {
        *byte = nibble(field);
    }
    for (byte, letter) in packet[10..].iter_mut().zip("Page 888   12:34:56".bytes()) {
        *byte = odd(letter);
    }
    packet
}

/// A row of the page of a magazine.
pub(crate) fn row(magazine: u16, number: u16, codes: &[u8]) -> Packet {
    let mut packet = addressed(magazine, number);
    for (byte, code) in packet[2..].iter_mut().zip(codes) {
        *byte = odd(*code);
    }
    packet
}

/// A row with boxed text from a column on; codes below 0x20 are attributes.
pub(crate) fn boxed(magazine: u16, number: u16, column: usize, text: &[u8]) -> Packet {
    let mut codes = vec![b' '; column.saturating_sub(2)];
    codes.extend([0x0B, 0x0B]);
    codes.extend(text);
    codes.extend([0x0A, 0x0A]);
    row(magazine, number, &codes)
}

/// A packet of triplets: X/26, X/28 or M/29, with a designation.
pub(crate) fn triplets(magazine: u16, number: u16, designation: u16, data: &[u32]) -> Packet {
    let mut packet = addressed(magazine, number);
    packet[2] = nibble(designation);
    // Of a column, and reserved: it says nothing.
    let unused = std::iter::repeat(triplet(39, 0x05, 0));
    let data = data.iter().copied().chain(unused);
    for (bytes, data) in packet[3..].chunks_exact_mut(3).zip(data) {
        bytes.copy_from_slice(&hamming_24_18(data));
    }
    packet
}

/// Address, mode and data of a triplet of X/26.
pub(crate) fn triplet(address: u32, mode: u32, data: u8) -> u32 {
    address | mode << 6 | u32::from(data) << 11
}

/// The first triplets of X/28/0 that designate sets by seven bits each.
pub(crate) fn sets(default: u32, second: u32) -> [u32; 2] {
    [default << 7 | (second & 0xF) << 14, second >> 4]
}

/// The data of a PES packet with these packets, and stuffing up to the end of a transport packet
/// (EN 300 472, 4.2).
pub(crate) fn data(packets: &[Packet]) -> Vec<u8> {
    let mut data = vec![0x10];
    for (index, packet) in packets.iter().enumerate() {
        data.extend([0x03, 0x2C, 0xE7 + index as u8 % 16, 0xE4]);
        data.extend(packet.iter().map(|byte| byte.reverse_bits()));
    }
    while !(data.len() + 45).is_multiple_of(184) {
        data.extend([0xFF, 0x2C]);
        data.extend([0xFF; 44]);
    }
    data
}

/// A PES packet with a header of 45 bytes.
pub(crate) fn pes(pts: Option<u64>, data: &[u8]) -> Vec<u8> {
    let length = (data.len() + 39) as u16;
    let mut pes = vec![0, 0, 1, 0xBD];
    pes.extend(length.to_be_bytes());
    match pts.map(|pts| pts % (1 << 33)) {
        Some(pts) => {
            let byte = |shift: u32, mask: u64| (pts >> shift & mask) as u8;
            pes.extend([0x84, 0x80, 36, 0x21 | byte(29, 0x0E), byte(22, 0xFF)]);
            pes.extend([byte(14, 0xFE) | 1, byte(7, 0xFF), byte(0, 0x7F) << 1 | 1]);
        }
        None => pes.extend([0x84, 0x00, 36, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
    }
    pes.extend([0xFF; 31]);
    pes.extend(data);
    pes
}
