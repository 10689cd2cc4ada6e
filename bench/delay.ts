/**
 * How long one client delays another: the longest delay of GetCallerIdentity, while a read-only user sends each of the worst requests
 * that the generator of `test/hostile/worst-analysis-requests.ts` finds. `npm run bench delay`. `SEED` and `ONLY` (part of a name) are settings.
 */
import { instant } from '#core/instant.ts';
import { sign } from '#sigv4/sign.ts';
import { hostileRequests, sendHostile } from '../test/hostile/worst-analysis-requests.ts';
import { startProcess } from './load.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const ONLY = process.env['ONLY'] ?? '';
/** One request is sent so often. */
const TIMES = 3;

const server = await startProcess('belfry');

async function identity(): Promise<number> {
  const body = 'Action=GetCallerIdentity&Version=2011-06-15';
  const headers = sign(
    {
      method: 'POST',
      target: '/',
      headers: { host: new URL(server.endpoint).host, 'content-type': 'application/x-www-form-urlencoded' },
      body,
    },
    { credentials: server.credentials, region: 'us-east-1', signingName: 'sts', now: instant(Date.now()) },
  );
  const from = performance.now();
  const answer = await fetch(server.endpoint, { method: 'POST', headers, body });
  await answer.text();
  return performance.now() - from;
}

for (let i = 0; i < 50; i++) await identity();
let worst = 0;
for (const request of hostileRequests(SEED).filter(({ name }) => name.includes(ONLY))) {
  let attacking = true;
  const answers: string[] = [];
  const began = performance.now();
  const attack = (async () => {
    for (let i = 0; i < TIMES; i++) {
      const { status, body } = await sendHostile(server, server.credentials, request);
      answers.push(`${status} ${/<Code>(\w+)|"code":"(\w+)|"__type":"(\w+)/.exec(body)?.slice(1).find(Boolean) ?? ''}`.trim());
    }
  })().finally(() => {
    attacking = false;
  });
  let longest = 0;
  while (attacking) longest = Math.max(longest, await identity());
  await attack;
  worst = Math.max(worst, longest);
  const each = (performance.now() - began) / TIMES;
  console.log(
    `${longest.toFixed(0).padStart(6)} ms  ${each.toFixed(0).padStart(6)} ms each  ${[...new Set(answers)].join(', ').padEnd(28)} ${request.name}`,
  );
}
console.log(`the longest delay of another caller: ${worst.toFixed(0)} ms (at most 100)`);
await server.stop();
