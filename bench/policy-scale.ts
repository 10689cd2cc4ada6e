import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Denial } from '#policy/decision.ts';
import {
  compilePolicy,
  denialOf,
  newRequestRecord,
  type PolicyStack,
  programFor,
  type SourcedPolicy,
  setFacts,
  sharedStack,
} from '#policy/engine.ts';
import { realPath } from './lib-real-path.ts';
import { makeWorkload } from './policy-workload.ts';

/**
 * Measures memory and time of decisions for different numbers of principals: `node bench/policy-scale.ts`. Each measurement uses the same
 * 10,000 requests, spread over all principals. The condition contexts are prepared in advance, so that only the decision is measured.
 */

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

function cpuOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const workload = makeWorkload();
const policies: readonly SourcedPolicy[] = workload.policies.map(({ name, text }) => ({ policyId: name, policy: compilePolicy(text) }));
const { contextOf } = realPath(workload, 'A');
const prepared = workload.requests.map(({ action, resource }, i) => ({ action, resource, facts: contextOf(i) }));
const record = newRequestRecord();

function decide(stack: PolicyStack, { action, resource, facts }: (typeof prepared)[number]): Denial | undefined {
  setFacts(record, facts);
  return denialOf(programFor(stack, action), record, resource);
}

/** Measures heap and time of 10,000 requests, spread over `count` principals. `identityOf` returns the policies of a principal. */
function measure(title: string, count: number, identityOf: (principal: number) => readonly SourcedPolicy[]): void {
  const before = heap();
  const stacks = Array.from({ length: count }, (_, i) => sharedStack({ identity: identityOf(i) }));
  const linked = heap();
  const stackAt = prepared.map((_, i) => stacks[(i * 7919) % count] as PolicyStack);
  let allowed = 0;
  const run = (): void => {
    for (let i = 0; i < prepared.length; i++) {
      if (decide(stackAt[i] as PolicyStack, prepared[i] as (typeof prepared)[number]) === undefined) allowed++;
    }
  };
  for (let i = 0; i < 10; i++) run();
  const used = heap();
  const times = Array.from({ length: 15 }, () => cpuOf(() => Array.from({ length: 20 }, run))).sort((a, b) => a - b);
  const nanoseconds = (seconds: number): string => ((seconds / prepared.length / 20) * 1e9).toFixed(0);
  console.log(
    `${count} principals of ${title}: ${Math.round((linked - before) / count)} bytes each, ${Math.round((used - linked) / 1024)} kB after the decisions; ` +
      `${nanoseconds(times[7] as number)} ns per decision, best ${nanoseconds(times[0] as number)} (${new Set(stackAt).size} stacks, ${allowed} allowed)`,
  );
}

const shared = (i: number): SourcedPolicy[] =>
  [0, 1, 2, 3, 4].map((k) => policies[(i * 7 + k * (1 + (i % 3))) % policies.length] as SourcedPolicy);
for (const count of [1000, 10_000, 100_000, 1_000_000]) measure('5 shared policies', count, shared);

const own = (i: number): SourcedPolicy[] => {
  const statement = {
    Effect: 'Allow',
    Action: ['chime:GetMeeting', 'chime:ListMeetings'],
    Resource: `arn:aws:chime:us-east-1:123456789012:meeting/${i}-*`,
  };
  const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  return [{ policyId: `user/u${i}:own`, policy }, ...policies.slice(0, 4)];
};
for (const count of [1000, 10_000, 100_000]) measure('4 shared policies and one of their own', count, own);
