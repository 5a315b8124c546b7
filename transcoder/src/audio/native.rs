//! The C codec libraries behind a safe interface: [`Decoder`] is libavcodec and
//! libswresample (through `native.c`), [`Encoder`] is FDK-AAC.
//!
//! Both work in the calling thread alone, print nothing, and give the same output
//! for the same input. Neither knows of time stamps: what a caller needs in order
//! to put samples where they belong is [`Pcm::leading_samples`] and
//! [`Encoder::delay_samples`].

#![expect(unsafe_code, reason = "calls into C libraries")]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::Once;

use fdk_aac_sys as fdk;

use super::access_unit::MAX_UNIT_BYTES;
use super::codec::Codec;
use super::pcm::{DecodeError, OutputFormat, Pcm};
use super::{ac3, mpeg_audio};
use crate::{DualMono, Error, ErrorKind};

/// Longest access unit of AC-3 and E-AC-3 that is decoded, in bytes: libavcodec
/// keeps a copy in a buffer of this size and walks along the dependent frames
/// without looking at its end. Real units take up to 4096 bytes a substream.
pub const MAX_AC3_UNIT_BYTES: usize = 32_768;

/// Most samples of each channel that one access unit may give. Real ones give at
/// most 4096; with resampling from 8 to 96 kHz that is twelve times as many.
const MAX_SAMPLES_PER_ACCESS_UNIT: usize = 12 * 4096;

/// Return the codec libraries that are linked in, with their versions.
pub fn versions() -> [(&'static str, String); 2] {
    const MODULES: usize = fdk::FDK_MODULE_ID_FDK_MODULE_LAST as usize;
    // SAFETY: every field is a number, an array of numbers or a pointer that may be NULL.
    let mut modules: [fdk::LIB_INFO; MODULES] = unsafe { mem::zeroed() };
    // SAFETY: it fills entries of an array that is as long as it wants, with texts that
    // end with NUL; the other result is a static text.
    let ffmpeg = unsafe {
        fdk::aacEncGetLibInfo(modules.as_mut_ptr());
        CStr::from_ptr(c::xg2g_codecs_version())
    };
    let encoder = modules
        .iter()
        .find(|module| module.module_id == fdk::FDK_MODULE_ID_FDK_AACENC)
        // SAFETY: as above.
        .map(|module| unsafe { CStr::from_ptr(module.versionStr.as_ptr()) });
    [
        ("ffmpeg", ffmpeg.to_string_lossy().into_owned()),
        (
            "fdk-aac",
            encoder.unwrap_or_default().to_string_lossy().into_owned(),
        ),
    ]
}

/// A decoder of the access units of one elementary stream.
///
/// Fewer channels than the source has are mixed as ETSI TS 102 366, 7.8.2 says for Lo/Ro:
/// with the stream's own levels (AC-3, E-AC-3) or -3 dB for the centre and the surround
/// channels, without the LFE, and without dividing by the sum of the levels. Mono is half the
/// sum of left and right.
///
/// The source may change its sample rate and channels at any access unit.
#[derive(Debug)]
pub struct Decoder {
    state: NonNull<c::Decoder>,
    codec: Codec,
    format: OutputFormat,
    max_unit_bytes: usize,
}

// SAFETY: the state is owned by this value alone and bound to no thread.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Set up a decoder. Fail with [`ErrorKind::InvalidArgument`] for a format that no AAC
    /// encoder takes and with [`ErrorKind::Codec`] without memory.
    pub fn new(codec: Codec, format: OutputFormat) -> Result<Self, Error> {
        static SILENCED: Once = Once::new();
        // SAFETY: sets a global of libavutil; `Once` keeps others from racing it.
        SILENCED.call_once(|| unsafe { c::xg2g_codecs_silence() });

        let rate_hz = format.sample_rate_hz.unwrap_or(0);
        let channels = format.channels.unwrap_or(0);
        if rate_hz > 96_000 || !matches!(channels, 0 | 1 | 2 | 6) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("no decoder delivers {channels} channels at {rate_hz} Hz"),
            ));
        }
        // SAFETY: the name is a C string; the numbers were checked.
        let state = unsafe {
            c::xg2g_decoder_new(
                decoder_name(codec).as_ptr(),
                rate_hz as c_int,
                c_int::from(channels),
            )
        };
        NonNull::new(state)
            .map(|state| Self {
                state,
                codec,
                format,
                max_unit_bytes: match codec {
                    Codec::Ac3 | Codec::Eac3 => MAX_AC3_UNIT_BYTES,
                    _ => MAX_UNIT_BYTES,
                },
            })
            .ok_or_else(|| Error::new(ErrorKind::Codec, format!("no decoder for {codec:?}")))
    }

    /// Decode one access unit (E-AC-3: an independent frame with the dependent ones that
    /// follow it) and replace the contents of `pcm` by its samples. Checksums are not
    /// looked at: the [framer](super::framer::Framer) knows better whether a station's
    /// encoder writes them.
    ///
    /// `pcm` is empty after an error, and when the decoder needs more before it
    /// can give anything.
    pub fn decode(&mut self, access_unit: &[u8], pcm: &mut Pcm) -> Result<(), DecodeError> {
        pcm.clear();
        if access_unit.len() > self.max_unit_bytes {
            return Err(DecodeError::TooLarge);
        }
        let result = self.decode_into(access_unit, pcm);
        if result.is_err() {
            pcm.clear();
        }
        result
    }

    /// Choose what is heard of a dual mono source from the next access unit on.
    pub fn hear(&mut self, dual_mono: DualMono) {
        self.format.dual_mono = dual_mono;
    }

    /// Forget the stream so far, so that what follows a gap is not mixed with what was
    /// before it. Samples that the resampler still holds are lost.
    pub fn reset(&mut self) {
        // SAFETY: `state` is valid as long as `self` is.
        unsafe { c::xg2g_decoder_reset(self.state.as_ptr()) }
    }

    fn decode_into(&mut self, access_unit: &[u8], pcm: &mut Pcm) -> Result<(), DecodeError> {
        let unit = self.describe(access_unit);
        // SAFETY: `state` is valid; the bytes are copied before the call returns, and
        // there are no more than `max_unit_bytes` of them, so the cast is exact.
        let sent = unsafe {
            c::xg2g_decoder_send(
                self.state.as_ptr(),
                access_unit.as_ptr(),
                access_unit.len() as c_int,
                &unit,
            )
        };
        let mut frame = c::Frame::default();
        let mut decoded = if sent < 0 {
            Err(DecodeError::Corrupt)
        } else {
            Ok(())
        };
        // To the end even after an error: a frame left behind would be taken for
        // one of the next access unit.
        loop {
            // SAFETY: `state` is valid, `frame` is written by the call.
            match unsafe { c::xg2g_decoder_receive(self.state.as_ptr(), &mut frame) } {
                0 => return decoded,
                1 if decoded.is_ok() => decoded = self.append(&frame, pcm),
                1 => {}
                _ => decoded = Err(DecodeError::Corrupt),
            }
        }
    }

    fn describe(&self, access_unit: &[u8]) -> c::Unit {
        let (is_dual_mono, has_mix_levels) = match self.codec {
            Codec::Ac3 | Codec::Eac3 => (
                ac3::is_dual_mono(access_unit),
                ac3::has_mix_levels(access_unit),
            ),
            Codec::MpegLayer1 | Codec::MpegLayer2 | Codec::MpegLayer3 => {
                (mpeg_audio::is_dual_mono(access_unit), false)
            }
            Codec::AacAdts | Codec::AacLatm | Codec::Dts => (false, false),
        };
        let taken = match (self.format.dual_mono, self.format.channels) {
            _ if !is_dual_mono => c::TAKE_BOTH,
            // Two programmes are never mixed.
            (DualMono::Left, _) | (DualMono::Both, Some(1)) => c::TAKE_LEFT,
            (DualMono::Right, _) => c::TAKE_RIGHT,
            (DualMono::Both, _) => c::TAKE_BOTH,
        };
        c::Unit {
            taken,
            has_mix_levels: has_mix_levels.into(),
        }
    }

    fn append(&mut self, frame: &c::Frame, pcm: &mut Pcm) -> Result<(), DecodeError> {
        let channels = frame.channels as usize;
        let start = pcm.samples.len();
        if start == 0 {
            pcm.sample_rate_hz = frame.rate;
            pcm.channels = frame.channels as u8;
            pcm.is_mixed = frame.is_mixed != 0;
            pcm.leading_samples = frame.delayed_samples;
            pcm.source_sample_rate_hz = frame.source_rate;
            pcm.source_channels = u8::try_from(frame.source_channels).unwrap_or(u8::MAX);
        } else if (pcm.sample_rate_hz, u32::from(pcm.channels)) != (frame.rate, frame.channels) {
            return Err(DecodeError::Corrupt);
        }
        let capacity = frame.max_samples as usize;
        if start / channels + capacity > MAX_SAMPLES_PER_ACCESS_UNIT {
            return Err(DecodeError::TooLarge);
        }
        pcm.samples.resize(start + capacity * channels, 0.0);
        // SAFETY: `state` is valid and holds the frame that `receive` took; behind
        // `start` there is room for `capacity` samples of each channel.
        let written = unsafe {
            c::xg2g_decoder_convert(
                self.state.as_ptr(),
                pcm.samples[start..].as_mut_ptr(),
                capacity as c_int,
            )
        };
        let written = usize::try_from(written).map_err(|_| DecodeError::Unsupported)?;
        pcm.samples.truncate(start + written * channels);
        pcm.source_samples = pcm.source_samples.wrapping_add(frame.source_samples);
        Ok(())
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: `state` is valid and not used afterwards.
        unsafe { c::xg2g_decoder_free(self.state.as_ptr()) }
    }
}

/// libavcodec's name of the decoder; the floating-point one where there are two.
fn decoder_name(codec: Codec) -> &'static CStr {
    match codec {
        Codec::MpegLayer1 => c"mp1float",
        Codec::MpegLayer2 => c"mp2float",
        Codec::MpegLayer3 => c"mp3float",
        Codec::Ac3 => c"ac3",
        Codec::Eac3 => c"eac3",
        Codec::AacAdts => c"aac",
        Codec::AacLatm => c"aac_latm",
        Codec::Dts => c"dca",
    }
}

/// An encoder of 16-bit samples to AAC-LC in ADTS frames (ISO/IEC 14496-3, MPEG-4 id, no
/// CRC, one raw data block a frame) at a constant bit rate.
#[derive(Debug)]
pub struct Encoder {
    handle: NonNull<fdk::AACENCODER>,
    channels: u8,
    delay_samples: u32,
    max_frame_bytes: usize,
}

// SAFETY: the instance is owned by this value alone and bound to no thread.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Samples of each channel in one frame.
    pub const FRAME_SAMPLES: usize = 1024;

    /// Set up an encoder for 1 to 6 channels at a sample rate of AAC. A bit rate outside of
    /// what AAC-LC can carry with them becomes the nearest one that it can.
    pub fn new(sample_rate_hz: u32, channels: u8, bitrate_bps: u32) -> Result<Self, Error> {
        let channel_mode = match channels {
            1 => fdk::CHANNEL_MODE_MODE_1,
            2 => fdk::CHANNEL_MODE_MODE_2,
            3 => fdk::CHANNEL_MODE_MODE_1_2,
            4 => fdk::CHANNEL_MODE_MODE_1_2_1,
            5 => fdk::CHANNEL_MODE_MODE_1_2_2,
            6 => fdk::CHANNEL_MODE_MODE_1_2_2_1,
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("AAC is not encoded with {channels} channels; 1 to 6 are possible"),
                ));
            }
        };
        const AAC_CORE_ONLY: u32 = 1; // no memory for SBR, PS and MPEG surround
        let mut handle = ptr::null_mut();
        // SAFETY: `handle` receives the instance.
        let opened = unsafe { fdk::aacEncOpen(&mut handle, AAC_CORE_ONLY, u32::from(channels)) };
        let handle = NonNull::new(handle)
            .filter(|_| opened == fdk::AACENC_ERROR_AACENC_OK)
            .ok_or_else(|| Error::new(ErrorKind::Codec, "no memory for an AAC encoder"))?;
        let mut encoder = Self {
            handle,
            channels,
            delay_samples: 0,
            max_frame_bytes: 0,
        };
        for (parameter, value) in [
            (fdk::AACENC_PARAM_AACENC_AOT, 2), // AAC-LC (14496-3, table 1.17)
            (fdk::AACENC_PARAM_AACENC_SAMPLERATE, sample_rate_hz),
            (fdk::AACENC_PARAM_AACENC_CHANNELMODE, channel_mode as u32),
            (fdk::AACENC_PARAM_AACENC_CHANNELORDER, 1), // WAV
            (fdk::AACENC_PARAM_AACENC_BITRATEMODE, 0),  // constant
            (fdk::AACENC_PARAM_AACENC_BITRATE, bitrate_bps),
            (
                fdk::AACENC_PARAM_AACENC_TRANSMUX,
                fdk::TRANSPORT_TYPE_TT_MP4_ADTS as u32,
            ),
            // Off: at these bit rates it is not heard, and it doubles the time.
            (fdk::AACENC_PARAM_AACENC_AFTERBURNER, 0),
        ] {
            // SAFETY: the instance is open.
            let set = unsafe { fdk::aacEncoder_SetParam(handle.as_ptr(), parameter, value) };
            if set != fdk::AACENC_ERROR_AACENC_OK {
                return Err(Error::new(
                    ErrorKind::InvalidArgument,
                    format!("AAC is not encoded at {sample_rate_hz} Hz"),
                ));
            }
        }
        encoder.initialise()?;
        Ok(encoder)
    }

    /// Return how much later than at its start the first frame has the first sample: the
    /// k-th frame, decoded, is the input from sample 1024 k - `delay_samples` on.
    pub fn delay_samples(&self) -> u32 {
        self.delay_samples
    }

    /// Encode exactly one frame of interleaved samples in WAV channel order, append at most
    /// one ADTS frame to `adts`, and return how many bytes that added.
    pub fn encode(&mut self, samples: &[i16], adts: &mut Vec<u8>) -> Result<usize, Error> {
        if samples.len() != Self::FRAME_SAMPLES * usize::from(self.channels) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{} samples are not a frame", samples.len()),
            ));
        }
        let start = adts.len();
        adts.resize(start + self.max_frame_bytes, 0);

        let mut input = samples.as_ptr().cast_mut().cast::<c_void>();
        let mut input_id = fdk::AACENC_BufferIdentifier_IN_AUDIO_DATA as c_int;
        let mut input_bytes = size_of_val(samples) as c_int;
        let mut input_element_bytes = size_of::<i16>() as c_int;
        let mut output = adts[start..].as_mut_ptr().cast::<c_void>();
        let mut output_id = fdk::AACENC_BufferIdentifier_OUT_BITSTREAM_DATA as c_int;
        let mut output_bytes = self.max_frame_bytes as c_int;
        let mut output_element_bytes = 1;
        let input_buffers = fdk::AACENC_BufDesc {
            numBufs: 1,
            bufs: &mut input,
            bufferIdentifiers: &mut input_id,
            bufSizes: &mut input_bytes,
            bufElSizes: &mut input_element_bytes,
        };
        let output_buffers = fdk::AACENC_BufDesc {
            numBufs: 1,
            bufs: &mut output,
            bufferIdentifiers: &mut output_id,
            bufSizes: &mut output_bytes,
            bufElSizes: &mut output_element_bytes,
        };
        let arguments = fdk::AACENC_InArgs {
            numInSamples: samples.len() as c_int,
            numAncBytes: 0,
        };
        let mut encoded = fdk::AACENC_OutArgs {
            numOutBytes: 0,
            numInSamples: 0,
            numAncBytes: 0,
            bitResState: 0,
        };
        // SAFETY: the descriptions point to locals and to the two slices, whose sizes
        // they give; the library only reads the input.
        let result = unsafe {
            fdk::aacEncEncode(
                self.handle.as_ptr(),
                &input_buffers,
                &output_buffers,
                &arguments,
                &mut encoded,
            )
        };
        let bytes = usize::try_from(encoded.numOutBytes).unwrap_or(0);
        let complete = result == fdk::AACENC_ERROR_AACENC_OK
            && usize::try_from(encoded.numInSamples) == Ok(samples.len())
            && bytes <= self.max_frame_bytes;
        adts.truncate(start + if complete { bytes } else { 0 });
        if complete {
            Ok(bytes)
        } else {
            Err(Error::new(
                ErrorKind::Codec,
                format!("the AAC encoder failed with error {result:#x}"),
            ))
        }
    }

    fn initialise(&mut self) -> Result<(), Error> {
        let failed = |what, code| {
            Error::new(
                ErrorKind::Codec,
                format!("the AAC encoder cannot be {what}: error {code:#x}"),
            )
        };
        // SAFETY: the library documents a call without any buffers as the one that
        // applies the parameters.
        let result = unsafe {
            fdk::aacEncEncode(
                self.handle.as_ptr(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
            )
        };
        if result != fdk::AACENC_ERROR_AACENC_OK {
            return Err(failed("set up", result));
        }
        // SAFETY: a struct of numbers and arrays of numbers, for which zeros are valid.
        let mut info: fdk::AACENC_InfoStruct = unsafe { std::mem::zeroed() };
        // SAFETY: the instance is open, `info` is written by the call.
        let result = unsafe { fdk::aacEncInfo(self.handle.as_ptr(), &mut info) };
        if result != fdk::AACENC_ERROR_AACENC_OK
            || usize::try_from(info.frameLength) != Ok(Self::FRAME_SAMPLES)
        {
            return Err(failed("asked", result));
        }
        self.delay_samples = info.nDelay;
        self.max_frame_bytes = info.maxOutBufBytes as usize;
        Ok(())
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let mut handle = self.handle.as_ptr();
        // SAFETY: the instance is open and not used afterwards.
        unsafe { fdk::aacEncClose(&mut handle) };
    }
}

/// `native.c`.
mod c {
    use super::{c_char, c_int};

    #[repr(C)]
    pub(super) struct Decoder {
        _opaque: [u8; 0],
    }

    /// `struct xg2g_frame`.
    #[repr(C)]
    #[derive(Default)]
    pub(super) struct Frame {
        pub(super) source_samples: u32,
        pub(super) source_rate: u32,
        pub(super) source_channels: u32,
        pub(super) rate: u32,
        pub(super) channels: u32,
        pub(super) max_samples: u32,
        pub(super) delayed_samples: u32,
        pub(super) is_mixed: u32,
    }

    /// `struct xg2g_unit`.
    #[repr(C)]
    pub(super) struct Unit {
        pub(super) taken: u32,
        pub(super) has_mix_levels: u32,
    }

    pub(super) const TAKE_BOTH: u32 = 0;
    pub(super) const TAKE_LEFT: u32 = 1;
    pub(super) const TAKE_RIGHT: u32 = 2;

    unsafe extern "C" {
        pub(super) fn xg2g_codecs_silence();
        pub(super) fn xg2g_codecs_version() -> *const c_char;
        pub(super) fn xg2g_decoder_new(
            name: *const c_char,
            rate: c_int,
            channels: c_int,
        ) -> *mut Decoder;
        pub(super) fn xg2g_decoder_free(decoder: *mut Decoder);
        pub(super) fn xg2g_decoder_reset(decoder: *mut Decoder);
        pub(super) fn xg2g_decoder_send(
            decoder: *mut Decoder,
            data: *const u8,
            size: c_int,
            unit: *const Unit,
        ) -> c_int;
        pub(super) fn xg2g_decoder_receive(decoder: *mut Decoder, frame: *mut Frame) -> c_int;
        pub(super) fn xg2g_decoder_convert(
            decoder: *mut Decoder,
            samples: *mut f32,
            capacity: c_int,
        ) -> c_int;
    }
}
