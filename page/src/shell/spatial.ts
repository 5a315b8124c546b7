/** Arrow keys move the focus to what lies in their direction, as remote controls have it. */

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export type Direction = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

const FOCUSABLE = ["a[href]", "button:not(:disabled)", "input", "select", "summary", "[tabindex]"]
  .map((each) => `${each}:not([tabindex="-1"])`)
  .join(", ");
/** Weight of the distance across the direction, relative to the distance along it. */
const ASIDE = 3;

/** Return whether a key is an arrow. */
export function isDirection(key: string): key is Direction {
  return /^Arrow(Left|Right|Up|Down)$/.test(key);
}

/** Return the index of the box that lies next in the direction, or -1. */
export function nextBox(from: Box, boxes: readonly Box[], direction: Direction): number {
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  boxes.forEach((box, index) => {
    const distance = distanceTo(from, box, direction);
    if (distance !== undefined && distance < least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

function distanceTo(from: Box, box: Box, direction: Direction): number | undefined {
  const isAcross = direction === "ArrowLeft" || direction === "ArrowRight";
  const [begin, end, sideBegin, sideEnd] = isAcross
    ? (["left", "right", "top", "bottom"] as const)
    : (["top", "bottom", "left", "right"] as const);
  const isBack = direction === "ArrowLeft" || direction === "ArrowUp";
  const ahead = isBack ? from[begin] - box[end] : box[begin] - from[end];
  // Neighbours may touch, or overlap by a border.
  if (ahead < -(from[end] - from[begin]) / 2) return undefined;
  const aside = Math.max(0, from[sideBegin] - box[sideEnd], box[sideBegin] - from[sideEnd]);
  const skew = Math.abs((from[sideBegin] - box[sideBegin]) / 50);
  return Math.max(0, ahead) + ASIDE * aside + skew;
}

/** Move the focus; return whether there was anything to move to. */
export function moveFocus(direction: Direction): boolean {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || active === document.body) return false;
  const scope = active.closest("dialog") ?? document;
  const found: HTMLElement[] = [];
  const boxes: Box[] = [];
  for (const each of scope.querySelectorAll<HTMLElement>(FOCUSABLE)) {
    if (active.contains(each) || each.closest(".player") !== active.closest(".player")) continue;
    const box = each.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    found.push(each);
    boxes.push(box);
  }
  const next = found[nextBox(active.getBoundingClientRect(), boxes, direction)];
  if (next === undefined) return false;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest", inline: "nearest" });
  return true;
}
