/** Trouble with a channel: what is wrong, what to do, and when to try again. */

/** Viewer that uses a tuner. */
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
      /** What to do, in the gateway's words. */
      advice: string;
      users: TunerUser[];
    }
  /** Nothing answers. */
  | { kind: "network" }
  /** The run of the stream has ended, or the requested file has left the window. */
  | { kind: "gone" }
  /** The stream ended. */
  | { kind: "ended" }
  /** The browser cannot decode the stream. */
  | { kind: "media"; isLasting: boolean; detail: string }
  /** The browser does not start playback without a gesture. */
  | { kind: "autoplay" }
  /** Nothing has arrived for too long. */
  | { kind: "stalled" };

type Refused = Extract<Trouble, { kind: "refused" }>;

export interface Explanation {
  title: string;
  advice: string;
  /** Time before the next attempt, in seconds; undefined waits for the user. */
  retryAfter: number | undefined;
  users: TunerUser[];
  /** True if another player will probably play the channel. */
  offersPlayer: boolean;
}

/** Waits between attempts, in seconds; the last one stays. */
const WAITS = [1, 2, 3, 5];
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
      // Usually the gateway has begun another run: open that at once.
      return {
        ...plain,
        title: "The stream was interrupted",
        advice: "Playback continues when the channel is back.",
        retryAfter: attempt === 0 ? 0 : wait(attempt),
      };
    case "stalled":
      return {
        ...plain,
        title: "No picture arrives",
        advice: "Nothing has arrived for a while. The reception may be bad, or the network slow.",
        retryAfter: attempt === 0 ? 0 : wait(attempt),
      };
    case "media":
      return {
        ...plain,
        offersPlayer: true,
        title: "This browser cannot play the channel",
        advice: sentences(trouble.detail, "Open it in a player such as VLC or mpv"),
        retryAfter: undefined,
      };
    case "autoplay":
      return {
        ...plain,
        title: "Press play",
        advice: "The browser does not start playback by itself.",
        retryAfter: undefined,
      };
  }
}

/** Titles by number of the tuner protocol. */
const TITLES = new Map([
  ["801", "No such channel"],
  ["804", "All tuners are in use"],
  ["805", "All tuners are in use"],
  ["807", "No picture"],
  ["811", "The channel is scrambled"],
]);
/** Refusals that do not pass by themselves. */
const LASTING = new Set(["801", "804", "805", "811"]);

function refusalTitle({ status, code, outcome }: Refused): string {
  if (outcome === "not_offered") return "Browsers cannot play this channel";
  // The protocol has one number for both.
  if (code === "806") return status === 502 ? "The receiver does not answer" : "No signal";
  return TITLES.get(code) ?? (status === 503 ? "xg2g is busy" : "The channel cannot be opened");
}

function explainRefusal(trouble: Refused): Explanation {
  const { status, code, outcome, detail, users } = trouble;
  const offersPlayer = outcome === "not_offered";
  const isLasting = offersPlayer || LASTING.has(code) || status < 500;
  const advice = offersPlayer ? sentences(detail) : sentences(detail, trouble.advice);
  return {
    title: refusalTitle(trouble),
    advice: advice || `xg2g answered with status ${status}.`,
    retryAfter: isLasting ? undefined : REFUSED_WAIT,
    users,
    offersPlayer,
  };
}

/** Join texts as sentences: each begins with a capital letter and ends with a full stop. */
function sentences(...texts: string[]): string {
  return texts
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .map((each) => each.charAt(0).toUpperCase() + each.slice(1) + (/[.!?]$/.test(each) ? "" : "."))
    .join(" ");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Return the trouble that a refusal of the gateway means. A body that is not a problem is ignored. */
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
    advice: text(problem["advice"]),
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
