import { useEffect, useRef } from "preact/hooks";
import type { Choice } from "./lineup";

interface BouquetChipsProps {
  names: readonly string[];
  hasRadio: boolean;
  choice: Choice;
  onChoose: (choice: Choice) => void;
}

/** The bouquets to choose from, in one line that scrolls. */
export function BouquetChips({ names, hasRadio, choice, onChoose }: BouquetChipsProps) {
  const choices: Choice[] = [
    { kind: "all" },
    ...names.map((name) => ({ kind: "bouquet", name }) as const),
    ...(hasRadio ? [{ kind: "radio" } as const] : []),
  ];
  const line = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    const chip = line.current?.querySelector<HTMLElement>("[aria-pressed=true]");
    // scrollIntoView would scroll the page, too.
    if (line.current && chip)
      line.current.scrollLeft = chip.offsetLeft - line.current.clientWidth / 3;
  }, [choice]);
  if (choices.length < 3) return null;
  return (
    <fieldset ref={line} class="chips" aria-label="Bouquets" data-testid="bouquets">
      {choices.map((each) => {
        const isChosen =
          each.kind === choice.kind &&
          (each.kind !== "bouquet" || choice.kind !== "bouquet" || each.name === choice.name);
        return (
          <button
            key={each.kind === "bouquet" ? `=${each.name}` : each.kind}
            type="button"
            class="chip"
            aria-pressed={isChosen}
            onClick={() => onChoose(each)}
          >
            {each.kind === "bouquet" ? each.name : each.kind === "all" ? "All" : "Radio only"}
          </button>
        );
      })}
    </fieldset>
  );
}
