/*
 * libavcodec and libswresample behind five functions, so that no struct of
 * theirs has to be described a second time in Rust. native.rs is the only
 * caller; what it has to keep is said at each function.
 */
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <stdint.h>
#include <string.h>

struct xg2g_decoder {
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    int wanted_rate;     /* 0: as the source */
    int wanted_channels; /* 0: as the source */

    /* The conversion, and the source that it was made for. */
    SwrContext *conversion;
    AVChannelLayout source_layout;
    enum AVSampleFormat source_format;
    int source_rate;
};

/* A decoded frame, as it was and as it will be converted. Mirrored in native.rs. */
struct xg2g_frame {
    uint32_t source_samples;
    uint32_t source_rate;
    uint32_t source_channels;
    uint32_t rate;
    uint32_t channels;
    uint32_t max_samples;     /* upper bound of what convert() gives, per channel */
    uint32_t delayed_samples; /* of those, how many are from before this frame */
};

void xg2g_codecs_silence(void) { av_log_set_level(AV_LOG_QUIET); }

const char *xg2g_codecs_version(void) { return av_version_info(); }

void xg2g_decoder_free(struct xg2g_decoder *decoder) {
    if (!decoder) return;
    swr_free(&decoder->conversion);
    av_channel_layout_uninit(&decoder->source_layout);
    av_frame_free(&decoder->frame);
    av_packet_free(&decoder->packet);
    avcodec_free_context(&decoder->codec);
    av_free(decoder);
}

/* `name` is a decoder of libavcodec. NULL when it cannot be set up. */
struct xg2g_decoder *xg2g_decoder_new(const char *name, int rate, int channels) {
    struct xg2g_decoder *decoder = av_mallocz(sizeof *decoder);
    const AVCodec *codec = avcodec_find_decoder_by_name(name);
    AVDictionary *options = NULL;
    int result = AVERROR(ENOMEM);

    if (!decoder || !codec) goto failed;
    decoder->wanted_rate = rate;
    decoder->wanted_channels = channels;
    decoder->source_format = AV_SAMPLE_FMT_NONE;
    decoder->codec = avcodec_alloc_context3(codec);
    decoder->packet = av_packet_alloc();
    decoder->frame = av_frame_alloc();
    if (!decoder->codec || !decoder->packet || !decoder->frame) goto failed;
    decoder->codec->thread_count = 1;
    /* AC-3, E-AC-3 and DTS carry mix levels for their downmix, which their decoders
     * know and a conversion afterwards does not. Decoders without these options
     * leave them in the dictionary. */
    if (channels == 1 || channels == 2)
        av_dict_set(&options, "downmix", channels == 1 ? "mono" : "stereo", 0);
    av_dict_set(&options, "core_only", "1", 0); /* DTS: extensions add what AAC drops again */
    result = avcodec_open2(decoder->codec, codec, &options);
    av_dict_free(&options);
    if (result >= 0) return decoder;
failed:
    xg2g_decoder_free(decoder);
    return NULL;
}

/* Forgets the stream so far, what the resampler still holds included. */
void xg2g_decoder_reset(struct xg2g_decoder *decoder) {
    avcodec_flush_buffers(decoder->codec);
    swr_free(&decoder->conversion);
}

/* Decodes one access unit, which is copied. Call receive() until it gives nothing. */
int xg2g_decoder_send(struct xg2g_decoder *decoder, const uint8_t *data, int size) {
    int result = av_new_packet(decoder->packet, size); /* adds the zeroed padding */
    if (result < 0) return result;
    memcpy(decoder->packet->data, data, size);
    result = avcodec_send_packet(decoder->codec, decoder->packet);
    av_packet_unref(decoder->packet);
    return result;
}

static int nearest_channels(int source) { return source <= 2 ? source : 6; }

/* Makes the conversion for the frame at hand. */
static int set_up_conversion(struct xg2g_decoder *decoder, const AVChannelLayout *layout,
                             int rate, int channels) {
    static const double duplicated[2] = {1.0, 1.0};
    AVFrame *frame = decoder->frame;
    AVChannelLayout source = {0}, target;
    int result;

    swr_free(&decoder->conversion);
    av_channel_layout_uninit(&decoder->source_layout);
    result = av_channel_layout_copy(&decoder->source_layout, &frame->ch_layout);
    if (result < 0) return result;
    decoder->source_format = frame->format;
    decoder->source_rate = frame->sample_rate;

    av_channel_layout_default(&target, channels);
    if (layout->order == AV_CHANNEL_ORDER_NATIVE)
        result = av_channel_layout_copy(&source, layout);
    else
        av_channel_layout_default(&source, layout->nb_channels);
    if (result >= 0)
        result = swr_alloc_set_opts2(&decoder->conversion, &target, AV_SAMPLE_FMT_S16, rate,
                                     &source, frame->format, frame->sample_rate, 0, NULL);
    /* However many channels are added up, full scale stays full scale. */
    if (result >= 0) result = av_opt_set_double(decoder->conversion, "rematrix_maxval", 1.0, 0);
    /* The default puts mono into both at -3 dB, as if it were a centre channel. */
    if (result >= 0 && source.nb_channels == 1 && channels == 2)
        result = swr_set_matrix(decoder->conversion, duplicated, 1);
    if (result >= 0) result = swr_init(decoder->conversion);
    if (result < 0) swr_free(&decoder->conversion);
    av_channel_layout_uninit(&source);
    return result;
}

/* Takes the next decoded frame: 1, or 0 when there is none, or an error. */
int xg2g_decoder_receive(struct xg2g_decoder *decoder, struct xg2g_frame *info) {
    AVFrame *frame = decoder->frame;
    int rate, channels, max_samples, result;
    int64_t delayed = 0;

    result = avcodec_receive_frame(decoder->codec, frame);
    if (result == AVERROR(EAGAIN)) return 0;
    if (result < 0) return result;
    /* With flags the frame is the last sound block repeated, which buzzes. */
    if (frame->decode_error_flags || frame->sample_rate <= 0 || frame->ch_layout.nb_channels <= 0)
        return AVERROR_INVALIDDATA;

    rate = decoder->wanted_rate ? decoder->wanted_rate : frame->sample_rate;
    channels = decoder->wanted_channels ? decoder->wanted_channels
                                        : nearest_channels(frame->ch_layout.nb_channels);
    if (!decoder->conversion || frame->format != decoder->source_format ||
        frame->sample_rate != decoder->source_rate ||
        av_channel_layout_compare(&frame->ch_layout, &decoder->source_layout)) {
        result = set_up_conversion(decoder, &frame->ch_layout, rate, channels);
        if (result < 0) return result;
    } else {
        delayed = swr_get_delay(decoder->conversion, rate);
    }
    max_samples = swr_get_out_samples(decoder->conversion, frame->nb_samples);
    if (max_samples < 0) return max_samples;

    info->source_samples = frame->nb_samples;
    info->source_rate = frame->sample_rate;
    info->source_channels = frame->ch_layout.nb_channels;
    info->rate = rate;
    info->channels = channels;
    info->max_samples = max_samples;
    info->delayed_samples = delayed > 0 ? (uint32_t)delayed : 0;
    return 1;
}

/* Converts the frame that receive() took. `samples` holds `capacity` samples of each
 * channel; gives how many were written, or an error. */
int xg2g_decoder_convert(struct xg2g_decoder *decoder, int16_t *samples, int capacity) {
    uint8_t *planes[1] = {(uint8_t *)samples};
    return swr_convert(decoder->conversion, planes, capacity,
                       (const uint8_t **)decoder->frame->extended_data,
                       decoder->frame->nb_samples);
}
