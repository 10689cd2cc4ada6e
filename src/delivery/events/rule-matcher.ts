/** Rules of buses, with an index for matching events. */
import { weightedLruMap } from '#core/weighted-lru-map.ts';
import { compilePattern } from '#services/events/pattern/compile.ts';
import { eventFields } from '#services/events/pattern/event-fields.ts';
import { BUS_COST_MAX, patternCost } from '#services/events/pattern/pattern-cost.ts';
import { type RuleIndex, ruleIndex } from '#services/events/pattern/rule-index.ts';
import type { Steps } from '#services/events/pattern/steps.ts';
import { type BusKey, type RoutedRule, type RuleRecord, rulesOf, type TargetRecord, targetsOf, usesOf } from '#services/events/routing.ts';
import type { RoutedEvent } from '#services/events/target-input.ts';
import type { Tx } from '#store/store.ts';

/** Most costs of the patterns in the indexes that are remembered (`patternCost`). A rule itself costs some nodes more. */
const REMEMBERED_COST_MAX = 4 * BUS_COST_MAX;
const RULE_COST = 8;
/** Most UTF-16 code units of the targets that are remembered. */
const REMEMBERED_TARGETS_MAX = 2 ** 24;

/** Rules of a bus that match an event. `undecided`: rules that needed too many steps, so they do not match. */
export interface Matched {
  readonly rules: readonly RoutedRule[];
  readonly undecided: number;
}

/** Returns the rules of a bus that match an event, if they have targets. `steps` limits the work for the event on all buses. */
export type RuleMatcher = (tx: Tx, bus: BusKey, event: RoutedEvent, steps: Steps) => Promise<Matched>;

const NONE: Matched = { rules: [], undecided: 0 };

/** Version of a bus's rules and targets. A bus that is created again starts with the version of a new bus. */
interface Version {
  readonly createdAt: number;
  readonly version: number;
}

/** Creates the matcher. It builds the index of a bus once for each version of its rules. */
export function ruleMatcher(): RuleMatcher {
  const indexes = weightedLruMap<string, Version & { readonly index: RuleIndex<RuleRecord> }>(REMEMBERED_COST_MAX);
  const targets = weightedLruMap<string, Version & { readonly targets: readonly TargetRecord[] }>(REMEMBERED_TARGETS_MAX);

  async function indexOf(tx: Tx, bus: BusKey, key: string, { createdAt, version }: Version): Promise<RuleIndex<RuleRecord>> {
    const known = indexes.get(key);
    if (known?.version === version && known.createdAt === createdAt) return known.index;
    let cost = 0;
    const rules = (await rulesOf(tx, bus)).map(({ eventPattern = '', description: _, ...rule }) => {
      const pattern = compilePattern(eventPattern);
      cost += patternCost(eventPattern, pattern) + RULE_COST;
      return { rule, pattern };
    });
    const index = ruleIndex<RuleRecord>(rules);
    indexes.set(key, { createdAt, version, index }, cost);
    return index;
  }

  async function targetsOfRule(tx: Tx, rule: RuleRecord, busKey: string, { createdAt, version }: Version) {
    const key = `${busKey} ${rule.ruleName}`;
    const known = targets.get(key);
    if (known?.version === version && known.createdAt === createdAt) return known.targets;
    const read = await targetsOf(tx, rule);
    targets.set(key, { createdAt, version, targets: read }, key.length + JSON.stringify(read).length);
    return read;
  }

  return async (tx, bus, event, steps) => {
    const uses = await usesOf(tx, bus);
    if (uses === undefined || uses.rules === 0) return NONE;
    const key = `${bus.accountId} ${bus.region} ${bus.busName}`;
    const index = await indexOf(tx, bus, key, uses);
    const fields = eventFields(event.text);
    if (fields === undefined) return NONE;
    const before = steps.undecided;
    const rules: RoutedRule[] = [];
    for (const rule of index.matching(fields, steps)) {
      const found = await targetsOfRule(tx, rule, key, uses);
      if (found.length > 0) rules.push({ rule, targets: found });
    }
    return { rules, undecided: steps.undecided - before };
  };
}
