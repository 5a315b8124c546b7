/** Requests to the daemon's API. URLs are relative to the page, which a proxy may serve below a path. */
import type { Problem } from "./types";

const TOKEN_KEY = "token";

/** Refusal, or no answer. The message says what is wrong and how to fix it. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 if xg2g did not answer. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Return the token that was entered in this tab. It is kept nowhere else. */
export function keptToken(): string | null {
  try {
    return sessionStorage.getItem(TOKEN_KEY);
  } catch {
    return null;
  }
}

export function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(TOKEN_KEY);
    else sessionStorage.setItem(TOKEN_KEY, token);
  } catch {
    // Without storage, the page asks for the token again.
  }
}

type Values = Record<string, string | number | boolean | undefined>;

/** Return the URL of a path of the API. */
export function apiUrl(path: string, values: Values = {}): string {
  const url = new URL(`api/v1${path}`, document.baseURI);
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** Return a URL of the daemon with this page's own host. Answers may name that of
 * `server.public_url`, which the page's Content-Security-Policy forbids. */
export function relative(url: string): string {
  const path = /\/(logos|stream|hls)\/[^?#]*$/.exec(url)?.[0];
  return path === undefined ? url : new URL(path.slice(1), document.baseURI).href;
}

/** Read something. Throws `ApiError`. */
export async function read<T>(path: string, values: Values = {}, signal?: AbortSignal): Promise<T> {
  const answer = await ask("GET", apiUrl(path, values), signal);
  return (await answer.json()) as T;
}

/** Change something. Throws `ApiError`. */
export async function change(method: "POST" | "DELETE", path: string): Promise<void> {
  await ask(method, apiUrl(path));
}

async function ask(method: string, url: string, signal?: AbortSignal): Promise<Response> {
  const token = keptToken();
  const headers: Record<string, string> = { Accept: "application/json" };
  if (token !== null) headers["Authorization"] = `Bearer ${token}`;
  let answer: Response;
  try {
    answer = await fetch(url, { method, headers, signal: signal ?? null });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(
      0,
      "xg2g does not answer. Check that it is running and that this device is in its network.",
    );
  }
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await explanation(answer));
}

async function explanation(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as Problem;
    if (problem.detail) return problem.detail;
  } catch {
    // The answer is not from xg2g but from a proxy in between.
  }
  return `xg2g answered with ${answer.status} ${answer.statusText}`.trim();
}
