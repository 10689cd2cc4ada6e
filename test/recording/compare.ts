/**
 * Compares a recording with a run.
 *
 * A new call changes numbers in all later exchanges: those of placeholders (`‹uuid-7›`), and the identity version. The
 * comparison therefore allows any one-to-one renaming of placeholders that holds for all exchanges, and compares by how
 * much each call changes the identity version.
 */
import type { Exchange } from './recorder.ts';

const PLACEHOLDER = /‹([a-z0-9]+)-(\d+)›/g;
const VERSION = /"identityVersion":(\d+)/g;
const PARTS = ['request', 'response', 'record'] as const;

/** Returns a text without the numbers of its placeholders: `‹uuid›` instead of `‹uuid-7›`. */
export function withoutNumbers(text: string): string {
  return text.replace(PLACEHOLDER, '‹$1›');
}

/**
 * Returns the differences between a recording and a run. A new call does not cause differences in the calls after it.
 *
 * Exchanges of the longest common sequence are equal without numbers, and are compared first. The remaining exchanges with
 * the same title and request are compared in their order.
 */
export function differences(recording: readonly Exchange[], run: readonly Exchange[]): readonly string[] {
  const [before, now] = [withVersionChanges(recording), withVersionChanges(run)];
  const common = longestCommon(before.map(wholeOf), now.map(wholeOf));
  const renaming = newRenaming();
  for (const [to, from] of common) renaming.learn(now[to] as Exchange, before[from] as Exchange);
  const used = new Set(common.values());
  const rest = Map.groupBy(
    before.filter((_, at) => !used.has(at)),
    callOf,
  );

  const found: string[] = [];
  for (const [at, is] of now.entries()) {
    const title = `${at} ${is.title}`;
    const from = common.get(at);
    const was = from === undefined ? take(rest.get(callOf(is)), (each) => renaming.allows(is.request, each.request)) : before[from];
    if (was === undefined) {
      found.push(`${title}: not in the recording\n+ ${is.request}\n+ ${is.response}`);
      continue;
    }
    renaming.learn(is, was);
    const changed = PARTS.filter((part) => renaming.renamed(is[part]) !== was[part]);
    found.push(...changed.map((part) => `${title}: ${part}\n- ${was[part]}\n+ ${renaming.renamed(is[part])}`));
    if (changed.length === 0 && from === undefined) found.push(`${title}: at another place in the recording\n  ${was.request}`);
  }
  for (const was of [...rest.values()].flat()) found.push(`${was.title}: only in the recording\n- ${was.request}\n- ${was.response}`);
  return found;
}

/** Replaces the identity version in each record by the change until the next record: `"identityVersion":+1` for CreateUser. */
function withVersionChanges(exchanges: readonly Exchange[]): readonly Exchange[] {
  let next: number | undefined;
  const changes = exchanges.toReversed().map((exchange) => {
    const [found] = exchange.record?.matchAll(VERSION) ?? [];
    if (exchange.record === undefined || found === undefined) return exchange;
    const version = Number(found[1]);
    const change = (next ?? version) - version;
    next = version;
    const record = exchange.record.replace(VERSION, (_, each) => `"identityVersion":+${Number(each) - version + change}`);
    return { ...exchange, record };
  });
  return changes.reverse();
}

function wholeOf({ title, request, response, record = '' }: Exchange): string {
  return withoutNumbers([title, request, response, record].join('\n'));
}

function callOf({ title, request }: Exchange): string {
  return withoutNumbers(`${title}\n${request}`);
}

/** Removes the first item with a property from a list, and returns it. */
function take<Item>(items: Item[] = [], wanted: (item: Item) => boolean): Item | undefined {
  const at = items.findIndex(wanted);
  return at === -1 ? undefined : items.splice(at, 1)[0];
}

/** One-to-one renaming of the placeholders of a run to those of the recording. */
function newRenaming() {
  const names = new Map<string, string>();
  const used = new Set<string>();
  /** Returns the pairs of placeholders of two texts. Returns no pairs if the texts have placeholders of other kinds. */
  const pairsOf = (is: string, was: string): readonly (readonly [placeholder: string, name: string])[] => {
    const [placeholders, recorded] = [is.match(PLACEHOLDER) ?? [], was.match(PLACEHOLDER) ?? []];
    if (withoutNumbers(placeholders.join()) !== withoutNumbers(recorded.join())) return [];
    return placeholders.map((placeholder, at) => [placeholder, recorded[at] as string]);
  };
  const isNew = (placeholder: string, name: string) => !names.has(placeholder) && !used.has(name);
  return {
    /** Adds the placeholders of an exchange that have no name yet. */
    learn(is: Exchange, was: Exchange): void {
      for (const part of PARTS) {
        for (const [placeholder, name] of pairsOf(is[part] ?? '', was[part] ?? '')) {
          if (!isNew(placeholder, name)) continue;
          names.set(placeholder, name);
          used.add(name);
        }
      }
    },
    /** Reports whether the placeholders of two texts, which are equal without numbers, have the same names or no names yet. */
    allows: (is: string, was: string) =>
      pairsOf(is, was).every(([placeholder, name]) => names.get(placeholder) === name || isNew(placeholder, name)),
    /** Returns a text of the run with the placeholders of the recording. Other placeholders become `‹new uuid-7›`. */
    renamed: (text: string | undefined) =>
      text?.replace(PLACEHOLDER, (placeholder, kind, number) => names.get(placeholder) ?? `‹new ${kind}-${number}›`),
  };
}

/**
 * Returns the longest common subsequence of two lists: for each position in `now` that belongs to it, the position in
 * `before`. Example: `abd`, `abcd` → 0: 0, 1: 1, 3: 2.
 */
function longestCommon(before: readonly string[], now: readonly string[]): ReadonlyMap<number, number> {
  const common = new Map<number, number>();
  let start = 0;
  while (start < Math.min(before.length, now.length) && before[start] === now[start]) common.set(start, start++);
  const end: [number, number][] = [];
  let [m, n] = [before.length, now.length];
  while (m > start && n > start && before[m - 1] === now[n - 1]) end.push([--n, --m]);

  // `lengths[i * width + j]` is the length of the longest common subsequence of before[start + i, m) and now[start + j, n).
  const width = n - start + 1;
  const lengths = new Uint16Array((m - start + 1) * width);
  for (let i = m - start - 1; i >= 0; i--) {
    for (let j = width - 2; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] =
        before[start + i] === now[start + j]
          ? (lengths[at + width + 1] as number) + 1
          : Math.max(lengths[at + width] as number, lengths[at + 1] as number);
    }
  }
  for (let i = 0, j = 0; i < m - start && j < width - 1; ) {
    const at = i * width + j;
    if (before[start + i] === now[start + j]) common.set(start + j++, start + i++);
    else if ((lengths[at + width] as number) >= (lengths[at + 1] as number)) i++;
    else j++;
  }
  for (const [to, from] of end.reverse()) common.set(to, from);
  return common;
}
