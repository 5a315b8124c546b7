/** Answers that are polled while the page is visible. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { ApiError } from "./client";

export interface Polled<T> {
  /** The latest answer; undefined before the first. */
  value: T | undefined;
  /** Why the latest attempt failed. */
  trouble: ApiError | undefined;
  /** Ask now. */
  again: () => void;
}

/** Longest wait after a failure, in ms. */
const AFTER_TROUBLE_MS = 10_000;

/** Call `ask` now and every `everyMs`. While the page is hidden, wait until it is visible again. */
export function usePolled<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  everyMs: number,
  isWanted = true,
): Polled<T> {
  const [value, setValue] = useState<T | undefined>(undefined);
  const [trouble, setTrouble] = useState<ApiError | undefined>(undefined);
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => setTurn((last) => last + 1), []);
  useEffect(() => {
    if (!isWanted) return;
    const abort = new AbortController();
    let timer = 0;
    let isAsking = false;
    const look = async () => {
      window.clearTimeout(timer);
      if (document.hidden || isAsking) return;
      isAsking = true;
      let waitMs = everyMs;
      try {
        setValue(await ask(abort.signal));
        setTrouble(undefined);
      } catch (error) {
        if (abort.signal.aborted) return;
        waitMs = Math.min(everyMs, AFTER_TROUBLE_MS);
        setTrouble(error instanceof ApiError ? error : new ApiError(0, String(error)));
      } finally {
        isAsking = false;
      }
      timer = window.setTimeout(look, waitMs);
    };
    void look();
    document.addEventListener("visibilitychange", look);
    return () => {
      abort.abort();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [ask, everyMs, isWanted, turn]);
  return { value, trouble, again };
}

/** The time, moving on every `everyMs`. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const look = () => setNow(Date.now());
    const timer = setInterval(look, everyMs);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [everyMs]);
  return now;
}
