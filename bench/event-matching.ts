import { compilePattern } from '#services/events/pattern/compile.ts';
import { type EventFields, eventFields } from '#services/events/pattern/event-fields.ts';
import { matches } from '#services/events/pattern/match.ts';
import { type IndexedRule, ruleIndex } from '#services/events/pattern/rule-index.ts';

/**
 * Measures the matching of an event with the rules of a bus: `node bench/event-matching.ts`. The index is compared with
 * the plain matcher, which tries rule by rule. Rounds of both alternate. The unit is CPU time per event.
 *
 * "exact" rules select one meeting each. "mixed" rules use each operator, and all of them name the same source. "arrays"
 * are the mixed rules with events that have an array of objects.
 */

const ROUNDS = 15;
const EVENTS = 64;
/** Bar of the index with 1,000 rules, in microseconds. */
const BAR = 50;

const SOURCE = { source: ['aws.chime'], 'detail-type': ['Chime Meeting State Change'] };

// biome-ignore format: a table
const OPERATORS: readonly ((i: number) => object)[] = [
  (i) => ({ meetingId: [`meeting-${i}`] }),
  (i) => ({ externalMeetingId: [{ prefix: `team-${i}-` }] }),
  (i) => ({ externalMeetingId: [{ suffix: `-${i}` }] }),
  (i) => ({ attendees: [{ numeric: ['>', i, '<', i + 2] }] }),
  (i) => ({ externalMeetingId: [{ wildcard: `*-${i}-*-x` }] }),
  (i) => ({ networkType: [{ 'anything-but': ['Voip', `n${i}`] }] }),
  (i) => ({ externalUserId: [{ 'equals-ignore-case': `User-${i}` }] }),
  (i) => ({ sourceIPAddress: [{ cidr: `10.${i % 256}.${i >> 8}.0/24` }] }),
  (i) => ({ meetingId: [`meeting-${i}`], attendeeId: [{ exists: true }] }),
  (i) => ({ meetingId: [`meeting-${i}`], error: [{ exists: false }] }),
];

function exactRule(i: number): object {
  return { ...SOURCE, detail: { eventType: ['chime:AttendeeJoined', 'chime:AttendeeLeft'], meetingId: [`meeting-${i}`] } };
}

function mixedRule(i: number): object {
  return { ...SOURCE, detail: OPERATORS[i % OPERATORS.length]?.(i) };
}

function eventText(i: number, arrays: boolean): string {
  return JSON.stringify({
    version: '0',
    id: `5b0c7c9e-6f0e-4f0a-9d55-3a2b1c0d${1000 + i}`,
    'detail-type': 'Chime Meeting State Change',
    source: 'aws.chime',
    account: '111122223333',
    time: '2026-11-28T10:00:00Z',
    region: 'us-east-1',
    resources: [],
    detail: {
      version: '0',
      eventType: 'chime:AttendeeJoined',
      timestamp: 1764324000000 + i,
      meetingId: `meeting-${i * 7}`,
      externalMeetingId: `team-${i * 3}-room-${i}`,
      attendeeId: `attendee-${i}`,
      externalUserId: `user-${i}`,
      networkType: 'Voip',
      attendees: i,
      sourceIPAddress: `10.0.${i % 4}.9`,
      mediaRegion: 'eu-central-1',
      ...(arrays && { attendeesList: Array.from({ length: 10 }, (_, n) => ({ id: `a-${n}`, role: n === 0 ? 'host' : 'guest' })) }),
    },
  });
}

/** Returns the CPU microseconds of a run per event. */
function cost(run: () => void): number {
  const before = process.cpuUsage();
  let runs = 0;
  let spent = 0;
  while (spent < 20_000) {
    run();
    runs++;
    const { user, system } = process.cpuUsage(before);
    spent = user + system;
  }
  return spent / runs / EVENTS;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] as number;
}

function measure(title: string, makeRule: (i: number) => object, arrays: boolean): void {
  const texts = Array.from({ length: EVENTS }, (_, i) => eventText(i, arrays));
  const events = texts.map((text) => eventFields(text) as EventFields);
  for (const count of [1, 100, 1000]) {
    const sources = Array.from({ length: count }, (_, i) => JSON.stringify(makeRule(i)));
    const before = process.cpuUsage();
    const rules: IndexedRule<number>[] = sources.map((text, rule) => ({ rule, pattern: compilePattern(text) }));
    const index = ruleIndex(rules);
    const { user, system } = process.cpuUsage(before);
    let found = 0;
    const runs = {
      read: () => {
        for (const text of texts) eventFields(text);
      },
      index: () => {
        for (const event of events) found += index.matching(event).length;
      },
      plain: () => {
        for (const event of events) found += rules.filter(({ pattern }) => matches(pattern, event)).length;
      },
    };
    const costs = { read: [] as number[], index: [] as number[], plain: [] as number[] };
    for (let round = 0; round <= ROUNDS; round++) {
      for (const name of ['read', 'index', 'plain'] as const) {
        const each = cost(runs[name]);
        if (round > 0) costs[name].push(each);
      }
    }
    const [read, indexed, plain] = [median(costs.read), median(costs.index), median(costs.plain)];
    const bar = count === 1000 ? `  bar ${BAR} µs: ${read + indexed <= BAR ? 'met' : 'MISSED'}` : '';
    console.log(
      `${title.padEnd(8)} ${String(count).padStart(5)} rules  index ${indexed.toFixed(2).padStart(7)} µs  plain ${plain.toFixed(2).padStart(8)} µs  ` +
        `${(plain / indexed).toFixed(1).padStart(6)} times  reading the event ${read.toFixed(2)} µs  build ${((user + system) / 1000).toFixed(1)} ms${bar}`,
    );
    if (found === 0) console.log('(no rule matched)');
  }
}

measure('exact', exactRule, false);
measure('mixed', mixedRule, false);
measure('arrays', mixedRule, true);
