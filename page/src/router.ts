/** Places of the page. The URL's hash holds the place, so that it can be linked and bookmarked. */
export type Place =
  | { at: "channels" }
  | { at: "channel"; id: string }
  | { at: "guide" }
  | { at: "search" }
  | { at: "status" }
  | { at: "addresses" };

const PLAIN = ["guide", "search", "status", "addresses"] as const;

/** Return the place that a hash names; the channel list if it names none. */
export function placeOf(hash: string): Place {
  const [, first = "", second = ""] = hash.replace(/^#/, "").split("/");
  if (first === "channel" && second !== "") {
    const id = decoded(second);
    return id === null ? { at: "channels" } : { at: "channel", id };
  }
  const plain = PLAIN.find((each) => each === first);
  return { at: plain ?? "channels" };
}

/** Return the hash of a place. */
export function hashOf(place: Place): string {
  switch (place.at) {
    case "channels":
      return "#/";
    case "channel":
      return `#/channel/${encodeURIComponent(place.id)}`;
    default:
      return `#/${place.at}`;
  }
}

/** Go there, as a step that the Back button takes back; `replace` puts it in place of this one. */
export function go(place: Place, { replace = false } = {}): void {
  if (replace) {
    location.replace(hashOf(place));
  } else {
    location.hash = hashOf(place);
  }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
