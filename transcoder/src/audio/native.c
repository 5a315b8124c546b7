/*
 * libavcodec and libswresample behind five functions, so that no struct of
 * theirs has to be described a second time in Rust. native.rs is the only
 * caller; what it has to keep is said at each function.
 */
#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>
#include <libavutil/downmix_info.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What an access unit says of itself that libavcodec does not tell. Mirrored in native.rs. */
struct xg2g_unit {
    uint32_t taken;          /* of two channels: both, the left or the right one */
    uint32_t has_mix_levels; /* whether the levels that libavcodec tells are the stream's own */
};
enum { TAKE_BOTH, TAKE_LEFT, TAKE_RIGHT };

/* How much of the centre and of each surround channel goes into left and right. */
struct mix_levels {
    double centre, surround;
};

struct xg2g_decoder {
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    int wanted_rate;     /* 0: as the source */
    int wanted_channels; /* 0: as the source */
    struct xg2g_unit unit; /* what the access unit at hand says of itself */

    /* The conversion, and what it was made for. */
    SwrContext *conversion;
    AVChannelLayout source_layout;
    enum AVSampleFormat source_format;
    int source_rate;
    int channels;
    uint32_t taken;
    struct mix_levels levels;

    /* The conversion before it, while that still holds samples. */
    SwrContext *retired;
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
    uint32_t is_mixed;        /* whether channels were added up, so that samples may exceed 1 */
};

void xg2g_codecs_silence(void) { av_log_set_level(AV_LOG_QUIET); }

const char *xg2g_codecs_version(void) { return av_version_info(); }

void xg2g_decoder_free(struct xg2g_decoder *decoder) {
    if (!decoder) return;
    swr_free(&decoder->conversion);
    swr_free(&decoder->retired);
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
    /* Every channel is decoded: the decoders' own downmix is 7 to 8.7 dB too quiet, for
     * it divides by the sum of its levels. Decoders without an option leave it in the
     * dictionary. */
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
    swr_free(&decoder->retired);
}

/* Decodes one access unit, which is copied. Call receive() until it gives nothing. */
int xg2g_decoder_send(struct xg2g_decoder *decoder, const uint8_t *data, int size,
                      const struct xg2g_unit *unit) {
    int result = av_new_packet(decoder->packet, size); /* adds the zeroed padding */
    if (result < 0) return result;
    decoder->unit = *unit;
    memcpy(decoder->packet->data, data, size);
    result = avcodec_send_packet(decoder->codec, decoder->packet);
    av_packet_unref(decoder->packet);
    return result;
}

/* The channels of AAC (ISO/IEC 14496-3, table 1.19) that hold all of a layout; a speaker
 * that the layout lacks stays silent. Beyond 5.1 the table has 7.1 with five speakers in
 * front alone, so that the surround channels behind are mixed into those at the side. */
static int nearest_channels(const AVChannelLayout *layout) {
    const uint64_t lfe = AV_CH_LOW_FREQUENCY, centre = AV_CH_FRONT_CENTER;
    const uint64_t behind = AV_CH_BACK_CENTER, front = AV_CH_LAYOUT_STEREO;
    const uint64_t pairs = AV_CH_BACK_LEFT | AV_CH_BACK_RIGHT | AV_CH_SIDE_LEFT | AV_CH_SIDE_RIGHT;
    uint64_t mask = layout->u.mask;

    if (layout->nb_channels <= 2) return layout->nb_channels;
    if (layout->order != AV_CHANNEL_ORDER_NATIVE || layout->nb_channels > 5) return 6;
    if (!(mask & ~(front | centre))) return 3;
    if (!(mask & ~(front | centre | behind))) return 4;
    if (!(mask & ~(front | centre | pairs)) && !(mask & lfe)) return 5;
    return 6;
}

static void layout_of(AVChannelLayout *layout, int channels) {
    static const AVChannelLayout three = AV_CHANNEL_LAYOUT_SURROUND;
    if (channels == 3)
        *layout = three; /* the default has an LFE for a centre */
    else
        av_channel_layout_default(layout, channels);
}

/* The stream's own levels for Lo/Ro; -3 dB where it has none (ETSI TS 102 366, 7.8.2 and
 * E.1.3.1), and beyond 5.1, which AC-3's levels are not about. */
static struct mix_levels mix_levels(const struct xg2g_decoder *decoder) {
    const AVFrame *frame = decoder->frame;
    const AVFrameSideData *data = av_frame_get_side_data(frame, AV_FRAME_DATA_DOWNMIX_INFO);
    struct mix_levels levels = {M_SQRT1_2, M_SQRT1_2};
    if (data && decoder->unit.has_mix_levels && frame->ch_layout.nb_channels <= 6) {
        const AVDownmixInfo *info = (const AVDownmixInfo *)data->data;
        levels.centre = info->center_mix_level;
        levels.surround = info->surround_mix_level;
    }
    return levels;
}

/* The stream's levels are its balance, not its loudness: levels below -3 dB take up to 2 dB
 * from equally loud channels, which ffmpeg -ac 2 leaves, for it heeds none. Half of that is
 * given back, so that neither the whole nor left and right are further than 1 dB from it. */
static double mix_gain(const AVChannelLayout *source, struct mix_levels levels) {
    const uint64_t pairs = AV_CH_BACK_LEFT | AV_CH_SIDE_LEFT;
    double own = 1.0, usual = 1.0;

    if (av_channel_layout_subset(source, AV_CH_FRONT_CENTER)) {
        own += levels.centre * levels.centre;
        usual += 0.5;
    }
    if (av_channel_layout_subset(source, pairs)) {
        own += levels.surround * levels.surround;
        usual += 0.5;
    } else if (av_channel_layout_subset(source, AV_CH_BACK_CENTER)) {
        own += 0.5 * levels.surround * levels.surround;
        usual += 0.25;
    }
    return av_clipd(pow(usual / own, 0.25), 0.8913, 1.1220); /* 1 dB either way */
}

/* Sets a matrix where swresample's own is not the right one. */
static int set_matrix(struct xg2g_decoder *decoder, const AVChannelLayout *source, int channels,
                      struct mix_levels levels) {
    static const AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    double matrix[2 * 64] = {0};
    int count = source->nb_channels, result, i;

    if (count == 2 && decoder->unit.taken != TAKE_BOTH) {
        int taken = decoder->unit.taken == TAKE_RIGHT;
        matrix[taken] = 1.0;
        if (channels > 1) matrix[2 + taken] = 1.0;
    } else if (count == 1 && channels == 2) {
        /* The default puts mono into both at -3 dB, as if it were a centre channel. */
        matrix[0] = matrix[1] = 1.0;
    } else if (count == 2 && channels == 1) {
        /* What is the same in both keeps its level. */
        matrix[0] = matrix[1] = 0.5;
    } else if (count > 2 && count <= 64 && channels == 1) {
        result = swr_build_matrix2(source, &stereo, levels.centre, levels.surround, 0.0, INT32_MAX,
                                   0.0, matrix, 64, AV_MATRIX_ENCODING_NONE, NULL);
        if (result < 0) return result;
        double half = 0.5 * mix_gain(source, levels);
        for (i = 0; i < count; i++) matrix[i] = half * (matrix[i] + matrix[64 + i]);
    } else if (count > 2 && channels == 2) {
        return av_opt_set_double(decoder->conversion, "rematrix_volume",
                                 mix_gain(source, levels), 0);
    } else {
        return 0;
    }
    return swr_set_matrix(decoder->conversion, matrix, count);
}

/* Makes the conversion for the frame at hand. */
static int set_up_conversion(struct xg2g_decoder *decoder, int rate, int channels,
                             struct mix_levels levels) {
    AVFrame *frame = decoder->frame;
    const AVChannelLayout *layout = &frame->ch_layout;
    AVChannelLayout source = {0}, target;
    int result;

    swr_free(&decoder->retired);
    if (decoder->conversion && decoder->channels == channels && decoder->wanted_rate)
        FFSWAP(SwrContext *, decoder->conversion, decoder->retired);
    swr_free(&decoder->conversion);
    av_channel_layout_uninit(&decoder->source_layout);
    result = av_channel_layout_copy(&decoder->source_layout, layout);
    if (result < 0) return result;
    decoder->source_format = frame->format;
    decoder->source_rate = frame->sample_rate;
    decoder->channels = channels;
    decoder->taken = decoder->unit.taken;
    decoder->levels = levels;

    layout_of(&target, channels);
    if (layout->order == AV_CHANNEL_ORDER_NATIVE)
        result = av_channel_layout_copy(&source, layout);
    else
        av_channel_layout_default(&source, layout->nb_channels);
    if (result >= 0)
        result = swr_alloc_set_opts2(&decoder->conversion, &target, AV_SAMPLE_FMT_FLT, rate,
                                     &source, frame->format, frame->sample_rate, 0, NULL);
    /* Nothing is divided by the sum of the levels: what exceeds 1 is for a limiter. */
    if (result >= 0)
        result = av_opt_set_double(decoder->conversion, "rematrix_maxval", 1000.0, 0);
    if (result >= 0)
        result = av_opt_set_double(decoder->conversion, "center_mix_level", levels.centre, 0);
    if (result >= 0)
        result = av_opt_set_double(decoder->conversion, "surround_mix_level", levels.surround, 0);
    if (result >= 0) result = set_matrix(decoder, &source, channels, levels);
    if (result >= 0) result = swr_init(decoder->conversion);
    if (result < 0) swr_free(&decoder->conversion);
    av_channel_layout_uninit(&source);
    return result;
}

static bool conversion_fits(const struct xg2g_decoder *decoder, int channels,
                            struct mix_levels levels) {
    const AVFrame *frame = decoder->frame;
    return decoder->conversion && frame->format == decoder->source_format &&
           frame->sample_rate == decoder->source_rate && channels == decoder->channels &&
           decoder->unit.taken == decoder->taken && levels.centre == decoder->levels.centre &&
           levels.surround == decoder->levels.surround &&
           !av_channel_layout_compare(&frame->ch_layout, &decoder->source_layout);
}

static int channels_for(const struct xg2g_decoder *decoder) {
    const AVChannelLayout *layout = &decoder->frame->ch_layout;
    if (decoder->wanted_channels) return decoder->wanted_channels;
    if (layout->nb_channels == 2 && decoder->unit.taken != TAKE_BOTH) return 1;
    return nearest_channels(layout);
}

/* Takes the next decoded frame: 1, or 0 when there is none, or an error. */
int xg2g_decoder_receive(struct xg2g_decoder *decoder, struct xg2g_frame *info) {
    AVFrame *frame = decoder->frame;
    struct mix_levels levels;
    int rate, channels, max_samples, result;
    int64_t delayed = 0;

    result = avcodec_receive_frame(decoder->codec, frame);
    if (result == AVERROR(EAGAIN)) return 0;
    if (result < 0) return result;
    /* With flags the frame is the last sound block repeated, which buzzes. */
    if (frame->decode_error_flags || frame->sample_rate <= 0 || frame->ch_layout.nb_channels <= 0)
        return AVERROR_INVALIDDATA;

    rate = decoder->wanted_rate ? decoder->wanted_rate : frame->sample_rate;
    channels = channels_for(decoder);
    levels = mix_levels(decoder);
    if (!conversion_fits(decoder, channels, levels)) {
        result = set_up_conversion(decoder, rate, channels, levels);
        if (result < 0) return result;
    }
    max_samples = swr_get_out_samples(decoder->conversion, frame->nb_samples);
    if (max_samples < 0) return max_samples;
    if (decoder->retired) {
        result = swr_get_out_samples(decoder->retired, 0);
        if (result < 0) return result;
        max_samples += result;
        delayed = swr_get_delay(decoder->retired, rate);
    } else {
        delayed = swr_get_delay(decoder->conversion, rate);
    }

    info->source_samples = frame->nb_samples;
    info->source_rate = frame->sample_rate;
    info->source_channels = frame->ch_layout.nb_channels;
    info->rate = rate;
    info->channels = channels;
    info->max_samples = max_samples;
    info->delayed_samples = delayed > 0 ? (uint32_t)delayed : 0;
    info->is_mixed = channels > 1 ? frame->ch_layout.nb_channels > channels
                                  : frame->ch_layout.nb_channels > 2;
    return 1;
}

/* Converts the frame that receive() took. `samples` holds `capacity` samples of each
 * channel; gives how many were written, or an error. */
int xg2g_decoder_convert(struct xg2g_decoder *decoder, float *samples, int capacity) {
    uint8_t *planes[1] = {(uint8_t *)samples};
    int drained = 0, converted;

    if (decoder->retired) {
        drained = swr_convert(decoder->retired, planes, capacity, NULL, 0);
        swr_free(&decoder->retired);
        if (drained < 0) return drained;
        planes[0] = (uint8_t *)(samples + (size_t)drained * decoder->channels);
    }
    converted = swr_convert(decoder->conversion, planes, capacity - drained,
                            (const uint8_t **)decoder->frame->extended_data,
                            decoder->frame->nb_samples);
    return converted < 0 ? converted : drained + converted;
}
