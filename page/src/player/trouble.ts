/** What went wrong with a channel, in words that say what to do, and when to try again. */

/** Somebody who uses a tuner. */
export interface TunerUser {
  streamId: string | undefined;
  channelName: string;
  address: string;
  /** When it began, in ms since 1970. */
  since: number | undefined;
  isOwn: boolean;
}

export type Trouble =
  /** The gateway refused the channel. */
  | {
      kind: "refused";
      status: number;
      /** Number of the tuner protocol: `X-HDHomeRun-Error`. */
      code: string;
      outcome: string;
      detail: string;
      users: TunerUser[];
    }
  /** Nothing answers. */
  | { kind: "network" }
  /** The run of the stream is over, or what was asked for has left the window. */
  | { kind: "gone" }
  /** The stream ended. */
  | { kind: "ended" }
  /** The browser cannot decode what came. */
  | { kind: "media"; detail: string }
  /** The browser does not start playback without a gesture. */
  | { kind: "autoplay" }
  /** Nothing came for too long. */
  | { kind: "stalled" };

export interface Explanation {
  title: string;
  advice: string;
  /** Time before the next attempt, in seconds; undefined waits for the user. */
  retryAfter: number | undefined;
  users: TunerUser[];
  /** Whether another player can be expected to play it. */
  offersPlayer: boolean;
}

/** Waits between attempts, in seconds; the last one stays. */
const WAITS = [1, 2, 4, 8, 15];
/** Wait after a refusal that may pass by itself, in seconds. */
const REFUSED_WAIT = 15;

function wait(attempt: number): number {
  return WAITS[Math.min(attempt, WAITS.length - 1)] ?? REFUSED_WAIT;
}

/** Explain trouble. `attempt` counts the attempts that failed in a row before this one. */
export function explain(trouble: Trouble, attempt: number): Explanation {
  const plain = { users: [], offersPlayer: false };
  switch (trouble.kind) {
    case "refused":
      return explainRefusal(trouble);
    case "network":
      return {
        ...plain,
        title: "No connection to xg2g",
        advice: "Check the network, and whether xg2g is running.",
        retryAfter: wait(attempt),
      };
    case "gone":
    case "ended":
      // The run is over as a rule because the gateway began another one: go there at once.
      return {
        ...plain,
        title: "The stream was interrupted",
        advice: "It goes on as soon as the channel is back.",
        retryAfter: attempt === 0 ? 0 : wait(attempt),
      };
    case "stalled":
      return {
        ...plain,
        title: "The picture does not come",
        advice: "Nothing has arrived for a while. Reception may be bad, or the network slow.",
        retryAfter: attempt === 0 ? 0 : wait(attempt),
      };
    case "media":
      return {
        ...plain,
        offersPlayer: true,
        title: "This browser cannot play the channel",
        advice: `Open it in a player such as VLC or mpv. (${trouble.detail})`,
        retryAfter: undefined,
      };
    case "autoplay":
      return {
        ...plain,
        title: "Press play",
        advice: "The browser starts no picture by itself.",
        retryAfter: undefined,
      };
  }
}

function explainRefusal(trouble: Extract<Trouble, { kind: "refused" }>): Explanation {
  const plain = { users: trouble.users, offersPlayer: false };
  const detail = trouble.detail;
  if (trouble.outcome === "not_offered") {
    return {
      ...plain,
      offersPlayer: true,
      title: "Browsers cannot play this channel",
      advice: detail || "Its picture is coded as MPEG-2. Open it in a player such as VLC or mpv.",
      retryAfter: undefined,
    };
  }
  switch (trouble.code) {
    case "801":
      return {
        ...plain,
        title: "No such channel",
        advice: detail || "The receiver no longer has it. Choose another one from the list.",
        retryAfter: undefined,
      };
    case "804":
    case "805":
      return {
        ...plain,
        title: "Every tuner is in use",
        advice:
          trouble.users.length > 0
            ? "End one of these streams, or watch a channel that is already on."
            : detail || "The receiver needs a tuner for another channel or a recording.",
        retryAfter: undefined,
      };
    case "806":
      return trouble.status === 502
        ? {
            ...plain,
            title: "The receiver does not answer",
            advice: detail || "Switch the receiver on, and check its network.",
            retryAfter: REFUSED_WAIT,
          }
        : {
            ...plain,
            title: "No signal",
            advice: detail || "The receiver finds no signal. Check the antenna cable or the dish.",
            retryAfter: REFUSED_WAIT,
          };
    case "807":
      return {
        ...plain,
        title: "No picture",
        advice: detail || "The receiver accepted the channel and sent nothing. It may be off air.",
        retryAfter: REFUSED_WAIT,
      };
    case "811":
      return {
        ...plain,
        title: "The channel is scrambled",
        advice: detail || "The receiver needs a card or a licence that opens it.",
        retryAfter: undefined,
      };
    default:
      return {
        ...plain,
        title: trouble.status === 503 ? "xg2g is busy" : "The channel cannot be opened",
        advice: detail || `xg2g answered with status ${trouble.status}.`,
        retryAfter: trouble.status >= 500 ? REFUSED_WAIT : undefined,
      };
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Return the trouble that a refusal of the gateway tells. A body of another kind is left aside. */
export function readRefusal(status: number, code: string | null, body: string): Trouble {
  if (status === 0) return { kind: "network" };
  let problem: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null) problem = parsed as Record<string, unknown>;
  } catch {
    // An empty body, or the page of a proxy.
  }
  // "805 All Tuners In Use"
  const header = /^\d+/.exec(code ?? "")?.[0];
  const told = problem["code"];
  const users = Array.isArray(problem["users"]) ? problem["users"] : [];
  return {
    kind: "refused",
    status,
    code: (typeof told === "number" ? String(told) : text(told)) || header || "",
    outcome: text(problem["outcome"]),
    detail: text(problem["detail"]),
    users: users.flatMap((user: unknown) =>
      typeof user === "object" && user ? [readUser(user as Record<string, unknown>)] : [],
    ),
  };
}

function readUser(user: Record<string, unknown>): TunerUser {
  const since = Date.parse(text(user["since"]));
  return {
    streamId: text(user["stream_id"]) || undefined,
    channelName: text(user["channel_name"]) || text(user["channel"]) || "a channel",
    address: text(user["address"]),
    since: Number.isNaN(since) ? undefined : since,
    isOwn: user["is_own"] === true,
  };
}
