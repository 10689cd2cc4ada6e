import { actionIdOf } from '#policy/actions.ts';
import {
  compilePolicy,
  decide,
  decideRecord,
  fillRecord,
  fillResource,
  newRequestRecord,
  type PolicyLayers,
  type PolicyRequest,
  type SourcedPolicy,
  setResource,
  sharedStack,
} from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';
import { newScratch } from '#policy/request.ts';
import { makeWorkload, teamOf } from './policy-workload.ts';

/** Measures decisions per CPU second of Belfry's policy engine: `node bench/policy.ts`. For other engines see `bench/policy-peers.ts`. */

const ROUNDS = 9;
const workload = makeWorkload();

function layersFor(track: 'A' | 'B'): PolicyLayers[] {
  const compiled: SourcedPolicy[] = workload.policies.map(({ name, text }) => ({ policyId: name, policy: compilePolicy(text) }));
  const serviceControl = workload.serviceControl.map((text, i) => [{ policyId: `scp${i}`, policy: compilePolicy(text) }]);
  return workload.principals.map(({ identity, boundary, session }) => ({
    identity: identity.map((i) => compiled[i] as SourcedPolicy),
    ...(track === 'A' ? {} : { serviceControl }),
    ...(track === 'A' || boundary === undefined ? {} : { boundary: [compiled[boundary] as SourcedPolicy] }),
    ...(track === 'A' || session === undefined ? {} : { session: [compiled[session] as SourcedPolicy] }),
  }));
}

const requests: readonly (PolicyRequest & { readonly principal: number })[] = workload.requests.map((one) => ({
  principal: one.principal,
  action: one.action,
  resources: [one.resource],
  context: new Map(Object.entries(one.context)),
}));

/** Context keys without a slot in the record, which are principal tags here. They belong to the role session, not to the request. */
const tagsOf = workload.principals.map((_, principal) => new Map([['aws:principaltag/team', teamOf(principal)]]));

/** Returns the CPU seconds that this process spends on `run`. */
function cpu(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function perSecond(title: string, count: number, run: () => void): void {
  // Warm-up of half a CPU second, as in policy-peers.ts.
  for (let spent = 0; spent < 0.5; ) spent += cpu(run);
  const rates = Array.from({ length: ROUNDS }, () => count / cpu(run)).sort((a, b) => a - b);
  const rate = (value: number): string => `${(value / 1e6).toFixed(3)} M/s`;
  console.log(`${title.padEnd(58)} median ${rate(rates[ROUNDS >> 1] as number)}  best ${rate(rates.at(-1) as number)}`);
}

/** Prints the median and the 99th percentile of single calls in nanoseconds, including the cost of reading the clock. */
function percentiles(title: string, call: (i: number) => unknown): void {
  const times = new Float64Array(requests.length);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < times.length; i++) {
      const before = process.hrtime.bigint();
      call(i);
      times[i] = Number(process.hrtime.bigint() - before);
    }
  }
  times.sort();
  console.log(`${title.padEnd(58)} p50 ${times[times.length >> 1]} ns  p99 ${times[Math.floor(times.length * 0.99)]} ns`);
}

for (const track of ['A', 'B'] as const) {
  const layers = layersFor(track);
  const stacks = layers.map(sharedStack);
  const stackAt = requests.map(({ principal }) => stacks[principal] as (typeof stacks)[number]);
  const scratch = newScratch();
  const records = requests.map((request) => {
    const record = newRequestRecord(scratch);
    fillRecord(record, request.context, tagsOf[request.principal]);
    record.action = actionIdOf(request.action);
    fillResource(record, request.resources[0] as string);
    return record;
  });
  const answers = requests.map((request) => explain(layers[request.principal] as PolicyLayers, request).decision);
  const wrong = requests.filter(
    (request, i) => JSON.stringify(decide(stackAt[i] as (typeof stacks)[number], request).effect) !== JSON.stringify(answers[i]?.effect),
  ).length;
  const count = (kind: string): number => answers.filter((one) => (one.effect === 'Allow' ? 'allow' : one.kind) === kind).length;
  console.log(`track ${track}: allow ${count('allow')}, implicit ${count('implicit')}, explicit ${count('explicit')}; wrong ${wrong}`);

  let allowed = 0;
  perSecond('  records, 10,000 distinct requests', requests.length * 20, () => {
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < records.length; i++) {
        if (decideRecord(stackAt[i] as (typeof stacks)[number], records[i] as (typeof records)[number]) === 0) allowed++;
      }
    }
  });
  perSecond('  records, 200 requests (hot)', 200 * 1000, () => {
    for (let round = 0; round < 1000; round++) {
      for (let i = 0; i < 200; i++) {
        if (decideRecord(stackAt[i] as (typeof stacks)[number], records[i] as (typeof records)[number]) === 0) allowed++;
      }
    }
  });
  const one = newRequestRecord();
  perSecond('  one record, filled again each time', requests.length * 4, () => {
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < requests.length; i++) {
        const { action, resources, context, principal } = requests[i] as (typeof requests)[number];
        fillRecord(one, context, tagsOf[principal]);
        fillResource(one, resources[0] as string);
        one.action = actionIdOf(action);
        if (decideRecord(stackAt[i] as (typeof stacks)[number], one) === 0) allowed++;
      }
    }
  });
  perSecond('  facade: action by name, context as a Map, Decision', requests.length * 4, () => {
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < requests.length; i++) {
        if (decide(stackAt[i] as (typeof stacks)[number], requests[i] as PolicyRequest).effect === 'Allow') allowed++;
      }
    }
  });
  perSecond('  explain, everything traced', requests.length, () => {
    for (const request of requests) if (explain(layers[request.principal] as PolicyLayers, request).decision.effect === 'Allow') allowed++;
  });
  percentiles('  records, one call', (i) => decideRecord(stackAt[i] as (typeof stacks)[number], records[i] as (typeof records)[number]));
  percentiles('  nothing (the clock)', () => undefined);
  // Runs last, because it deletes the numbers of the resources.
  perSecond('  records with another resource, compared as string', requests.length * 10, () => {
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < requests.length; i++) {
        const record = records[i] as (typeof records)[number];
        setResource(record, (requests[i] as PolicyRequest).resources[0] as string);
        if (decideRecord(stackAt[i] as (typeof stacks)[number], record) === 0) allowed++;
      }
    }
  });
  if (allowed === 0) throw new Error('no request was allowed');
}

const texts = workload.policies.map(({ text }) => text);
const compileSeconds = cpu(() => {
  for (let round = 0; round < 50; round++) for (const text of texts) compilePolicy(text);
});
console.log(
  `compile: ${((compileSeconds / (50 * texts.length)) * 1e6).toFixed(1)} µs per policy (mean ${Math.round(texts.join('').length / texts.length)} characters)`,
);
const cold = layersFor('B').map(sharedStack);
const linkSeconds = cpu(() => {
  for (const request of requests) (cold[request.principal] as (typeof cold)[number]).readsKey(request.action, 'x');
});
console.log(`link: ${((linkSeconds / requests.length) * 1e6).toFixed(2)} µs per program, at most`);
