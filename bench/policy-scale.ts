import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { actionIdOf } from '#policy/actions.ts';
import {
  compilePolicy,
  decideRecord,
  fillRecord,
  fillResource,
  linkStack,
  newRequestRecord,
  type PolicyStack,
  type SourcedPolicy,
} from '#policy/engine.ts';
import { newScratch } from '#policy/request.ts';
import { makeWorkload, teamOf } from './policy-workload.ts';

/** Memory and time of a decision by the number of principals: `node bench/policy-scale.ts`. The same 10,000 requests each time, spread over all of them. */

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
const scratch = newScratch();
const records = workload.requests.map(({ principal, action, resource, context }) => {
  const record = newRequestRecord(scratch);
  fillRecord(record, new Map(Object.entries(context)), new Map([['aws:principaltag/team', teamOf(principal)]]));
  record.action = actionIdOf(action);
  fillResource(record, resource);
  return record;
});

for (const count of [1000, 10_000, 100_000, 1_000_000]) {
  const before = heap();
  const stacks = Array.from({ length: count }, (_, i) => {
    const identity = [0, 1, 2, 3, 4].map((k) => policies[(i * 7 + k * (1 + (i % 3))) % policies.length] as SourcedPolicy);
    return linkStack({ identity });
  });
  const linked = heap();
  const stackAt = records.map((_, i) => stacks[(i * 7919) % count] as PolicyStack);
  let allowed = 0;
  const run = (): void => {
    for (let i = 0; i < records.length; i++) {
      if (decideRecord(stackAt[i] as PolicyStack, records[i] as (typeof records)[number]) === 0) allowed++;
    }
  };
  for (let i = 0; i < 10; i++) run();
  const used = heap();
  const best = Math.min(...Array.from({ length: 9 }, () => cpuOf(() => Array.from({ length: 10 }, run))));
  console.log(
    `${count} principals of 5 policies: ${Math.round((linked - before) / count)} bytes each, ${Math.round((used - linked) / records.length)} bytes a stack asked; ` +
      `${((best / records.length / 10) * 1e9).toFixed(0)} ns a decision (${allowed} allowed)`,
  );
}

const before = heap();
const own = Array.from({ length: 100_000 }, (_, i) => {
  const statement = {
    Effect: 'Allow',
    Action: ['chime:GetMeeting', 'chime:ListMeetings'],
    Resource: `arn:aws:chime:us-east-1:123456789012:meeting/${i}-*`,
  };
  const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  return linkStack({ identity: [{ policyId: `user/u${i}:own`, policy }, ...policies.slice(0, 4)] });
});
console.log(`100,000 principals of 4 shared policies and one of their own: ${Math.round((heap() - before) / own.length)} bytes each`);
