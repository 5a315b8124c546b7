/** What an error of hls.js means to the user. */
import Hls, { type ErrorData } from "hls.js";
import { readRefusal, type Trouble } from "./trouble";

/** Statuses of files that are gone for good. */
export const GONE = new Set([404, 410]);
const NO_DECODER = new Set<string>([
  Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_INCOMPATIBLE_CODECS_ERROR,
  Hls.ErrorDetails.BUFFER_ADD_CODEC_ERROR,
]);

/** Say which decoder is missing, by the codecs in hls.js's message. */
function missingDecoder(message: string): string {
  const isHevc = /\b(hvc1|hev1)\b/.test(message);
  return isHevc
    ? "The video is HEVC, which this browser cannot decode on this device."
    : "This browser has no decoder for this channel.";
}

/** Return the trouble that a fatal error means. */
export function troubleOf(data: ErrorData): Trouble {
  const details = Hls.ErrorDetails;
  const status = data.response?.code ?? 0;
  if (data.details === details.MANIFEST_LOAD_ERROR) {
    const request: unknown = data.networkDetails;
    const isRequest = request instanceof XMLHttpRequest;
    return readRefusal(
      status,
      isRequest ? request.getResponseHeader("X-HDHomeRun-Error") : null,
      isRequest ? request.responseText : "",
    );
  }
  if (data.details === details.MANIFEST_LOAD_TIMEOUT) return { kind: "network" };
  if (NO_DECODER.has(data.details)) {
    return { kind: "media", isLasting: true, detail: missingDecoder(data.error.message) };
  }
  if (data.type === Hls.ErrorTypes.NETWORK_ERROR) {
    if (GONE.has(status)) return { kind: "gone" };
    return status === 0 ? { kind: "network" } : { kind: "stalled" };
  }
  return { kind: "media", isLasting: false, detail: data.error.message || data.details };
}
