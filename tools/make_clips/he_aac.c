// Makes the HE-AAC of tests/remux/stand_ins, which ffmpeg's own encoders do not write. Run by hand;
// the result is committed. Needs the FDK AAC that the Rust build compiled from crate fdk-aac-sys.
//
//   FDK=$(ls -d ~/.cargo/registry/src/*/fdk-aac-sys-*)/aac
//   LIB=$(ls -d target/release/build/fdk-aac-sys-*/out)
//   cc tools/make_clips/he_aac.c -I$FDK/libAACenc/include -I$FDK/libSYS/include -L$LIB -lfdk-aac
//     -lm -o build/he_aac
//   build/he_aac 29 2 32000 32000 2 >tests/remux/stand_ins/heaacv2.adts
//   build/he_aac 29 2 32000 32000 10 >tests/remux/stand_ins/heaacv2.latm
//   build/he_aac 5 6 48000 128000 10 >tests/remux/stand_ins/heaac-51.latm
//   build/he_aac 5 2 48000 48000 10 >tests/remux/stand_ins/heaac.latm
//
// usage: he_aac OBJECT-TYPE CHANNELS RATE-HZ BITS-PER-SECOND TRANSPORT >FILE
// OBJECT-TYPE: 5 HE-AAC, 29 HE-AACv2. TRANSPORT: 2 ADTS, 10 LATM in LOAS (ISO/IEC 14496-3).
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "aacenc_lib.h"

enum { SECONDS = 3, MOST_CHANNELS = 6, MOST_OUTPUT = 16384 };

static void check(AACENC_ERROR error) {
  if (error != AACENC_OK) {
    fprintf(stderr, "he_aac: error %#x of the encoder\n", error);
    exit(1);
  }
}

// Noise without much treble, another one in each channel: it resembles itself at one place alone.
static INT_PCM noise(int channel) {
  static unsigned state[MOST_CHANNELS] = {1, 2, 3, 4, 5, 6};
  static double low[MOST_CHANNELS];
  state[channel] = state[channel] * 1664525u + 1013904223u;
  low[channel] += 0.15 * ((double)state[channel] / 4294967296.0 - 0.5 - low[channel]);
  return (INT_PCM)lrint(low[channel] * 30000);
}

int main(int count, char **arguments) {
  if (count != 6) {
    fprintf(stderr, "usage: he_aac OBJECT-TYPE CHANNELS RATE-HZ BITS-PER-SECOND TRANSPORT >FILE\n");
    return 2;
  }
  int channels = atoi(arguments[2]), rate_hz = atoi(arguments[3]);
  HANDLE_AACENCODER encoder;
  check(aacEncOpen(&encoder, 0, channels));
  check(aacEncoder_SetParam(encoder, AACENC_AOT, atoi(arguments[1])));
  check(aacEncoder_SetParam(encoder, AACENC_SAMPLERATE, rate_hz));
  check(aacEncoder_SetParam(encoder, AACENC_CHANNELMODE, channels == 6 ? MODE_1_2_2_1 : MODE_2));
  check(aacEncoder_SetParam(encoder, AACENC_BITRATE, atoi(arguments[4])));
  check(aacEncoder_SetParam(encoder, AACENC_TRANSMUX, atoi(arguments[5])));
  // LATM says its SBR explicitly and repeats its configuration in each frame.
  if (atoi(arguments[5]) == 10) check(aacEncoder_SetParam(encoder, AACENC_SIGNALING_MODE, 2));
  if (atoi(arguments[5]) == 10) check(aacEncoder_SetParam(encoder, AACENC_HEADER_PERIOD, 1));
  check(aacEncEncode(encoder, NULL, NULL, NULL, NULL));
  AACENC_InfoStruct about;
  check(aacEncInfo(encoder, &about));

  static INT_PCM samples[MOST_CHANNELS * 2048];
  static unsigned char output[MOST_OUTPUT];
  for (int frame = 0; frame < SECONDS * rate_hz / (int)about.frameLength; frame++) {
    for (unsigned i = 0; i < about.frameLength * channels; i++) samples[i] = noise(i % channels);
    void *in = samples, *out = output;
    INT in_id = IN_AUDIO_DATA, out_id = OUT_BITSTREAM_DATA, in_element = sizeof *samples;
    INT in_bytes = about.frameLength * channels * in_element, out_bytes = sizeof output, byte = 1;
    AACENC_BufDesc from = {1, &in, &in_id, &in_bytes, &in_element};
    AACENC_BufDesc to = {1, &out, &out_id, &out_bytes, &byte};
    AACENC_InArgs in_arguments = {.numInSamples = about.frameLength * channels};
    AACENC_OutArgs out_arguments = {0};
    check(aacEncEncode(encoder, &from, &to, &in_arguments, &out_arguments));
    fwrite(output, 1, out_arguments.numOutBytes, stdout);
  }
  aacEncClose(&encoder);
  return 0;
}
