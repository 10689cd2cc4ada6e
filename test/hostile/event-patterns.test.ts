/** Matching of the worst events: the steps of the core's thread have a bound for any patterns. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { instant } from '#core/instant.ts';
import { compilePattern } from '#services/events/pattern/compile.ts';
import { type EventFields, eventFields } from '#services/events/pattern/event-fields.ts';
import { ruleIndex } from '#services/events/pattern/rule-index.ts';
import { eventSteps, STEPS_PER_EVENT } from '#services/events/pattern/steps.ts';
import { eventText } from '#services/kit/bus-event.ts';
import { CORE_STEPS_MAX, countSteps } from './steps.ts';
import { patternsOf, WORST_PATTERNS } from './worst-event-patterns.ts';

let steps: Awaited<ReturnType<typeof countSteps>>;

before(async () => {
  steps = await countSteps();
});
after(() => steps.stop());

for (const [title, pattern, detail] of WORST_PATTERNS) {
  test(`Event patterns: one event of maximum size and 300 rules with ${title} need a limited number of steps`, async () => {
    const members = { id: 'event', detailType: 'd', source: 'shop', account: '111122223333', time: instant(0), region: 'us-east-1' };
    const text = eventText({ ...members, resources: [], detail: JSON.stringify(detail()) });
    const fields = eventFields(text) as EventFields;
    const rules = patternsOf(pattern).map((of, rule) => ({ rule, pattern: compilePattern(of) }));
    const index = ruleIndex(rules);
    const ofEvent = eventSteps();
    const taken = await steps.of(async () => void index.matching(fields, ofEvent));
    assert.ok(ofEvent.taken() > STEPS_PER_EVENT / 2, `${ofEvent.taken()} steps are too few for a worst case`);
    assert.ok(taken <= CORE_STEPS_MAX, `${taken} steps of the thread`);
  });
}
