/** Buttons above the guide: days, evening, and the filter of channels. */
import { dayName, HOUR_MS, MINUTE_MS, startOfDay } from "../time";

/** Number of days, from yesterday on. */
export const DAYS = 9;
/** Time before now that is visible at the beginning, in ms. */
export const LEAD_MS = 30 * MINUTE_MS;
const EVENING = { hours: 20, minutes: 15 };

interface GuideToolsProps {
  /** Day that is visible, in ms at its start. */
  day: number;
  today: number;
  now: number;
  filter: string;
  onFilter: (text: string) => void;
  /** Called with a time to show. */
  onTime: (time: number) => void;
}

export function GuideTools({ day, today, now, filter, onFilter, onTime }: GuideToolsProps) {
  return (
    <div class="guide-tools">
      <fieldset class="chips" aria-label="Days">
        <button type="button" class="chip" onClick={() => onTime(Date.now() - LEAD_MS)}>
          Now
        </button>
        <button
          type="button"
          class="chip"
          onClick={() => {
            const evening = new Date(day);
            evening.setHours(EVENING.hours, EVENING.minutes);
            onTime(evening.getTime() - LEAD_MS / 2);
          }}
        >
          Evening
        </button>
        {Array.from({ length: DAYS }, (_, at) => startOfDay(today, at - 1)).map((each) => (
          <button
            key={each}
            type="button"
            class="chip"
            aria-pressed={each === day}
            onClick={() => onTime(each === today ? Date.now() - LEAD_MS : each + 6 * HOUR_MS)}
          >
            {dayName(each, now)}
          </button>
        ))}
      </fieldset>
      <input
        type="search"
        class="field guide-filter"
        placeholder="Filter channels"
        aria-label="Filter channels"
        data-testid="guide-filter"
        value={filter}
        onInput={(event) => onFilter(event.currentTarget.value)}
      />
    </div>
  );
}
