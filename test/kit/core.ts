/**
 * The core of a server, which is the part that handles requests. It runs in the thread of the test and on a database in
 * memory. Analyses and SAML assertions use separate threads, as in production.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { openVault } from '#access/vault.ts';
import type { Answer } from '#core/exchange.ts';
import { instant } from '#core/instant.ts';
import { ANALYSIS_LIMITS, newAnalysisThreads } from '#server/core/analysis-threads.ts';
import { inProcessBus } from '#server/core/bus.ts';
import { systemClock } from '#server/core/clock.ts';
import { composeCore } from '#server/core/core.ts';
import type { CoreParts } from '#server/core/core-parts.ts';
import type { NewAdministrator } from '#server/core/first-start.ts';
import { newSamlThreads, SAML_LIMITS } from '#server/core/saml-threads.ts';
import { newTrailLogThread } from '#server/core/trail-log.ts';
import { GENERATION_LIMITS, newWorkThreads } from '#server/core/work-threads.ts';
import { readSettings } from '#server/settings.ts';
import { sign } from '#sigv4/sign.ts';
import { openStore } from '#store/engine/open.ts';
import { openServers } from '#store/engine/open-servers.ts';
import type { Keys } from './keys.ts';
import { assertNothingFlips } from './replay.ts';

const HOST = '127.0.0.1';
const REGION = 'us-east-1';
const CLOUDWATCH = { target: 'GraniteServiceVersion20100801', version: '1.0' };
const FORM = 'application/x-www-form-urlencoded';

export type TestCore = Awaited<ReturnType<typeof startTestCore>>;

/** Starts a core with its first account, and stops it after the tests of the file. `own` replaces parts of the core. */
export async function startTestCore(own: Partial<CoreParts> = {}) {
  const settings = readSettings([], { BELFRY_DATA: '/unused', BELFRY_DATABASE: 'file::memory:', BELFRY_UNPROVEN_RECORDS: '100000' });
  const store = await openStore(settings.database, { fatal: (error) => assert.fail(String(error)) });
  const registry = await openServers(settings.database, store);
  const ring = { keys: () => [new Uint8Array(32).fill(7)], addNewest() {}, forgetOlder() {} };
  let administrator: NewAdministrator | undefined;
  const core = composeCore({
    settings,
    recording: true,
    store,
    registry,
    leaseMilliseconds: await registry.servers.leaseMilliseconds(),
    bus: inProcessBus(),
    ring,
    vault: openVault(ring.keys),
    clock: systemClock,
    newId: randomUUID,
    random: randomBytes,
    serverName: 'test',
    fetchJson: () => Promise.reject(new Error('there is no network')),
    lookUpTxt: async () => 'failed',
    openTarget: () => assert.fail('there is no target'),
    analysisThreads: newAnalysisThreads(ANALYSIS_LIMITS, assert.fail),
    samlThreads: newSamlThreads(SAML_LIMITS, assert.fail),
    generationThreads: newWorkThreads('policy generations', GENERATION_LIMITS, assert.fail),
    trailLogThread: newTrailLogThread(assert.fail),
    firstStartFiles: { mayCreateAccount: () => true, writeProfile: (created) => void (administrator = created), end() {} },
    listenForControl: async () => ({ close() {} }),
    follow() {},
    readyForMs() {},
    report: assert.fail,
    ...own,
  });
  core.listening({});
  await core.start();
  after(async () => {
    await store.transaction(({ sql }) => assertNothingFlips(sql));
    await core.stop();
  });
  const created = administrator ?? assert.fail('the first start creates an account');

  function send(target: string, body: string, headers: Readonly<Record<string, string>>, sourceIp: string): Promise<Answer> {
    const rawHeaders = Object.entries({ host: HOST, 'content-type': FORM, ...headers }).flat();
    const facts = { requestId: randomUUID(), receivedAt: instant(Date.now()), sourceIp };
    return core.answer({ received: { ...facts, method: 'POST', target, rawHeaders, body: Buffer.from(body) } });
  }
  async function query(signingName: string, form: Readonly<Record<string, string>>): Promise<string> {
    const body = `${new URLSearchParams(form)}`;
    const { host, ...headers } = sign(
      { method: 'POST', target: '/', headers: { host: HOST, 'content-type': FORM }, body },
      { credentials: created, region: REGION, signingName, now: instant(Date.now()) },
    );
    const answer = await send('/', body, { host: host as string, ...headers }, HOST);
    assert.equal(answer.status, 200, String(answer.body));
    return String(answer.body);
  }
  return {
    store,
    accountId: created.accountId,
    credentials: created as Keys,
    answer: core.answer,
    /** Runs the sweeps of the services. */
    sweep: core.sweep,
    figures: core.figures,
    /** Posts a form to a page, like a browser that submits a page of an identity provider. */
    post: (target: string, form: Readonly<Record<string, string>>, sourceIp = HOST) =>
      send(target, `${new URLSearchParams(form)}`, { origin: 'https://idp.example' }, sourceIp),
    /** Calls an unsigned operation of STS. */
    unsigned: (form: Readonly<Record<string, string>>, sourceIp = HOST) =>
      send('/', `${new URLSearchParams({ Version: '2011-06-15', ...form })}`, {}, sourceIp),
    /** Calls an operation of a service that speaks JSON as the administrator. Returns the output. Throws if the call fails. */
    async json<Output>(signingName: 'events' | 'monitoring', operation: string, input: object): Promise<Output> {
      const { target: name, version } = signingName === 'events' ? { target: 'AWSEvents', version: '1.1' } : CLOUDWATCH;
      const body = JSON.stringify(input);
      const plain = { host: HOST, 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': `${name}.${operation}` };
      const { host, ...signed } = sign(
        { method: 'POST', target: '/', headers: plain, body },
        { credentials: created, region: REGION, signingName, now: instant(Date.now()) },
      );
      const answer = await send('/', body, { host: host as string, ...signed }, HOST);
      assert.equal(answer.status, 200, String(answer.body));
      return JSON.parse(String(answer.body)) as Output;
    },
    /** Calls an operation of Chime with a JSON body as the administrator. Returns the output. Throws if the call fails. */
    async chime(target: string, input: object, headers: Readonly<Record<string, string>> = {}): Promise<Readonly<Record<string, string>>> {
      const body = JSON.stringify(input);
      const plain = { host: HOST, 'content-type': 'application/json', ...headers };
      const { host, ...signed } = sign(
        { method: 'POST', target, headers: plain, body },
        { credentials: created, region: REGION, signingName: 'chime', now: instant(Date.now()) },
      );
      const answer = await send(target, body, { host: host as string, ...signed }, HOST);
      assert.ok(answer.status < 300, `${answer.status} ${answer.body}`);
      return JSON.parse(String(answer.body)) as Readonly<Record<string, string>>;
    },
    /** Calls an operation of IAM as the administrator. Throws if the call fails. */
    iam: (form: Readonly<Record<string, string>>) => query('iam', { Version: '2010-05-08', ...form }),
    /** Calls an operation of CloudWatch as the administrator. Throws if the call fails. */
    cloudwatch: (form: Readonly<Record<string, string>>) => query('monitoring', { Version: '2010-08-01', ...form }),
  };
}
