//! What a packager gives.

use crate::Language;
use crate::ts::packet::Pid;

/// One track of the program, in files of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rendition {
    /// The picture.
    Video,
    /// The sound track on this PID.
    Sound(Pid),
    /// Teletext subtitles, as WebVTT.
    Text {
        /// The PID of the teletext.
        pid: Pid,
        /// The page: magazine, 1 to 8, and two hexadecimal digits, as in 0x888.
        page: u16,
    },
    /// DVB subtitles, as images.
    Images {
        /// The PID of the subtitles.
        pid: Pid,
        /// composition_page_id.
        page: u16,
    },
}

impl std::fmt::Display for Rendition {
    /// `video`, `sound-<PID>`, `text-<PID>-<page>`, the page as people know it, or
    /// `images-<PID>-<page>`: a name for files.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Video => f.write_str("video"),
            Self::Sound(pid) => write!(f, "sound-{}", pid.value()),
            Self::Text { pid, page } => write!(f, "text-{}-{page:03x}", pid.value()),
            Self::Images { pid, page } => write!(f, "images-{}-{page}", pid.value()),
        }
    }
}

/// An output of a [`Packager`](super::Packager). The events of a rendition come in the order in
/// which its files are to be published. Renditions are independent: sound of a segment may come
/// after pictures of the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A rendition's initialisation segment. It precedes the rendition's first part, and comes
    /// again for every discontinuity.
    Header(Header),
    /// A part of a segment. The parts of a segment, one behind the other, are the segment.
    Part(Part),
    /// A segment's parts are all there.
    Segment(Segment),
    /// From the segment with this number on every rendition has another time base, other
    /// parameters or other tracks: its initialisation segment comes again.
    Discontinuity {
        /// The first segment behind it.
        segment: u64,
    },
    /// Something of the program is not packaged.
    NotOffered(NotOffered),
}

/// An initialisation segment, and the rendition's properties for a multivariant playlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Whose it is.
    pub rendition: Rendition,
    /// The first segment to which it belongs.
    pub segment: u64,
    /// CODECS (RFC 6381).
    pub codecs: String,
    /// Ticks of a second in the times of this rendition.
    pub timescale: u32,
    /// What kind it is.
    pub media: Media,
    /// `ftyp` and `moov`; of subtitles nothing.
    pub data: Vec<u8>,
}

/// What is in a rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// Pictures.
    Video {
        /// RESOLUTION: samples in a row.
        width: u16,
        /// RESOLUTION: rows.
        height: u16,
        /// Width and height of a sample, where it is not square.
        aspect: Option<(u16, u16)>,
        /// FRAME-RATE: frames in 1000 seconds, by the time stamps of the first part; none
        /// where that holds a single frame.
        frames_per_1000_s: Option<u32>,
        /// Whether frames may consist of two fields.
        is_interlaced: bool,
    },
    /// Sound.
    Sound {
        /// The language that the PMT names.
        language: Option<Language>,
        /// Whether it is an audio description of the picture.
        is_description: bool,
        /// Channels; CHANNELS.
        channels: u8,
        /// Sample rate in Hz.
        sample_rate_hz: u32,
    },
    /// Subtitles as text: each segment is one part, a WebVTT file.
    Text {
        /// The language that the PMT names.
        language: Option<Language>,
        /// Whether they also describe sounds.
        is_hearing_impaired: bool,
        /// The page: magazine, 1 to 8, and two hexadecimal digits, as in 0x888.
        page: u16,
    },
    /// Subtitles as images: each segment is one part, a JSON file.
    Images {
        /// The language that the PMT names.
        language: Option<Language>,
        /// Whether they also describe sounds.
        is_hearing_impaired: bool,
        /// Width of the display to which the images' positions refer, from the PMT's entry.
        width: u16,
        /// Its height.
        height: u16,
    },
}

/// A fragment: `moof` and `mdat`. Of subtitles the whole file of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whose it is.
    pub rendition: Rendition,
    /// Number of its segment: the renditions' segments of one number belong to one time.
    pub segment: u64,
    /// Number in its segment, from 0.
    pub index: u32,
    /// Decode time of its first sample, in ticks of the rendition's timescale. It continues when
    /// the 33 bits of the stream's time stamps wrap.
    pub decode_time: u64,
    /// Sum of its samples' durations, in ticks.
    pub duration: u64,
    /// Whether it begins with a sync sample: INDEPENDENT.
    pub is_independent: bool,
    /// The bytes.
    pub data: Vec<u8>,
}

/// The end of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Whose it is.
    pub rendition: Rendition,
    /// Its number.
    pub number: u64,
    /// Parts in it; 0 where nothing came of the rendition in its time: a gap.
    pub parts: u32,
    /// Decode time of its first sample, in ticks of the rendition's timescale.
    pub decode_time: u64,
    /// Sum of its parts' durations, in ticks; of a gap, the time that is missing.
    pub duration: u64,
}

/// Something that is not packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOffered {
    /// The PID of the track.
    pub pid: Pid,
    /// Why it is not.
    pub reason: Reason,
}

/// Why a track is not packaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// MPEG-1 or MPEG-2 video, which neither browsers nor Apple's players decode.
    Mpeg2Video,
    /// Video in another coding that is not packaged.
    VideoCoding,
    /// Sound in another coding than AAC with a channel configuration.
    SoundCoding,
    /// Parameter sets that cannot be read.
    Parameters,
    /// There are pictures, but no random access point among them.
    NoRandomAccess,
    /// The announced video is missing or scrambled; the sound is packaged alone.
    NoPictures,
    /// Sound whose time stamps are unrelated to the picture's.
    UnrelatedClock,
}

impl Reason {
    /// Return its name in texts for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mpeg2Video => "mpeg2_video",
            Self::VideoCoding => "video_coding",
            Self::SoundCoding => "sound_coding",
            Self::Parameters => "parameters",
            Self::NoRandomAccess => "no_random_access",
            Self::NoPictures => "no_pictures",
            Self::UnrelatedClock => "unrelated_clock",
        }
    }
}
