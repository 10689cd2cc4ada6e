import type { Instant } from '#core/instant.ts';
import { weightedLruMap } from '#core/weighted-lru-map.ts';
import type { Tx } from '#store/store.ts';
import { archivesOf } from './archive-records.ts';
import { compilePattern, type Pattern } from './pattern/compile.ts';
import { type EventFields, eventFields } from './pattern/event-fields.ts';
import { matches } from './pattern/match.ts';
import { BUS_COST_MAX, patternCost } from './pattern/pattern-cost.ts';
import { archivedEvents } from './tables/archived-events.ts';
import type { BusKey } from './tables/event-buses.ts';

/** Compiled patterns of archives, by their text. The costs of all of them have a limit. */
const patterns = weightedLruMap<string, Pattern>(2 * BUS_COST_MAX);

function compiled(text: string): Pattern {
  const known = patterns.get(text);
  if (known !== undefined) return known;
  const pattern = compilePattern(text);
  patterns.set(text, pattern, patternCost(text, pattern));
  return pattern;
}

/** Stores an event in the archives of a bus whose patterns select it. An archive without a pattern selects every event. */
export async function archiveEvent(tx: Tx, key: BusKey, event: string, now: Instant): Promise<void> {
  let fields: EventFields | undefined;
  for (const { document } of await archivesOf(tx, key)) {
    if (document.EventPattern !== undefined) {
      fields ??= eventFields(event);
      if (fields === undefined || !matches(compiled(document.EventPattern), fields)) continue;
    }
    await tx.of(archivedEvents).append({ archiveId: document.archiveId, at: now, bytes: Buffer.byteLength(event), event });
  }
}
