/* Walks a stream through the library as a C caller would; tests/header.rs runs it. */

#include <stdio.h>
#include <string.h>

#include "xg2g_transcoder.h"

#define CHECK(condition)                                                     \
    do {                                                                     \
        if (!(condition)) {                                                  \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);          \
            return 1;                                                        \
        }                                                                    \
    } while (0)

int main(void) {
    /* Null packets (PID 0x1FFF) leave as they came. */
    static uint8_t input[10 * 188], output[2 * 10 * 188 + 65536];
    for (size_t at = 0; at < sizeof input; at += 188) {
        memcpy(input + at, "\x47\x1f\xff\x10", 4);
    }

    CHECK(xg2g_abi_version() == XG2G_ABI_VERSION);
    CHECK(strstr(xg2g_version(), "xg2g-transcoder") != NULL);
    CHECK(strcmp(xg2g_error_name(XG2G_ERROR_BUSY), "busy") == 0);
    CHECK(xg2g_error_name(1) == NULL);

    CHECK(xg2g_audio_remux_init(0, 3, 192000) == NULL);
    int error = 0;
    char text[80] = "";
    xg2g_options options = {sizeof options, 0, 3, 192000, 0, 0, 0, "deu,eng", "right"};
    CHECK(xg2g_audio_remux_init_with_options(&options, &error, text, sizeof text) == NULL);
    CHECK(error == XG2G_ERROR_INVALID_ARGUMENT);
    CHECK(strstr(text, "channels 3") != NULL);

    options.channels = 2;
    void *handle = xg2g_audio_remux_init_with_options(&options, &error, text, sizeof text);
    CHECK(handle != NULL);
    CHECK(xg2g_audio_remux_output_capacity(handle, sizeof input) <= sizeof output);

    int written = xg2g_audio_remux_process(handle, input, sizeof input, output, sizeof output);
    CHECK(written >= 0);
    int rest = xg2g_audio_remux_finish(handle, output + written, sizeof output - written);
    CHECK(rest >= 0);
    CHECK(written + rest == (int)sizeof input);
    CHECK(memcmp(input, output, sizeof input) == 0);

    char stats[4096];
    CHECK(xg2g_audio_remux_stats(handle, stats, sizeof stats) < (int)sizeof stats);
    CHECK(strstr(stats, "\"bytes_in\":1880") != NULL);

    CHECK(xg2g_audio_remux_process(handle, input, sizeof input, output, sizeof output) ==
          XG2G_ERROR_FINISHED);
    CHECK(xg2g_audio_remux_last_error(handle, text, sizeof text) > 0);

    xg2g_audio_remux_free(handle);
    xg2g_audio_remux_free(handle);
    xg2g_audio_remux_free(NULL);
    CHECK(xg2g_audio_remux_process(handle, input, sizeof input, output, sizeof output) ==
          XG2G_ERROR_INVALID_ARGUMENT);
    return 0;
}
