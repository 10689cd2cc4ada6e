/**
 * The decision about one SIP request: a reply, or the routes to which the SIP proxy relays the call. The steps are pure functions over the
 * stored state of the request's parties. `state.ts` reads that state, and `digest.ts` checks credentials.
 *
 * Source: `../shared/spec/sip.md` §5. AWS documents no codes except the message for a caller number (issue 286 of AWS's sample
 * amazon-lex-connect), so the other codes are Assumed.
 */
import type { AccountId } from '#core/arn.ts';
import type { SipGateway } from '#core/sip-gateway.ts';
import type { Origination, Termination } from '#model/generated/chime-sdk-voice.ts';
import type { VoiceLimits } from '../../chime-kit/voice-limits.ts';
import type { SipCredential } from '../stored-connectors.ts';
import { inAnyRange } from './addresses.ts';
import { countryOfNumber } from './countries-of-numbers.ts';
import type { DigestResult } from './digest.ts';
import { type GroupMember, type PlannedRoute, type Random, routesOf } from './routes.ts';
import { hasOnlyText, type Party, parseSipUri } from './uri.ts';

/** Request of the SIP proxy. The names are short because each request contains them. */
export interface SipRequest {
  /** Method, such as `INVITE`. */
  readonly m: string;
  /** Index and label of the suspended transaction, which the server does not use. */
  readonly i: number;
  readonly l: number;
  /** IP address and port of the sender. */
  readonly src: string;
  readonly port: number;
  /** Transport, in any case: UDP, TCP or TLS. */
  readonly proto: string;
  /** Request-URI, From URI, To URI and Call-ID. */
  readonly ru: string;
  readonly fu: string;
  readonly tu: string;
  readonly ci: string;
  /** Value of `Proxy-Authorization`. */
  readonly auth?: string;
  /** Value of `P-Asserted-Identity`, which is not trusted. */
  readonly pai?: string;
}

/**
 * Answer to the SIP proxy. Every `h` consists of complete lines that end with CRLF. `o` is 1 if the response is sent once: a stranger can forge
 * its source, and repetitions would go to the owner of this address.
 */
export type SipDecision =
  | { readonly a: 'reply'; readonly c: number; readonly r: string; readonly h?: string; readonly o?: 1 }
  | {
      readonly a: 'relay';
      /** ID of the call, which its record repeats. */
      readonly tx: string;
      /**
       * `<Request-URI>|<next hop>|<Voice Connector ID>` of each target, in the order of the attempts. The host of a next hop is an IP address. The
       * ID is that of the Voice Connector whose route the target is. A gateway has that of the caller.
       */
      readonly t: readonly string[];
      /** Milliseconds to wait for a response of a target before the next target is tried. */
      readonly fr: number;
      readonly h?: string;
    };

/** Report of the SIP proxy about the end of a call, `POST /sip/record`. The server has the other facts since its decision. */
export interface SipCallEnd {
  /** `tx` of the decision. A second report with the same ID is ignored. */
  readonly tx: string;
  /** Final code of the INVITE: 200 for an answered call. */
  readonly code: number;
  /** Voice Connector of the last target that was tried. */
  readonly vc?: string;
  /** Times of the answer and of the end, in milliseconds since 1970. `answered` is absent if the call was not answered. */
  readonly answered?: number;
  readonly ended: number;
}

/** A Voice Connector, as the decision needs it. */
export interface SipConnector {
  readonly accountId: AccountId;
  /** Region of the resource. */
  readonly region: string;
  /** Region that handles the calls, which contains the metrics and the log group. */
  readonly awsRegion: string;
  readonly id: string;
  readonly requireEncryption: boolean;
  readonly termination?: Termination;
  readonly origination?: Origination;
  /** SIP users. Empty: the source address alone is checked. */
  readonly credentials: readonly SipCredential[];
  /** Outbound host name, which is the realm of the digest. */
  readonly hostName: string;
  readonly logsSip: boolean;
}

/** Stored state that one request needs. */
export interface SipState {
  /** Whether the source is a carrier of the operator. */
  readonly isCarrier: boolean;
  /** Voice Connector that the host of the Request-URI names. */
  readonly connector?: SipConnector;
  /** Voice Connectors that receive calls to the dialed number. Absent if no Voice Connector or group of this installation has the number. */
  readonly destination?: Destination;
  /** ID of the Voice Connector that has the caller's number. */
  readonly callerConnectorId?: string;
  /** Whether an enabled SIP rule applies to the call. */
  readonly hasRule: boolean;
  /** Gateways of the operator's carrier, in the order of the attempts. */
  readonly gateways: readonly SipGateway[];
}

/** Voice Connectors that receive calls to a number: the connector with the number, or the connectors of a group. Deleted ones are absent. */
export interface Destination {
  readonly members: readonly GroupMember<SipConnector>[];
  readonly isLoadBalanced: boolean;
}

/** State of this server and other inputs that change with each decision. */
export interface DecisionTools {
  readonly random: Random;
  /** Checks the digest. Called at most once for each decision, and only for a connector with credentials. */
  readonly checkDigest: (connector: SipConnector) => DigestResult;
  /** Returns the header that asks for credentials. */
  readonly challenge: (connector: SipConnector, isStale: boolean) => string;
  /** Takes one call of the current second. Returns false if the connector's limit is used up. */
  readonly takeCall: (connector: SipConnector, limit: number) => boolean;
}

/** Options that the operator sets. */
export interface DecisionOptions {
  /** Replaces 404 by 403, so that a stranger cannot find out which connectors exist. */
  readonly hidesConnectors: boolean;
  /** Limits that apply now. They can be lower than those at the time when a Voice Connector or group was stored. */
  readonly limits: Pick<VoiceLimits, 'callsPerSecond' | 'connectorsInGroup'>;
}

/** Facts about a call that its record contains. */
export interface CallFacts {
  readonly direction: 'Inbound' | 'Outbound';
  readonly callId: string;
  /** E.164, or empty if the caller has no valid number. */
  readonly from: string;
  readonly to: string;
  readonly sipUser: string;
}

/** Result of a decision, before host names of routes are resolved. */
export type Outcome =
  | {
      readonly kind: 'reply';
      readonly code: number;
      readonly reason: string;
      readonly headers: string;
      /** Connector whose administrator may see the rejected call. Absent if the source is not allowed, so that strangers write nothing. */
      readonly connector?: SipConnector;
      readonly call?: CallFacts;
      readonly isThrottled?: true;
    }
  | { readonly kind: 'pong'; readonly connector?: SipConnector }
  | {
      readonly kind: 'relay';
      readonly connector: SipConnector;
      readonly call: CallFacts;
      readonly routes: readonly PlannedRoute<SipConnector>[];
      readonly headers: string;
    };

/** Request whose fields have been parsed. */
export interface ParsedRequest {
  readonly method: string;
  readonly source: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly callId: string;
  readonly requestUri: Party;
  readonly from: Party;
}

type Reply = Extract<Outcome, { kind: 'reply' }>;

/** Methods that a proxy relays outside a dialog. Others are 405. */
const ALLOWED = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS'];
const E164 = /^\+[0-9]{2,15}$/;
/** Numbers that must never look as if they worked. Source: sip.md §11: this server has no emergency calling. */
const EMERGENCY = /^\+?(?:911|112)$/;
const FIELD_MAX = 2_048;

/** Step 1: returns the fields of a request, or undefined if the request is malformed. */
export function parseRequest(request: SipRequest): ParsedRequest | undefined {
  const { m, src, proto, ru, fu, tu, ci, auth = '', pai = '' } = request;
  const texts: readonly unknown[] = [m, src, proto, ru, fu, tu, ci, auth, pai];
  if (!texts.every((text) => typeof text === 'string' && text.length <= FIELD_MAX && hasOnlyText(text))) return undefined;
  const transport = TRANSPORTS.find((each) => each === proto.toLowerCase());
  const requestUri = parseSipUri(ru);
  const from = parseSipUri(fu);
  if (transport === undefined || requestUri === undefined || from === undefined || m === '' || ci === '') return undefined;
  return { method: m, source: src, transport, callId: ci, requestUri, from };
}

const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;

/** Returns the E.164 number in a URI, or undefined. */
export function numberIn({ user }: Party): string | undefined {
  return E164.test(user) ? user : undefined;
}

/** Returns the number that a call shows to the called party: `DefaultPhoneNumber` of the termination, else the From number. */
export function callerNumber({ from }: ParsedRequest, { termination }: SipConnector): string | undefined {
  return termination?.DefaultPhoneNumber ?? numberIn(from);
}

/** Decides about a parsed request. Steps 2 to 13. */
export function decide(request: ParsedRequest, state: SipState, tools: DecisionTools, options: DecisionOptions): Outcome {
  const { method } = request;
  if (!ALLOWED.includes(method)) return reply(405, 'Method Not Allowed', `Allow: ${ALLOWED.join(', ')}\r\n`);
  if (method === 'OPTIONS') return decideOptions(request, state);
  if (method !== 'INVITE') return reply(481, 'Call/Transaction Does Not Exist');
  const { destination, connector } = state;
  if (state.isCarrier && destination !== undefined) return originate(request, state, destination, { tools, options });
  if (connector === undefined) return options.hidesConnectors ? reply(403, 'Forbidden') : reply(404, 'Not Found');
  const refused = refuseSource(request, connector) ?? refuseTransport(request, connector);
  if (refused !== undefined) return refused;
  const digest = connector.credentials.length > 0 ? tools.checkDigest(connector) : NO_CREDENTIALS;
  if (digest.result !== 'ok') {
    return reply(407, 'Proxy Authentication Required', tools.challenge(connector, digest.result === 'stale'));
  }
  const call: CallFacts = {
    direction: 'Outbound',
    callId: request.callId,
    from: callerNumber(request, connector) ?? '',
    to: numberIn(request.requestUri) ?? '',
    sipUser: digest.user,
  };
  const rejected =
    refuseNumber(request) ??
    refuseCountry(call, connector) ??
    refuseCaller(call, state, connector) ??
    refuseRate(connector, { tools, options });
  if (rejected !== undefined) return { ...rejected, connector, call };
  return terminate(call, state, connector, { tools, options });
}

const NO_CREDENTIALS: DigestResult = { result: 'ok', user: '' };

/** Answers OPTIONS: 200 for an allowed source, else 403. */
function decideOptions(request: ParsedRequest, { isCarrier, connector }: SipState): Outcome {
  if (connector !== undefined && refuseSource(request, connector) === undefined) return { kind: 'pong', connector };
  return isCarrier ? { kind: 'pong' } : reply(403, 'Forbidden');
}

/** Step 5: refuses a source that the termination does not allow. An empty list allows no source. */
function refuseSource({ source }: ParsedRequest, { termination }: SipConnector): Reply | undefined {
  const isAllowed = termination?.Disabled === false && inAnyRange(source, termination.CidrAllowedList ?? []);
  return isAllowed ? undefined : reply(403, 'Forbidden');
}

/** Step 6: refuses a transport without encryption, if the connector requires it. */
function refuseTransport({ transport }: ParsedRequest, { requireEncryption }: SipConnector): Reply | undefined {
  return requireEncryption && transport !== 'tls' ? reply(403, 'Forbidden') : undefined;
}

/** Step 8: refuses emergency numbers, and numbers that are not in E.164 format. */
function refuseNumber({ requestUri }: ParsedRequest): Reply | undefined {
  if (EMERGENCY.test(requestUri.user)) return reply(503, 'No emergency calling');
  return numberIn(requestUri) === undefined ? reply(484, 'Address Incomplete') : undefined;
}

/** Step 9: refuses countries that the termination does not list. */
function refuseCountry({ to }: CallFacts, { termination }: SipConnector): Reply | undefined {
  const country = countryOfNumber(to);
  const isAllowed = country !== undefined && termination?.CallingRegions?.includes(country) === true;
  return isAllowed ? undefined : reply(403, 'Forbidden');
}

/** Step 10: refuses a caller number that the connector does not have. The reason contains only a valid number. */
function refuseCaller({ from }: CallFacts, { callerConnectorId }: SipState, { id }: SipConnector): Reply | undefined {
  if (E164.test(from) && callerConnectorId === id) return undefined;
  return reply(403, E164.test(from) ? `Caller Id ${from} is not valid` : 'Caller Id is not valid');
}

/** Tools and options of a decision. */
interface Deciding {
  readonly tools: DecisionTools;
  readonly options: DecisionOptions;
}

/** Step 11: refuses calls over `CpsLimit`, or over the limit of the operator if it is lower. */
function refuseRate(connector: SipConnector, { tools, options: { limits } }: Deciding): Reply | undefined {
  if (tools.takeCall(connector, Math.min(connector.termination?.CpsLimit ?? 1, limits.callsPerSecond))) return undefined;
  return { ...reply(503, 'Service Unavailable', 'Retry-After: 1\r\n'), isThrottled: true };
}

/** Steps 12 and 13 of an outbound call: routes of the Voice Connector that has the number, else the carrier's gateways. */
function terminate(call: CallFacts, { destination, gateways, hasRule }: SipState, connector: SipConnector, deciding: Deciding): Outcome {
  const party = { connector, call };
  if (destination === undefined && gateways.length === 0) return { ...reply(503, 'No carrier'), ...party };
  const routes =
    destination === undefined
      ? gateways.map((gateway): PlannedRoute<SipConnector> => ({ ...gateway, isOperators: true }))
      : plannedRoutes(destination, deciding);
  if (routes.length === 0 || hasRule) return { ...reply(480, 'Temporarily Unavailable'), ...party };
  return { kind: 'relay', ...party, routes, headers: assertedIdentity(call, connector) };
}

/** Steps 12 and 13 of a call from a carrier. */
function originate(request: ParsedRequest, { hasRule }: SipState, destination: Destination, deciding: Deciding): Outcome {
  const call: CallFacts = {
    direction: 'Inbound',
    callId: request.callId,
    from: numberIn(request.from) ?? '',
    to: numberIn(request.requestUri) ?? '',
    sipUser: '',
  };
  const routes = plannedRoutes(destination, deciding);
  const connector = routes[0]?.owner ?? destination.members[0]?.connector;
  if (connector === undefined) return reply(480, 'Temporarily Unavailable');
  if (routes.length === 0 || hasRule) return { ...reply(480, 'Temporarily Unavailable'), connector, call };
  return { kind: 'relay', connector, call, routes, headers: assertedIdentity(call, connector) };
}

function plannedRoutes(
  destination: Destination,
  { tools: { random }, options: { limits } }: Deciding,
): readonly PlannedRoute<SipConnector>[] {
  return routesOf(destination, random, limits.connectorsInGroup);
}

/** Returns the header with the caller's number, which the server has validated. */
function assertedIdentity({ from }: CallFacts, { hostName }: SipConnector): string {
  return from === '' ? '' : `P-Asserted-Identity: <sip:${from}@${hostName}>\r\n`;
}

function reply(code: number, reason: string, headers = ''): Reply {
  return { kind: 'reply', code, reason, headers };
}
