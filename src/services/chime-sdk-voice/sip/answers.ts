/** Answers the SIP proxy: reads the stored state, decides, and stores what the decision means. */

import type { Instant } from '#core/instant.ts';
import { lineLimit } from '#core/line-limit.ts';
import type { Vault } from '#core/vault.ts';
import type { Store } from '#store/store.ts';
import type { Work } from '../../kit/events.ts';
import type { WriteLogs } from '../../kit/log-events.ts';
import type { Losses } from '../../kit/losses.ts';
import type { MetricCounts } from '../../kit/metric-counts.ts';
import { type SipPeers, sipPeers } from '../sip-peers.ts';
import { sipCredentialBinding } from '../stored-connectors.ts';
import { countDecision, countEnd } from './call-metrics.ts';
import { callRate } from './call-rate.ts';
import { endCall, storeCall, storeRejectedCall, toCallEnd } from './call-records.ts';
import {
  type DecisionOptions,
  type DecisionTools,
  decide,
  type Outcome,
  type ParsedRequest,
  parseRequest,
  type SipConnector,
  type SipDecision,
  type SipRequest,
  type SipState,
} from './decision.ts';
import { newDigests } from './digest.ts';
import { type ResolveHost, targetsOf } from './route-hosts.ts';
import { type SipMessage, sipLogBook, writeSipLogs } from './sip-logs.ts';
import { readState, type SipNetwork } from './state.ts';
import { storePing } from './termination-health.ts';

/** Settings of the operator. */
export interface SipOptions extends SipNetwork {
  readonly hidesConnectors: boolean;
  readonly limits: DecisionOptions['limits'];
  readonly routeTimeoutMs: number;
  /** Private networks and hosts that routes may have. */
  readonly privatePeers: readonly string[];
}

/** Parts of the server that the answers need. */
export interface SipParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly resolve: ResolveHost;
  readonly counts: MetricCounts;
  readonly writeLogs: WriteLogs;
  readonly losses: Losses;
  readonly now: () => Instant;
  /** Monotonic time in milliseconds. */
  readonly monotonic: () => number;
  readonly newId: () => string;
  readonly random: (bytes: number) => Uint8Array;
  readonly workIn: (tx: Work['tx']) => Work;
  /** Whether the server may change the database. Otherwise every call is refused. */
  readonly isOpen: () => boolean;
  readonly report: (line: string) => void;
}

/** Functions for the private listeners. */
export interface SipAnswers {
  /** Returns the decision about a SIP request. The body is JSON, or malformed. */
  decide(body: Uint8Array): Promise<string>;
  /** Stores the end of a call. Returns false if the report is malformed. */
  record(body: Uint8Array): Promise<boolean>;
  /** Receives a SIP message that the proxy sent or received. */
  mirror(message: SipMessage): void;
  /** Writes the received SIP messages to their log groups. Counts and reports those that are lost. */
  flushLogs(): Promise<void>;
}

/** Decisions in progress. The proxy has fewer workers. */
const DECISIONS_MAX = 64;
/** Least time between two stored pings of one Voice Connector. Source: sip.md §5. */
const PING_EVERY_MS = 10_000;
/**
 * Rejected calls of one Voice Connector that get a record in a minute, so that a client in a loop does not fill the bucket. Calls over
 * `CpsLimit` count separately. Assumed.
 */
const REJECTED = { windowMs: 60_000, most: 60, mostThrottled: 10 };

const UNAVAILABLE: SipDecision = { a: 'reply', c: 503, r: 'Service Unavailable', h: 'Retry-After: 1\r\n' };
const BAD_REQUEST: SipDecision = { a: 'reply', c: 400, r: 'Bad Request', o: 1 };
const OK: SipDecision = { a: 'reply', c: 200, r: 'OK' };

/** Creates the answers of one server. */
export function sipAnswers(parts: SipParts, options: SipOptions): SipAnswers {
  const { store, now, newId, counts } = parts;
  const peers = sipPeers(options.privatePeers);
  const toolsFor = decisionTools(parts);
  const pings = callRate(parts.monotonic, PING_EVERY_MS);
  const rejected = callRate(parts.monotonic, REJECTED.windowMs);
  const logs = sipLogBook(now);
  const lines = lineLimit(parts.monotonic);
  let underWay = 0;

  async function answer(request: ParsedRequest, raw: SipRequest): Promise<SipDecision> {
    const state = await store.transaction((tx) => readState(tx, now(), request, options), { readOnly: true });
    const outcome = await withTargets(decide(request, state, toolsFor(request, raw), options), peers, parts.resolve);
    countDecision(counts, outcome);
    switch (outcome.kind) {
      case 'pong':
        if (outcome.connector !== undefined) await storePingOf(outcome.connector, request.source);
        return OK;
      case 'reply':
        return { ...(await refuse(outcome)), ...(isOfStranger(outcome, state) && { o: 1 }) };
      case 'relay': {
        const { connector, call, targets, headers } = outcome;
        const tx = newId();
        await store.transaction((inside) => storeCall({ tx: inside, now: now() }, tx, connector, call, ownersOf(outcome)));
        logs.decided(call.callId, connector, tx);
        return { a: 'relay', tx, t: targets, fr: options.routeTimeoutMs, ...(headers !== '' && { h: headers }) };
      }
    }
  }

  async function refuse({ code, reason, headers, connector, call, isThrottled }: Reply): Promise<Extract<SipDecision, { a: 'reply' }>> {
    if (connector !== undefined && call !== undefined) {
      const id = newId();
      logs.decided(call.callId, connector, id);
      const isRecorded = isThrottled
        ? rejected.take(`${connector.id} throttled`, REJECTED.mostThrottled)
        : rejected.take(connector.id, REJECTED.most);
      if (isRecorded) await store.transaction((tx) => storeRejectedCall({ tx, now: now() }, id, connector, call, code));
    }
    return { a: 'reply', c: code, r: reason, ...(headers !== '' && { h: headers }) };
  }

  async function storePingOf({ id }: SipConnector, source: string): Promise<void> {
    if (pings.take(id, 1)) await store.transaction((tx) => storePing({ tx, now: now() }, id, source));
  }

  /** Counts and reports lost SIP messages. The log has one line a minute for each Voice Connector and reason. */
  function lost(whose: string, messages: number, reason: string, detail = ''): void {
    parts.losses.add('sip_logs', messages);
    const omitted = lines.admit(`${whose} ${reason}`, messages);
    if (omitted !== undefined) parts.report(`lost ${messages + omitted} SIP messages${whose}, because ${reason}${detail}`);
  }

  return {
    async decide(body) {
      const raw = parseJson(body) as SipRequest | undefined;
      const request = raw && parseRequest(raw);
      if (raw === undefined || request === undefined) return JSON.stringify(BAD_REQUEST);
      if (underWay >= DECISIONS_MAX || !parts.isOpen()) return JSON.stringify(UNAVAILABLE);
      underWay++;
      try {
        return JSON.stringify(requireOneLine(await answer(request, raw)));
      } finally {
        underWay--;
      }
    },

    async record(body) {
      const end = toCallEnd(parseJson(body));
      if (end === undefined) return false;
      const call = await store.transaction((tx) => endCall({ tx, now: now() }, end));
      if (call !== undefined) countEnd(counts, call);
      return true;
    },

    mirror: logs.add,

    async flushLogs() {
      const { entries, dropped } = logs.take();
      if (dropped > 0) lost('', dropped, 'there were too many for the SIP logs');
      if (entries.length === 0) return;
      if (!parts.isOpen()) return lost('', entries.length, 'the server changes nothing after a loss of trail records');
      try {
        for (const each of await store.transaction((tx) => writeSipLogs(parts.workIn(tx), parts.writeLogs, entries)))
          lost(` of the Voice Connector '${each.connectorId}' of account '${each.accountId}'`, each.messages, each.reason);
      } catch (error) {
        lost('', entries.length, 'they could not be stored', `: ${(error as Error).message}`);
      }
    },
  };
}

/** Creates the tools of a decision. Their state is in the memory of this server. */
function decisionTools({ vault, random, now, monotonic }: SipParts): (request: ParsedRequest, raw: SipRequest) => DecisionTools {
  const digests = newDigests(random(32), random, now);
  const calls = callRate(monotonic);
  return ({ source, method }, { auth, ru }) => ({
    // 48 random bits, as a number from 0 to 1.
    random: () => Buffer.from(random(6)).readUIntBE(0, 6) / 2 ** 48,
    checkDigest: ({ id, hostName, credentials }) =>
      digests.check({
        ...{ authorization: auth, method, requestUri: ru, source, realm: hostName },
        passwordOf(user) {
          const found = credentials.find(({ Username }) => Username === user);
          return found && vault.open(found.sealedPassword, sipCredentialBinding(id, user));
        },
      }),
    challenge: ({ hostName }, isStale) => digests.challenge({ realm: hostName, source }, isStale),
    takeCall: ({ id }, limit) => calls.take(id, limit),
  });
}

type Reply = Extract<Outcome, { kind: 'reply' }>;

/** Reports whether the source of a refused request is neither a carrier nor allowed by a termination. The challenge goes to allowed sources only. */
function isOfStranger({ connector, code }: Reply, { isCarrier }: SipState): boolean {
  return connector === undefined && code !== 407 && !isCarrier;
}

type Resolved = Exclude<Outcome, { kind: 'relay' }> | (Extract<Outcome, { kind: 'relay' }> & { readonly targets: readonly string[] });

/** Resolves the hosts of routes. If no route can be used, the call is rejected with 480. */
async function withTargets(outcome: Outcome, peers: SipPeers, resolve: ResolveHost): Promise<Resolved> {
  if (outcome.kind !== 'relay') return outcome;
  const { connector, call, routes } = outcome;
  const targets = await targetsOf(call.to, routes, connector, peers, resolve);
  if (targets.length > 0) return { ...outcome, targets };
  return { kind: 'reply', code: 480, reason: 'Temporarily Unavailable', headers: '', connector, call };
}

/** Returns the Voice Connectors of which one receives an inbound call, in the order of the attempts. */
function ownersOf({ call, routes }: Extract<Outcome, { kind: 'relay' }>): readonly SipConnector[] {
  if (call.direction !== 'Inbound') return [];
  return [...new Map(routes.flatMap(({ owner }) => (owner === undefined ? [] : [[owner.id, owner] as const]))).values()];
}

/**
 * Checks that no member of a decision can add a header line.
 *
 * @throws Error  a bug: a member contains a line break, or a header does not end with one
 */
function requireOneLine(decision: SipDecision): SipDecision {
  const { h = '', ...members } = decision;
  const texts = Object.values(members).flat();
  const isSafe = texts.every((text) => typeof text !== 'string' || !/[\r\n]/.test(text)) && /^(?:[^\r\n]+\r\n)*$/.test(h);
  if (!isSafe || h.split('\r\n').length > 2) throw new Error('a decision contains an unexpected line break');
  return decision;
}

/** Returns a JSON object, or undefined if the body is not UTF-8 or not an object. */
function parseJson(body: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
