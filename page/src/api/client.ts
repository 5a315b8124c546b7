/** Requests to the daemon's API, all relative to the page, which may lie below a path. */
import type { Problem } from "./types";

const TOKEN_KEY = "token";

/** A refusal, or no answer at all. The message says what to do. */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 if xg2g did not answer. */
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The token that was given in this tab. It is kept nowhere else. */
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
    // Without storage it is asked for again.
  }
}

type Values = Record<string, string | number | boolean | undefined>;

/** Return the address of a path of the API. */
export function apiUrl(path: string, values: Values = {}): string {
  const url = new URL(`api/v1${path}`, document.baseURI);
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

/** Return an address of the daemon as this page reaches it: the answer may name another host, that of
 * `server.public_url`, which the page's policy forbids. */
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
    throw new ApiError(0, "xg2g does not answer. Is it running, and this device in its network?");
  }
  if (answer.ok) return answer;
  throw new ApiError(answer.status, await explanation(answer));
}

async function explanation(answer: Response): Promise<string> {
  try {
    const problem = (await answer.json()) as Problem;
    if (problem.detail) return problem.detail;
  } catch {
    // Something between the page and xg2g answered.
  }
  return `The answer was ${answer.status} ${answer.statusText}`.trim();
}
