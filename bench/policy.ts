import type { AuthorizeRequest } from '#access/authorize.ts';
import { contextMap } from '#access/request-context.ts';
import { compilePolicy, decide, type PolicyRequest, type PolicyStack } from '#policy/engine.ts';
import { explain } from '#policy/explain.ts';
import { authorizeAll, denyAll, realPath } from './lib-real-path.ts';
import { makeWorkload } from './policy-workload.ts';

/** Measures decisions per CPU second of Belfry's policy engine: `node bench/policy.ts`. `bench/policy-peers.ts` measures other engines. */

const ROUNDS = 9;
const workload = makeWorkload();

/** Returns the CPU seconds that this process spends on `run`. */
function cpu(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function print(title: string, rates: readonly number[]): void {
  const sorted = [...rates].sort((a, b) => a - b);
  const figure = (rate: number): string => `${(rate / 1e6).toFixed(3)} M/s (${(1e6 / rate).toFixed(2)} µs)`;
  console.log(`${title.padEnd(64)} median ${figure(sorted[ROUNDS >> 1] as number)}  best ${figure(sorted.at(-1) as number)}`);
}

function perSecond(title: string, count: number, run: () => void): void {
  // Warm-up of half a CPU second. `policy-peers.ts` uses the same warm-up.
  for (let spent = 0; spent < 0.5; ) spent += cpu(run);
  print(
    title,
    Array.from({ length: ROUNDS }, () => count / cpu(run)),
  );
}

/**
 * Measures an asynchronous function that processes `count` requests in each run. Prints the requests per CPU second.
 * `perSecond` measures synchronous functions.
 */
async function perSecondOf(title: string, count: number, run: () => Promise<void>): Promise<void> {
  const rates: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    if (round > 0) rates.push(count / ((user + system) / 1e6));
  }
  print(title, rates);
}

/** Prints the median and the 99th percentile of single calls in nanoseconds, including the cost of reading the clock. */
function percentiles(title: string, call: (i: number) => unknown): void {
  const times = new Float64Array(workload.requests.length);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < times.length; i++) {
      const before = process.hrtime.bigint();
      call(i);
      times[i] = Number(process.hrtime.bigint() - before);
    }
  }
  times.sort();
  console.log(`${title.padEnd(64)} p50 ${times[times.length >> 1]} ns  p99 ${times[Math.floor(times.length * 0.99)]} ns`);
}

for (const track of ['A', 'B'] as const) {
  const path = realPath(workload, track);
  const { requests } = path;
  const prepared = requests.map(({ authenticated: { principal }, asked }, i) => {
    const [{ action, resources } = { action: '', resources: [] }] = asked;
    const request: PolicyRequest = { action, resources, context: contextMap(path.contextOf(i), true) };
    return { request, layers: path.stacks.layersOf(principal), stack: path.stacks.stackOf(principal) };
  });
  const answers = prepared.map(({ layers, request }) => explain(layers, request).decision);
  const wrong = answers.filter(
    (answer, i) => (path.decide(i)?.kind ?? 'Allow') !== (answer.effect === 'Allow' ? 'Allow' : answer.kind),
  ).length;
  const count = (kind: string): number => answers.filter((one) => (one.effect === 'Allow' ? 'allow' : one.kind) === kind).length;
  console.log(`track ${track}: allow ${count('allow')}, implicit ${count('implicit')}, explicit ${count('explicit')}; wrong ${wrong}`);

  let allowed = 0;
  perSecond('  decision with context, 10,000 distinct requests', requests.length * 4, () => {
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < requests.length; i++) if (path.decide(i) === undefined) allowed++;
    }
  });
  perSecond('  decision with context, 200 requests (hot)', 200 * 200, () => {
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 200; i++) if (path.decide(i) === undefined) allowed++;
    }
  });
  const isAllowed = (_: AuthorizeRequest, i: number): boolean => answers[i]?.effect === 'Allow';
  const allowedOnes = requests.filter(isAllowed);
  const deniedOnes = requests.filter((request, i) => !isAllowed(request, i)).slice(0, 2000);
  await perSecondOf('  authorize, allowed requests', allowedOnes.length * 4, async () => {
    for (let round = 0; round < 4; round++) await authorizeAll(path, allowedOnes);
  });
  await perSecondOf('  authorize, denied requests, with their explanation', deniedOnes.length, () => denyAll(path, deniedOnes));
  perSecond('  decide: context as a Map, returns a Decision', requests.length * 4, () => {
    for (let round = 0; round < 4; round++) {
      for (const { stack, request } of prepared) if (decide(stack, request).effect === 'Allow') allowed++;
    }
  });
  perSecond('  explain, everything traced', requests.length, () => {
    for (const { layers, request } of prepared) if (explain(layers, request).decision.effect === 'Allow') allowed++;
  });
  percentiles('  decision with context, one call', path.decide);
  percentiles('  nothing (the clock)', () => undefined);
  if (allowed === 0) throw new Error('no request was allowed');
}

const texts = workload.policies.map(({ text }) => text);
const compileSeconds = cpu(() => {
  for (let round = 0; round < 50; round++) for (const text of texts) compilePolicy(text);
});
console.log(
  `compile: ${((compileSeconds / (50 * texts.length)) * 1e6).toFixed(1)} µs per policy (mean ${Math.round(texts.join('').length / texts.length)} characters)`,
);
const cold = realPath(workload, 'B');
const stacks: readonly PolicyStack[] = cold.requests.map(({ authenticated }) => cold.stacks.stackOf(authenticated.principal));
const linkSeconds = cpu(() => {
  workload.requests.forEach(({ action }, i) => {
    (stacks[i] as PolicyStack).readsKey(action, 'x');
  });
});
console.log(`link: ${((linkSeconds / workload.requests.length) * 1e6).toFixed(2)} µs per request, at most`);
