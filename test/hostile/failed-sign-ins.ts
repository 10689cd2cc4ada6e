import assert from 'node:assert/strict';
import { request } from 'node:http';
import { CreateLoginProfileCommand } from '@aws-sdk/client-iam';
import fc from 'fast-check';
import { accountOn } from '../kit/account.ts';
import { allow } from '../kit/policy.ts';
import { startTestServer } from '../kit/server.ts';
import { delayOfOthers, type Workload } from './workload.ts';

const SOURCES = 20;
const FAILURES = 5;
const PASSWORD = 'Correct-Horse-7';

/**
 * Returns a generator of sign-in request bodies: mostly a wrong password for a random name, sometimes an unreadable
 * body.
 */
const bodies = (account: string) =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ account: fc.constant(account), userName: fc.stringMatching(/^[a-z]{1,12}$/), password: fc.constant('wrong') }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ account: fc.constant(account), userName: fc.constant('ada'), password: fc.string({ maxLength: 140 }) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ account: fc.stringMatching(/^[0-9]{12}$/), userName: fc.constant('ada'), password: fc.constant('wrong') }),
    },
    { weight: 1, arbitrary: fc.record({ account: fc.constantFrom('a\0', '\ud800', ''), userName: fc.string(), password: fc.string() }) },
  );

/**
 * Many sources (client addresses) try passwords for many user names. After a few failures, the server refuses a source without comparing
 * the password. A user with the right password can sign in from another source.
 */
export const failedSignIns: Workload = {
  name: 'failed sign-ins',
  async run({ seconds, seed }) {
    const server = await startTestServer({ BELFRY_SIGN_IN_FAILURES: String(FAILURES) });
    const guide = accountOn(server);
    await guide.user('bob', allow('*'));
    await guide.admin.send(new CreateLoginProfileCommand({ UserName: 'bob', Password: PASSWORD }));
    const attempt = (localAddress: string, body: object) =>
      new Promise<number>((resolve, reject) => {
        const headers = { 'content-type': 'application/json', origin: server.endpoint };
        const sent = request(`${server.endpoint}/_belfry/sign-in`, { method: 'POST', headers, localAddress, agent: false }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        });
        sent.on('error', reject);
        sent.end(JSON.stringify(body));
      });

    const startedAt = Date.now();
    const ends = startedAt + seconds * 1_000;
    const statuses = new Map<number, number>();
    let mostTried = 0;
    let tried = 0;
    async function source(number: number): Promise<void> {
      const inputs = fc.sample(bodies(server.accountId), { numRuns: 1_000, seed: seed + number });
      let triedHere = 0;
      for (let i = 0; Date.now() < ends; i++) {
        const status = await attempt(`127.0.2.${number + 1}`, inputs[i % inputs.length] as object);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 401) triedHere++;
      }
      tried += triedHere;
      mostTried = Math.max(mostTried, triedHere);
    }
    const { longestMs } = await delayOfOthers(server, () => Promise.all(Array.from({ length: SOURCES }, (_, i) => source(i))));
    const regained = Math.floor((Date.now() - startedAt) / 60_000);

    assert.deepEqual(
      [...statuses.keys()].filter((status) => ![400, 401, 429].includes(status)),
      [],
      JSON.stringify([...statuses]),
    );
    assert.ok(mostTried <= FAILURES + regained, `one source tried ${mostTried} passwords`);
    assert.equal(await attempt('127.0.3.1', { account: server.accountId, userName: 'bob', password: PASSWORD }), 200);
    await server.stop();
    return [
      { what: 'sign-ins answered', value: [...statuses.values()].reduce((sum, count) => sum + count, 0), unit: 'count' },
      { what: 'passwords compared for one source', value: mostTried, unit: 'count', most: FAILURES + regained },
      { what: 'passwords compared', value: tried, unit: 'count', most: SOURCES * (FAILURES + regained) },
      // This figure has no limit: the server hashes two passwords at a time, so the delay depends on the number of
      // CPUs.
      { what: 'longest delay of another caller', value: longestMs, unit: 'ms' },
    ];
  },
};
