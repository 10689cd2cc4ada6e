/**
 * Runs campaigns against server processes on one database. In a campaign, the nemesis (a fault injector) disconnects,
 * stops and kills the servers. Meanwhile administrators grant and withdraw permissions, and callers use the permissions
 * all the time. `npm run nemesis` also shows that a campaign finds faults that are built into the lease protocol:
 *
 *     npm run nemesis -- --seconds 30 --mutant-seconds 20 --seed 1
 */

import { setTimeout as after } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Credentials } from '#sigv4/sign.ts';
import { generator } from '../kit/random.ts';
import { element, iamCall, iamPolicy } from './calls.ts';
import { type Cluster, type Member, startCluster } from './cluster.ts';
import { type Findings, judge, type UserHistory } from './history.ts';

/** Settings of one campaign. */
export interface Campaign {
  readonly seconds: number;
  readonly leaseMilliseconds: number;
  readonly servers: number;
  readonly mutant?: string;
  readonly seed: number;
}

/** Result of one campaign. */
export interface Outcome extends Findings {
  /** Number of disconnections, stops and kills. */
  readonly faults: number;
  /** Durations of the withdrawals that succeeded at the first attempt, in milliseconds, ascending. */
  readonly took: readonly number[];
}

/**
 * Number of concurrent administrators. Each creates one user at a time, and later withdraws the permission of the user.
 */
const ADMINISTRATORS = 3;
const CALLERS_A_SERVER = 3;

/** Maximum duration of a campaign without a withdrawal, as a multiple of its seconds. */
const PATIENCE = 6;

const NEVER = Number.POSITIVE_INFINITY;

/** State of a running campaign. */
interface Running {
  readonly cluster: Cluster;
  readonly random: () => number;
  readonly leaseMilliseconds: number;
  readonly histories: UserHistory[];
  /** Users whose permission the callers use at present. */
  readonly used: { readonly history: UserHistory; readonly credentials: Credentials }[];
  readonly took: number[];
  active: boolean;
  users: number;
  faults: number;
}

/** Runs one campaign on a new cluster. */
export async function campaign({ seconds, leaseMilliseconds, servers, mutant, seed }: Campaign): Promise<Outcome> {
  const cluster = await startCluster({ servers, leaseMilliseconds, ...(mutant === undefined ? {} : { mutant }) });
  const run: Running = {
    ...{ cluster, random: generator(seed), leaseMilliseconds, histories: [], used: [], took: [] },
    ...{ active: true, users: 0, faults: 0 },
  };
  try {
    const work = [
      causeFaults(run),
      ...Array.from({ length: ADMINISTRATORS }, () => administer(run)),
      ...cluster.members.flatMap((member, server) => Array.from({ length: CALLERS_A_SERVER }, () => useFrom(run, member, server))),
    ];
    await Promise.race([enough(run, seconds), Promise.all(work)]);
    run.active = false;
    await Promise.all(work);
  } finally {
    run.active = false;
    for (const member of cluster.members) member.signal('SIGCONT');
    await cluster.stop();
  }
  return { ...judge(run.histories), faults: run.faults, took: run.took.sort((a, b) => a - b) };
}

/**
 * Resolves after the seconds of a campaign. On a busy computer, waits longer for the first withdrawal, because a campaign
 * without one tests nothing: at most `PATIENCE` times as long.
 */
async function enough({ histories }: Running, seconds: number): Promise<void> {
  const latest = performance.now() + seconds * PATIENCE * 1000;
  await after(seconds * 1000);
  while (!histories.some(({ withdrawn }) => withdrawn < NEVER) && performance.now() < latest) await after(100);
}

const someMember = ({ cluster, random }: Running): Member => cluster.members[Math.floor(random() * cluster.members.length)] as Member;

/**
 * Repeats a call until it succeeds. A server may also execute an attempt that had no successful response, even after a
 * later attempt.
 */
async function insist(run: Running, parameters: () => Readonly<Record<string, string>>): Promise<string | undefined> {
  for (let attempts = 1; run.active; attempts++) {
    const begun = performance.now();
    const sent = parameters();
    const { status, body } = await iamCall(someMember(run).endpoint(), run.cluster.credentials, sent, run.leaseMilliseconds * 4);
    if (status === 200) {
      if (attempts === 1 && sent['PolicyName'] === 'none') run.took.push(performance.now() - begun);
      return body;
    }
    await after(20);
  }
  return undefined;
}

/** Creates users, grants each a permission, and withdraws the permission after 0.2 to 1.2 lease lengths. */
async function administer(run: Running): Promise<void> {
  const { leaseMilliseconds, histories, used } = run;
  while (run.active) {
    let UserName = '';
    const put = (PolicyName: string, effect: 'Allow' | 'Deny') =>
      insist(run, () => ({ Action: 'PutUserPolicy', UserName, PolicyName, PolicyDocument: iamPolicy(effect) }));
    await insist(run, () => ({ Action: 'CreateUser', UserName: (UserName = `user${++run.users}`) }));
    const key = await insist(run, () => ({ Action: 'CreateAccessKey', UserName }));
    await put('all', 'Allow');
    if (!run.active || key === undefined) return;
    const history: UserHistory = { userName: UserName, granted: performance.now(), withdrawBegun: NEVER, withdrawn: NEVER, checks: [] };
    const one = { history, credentials: { accessKeyId: element(key, 'AccessKeyId'), secretAccessKey: element(key, 'SecretAccessKey') } };
    histories.push(history);
    used.push(one);
    await after(leaseMilliseconds * (0.2 + run.random()));
    history.withdrawBegun = performance.now();
    // The Deny policy withdraws the permission even if a server executes a late attempt to grant after this call.
    if ((await put('none', 'Deny')) === undefined) return;
    history.withdrawn = performance.now();
    void after(leaseMilliseconds * 3).then(() => used.splice(used.indexOf(one), 1));
  }
}

/** Calls one server again and again, each time with the key of a random user. */
async function useFrom(run: Running, member: Member, server: number): Promise<void> {
  while (run.active) {
    const one = run.used[Math.floor(run.random() * run.used.length)];
    if (one === undefined || !member.running()) {
      await after(10);
      continue;
    }
    const begun = performance.now();
    const call = { Action: 'ListUsers', MaxItems: '1' };
    const { outcome } = await iamCall(member.endpoint(), one.credentials, call, run.leaseMilliseconds * 5);
    one.history.checks.push({ server, begun, ended: performance.now(), outcome });
    // Without this delay, a server that refuses at once would receive most of the calls.
    if (outcome === 'unavailable') await after(10);
  }
}

async function causeFaults(run: Running): Promise<void> {
  while (run.active) {
    await after(run.leaseMilliseconds * (0.2 + run.random() * 0.6));
    run.faults++;
    await causeFault(run, someMember(run));
  }
}

/** Causes one fault and waits until it is over. */
async function causeFault({ random, leaseMilliseconds }: Running, member: Member): Promise<void> {
  // Short faults hit running requests. Only a fault that is longer than a lease tests the expiry of leases.
  const duration = leaseMilliseconds * (random() < 0.3 ? 0.2 + random() : 1.5 + random() * 2);
  const kind = random();
  if (kind < 0.45) {
    member.proxy.cut(random() < 0.3 ? 'everything' : 'renewals');
    await after(duration);
    member.proxy.heal();
  } else if (kind < 0.88) {
    member.signal('SIGSTOP');
    await after(duration);
    member.signal('SIGCONT');
  } else {
    await member.kill();
    await after(duration / 4);
    await member.start();
  }
}

/** Returns the result of a campaign as one line. */
export function summary(name: string, { faults, withdrawals, checks, unavailable, forbidden, forgotten, took }: Outcome): string {
  const at = (share: number): string => `${Math.round(took[Math.floor(took.length * share)] ?? 0)} ms`;
  return (
    `${name}: ${faults} faults, ${withdrawals} withdrawals (p50 ${at(0.5)}, p99 ${at(0.99)}), ${checks} checks, ` +
    `${unavailable} of them unavailable, ${forgotten} granted but denied, ${forbidden.length} allowed after the withdrawal`
  );
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      'mutant-seconds': { type: 'string', default: '20' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const seed = Number(values.seed);
  console.log(`nemesis: seed ${seed}`);
  const common = { leaseMilliseconds: 600, servers: 3, seed };
  const design = await campaign({ ...common, seconds: Number(values.seconds) });
  console.log(summary('the design', design));
  for (const one of design.forbidden.slice(0, 5)) console.log(one);
  let failed = design.forbidden.length > 0 || design.withdrawals === 0;
  for (const mutant of Number(values['mutant-seconds']) > 0 ? ['no wait', 'fail open'] : []) {
    const found = await campaign({ ...common, seconds: Number(values['mutant-seconds']), mutant });
    console.log(summary(`mutant "${mutant}"`, found));
    failed ||= found.forbidden.length === 0;
  }
  console.log(failed ? 'nemesis: FAILED' : 'nemesis: no withdrawn permission was honored, and every mutant was found');
  process.exitCode = failed ? 1 : 0;
}
