/** How hls.js is set up: latency, buffers, time limits, and the playlists it gets to see. */
import Hls, {
  type HlsConfig,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type LoaderContext,
  type LoaderResponse,
  type RetryConfig,
} from "hls.js";
import { shortenGaps } from "./gaps";
import { GONE } from "./hls-trouble";

/** `Accept` of requests for a multivariant playlist: the playlist, or a problem that says why not. */
export const ACCEPT = "application/vnd.apple.mpegurl, application/problem+json;q=0.9, */*;q=0.1";

/** Time to the first playlist of a channel: the receiver may have to turn a dish. In ms. */
const OPENING_MS = 40_000;
/** Files that lie ready, and playlists that wait for the next part, in ms. */
const LOADING_MS = 12_000;
/** Retry every request for some seconds, except for files that are gone. */
function retriesUnlessGone(
  config: RetryConfig | null | undefined,
  count: number,
  _isTimeout: boolean,
  response: LoaderResponse | undefined,
): boolean {
  return !GONE.has(response?.code ?? 0) && count < (config?.maxNumRetry ?? 0);
}

const again: RetryConfig = {
  maxNumRetry: 5,
  retryDelayMs: 250,
  maxRetryDelayMs: 2000,
  backoff: "exponential",
  shouldRetry: retriesUnlessGone,
};
const files = {
  default: {
    maxTimeToFirstByteMs: LOADING_MS,
    maxLoadTimeMs: 2 * LOADING_MS,
    timeoutRetry: again,
    errorRetry: again,
  },
};

export const CONFIG: Partial<HlsConfig> = {
  lowLatencyMode: true,
  startFragPrefetch: true,
  // Fragments of MP4 are passed through; a worker would cost its start and save nothing.
  enableWorker: false,
  // There are no pictures ahead of the live position. After a rewind the buffer fills quickly.
  maxBufferLength: 20,
  maxMaxBufferLength: 30,
  // So that a jump of ten seconds back needs no request.
  backBufferLength: 30,
  liveSyncOnStallIncrease: 0.35,
  liveDurationInfinity: true,
  // Cues are drawn by the page: a canvas may lie over the picture. (And the track elements that
  // hls.js would make have addresses which the page's policy forbids.)
  renderTextTracksNatively: false,
  testBandwidth: false,
  // Broadcasts carry none of these.
  enableCEA708Captions: false,
  enableID3MetadataCues: false,
  enableEmsgMetadataCues: false,
  enableDateRangeMetadataCues: false,
  enableInterstitialPlayback: false,
  emeEnabled: false,
  manifestLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: OPENING_MS,
      maxLoadTimeMs: OPENING_MS,
      timeoutRetry: null,
      errorRetry: null,
    },
  },
  playlistLoadPolicy: files,
  fragLoadPolicy: files,
};

const Loader = Hls.DefaultConfig.loader;

/** Return a loader that adapts playlists for hls.js. `onPlaylist` sees each playlist first. */
export function playlistLoader(onPlaylist: (text: string) => void): typeof Loader {
  return class extends Loader {
    override load(
      context: LoaderContext,
      config: LoaderConfiguration,
      callbacks: LoaderCallbacks<LoaderContext>,
    ): void {
      super.load(context, config, {
        ...callbacks,
        onSuccess: (response, ...rest) => {
          const { data } = response;
          if (typeof data !== "string") return callbacks.onSuccess(response, ...rest);
          onPlaylist(data);
          callbacks.onSuccess({ ...response, data: shortenGaps(data) }, ...rest);
        },
      });
    }
  };
}
