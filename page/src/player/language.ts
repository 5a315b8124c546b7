/** Names of the languages that broadcasts tell, in plain words. */

/** Codes that broadcasters use and `Intl` has no name for. */
const SPECIAL: Record<string, string> = {
  mis: "Other language",
  mul: "Several languages",
  qaa: "Original version",
  qad: "Original version",
  qks: "Clear speech",
  nar: "Narration",
  zxx: "Without speech",
};

const names = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });

/** Return the English name of an ISO 639 code; undefined for one that means nothing. */
export function languageName(code: string | null | undefined): string | undefined {
  const wanted = code?.trim().toLowerCase();
  if (!wanted) return undefined;
  const special = SPECIAL[wanted];
  if (special !== undefined) return special;
  try {
    const found = names.of(wanted);
    return found === undefined || wanted === "und" ? undefined : found;
  } catch {
    return undefined;
  }
}

/**
 * Return the label of each track: its language and its purpose, numbered where several would read
 * the same.
 */
export function trackLabels(
  tracks: readonly { language: string | null; purpose?: string | undefined }[],
  unnamed: string,
): string[] {
  const plain = tracks.map(({ language, purpose }) => {
    const name = languageName(language) ?? unnamed;
    return purpose ? `${name} (${purpose})` : name;
  });
  const seen = new Map<string, number>();
  return plain.map((label) => {
    const count = (seen.get(label) ?? 0) + 1;
    seen.set(label, count);
    return count === 1 ? label : `${label} ${count}`;
  });
}
