/** Audit at the end of a server simulation: checks that responses, trail records and the servers' state agree. */

import { AssertionError } from 'node:assert/strict';
import type { SqlValue } from '#store/sql.ts';
import { type PackContent, recordsOf as packRecords } from '#store/trail/trail-pack.ts';
import { assertNothingFlips } from '../kit/replay.ts';
import { denying } from './call-context.ts';
import type { Change, Fact } from './facts.ts';
import { type Call, contradiction, type Key, type Model } from './model.ts';
import { chimeRequest, type Outcome, type Output, outcomeOf, pageRequest, queryRequest, type Request, signed } from './requests.ts';
import { type SimulatedServer, send } from './server.ts';
import type { Storage } from './storage.ts';
import type { World } from './world.ts';

export interface Answered {
  readonly index: number;
  readonly title: string;
  readonly outcome: Outcome;
}

interface Records {
  succeeded: number;
  failed: number;
}

/** The fields of a trail record that the audit reads. The record of a refused sign-in has no error code. */
interface RecordedCall {
  readonly userAgent?: string;
  readonly errorCode?: string;
  readonly responseElements?: { readonly ConsoleLogin?: string } | null;
}

/**
 * Returns how many records of a success and of a refusal the trail has for each call. The key is the number of the
 * call.
 */
function recordsOf(database: Storage): Map<number, Records> {
  const all = new Map<number, Records>();
  for (const { document } of database.rows<PackContent>('SELECT heads, documents FROM trail_pack').flatMap(packRecords)) {
    const { userAgent = '', errorCode, responseElements } = JSON.parse(document) as RecordedCall;
    const index = /^simulation-(\d+)$/.exec(userAgent)?.[1];
    if (index === undefined) continue;
    const records = all.get(Number(index)) ?? { succeeded: 0, failed: 0 };
    if (errorCode === undefined && responseElements?.ConsoleLogin !== 'Failure') records.succeeded++;
    else records.failed++;
    all.set(Number(index), records);
  }
  return all;
}

/**
 * Compares the responses with the trail, and returns the first contradiction.
 *
 * - a successful call has one record, without an error code
 * - a refused call has one record, with an error code
 * - a call with an unknown outcome has at most one record of a success
 */
export function auditRecords(database: Storage, answers: readonly Answered[]): string | undefined {
  const all = recordsOf(database);
  for (const { index, title, outcome } of answers) {
    const { succeeded, failed } = all.get(index) ?? { succeeded: 0, failed: 0 };
    const possible =
      outcome.kind === 'done'
        ? succeeded === 1 && failed === 0
        : outcome.kind === 'refused'
          ? succeeded === 0 && failed === 1
          : succeeded <= 1 && failed <= 1;
    if (!possible) return `${title} was ${outcome.kind}, and has ${succeeded} records of success and ${failed} of failure`;
  }
  return undefined;
}

/** Repeats the recorded decisions, after the simulation. Returns the reason if one flips or cannot be repeated. */
export async function auditDecisions({ rows }: Storage): Promise<string | undefined> {
  try {
    await assertNothingFlips({
      row: async <Row>(text: string, values?: readonly SqlValue[]) => rows<Row>(text, values)[0],
      rows: async (text, values) => rows(text, values),
      run: () => Promise.reject(new Error('a replay changes nothing')),
    });
    return undefined;
  } catch (error) {
    if (error instanceof AssertionError) return `${error.message}: ${JSON.stringify(error.actual)}`;
    throw error;
  }
}

/** Resolves unknown outcomes from the records: a change is committed if and only if its record exists. */
function resolve(model: Model, records: ReadonlyMap<number, Records>): void {
  const decide = (change: Change): void => {
    if (change.outcome !== 'unknown') return;
    const committed = change.calls.some((call) => records.get(call)?.succeeded === 1);
    change.outcome = committed ? 'done' : 'not done';
    if (committed) change.end = change.begin;
  };
  for (const { established, withdrawals } of factsOf(model)) for (const change of [established, ...withdrawals]) decide(change);
}

function factsOf(model: Model): Fact[] {
  const { users, role, keys, meetings, attendees, messages, names, consoleUsers, instances, appUsers, channels, memberships } = model;
  return [
    ...[...users, role].flatMap(({ grants, denials }) => [...grants, ...denials].map(({ fact }) => fact)),
    ...keys.flatMap(({ fact, exists }) => [fact, exists]),
    ...[...meetings, ...attendees, ...messages, ...instances, ...appUsers, ...channels, ...memberships].map(({ fact }) => fact),
    ...consoleUsers.flatMap(({ exists, passwords, signIns }) => [exists, ...[...passwords, ...signIns].map(({ fact }) => fact)]),
    ...[...names.values()].flat(),
  ];
}

/** Reports whether a fact holds after all calls have ended. */
function holds({ established, withdrawals }: Fact): boolean {
  return established.outcome === 'done' && !withdrawals.some(({ outcome }) => outcome === 'done');
}

/**
 * Compares the state that each server reports with the model, and returns the first contradiction.
 *
 * Also calls GetMeeting with each key on each server. Every server must have applied every withdrawn permission.
 */
export async function auditState(
  world: World,
  servers: readonly SimulatedServer[],
  model: Model,
  database: Storage,
): Promise<string | undefined> {
  resolve(model, recordsOf(database));
  for (const server of servers) {
    const wrong =
      (await auditReads(world, server, model)) ??
      (await auditPermissions(world, server, model)) ??
      (await auditSignIns(world, server, model));
    if (wrong !== undefined) return `on ${server.name}, ${wrong}`;
  }
  return undefined;
}

/** Maximum number of attempts for one request of the audit. A server that recovers from faults may need several. */
const ATTEMPTS = 40;
const ATTEMPT_MS = 10_000;
const PAUSE_MS = 250;

async function call(world: World, server: SimulatedServer, key: Key | undefined, request: Request): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    const outcome = outcomeOf(await send(world, server, signed(request, key?.credentials, 'audit'), ATTEMPT_MS));
    if (outcome.kind !== 'unknown' || attempt === ATTEMPTS) return outcome;
    await new Promise<void>((resolve) => world.after(PAUSE_MS, resolve));
  }
}

async function auditReads(world: World, server: SimulatedServer, model: Model): Promise<string | undefined> {
  const { admin, users, role, keys, meetings, attendees, names } = model;
  const wrong: string[] = [];
  const read = async (request: Request): Promise<Output | undefined> => {
    const outcome = await call(world, server, admin, request);
    if (outcome.kind === 'done') return outcome.output;
    if (outcome.kind === 'unknown' || !/NoSuchEntity|NotFound/.test(outcome.code))
      wrong.push(`the audit failed: ${JSON.stringify(outcome)}`);
    return undefined;
  };
  const compare = (fact: Fact, found: boolean): void => {
    if (holds(fact) !== found) wrong.push(`${fact.name} ${found ? 'exists' : 'is missing'}, contrary to the records`);
  };
  const list = async (Action: string, member: string, members: Readonly<Record<string, string>>): Promise<readonly string[]> =>
    (await read(queryRequest('iam', Action, members)))?.members(member) ?? [];

  for (const { name, grants, denials } of users) {
    const policies = await list('ListUserPolicies', 'member', { UserName: name });
    for (const { policyName, fact } of [...grants, ...denials]) compare(fact, policies.includes(policyName));
    const accessKeys = await list('ListAccessKeys', 'AccessKeyId', { UserName: name });
    for (const { of, credentials, exists } of keys)
      if (of.name === name && credentials.sessionToken === undefined) compare(exists, accessKeys.includes(credentials.accessKeyId));
  }
  const policies = await list('ListRolePolicies', 'member', { RoleName: role.name });
  for (const { policyName, fact } of [...role.grants, ...role.denials]) compare(fact, policies.includes(policyName));

  const userNames = await list('ListUsers', 'UserName', {});
  for (const [name, facts] of names)
    if (facts.filter(holds).length !== (userNames.includes(name) ? 1 : 0))
      wrong.push(`the user ${name} was created ${facts.filter(holds).length} times`);

  for (const { id, fact } of meetings)
    if (id !== undefined) compare(fact, (await read(chimeRequest('meetings', 'GET', `/meetings/${id}`))) !== undefined);
  for (const { meeting, externalId, fact } of attendees) {
    if (!holds(meeting.fact)) continue;
    const page = await read(chimeRequest('meetings', 'GET', `/meetings/${meeting.id}/attendees`));
    compare(fact, page?.members('ExternalUserId').includes(externalId) === true);
  }
  return wrong[0] ?? (await auditChat(world, server, model));
}

/** Compares the app instances, their users, channels, memberships and messages with the model. */
async function auditChat(world: World, server: SimulatedServer, model: Model): Promise<string | undefined> {
  const wrong: string[] = [];
  const compare = (facts: readonly Fact[], found: boolean): void => {
    if (facts.every(holds) !== found) wrong.push(`${facts.at(-1)?.name} ${found ? 'exists' : 'is missing'}, contrary to the records`);
  };
  const read = async (request: Request): Promise<Output | undefined> => {
    const outcome = await call(world, server, model.admin, request);
    if (outcome.kind === 'unknown') wrong.push(`the audit failed: ${JSON.stringify(outcome)}`);
    return outcome.kind === 'done' ? outcome.output : undefined;
  };

  const names = (await read(chimeRequest('identity', 'GET', '/app-instances?max-results=50')))?.members('Name') ?? [];
  for (const { name, fact } of model.instances) compare([fact], names.includes(name));
  for (const { instance, arn, fact } of model.appUsers) {
    const found = await read(chimeRequest('identity', 'GET', `/app-instance-users/${encodeURIComponent(arn)}`));
    compare([instance.fact, fact], found !== undefined);
  }
  for (const { instance, arn, creator, fact } of model.channels) {
    if (![instance.fact, creator.fact].every(holds)) continue;
    const path = `/channels/${encodeURIComponent(arn)}`;
    const page = async (rest: string) =>
      await read(chimeRequest('messaging', 'GET', `${path}${rest}?max-results=50`, { bearer: creator.arn }));
    const found = await page('/memberships');
    compare([fact], found !== undefined);
    const memberArns = found?.members('Arn') ?? [];
    for (const { channel, user, fact: member } of model.memberships)
      if (channel.arn === arn) compare([fact, user.fact, member], memberArns.includes(user.arn));
    if (found === undefined) continue;
    const sent = (await page('/messages'))?.members('Content') ?? [];
    for (const { content, sender, fact: message } of model.messages) {
      if (sender.channel.arn !== arn) continue;
      compare([message], sent.includes(content));
      if (sent.indexOf(content) !== sent.lastIndexOf(content)) wrong.push(`${content} was created twice`);
    }
  }
  return wrong[0];
}

async function auditPermissions(world: World, server: SimulatedServer, model: Model): Promise<string | undefined> {
  for (const key of model.keys) {
    const granted = key.of.grants.filter(({ actions }) => actions.includes('chime:GetMeeting')).map(({ fact }) => fact);
    const denials = denying(key, 'chime:GetMeeting');
    const probe: Call = {
      title: `${key.of.name} reads a meeting that does not exist`,
      key,
      request: chimeRequest('meetings', 'GET', '/meetings/00000000-0000-4000-8000-000000000000'),
      permission: () => granted,
      denials: () => denials,
      // If the policies allow the call, it fails with NotFound, because the meeting does not exist.
      mayRefuse: 'NotFound',
    };
    const began = world.time();
    const outcome = await call(world, server, key, probe.request);
    const allowed = outcome.kind === 'refused' && outcome.code === 'NotFound';
    const isDenied = denials.some(({ certain, fact }) => certain && holds(fact));
    if (allowed && !(holds(key.fact) && granted.some(holds) && !isDenied)) return `${probe.title}, and is allowed without a permission`;
    const wrong = contradiction(probe, began, world.time(), outcome);
    if (wrong !== undefined) return `${probe.title} and ${wrong}`;
  }
  return undefined;
}

/** Requests the credentials of every sign-in whose cookie a browser still has. Returns the first wrong response. */
async function auditSignIns(world: World, server: SimulatedServer, { consoleUsers }: Model): Promise<string | undefined> {
  for (const { cookie, fact } of consoleUsers.flatMap(({ signIns }) => signIns)) {
    const outcome = await call(world, server, undefined, pageRequest('POST', '/_belfry/sign-in/credentials', { cookie }));
    if ((outcome.kind === 'done') !== holds(fact)) return `${fact.name} ${outcome.kind === 'done' ? 'lives on' : 'has ended'}`;
  }
  return undefined;
}
