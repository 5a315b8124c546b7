/* Generated from transcoder/src/ffi.rs by tests/header.rs; do not edit.
 *
 * xg2g_transcoder: converts the audio of a live MPEG transport stream to AAC-LC and
 * leaves everything else as it is. One handle is one stream:
 *
 *   init -> process, process, ... -> finish -> free
 *
 * Rules that hold for every function:
 *
 * - A handle is a number, passed as a pointer: never dereference it. NULL, a freed
 *   handle and an unknown one return XG2G_ERROR_INVALID_ARGUMENT.
 * - Different handles may be used by different threads at the same time. A handle
 *   serves one call at a time; a second call at the same time returns XG2G_ERROR_BUSY
 *   and does nothing. Free may be called at any time.
 * - An int that is returned is a count, or a negative error number.
 * - Any split of the same input gives the same output. No content of a stream is an
 *   error.
 * - Inputs are only read, during the call. Outputs are written only on success, and
 *   overlap the input. Buffers must have the length that is passed with them. A pointer
 *   may be NULL only with the length 0, or where its function allows it.
 * - Texts that the library writes end with NUL and are cut off at the capacity. The
 *   function returns the whole length without the NUL: if it is not less than the
 *   capacity, the text was cut off. Texts that the library returns are static. Texts
 *   that it takes must end with NUL.
 * - A defect of the library returns XG2G_ERROR_INTERNAL; it does not crash the process.
 *   Afterwards the handle accepts only last_error and free; all other calls return
 *   XG2G_ERROR_POISONED.
 */


#ifndef XG2G_TRANSCODER_H
#define XG2G_TRANSCODER_H

#include <stddef.h>
#include <stdint.h>

// pts_90k of a point without one.
#define XG2G_NO_PTS UINT64_MAX

// Version of this ABI. A caller compares it with `xg2g_abi_version()` once, after
// loading: unequal means that the header and the library do not fit.
#define XG2G_ABI_VERSION 1

// Maximum number of bytes that one call takes. It bounds the memory of a call, and keeps
// the count of its output within an int. A usual read from a receiver is a hundredth of it.
#define XG2G_MAX_INPUT_BYTES (16 << 20)

// The kinds of failure, with the numbers they carry through the C ABI.
//
// A number is never given a second meaning; a retired one stays reserved.
enum xg2g_error
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  // A defect of this library.
  XG2G_ERROR_INTERNAL = -1,
  // The caller's output buffer cannot hold the output; nothing is lost.
  XG2G_ERROR_OUTPUT_TOO_SMALL = -2,
  // An argument or option is out of its range.
  XG2G_ERROR_INVALID_ARGUMENT = -3,
  // An earlier call on this handle panicked; the handle can only be freed.
  XG2G_ERROR_POISONED = -4,
  // A codec could not be set up.
  XG2G_ERROR_CODEC = -5,
  // The stream was finished before.
  XG2G_ERROR_FINISHED = -6,
  // Another call on the same handle is under way.
  XG2G_ERROR_BUSY = -7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum xg2g_error xg2g_error;
#else
typedef int32_t xg2g_error;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

// What is at a place in the output.
typedef enum {
  // A picture with which a decoder can begin.
  XG2G_POINT_KIND_RANDOM_ACCESS = 0,
  // Video is missing before it, or another time base begins.
  XG2G_POINT_KIND_DISCONTINUITY = 1,
  // The first sound of a track.
  XG2G_POINT_KIND_SOUND_BEGINS = 2,
  // From here on the video is scrambled; where no program has video, the sound.
  XG2G_POINT_KIND_SCRAMBLED = 3,
  // What was scrambled is clear again.
  XG2G_POINT_KIND_CLEAR = 4,
  // A PMT that differs from the one before it.
  XG2G_POINT_KIND_TABLES_CHANGED = 5,
  // A place where a viewer may begin although nothing promises a picture: there is no
  // video, or it does not come, or no random access point has come for long.
  XG2G_POINT_KIND_ENTRY = 6,
} xg2g_point_kind;

// The coding of a random access point's video.
typedef enum {
  // MPEG-1 or MPEG-2 video.
  XG2G_VIDEO_CODEC_MPEG2 = 1,
  // H.264.
  XG2G_VIDEO_CODEC_H264 = 2,
  // HEVC.
  XG2G_VIDEO_CODEC_HEVC = 3,
  // Another one, which is not looked into: it has no random access points.
  XG2G_VIDEO_CODEC_OTHER = 4,
} xg2g_video_codec;

// Options of a stream. Every field is read: set them all.
typedef struct {
  // sizeof(xg2g_options), so that later versions can add fields at the end; what this
  // version does not know has to be 0. No version has padding at the end.
  size_t size;
  // Output sample rate in Hz; 0 keeps the source's.
  uint32_t sample_rate_hz;
  // Output channels: 1, 2 or 6; 0 keeps the source's.
  uint32_t channels;
  // AAC bit rate in bit/s; 192000 suits stereo.
  uint32_t bitrate_bps;
  // Service id of the one program to keep; 0 keeps every program.
  uint32_t program;
  // 1 leaves the source track in and adds the AAC track on a free PID; else 0.
  uint32_t keep_original;
  // 0 for a stream's first handle. A handle that continues the stream of a lost one has the
  // next number: its output says so, and players follow it.
  uint32_t generation;
  // "all" (or NULL), "first", or ISO 639 codes in order of preference with commas,
  // "deu,eng": the first that matches is kept alone. "ger", "deu" and "de" are one.
  const char *tracks;
  // Which channels are heard of a track with a programme in either channel: "both" (or
  // NULL), "left" or "right". A language that tracks names comes first. Absent from the
  // first version of this struct.
  const char *dual_mono;
} xg2g_options;

// A place in the output.
typedef struct {
  // sizeof(xg2g_point), set by the caller: a later library fills no more than that.
  size_t size;
  // Bytes of output before it, counted from the stream's first: a packet begins there.
  uint64_t offset;
  // PTS of the PES packet that begins there, 33 bits of 90 kHz, or XG2G_NO_PTS.
  uint64_t pts_90k;
  // An xg2g_point_kind. Callers must ignore kinds that they do not know.
  uint32_t kind;
  // Service id.
  uint32_t program;
  // An xg2g_video_codec for a random access point, else 0.
  uint32_t codec;
  // 1 for a random access point behind which pictures follow that do not decode for a viewer
  // that begins there (those with an earlier PTS), else 0.
  uint32_t is_open;
  // Bytes of tables of a random access point or an entry, else 0.
  size_t tables_len;
} xg2g_point;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Return the ABI version of the library, to be compared with XG2G_ABI_VERSION.
uint32_t xg2g_abi_version(void);

// Return how many streams of this process are open: opened, and not freed yet, or freed
// while a call was inside that has not returned. 0 again when all are freed.
size_t xg2g_open_streams(void);

// Return the versions of the library and of the codecs in it: a JSON object, component to
// version, the library's own under "xg2g-transcoder". The text is static.
const char *xg2g_version(void);

// Return the name of an error number, a static text; NULL for other numbers.
const char *xg2g_error_name(int error);

// Open a stream that converts all tracks of all programs. sample_rate is in Hz; sample_rate
// and channels may be 0, which keeps the source's; bitrate is in bit/s. Return NULL on error.
void *xg2g_audio_remux_init(int sample_rate, int channels, int bitrate);

// Open a stream with every option. On error it returns NULL, writes the number to *error
// if error is not NULL, and a line that says why to text.
void *xg2g_audio_remux_init_with_options(const xg2g_options *options,
                                         int *error,
                                         char *text,
                                         size_t text_capacity);

// Take input_len bytes of the stream, at most XG2G_MAX_INPUT_BYTES, and write what is
// ready. Return the number of bytes written, which may be 0, or an error.
//
// XG2G_ERROR_OUTPUT_TOO_SMALL: nothing was written, and nothing is lost. The same
// input again, with a larger buffer, gets the output and is not processed twice.
// Other input is processed too, and its output follows the kept output. If not even the
// kept output fits into output_capacity, the input is refused with the same error, and not
// taken. xg2g_audio_remux_finish returns kept output as well.
int xg2g_audio_remux_process(void *handle,
                             const uint8_t *input,
                             size_t input_len,
                             uint8_t *output,
                             size_t output_capacity);

// End the stream and write the rest, as xg2g_audio_remux_process does. Called again it
// returns 0, or after XG2G_ERROR_OUTPUT_TOO_SMALL the rest.
int xg2g_audio_remux_finish(void *handle, uint8_t *output, size_t output_capacity);

// Take input as xg2g_audio_remux_process does, and lend the library's own buffer: *output
// and *output_len are set, and valid until the next process, finish or free of this
// handle. Return 0 or an error; it is never too small.
int xg2g_audio_remux_process_view(void *handle,
                                  const uint8_t *input,
                                  size_t input_len,
                                  const uint8_t **output,
                                  size_t *output_len);

// End the stream and lend the rest, as xg2g_audio_remux_process_view does.
int xg2g_audio_remux_finish_view(void *handle, const uint8_t **output, size_t *output_len);

// Return an output capacity to offer with input_len bytes of input: after
// XG2G_ERROR_OUTPUT_TOO_SMALL surely enough for the same input again, otherwise an
// estimate that streams stay below. 0 for a handle that cannot be used.
size_t xg2g_audio_remux_output_capacity(void *handle, size_t input_len);

// Take the next point of the processed input: a place where a viewer can join, or where the
// stream changes. Return 1 with *point filled, 0 if there is none, or an error.
//
// A point may lie before the output of the latest call: whether a decoder can begin with a
// picture is known only some packets later. Random access points and entries come with the
// packets of PAT and PMT for a viewer that begins there; they are written to tables.
// XG2G_ERROR_OUTPUT_TOO_SMALL: tables needs point->tables_len bytes, and the next call
// returns the same point. The latest 1024 points are kept; older ones are dropped.
int xg2g_audio_remux_next_point(void *handle,
                                xg2g_point *point,
                                uint8_t *tables,
                                size_t tables_capacity);

// Write the counters of the stream as JSON, a text; transcoder/src/stats.rs names them.
// Return its length or an error.
int xg2g_audio_remux_stats(void *handle, char *json, size_t json_capacity);

// Write a line that says why the latest failed call on this handle failed, a text, empty
// if none has; XG2G_ERROR_BUSY and XG2G_ERROR_POISONED leave it as it was. Return its
// length or an error. It may be called while another call is inside.
int xg2g_audio_remux_last_error(void *handle, char *text, size_t text_capacity);

// Close a stream. NULL and a handle that is closed already are fine. With a call inside it
// returns at once, and that call still completes; what it lent is gone.
void xg2g_audio_remux_free(void *handle);

// Make a joiner: it cuts a beginning out of a stream that has long been running, for a
// viewer that joins. NULL on error.
//
// point is a random access point or an entry as xg2g_audio_remux_next_point gave it,
// tables its point->tables_len bytes of tables. With after_gap 1, else 0, the viewer has read
// something else of the stream before: every PID's first packet is announced as not
// following that. A joiner is no stream: xg2g_open_streams does not count it.
void *xg2g_joiner_init(const xg2g_point *point, const uint8_t *tables, int after_gap);

// Take the stream's next input_len bytes, the first of all being those at the point's offset, and
// write what the viewer gets. Return the number of bytes written, which may be 0, or an error.
//
// First leave the tables, then each PID's packets from its next unit on, the point's
// own first. What begins more than a second before the point is left out, and so are pictures
// that a viewer who begins there cannot decode. Packets that leave are untouched; where one that
// was left out would be missed, a packet announces it.
//
// XG2G_ERROR_OUTPUT_TOO_SMALL: nothing was taken. Twice the bytes of input and tables,
// and 376 more, are always enough.
int xg2g_joiner_process(void *joiner,
                        const uint8_t *input,
                        size_t input_len,
                        uint8_t *output,
                        size_t output_capacity);

// Return 1 if xg2g_joiner_process will return all further input unchanged, so that it need
// not be called any more; 0 before, or an error.
int xg2g_joiner_is_over(void *joiner);

// Close a joiner, as xg2g_audio_remux_free closes a stream.
void xg2g_joiner_free(void *joiner);

// Make a packager: it makes CMAF tracks, for HTTP Live Streaming, of one program of a stream that
// xg2g_audio_remux_process gave. NULL on error.
//
// program is the service id, 0 the first whose PMT comes. segment_ms is how long segments are
// where random access points allow it, 500 to 20000; part_ms how long parts are at most, 200 to
// 5000; longest_ms how long segments are at most, 500 to 30000: one whose group of pictures is
// longer ends within it. A packager is no stream: xg2g_open_streams does not count it.
void *xg2g_packager_init(uint32_t program,
                         uint32_t segment_ms,
                         uint32_t part_ms,
                         uint32_t longest_ms);

// Take the stream's next input_len bytes. Return 0 or an error. Any split of the same input gives
// the same events.
//
// XG2G_ERROR_OUTPUT_TOO_SMALL: nothing was taken, as events wait; take them with
// xg2g_packager_next_event first.
int xg2g_packager_process(void *packager,
                          const uint8_t *input,
                          size_t input_len);

// End the stream: what was held back becomes events. Return 0 or an error, as
// xg2g_packager_process does; called again it does nothing.
int xg2g_packager_finish(void *packager);

// Take the next event. Return 1, 0 if there is none, or an error. With 1, the packager lends two
// pointers: the event's text, JSON of json_len bytes, and its bytes, which only an initialisation
// segment and a part have. They are valid until the next call on this packager.
//
// "event" is "header" (an initialisation segment), "part", "segment" (its end),
// "discontinuity" or "not_offered"; transcoder/src/mp4/event.rs says what the fields mean. A
// rendition is "video", or "sound-" and the PID. Callers must ignore events and fields that they
// do not know.
int xg2g_packager_next_event(void *packager,
                             const uint8_t **json,
                             size_t *json_len,
                             const uint8_t **data,
                             size_t *data_len);

// Close a packager, as xg2g_audio_remux_free closes a stream.
void xg2g_packager_free(void *packager);

// Write the bytes with which a new handle continues the stream of a lost one. past is the last
// input that the lost handle answered; pass these bytes before the input that follows it. They
// are the last whole PAT and PMTs of program (0: of every program), then the unfinished packet
// at the end of past. With after_gap 1, input is missing after past: then only the tables. Half
// a second of past is enough, more is better. Return the number of bytes written to output, at
// most past_len, or an error.
int xg2g_splice_lead(const uint8_t *past,
                     size_t past_len,
                     uint32_t program,
                     int after_gap,
                     uint8_t *output,
                     size_t output_capacity);

// Write body, which follows past, with a null packet in place of each packet without video
// of program (0: of every program), and set *given_up to the number of replaced bytes.
// Return the number of bytes written, which is body_len; 0 if past does not show which
// packets carry video, or if body does not continue with packets; or an error.
int xg2g_splice_keep_video(const uint8_t *past,
                           size_t past_len,
                           const uint8_t *body,
                           size_t body_len,
                           uint32_t program,
                           uint8_t *output,
                           size_t output_capacity,
                           size_t *given_up);

// Return the offset of the first packet in input; input_len if no five packets follow each
// other; or an error.
int xg2g_splice_first_packet(const uint8_t *input, size_t input_len);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* XG2G_TRANSCODER_H */
