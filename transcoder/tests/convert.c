/* Converts a file as a C caller would: convert INPUT OUTPUT. scripts/try-under-wine.sh runs it
   with the libraries of two platforms and compares what they write. */

#include <stdio.h>

#include "xg2g_transcoder.h"

static int fail(const char *what, const char *why) {
    fprintf(stderr, "convert: %s: %s\n", what, why);
    return 1;
}

static int failed(void *stream) {
    char why[256] = "";
    xg2g_audio_remux_last_error(stream, why, sizeof why);
    return fail("the stream", why);
}

int main(int argc, char **argv) {
    if (argc != 3) return fail("usage", "convert INPUT OUTPUT");
    if (xg2g_abi_version() != XG2G_ABI_VERSION) return fail("the library", "another ABI version");
    FILE *input = fopen(argv[1], "rb"), *output = fopen(argv[2], "wb");
    if (input == NULL || output == NULL) return fail("a file", "cannot be opened");

    xg2g_options options = {.size = sizeof options, .channels = 2, .bitrate_bps = 192000};
    options.tracks = "all";
    int error;
    char why[256];
    void *stream = xg2g_audio_remux_init_with_options(&options, &error, why, sizeof why);
    if (stream == NULL) return fail(xg2g_error_name(error), why);

    static uint8_t bytes[188 * 512];
    const uint8_t *lent;
    size_t read, length;
    while ((read = fread(bytes, 1, sizeof bytes, input)) > 0) {
        if (xg2g_audio_remux_process_view(stream, bytes, read, &lent, &length) < 0) {
            return failed(stream);
        }
        fwrite(lent, 1, length, output);
    }
    if (xg2g_audio_remux_finish_view(stream, &lent, &length) < 0) return failed(stream);
    fwrite(lent, 1, length, output);
    xg2g_audio_remux_free(stream);
    return fclose(output) == 0 ? 0 : fail(argv[2], "cannot be written");
}
