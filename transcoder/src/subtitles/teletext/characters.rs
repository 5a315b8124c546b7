//! Character sets (ETSI EN 300 706, 15).
//!
//! Letters that the standard draws, and that two scripts or two Unicode characters may stand for,
//! are those that the languages of the set use: Cyrillic letters for Cyrillic, the Polish letter
//! with a dot, Romanian letters with a comma below.

use crate::Language;

/// Which sets a page uses (table 32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Designation {
    /// All seven bits of a packet X/28 or M/29; None without such a packet.
    pub(super) designated: Option<u8>,
    /// The group of countries, its upper four bits, where none does.
    pub(super) usual_group: u8,
    /// C12 to C14: which of the group. They go before the lower three bits of a packet.
    pub(super) option: u8,
    /// All seven bits of the second G0 set, to which ESC switches; None without a second set.
    pub(super) second: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Latin(&'static str),
    Cyrillic(&'static str),
    Greek,
    Arabic,
    Hebrew,
}

/// Places of the Latin set that hold national letters.
const NATIONAL: [u8; 13] = [
    0x23, 0x24, 0x40, 0x5B, 0x5C, 0x5D, 0x5E, 0x5F, 0x60, 0x7B, 0x7C, 0x7D, 0x7E,
];

// Table 36, in the order of these places.
const ENGLISH: &str = "£$@←½→↑#—¼‖¾÷";
const GERMAN: &str = "#$§ÄÖÜ^_°äöüß";
const SWEDISH: &str = "#¤ÉÄÖÅÜ_éäöåü";
const ITALIAN: &str = "£$é°ç→↑#ùàòèì";
const FRENCH: &str = "éïàëêùî#èâôûç";
const PORTUGUESE: &str = "ç$¡áéíóú¿üñèà";
const CZECH: &str = "#ůčťžýířéáěúš";
const POLISH: &str = "#ńąŻŚŁćóężśłź";
const TURKISH: &str = "₺ğİŞÖÇÜĞışöçü";
const SLOVENE: &str = "#ËČĆŽĐŠëčćžđš";
const ROMANIAN: &str = "#¤ȚÂȘĂÎıțâșăî";
const ESTONIAN: &str = "#õŠÄÖŽÜÕšäöžü";
const LETTISH: &str = "#$ŠėęŽčūšąųžį";
/// The set itself, with no nation's letters (table 35).
const NO_NATION: &str = "#¤@[\\]^_`{|}~";

// Tables 37 to 43 from 0x40 on, but for Greek, whose last letters of table 39 from 0x3C on differ.
const SERBIAN: &str = "\
    ЧАБЦДЕФГХИЈКЛМНОПЌРСТУВЃЉЊЗЋЖЂШЏ\
    чабцдефгхијклмнопќрстувѓљњзћжђш■";
const RUSSIAN: &str = "\
    ЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЪЗШЭЩЧЫ\
    юабцдефгхийклмнопярстужвьъзшэщч■";
const UKRAINIAN: &str = "\
    ЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬІЗШЄЩЧЇ\
    юабцдефгхийклмнопярстужвьізшєщч■";
const GREEK: &str = "\
    ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡʹΣΤΥΦΧΨΩΪΫάέήί\
    ΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ■";
const HEBREW: &str = "\
    @ABCDEFGHIJKLMNOPQRSTUVWXYZ←½→↑#\
    אבגדהוזחטיךכלםמןנסעףפץצקרשת₪‖¾÷■";
/// Forms of letters, as they stand beside others.
const ARABIC: &str = "\
    \u{FE94}\u{0621}\u{FE92}\u{0628}\u{FE98}\u{062A}\u{FE8E}\u{FE8D}\
    \u{FE91}\u{FE93}\u{FE97}\u{FE9B}\u{FE9F}\u{FEA3}\u{FEA7}\u{FEA9}\
    \u{0630}\u{FEAD}\u{FEAF}\u{FEB3}\u{FEB7}\u{FEBB}\u{FEBF}\u{FEC1}\
    \u{FEC5}\u{FECB}\u{FECF}\u{FE9C}\u{FEA0}\u{FEA4}\u{FEA8}#\
    \u{0640}\u{FED3}\u{FED7}\u{FEDB}\u{FEDF}\u{FEE3}\u{FEE7}\u{FEEB}\
    \u{FEED}\u{FEEF}\u{FEF3}\u{FE99}\u{FE9D}\u{FEA1}\u{FEA5}\u{FEF4}\
    \u{FEF0}\u{FECC}\u{FED0}\u{FED4}\u{FED1}\u{FED8}\u{FED5}\u{FED9}\
    \u{FEE0}\u{FEDD}\u{FEE4}\u{FEE1}\u{FEE8}\u{FEE5}\u{FEFB}■";
/// From 0x20 on: punctuation and digits. Brackets open to the left.
const ARABIC_SIGNS: &str = " !\"£$٪\u{FEF0}\u{FEF2})(*+،-./0123456789:؛>=<؟";

// G2 sets from 0x20 on (tables 38 and on). What stands alone where a diacritical mark is drawn.
const LATIN_2: &str = " ¡¢£$¥#§¤‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿ `´ˆ˜¯˘˙¨.˚¸_˝˛ˇ\
    —¹®©™♪₠‰∝   ⅛⅜⅝⅞ΩÆĐªĦ ĲĿŁØŒºÞŦŊŉĸæđðħıĳŀłøœßþŧŋ■";
const CYRILLIC_2: &str = " ¡¢£ ¥#§ ‘“«←↑→↓°±²³×µ¶·÷’”»¼½¾¿ `´ˆ˜¯˘˙¨.˚¸_˝˛ˇ\
    —¹®©™♪₠‰∝Łłß⅛⅜⅝⅞DEFGIJKLNQRSUVWZdefgijklnqrsuvwz";
const GREEK_2: &str = " ab£ehi§:‘“k←↑→↓°±²³xmnp÷’”t¼½¾x `´ˆ˜¯˘˙¨.˚¸_˝˛ˇ\
    ?¹®©™♪₠‰∝ΊΎΏ⅛⅜⅝⅞CDFGJLQRSUVWYZΆΉcdfgjlqrsuvwyzΈ■";
const ARABIC_2: &str = " \u{0639}\u{FEC9}\u{FE83}\u{FE85}\u{FE87}\u{FE8B}\u{FE89}\
    \u{FB7C}\u{FB7D}\u{FB7A}\u{FB58}\u{FB59}\u{FB56}\u{FB6D}\u{FB8E}\
    ٠١٢٣٤٥٦٧٨٩\u{FECE}\u{FECD}\u{FEFC}\u{FEEC}\u{FEEA}\u{FEE9}\
    àABCDEFGHIJKLMNOPQRSTUVWXYZëêùî\u{FECA}éabcdefghijklmnopqrstuvwxyzâôûç■";

/// Combining forms of the diacritical marks 1 to 15.
const MARKS: [char; 15] = [
    '\u{300}', '\u{301}', '\u{302}', '\u{303}', '\u{304}', '\u{306}', '\u{307}', '\u{308}',
    '\u{323}', '\u{30A}', '\u{327}', '\u{332}', '\u{30B}', '\u{328}', '\u{30C}',
];

/// Letters with the marks 1 to 15, behind the letters without.
const MARKED: [&str; 15] = [
    "AÀEÈIÌOÒUÙaàeèiìoòuùNǸnǹWẀwẁYỲyỳ",
    "AÁEÉIÍOÓUÚYÝCĆLĹNŃRŔSŚZŹaáeéiíoóuúyýcćlĺnńrŕsśzźgǵGǴ",
    "AÂEÊIÎOÔUÛCĈGĜHĤJĴSŜWŴYŶaâeêiîoôuûcĉgĝhĥjĵsŝwŵyŷ",
    "AÃNÑOÕIĨUŨaãnñoõiĩuũEẼeẽYỸyỹ",
    "AĀEĒIĪOŌUŪaāeēiīoōuū",
    "AĂGĞUŬaăgğuŭEĔeĕIĬiĭOŎoŏ",
    "CĊEĖGĠIİZŻcċeėgġzżAȦaȧOȮoȯ",
    "AÄEËIÏOÖUÜYŸaäeëiïoöuüyÿ",
    "AẠaạEẸeẹIỊiịOỌoọUỤuụ",
    "AÅUŮaåuů",
    "CÇGĢKĶLĻNŅRŖSŞTŢcçkķlļnņrŗsştţ",
    "",
    "OŐUŰoőuű",
    "AĄEĘIĮUŲaąeęiįuųOǪoǫ",
    "CČDĎEĚLĽNŇRŘSŠTŤZŽcčdďeělľnňrřsštťzžGǦgǧAǍaǎIǏiǐOǑoǒUǓuǔ",
];

impl Designation {
    /// Return the sets of pages of which no packet says more than C12 to C14: those of the
    /// part of Europe in which a language is spoken.
    pub(super) fn group_of(language: Option<Language>) -> u8 {
        match language.map(Language::code).as_ref() {
            Some(b"pol") => 1,
            Some(b"tur") => 2,
            Some(b"hrv" | b"slv" | b"ron" | b"bos") => 3,
            Some(
                b"srp" | b"mkd" | b"rus" | b"bul" | b"ukr" | b"bel" | b"est" | b"lav" | b"lit",
            ) => 4,
            Some(b"ell") => 6,
            Some(b"ara" | b"fas") => 8,
            Some(b"heb") => 10,
            _ => 0,
        }
    }

    /// Return the character of a code from 0x20 on.
    pub(super) fn letter(self, code: u8, is_second: bool) -> char {
        let second = self.second.filter(|_| is_second);
        let set = second.and_then(|bits| set(bits >> 3, bits & 7));
        letter(set.unwrap_or(self.set()), code)
    }

    /// Return the default G0 set.
    fn set(self) -> Set {
        let group = self.group();
        set(group, self.option)
            .or_else(|| self.designated.and_then(|bits| set(bits >> 3, bits & 7)))
            .or_else(|| set(0, self.option))
            .unwrap_or(Set::Latin(ENGLISH))
    }

    fn group(self) -> u8 {
        self.designated.map_or(self.usual_group, |bits| bits >> 3)
    }

    /// Return a character of the G2 set, in a packet X/26.
    pub(super) fn extra_letter(self, code: u8) -> char {
        let table = match self.set() {
            Set::Latin(_) if self.group() == 8 => ARABIC_2,
            Set::Latin(_) => LATIN_2,
            Set::Cyrillic(_) => CYRILLIC_2,
            Set::Greek => GREEK_2,
            Set::Arabic | Set::Hebrew => ARABIC_2,
        };
        from_0x20(table, code)
    }

    /// Return a character of the G0 set without national letters, in a packet X/26.
    pub(super) fn plain_letter(self, code: u8) -> char {
        match self.set() {
            Set::Latin(_) => letter(Set::Latin(NO_NATION), code),
            other => letter(other, code),
        }
    }

    /// Return a character with a diacritical mark, 0 to 15, in a packet X/26 (12.3.4, table 29):
    /// one character, or two where Unicode has none for both.
    pub(super) fn marked_letter(self, code: u8, mark: u8) -> (char, Option<char>) {
        if code == 0x2A && mark == 0 {
            return ('@', None);
        }
        let plain = self.plain_letter(code);
        let Some(mark) = usize::from(mark).checked_sub(1) else {
            return (plain, None);
        };
        let letters = MARKED.get(mark).copied().unwrap_or_default();
        let mut pairs = letters.chars();
        while let (Some(from), Some(to)) = (pairs.next(), pairs.next()) {
            if from == plain {
                return (to, None);
            }
        }
        let combining = MARKS.get(mark).copied();
        (plain, combining.filter(|_| plain.is_alphabetic()))
    }
}

/// Table 32; none for what it leaves open.
fn set(group: u8, option: u8) -> Option<Set> {
    Some(match (group, option) {
        (0 | 2, 0) | (8, 0) => Set::Latin(ENGLISH),
        (0..=2 | 4, 1) => Set::Latin(GERMAN),
        (0..=2, 2) => Set::Latin(SWEDISH),
        (0..=2, 3) => Set::Latin(ITALIAN),
        (0..=2 | 8, 4) => Set::Latin(FRENCH),
        (0 | 2, 5) => Set::Latin(PORTUGUESE),
        (0 | 1 | 4, 6) => Set::Latin(CZECH),
        (1, 0) => Set::Latin(POLISH),
        (2 | 6, 6) => Set::Latin(TURKISH),
        (3, 5) => Set::Latin(SLOVENE),
        (3, 7) => Set::Latin(ROMANIAN),
        (4, 0) => Set::Cyrillic(SERBIAN),
        (4, 2) => Set::Latin(ESTONIAN),
        (4, 3) => Set::Latin(LETTISH),
        (4, 4) => Set::Cyrillic(RUSSIAN),
        (4, 5) => Set::Cyrillic(UKRAINIAN),
        (6, 7) => Set::Greek,
        (8 | 10, 7) => Set::Arabic,
        (10, 5) => Set::Hebrew,
        _ => return None,
    })
}

fn letter(set: Set, code: u8) -> char {
    let code = code & 0x7F;
    match (set, code) {
        (Set::Latin(_) | Set::Cyrillic(_) | Set::Greek, 0x7F) => '■',
        (Set::Latin(letters), _) => match NATIONAL.iter().position(|&place| place == code) {
            Some(index) => letters.chars().nth(index).unwrap_or(' '),
            None => char::from(code),
        },
        (Set::Cyrillic(letters), 0x40..) => from_0x40(letters, code),
        (Set::Cyrillic(RUSSIAN), b'&') => 'ы',
        (Set::Cyrillic(UKRAINIAN), b'&') => 'ї',
        (Set::Greek, 0x40..) => from_0x40(GREEK, code),
        (Set::Greek, b'<') => '«',
        (Set::Greek, b'>') => '»',
        (Set::Hebrew, 0x40..) => from_0x40(HEBREW, code),
        (Set::Hebrew, b'#') => '£',
        (Set::Arabic, 0x40..) => from_0x40(ARABIC, code),
        (Set::Arabic, _) => from_0x20(ARABIC_SIGNS, code),
        _ => char::from(code),
    }
}

fn from_0x40(letters: &str, code: u8) -> char {
    let index = usize::from(code.saturating_sub(0x40));
    letters.chars().nth(index).unwrap_or(' ')
}

fn from_0x20(letters: &str, code: u8) -> char {
    let index = usize::from(code.saturating_sub(0x20));
    letters.chars().nth(index).unwrap_or(' ')
}

/// Return the other one of a pair of brackets: in text that runs to the left players mirror
/// them.
pub(super) fn mirrored(letter: char) -> char {
    match letter {
        '(' => ')',
        ')' => '(',
        '<' => '>',
        '>' => '<',
        '[' => ']',
        ']' => '[',
        '«' => '»',
        '»' => '«',
        other => other,
    }
}

/// Return whether a character is of Hebrew or Arabic.
pub(super) fn is_right_to_left(letter: char) -> bool {
    matches!(letter, '\u{590}'..='\u{65F}' | '\u{66E}'..='\u{8FF}'
        | '\u{FB1D}'..='\u{FD3D}' | '\u{FD50}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}')
}
