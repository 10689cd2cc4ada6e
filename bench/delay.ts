/**
 * Measures how long one client delays another. One client calls GetCallerIdentity, while another sends the most
 * expensive known requests.
 * Command: `npm run bench delay`. Environment variables:
 *
 * - `SEED`: seed of the random inputs
 * - `SECTION`: one section to run (analyses, account, chat, sockets, trail, tokens, record, explain)
 * - `ONLY`: string that the name of a request must contain; the benchmark skips all other requests
 *
 * Prints for each request: the longest delay of GetCallerIdentity, the CPU time of the core thread for one request, and
 * the time until the response. In the server, the core thread executes the calls of all clients. Its CPU time bounds
 * the delay, and does not depend on other load of the machine.
 */
import type { AccountId } from '#core/arn.ts';
import { openSqlite } from '#store/engine/sqlite.ts';
import { recordOf } from '#store/identity/record-parts.ts';
import { fillAccount, fillOrganization, LARGEST } from '../test/hostile/full-account.ts';
import { fullAccountRequests, fullOrganizationRequests } from '../test/hostile/full-account-requests.ts';
import { recordRequests } from '../test/hostile/record-requests.ts';
import { hostileRequests } from '../test/hostile/worst-analysis-requests.ts';
import { startIdentityProvider } from '../test/sts/identity-provider.ts';
import { type DelayCase, hostileCase, measureDelays, type Worst } from './lib-delay.ts';
import { chatCases, commandCase, explanationCases, socketCases, tokenCases, trailCases } from './lib-delay-cases.ts';
import { fillTrail } from './lib-fill-trail.ts';
import { type Process, startProcess } from './load.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const ONLY = process.env['ONLY'] ?? '';
const SECTION = process.env['SECTION'];
/** Number of trail records in the section `trail`. */
const RECORDS = Number(process.env['RECORDS'] ?? 200_000);

/**
 * Starts a server on a store that `fill` has filled. `fill` receives the store, the ID of the first account, and the ID
 * of the administrator.
 */
async function startFilled(fill: (store: Awaited<ReturnType<typeof openSqlite>>, accountId: AccountId, userId: string) => Promise<void>) {
  const first = await startProcess('belfry');
  await first.stop();
  const store = await openSqlite(first.dataFolder);
  const { changes } = await store.transaction(({ identity }) => identity.changesSince(0));
  const user = changes.find(({ kind }) => kind === 'user');
  if (user?.text === undefined) throw new Error('the first start has created no administrator');
  await fill(store, user.accountId, recordOf('user', user.text).userId);
  await store.close();
  return { server: await startProcess('belfry', { dataFolder: first.dataFolder }), accountId: user.accountId };
}

/** Sections of the benchmark. Each starts a separate server and returns the server with the cases to measure. */
const SECTIONS: Readonly<Record<string, () => Promise<{ readonly server: Process; readonly cases: readonly DelayCase[] }>>> = {
  async analyses() {
    const server = await startProcess('belfry');
    return { server, cases: hostileRequests(SEED).map((request) => hostileCase(server, request)) };
  },
  async account() {
    const { server, accountId } = await startFilled(async (store, account, userId) => {
      await fillAccount(store, account, userId, LARGEST);
      await fillOrganization(store, account, LARGEST);
    });
    const requests = [...fullAccountRequests(accountId), ...fullOrganizationRequests()];
    return { server, cases: requests.map((request) => hostileCase(server, request)) };
  },
  async chat() {
    const server = await startProcess('belfry');
    return { server, cases: await chatCases(server) };
  },
  async sockets() {
    const server = await startProcess('belfry');
    return { server, cases: await socketCases(server) };
  },
  async trail() {
    const { server } = await startFilled(async (store, accountId) => {
      await fillTrail(store, accountId, RECORDS);
    });
    return { server, cases: trailCases(server, RECORDS) };
  },
  async tokens() {
    const provider = await startIdentityProvider();
    const server = await startProcess('belfry', { environment: { BELFRY_INTERNAL_ISSUERS: provider.host } });
    return { server, cases: await tokenCases(server, provider) };
  },
  async explain() {
    const server = await startProcess('belfry');
    return { server, cases: await explanationCases(server) };
  },
  async record() {
    const server = await startProcess('belfry');
    const { endpoint, credentials } = server;
    const requests = await recordRequests({ endpoint, credentials, region: 'us-east-1' }, { pointRequests: 4 });
    return { server, cases: requests.map(({ name, send }) => commandCase(name, send)) };
  },
};

const worst: Worst = { delayMs: 0, coreMs: 0 };
for (const [name, prepare] of Object.entries(SECTIONS)) {
  if (SECTION !== undefined && SECTION !== name) continue;
  console.log(`-- ${name}`);
  const { server, cases } = await prepare();
  const wanted = cases.filter((one) => one.name.includes(ONLY));
  await measureDelays(server, wanted, worst).finally(() => server.stop());
}
console.log(`longest delay of another caller: ${worst.delayMs.toFixed(0)} ms (at most 100 on an idle machine)`);
console.log(`most CPU of the core thread for one request: ${worst.coreMs.toFixed(0)} ms (at most 100)`);
process.exit(0);
