/**
 * The SCIM endpoint for OpenID providers: checks the key before the body is read, reads the request, and records it. `services/chime/scim` answers it. A key opens this
 * endpoint only, for one account of Amazon Chime.
 */
import { NO_ACCOUNT } from '#core/arn.ts';
import { type Answer, header } from '#core/exchange.ts';
import { scanJson } from '#core/json-scan.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import { sourceOf } from '#core/source-address.ts';
import type { Tx } from '#store/store.ts';
import { capped } from '#trail/fields.ts';
import { serviceEventRow } from '#trail/service-event.ts';
import type { Scim, ScimAnswer, ScimRequest } from '../core/services.ts';
import { signInAttempts } from './attempts.ts';
import { bodyOf, readParameters } from './http.ts';
import type { SignInParts } from './parts.ts';
import { SCIM_PATH } from './paths.ts';
import type { PageRequest } from './site.ts';

/** Limits of a request. Assumed. A request has at most 1,000 members of a group, of about 150 bytes each. */
const MAX = { bytes: 262_144, target: 4_096, depth: 8, members: 20_000 } as const;
const TOO_LARGE = `The body is larger than ${MAX.bytes} bytes.`;
const MEDIA_TYPES = ['application/scim+json', 'application/json'] as const;
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';
/** Name of the event of a request to a path that the endpoint does not have. */
const UNKNOWN_REQUEST = 'UnknownScimRequest';

/** Refused request, with the headers that the status needs. */
interface Refusal {
  readonly status: number;
  readonly scimType?: string | undefined;
  readonly message: string;
  readonly headers?: readonly string[];
}

type Opened = Awaited<ReturnType<Scim['openApiKey']>>;

/** The endpoint. */
export interface ScimEndpoint {
  answer(received: PageRequest): Promise<Answer>;
  /**
   * Checks the key and the declared length of a request whose body was not read. Resolves to undefined if the body may be read. `answer` checks the key again, because it
   * may have been deleted in the meantime.
   */
  refusal(head: PageRequest): Promise<Answer | undefined>;
}

/** Creates the endpoint. */
export function scimEndpoint(parts: SignInParts, scim: Scim): ScimEndpoint {
  const attempts = signInAttempts(parts);

  return { answer, refusal };

  async function refusal(head: PageRequest): Promise<Answer | undefined> {
    return await parts.store.transaction(async (tx) => {
      const opened = await scim.openApiKey({ tx, now: parts.now() }, keyOf(head));
      if (opened === undefined) return await unauthorized(tx, head, eventNameIn(head));
      if (!(Number(header(head, 'content-length') ?? 0) > MAX.bytes)) return undefined;
      await record(tx, head, { eventName: eventNameIn(head), opened, errorMessage: TOO_LARGE });
      return refused({ status: 413, message: TOO_LARGE });
    });
  }

  function eventNameIn({ method, target }: PageRequest): string {
    const path = pathOf(target.split('?', 1)[0] as string);
    return (path === undefined ? undefined : scim.eventNameOf({ method, path })) ?? UNKNOWN_REQUEST;
  }

  async function answer(received: PageRequest): Promise<Answer> {
    const request = requestOf(received, `${parts.publicUrl()}${SCIM_PATH}`);
    const eventName = 'status' in request ? UNKNOWN_REQUEST : eventNameIn(received);
    try {
      return await parts.store.transaction(async (tx) => {
        const work = { ...parts.addEmit({ tx, now: parts.now(), newId: parts.newId }), random: parts.random };
        const opened = await scim.openApiKey(work, keyOf(received));
        if (opened === undefined) return await unauthorized(tx, received, eventName);
        if ('status' in request)
          throw new scim.ScimError(request.status, request.status === 400 ? 'invalidSyntax' : undefined, request.message);
        const answer = await scim.answerScim({ ...work, account: opened.account, url: request.url, usersMax: parts.scimUsersMax }, request);
        await record(tx, received, { eventName, opened, facts: answer.facts ?? {} });
        return toAnswer(answer);
      });
    } catch (error) {
      if (!(error instanceof scim.ScimError)) throw error;
      const { status, scimType, message, allow } = error;
      return await parts.store.transaction(async (tx) => {
        // The key may have been deleted in the meantime.
        const opened = await scim.openApiKey({ tx, now: parts.now() }, keyOf(received));
        if (opened === undefined) return await unauthorized(tx, received, eventName);
        await record(tx, received, { eventName, opened, errorMessage: message });
        return refused({ status, scimType, message, headers: allow === undefined ? [] : ['allow', allow] });
      });
    }
  }

  /** Refuses a request without a valid key. It counts as a failed sign-in of the source. Source: RFC 7644, section 2; RFC 6750, section 3. */
  async function unauthorized(tx: Tx, received: PageRequest, eventName: string): Promise<Answer> {
    const { source, nextAt } = await attempts.attemptedSource(tx, sourceOf(received.sourceIp));
    const seconds = Math.ceil((nextAt - parts.now()) / 1000);
    await record(tx, received, { eventName, opened: undefined, errorMessage: seconds > 0 ? 'Too many attempts' : 'The key is not valid' });
    if (seconds > 0) return refused({ status: 429, message: 'Too many attempts.', headers: ['retry-after', String(seconds)] });
    await attempts.countSource(tx, source);
    return refused({ status: 401, message: 'The key is not valid.', headers: ['www-authenticate', 'Bearer'] });
  }

  interface Recorded {
    readonly eventName: string;
    readonly opened: Opened;
    readonly facts?: Readonly<Record<string, string>>;
    readonly errorMessage?: string;
  }

  /**
   * Records a request in the event history of the AWS account of the key. The record has no attribute of a user or a group. The number of records
   * of requests without a valid key is limited (Decision 0015).
   *
   * Specific to Belfry: AWS documents no records of SCIM.
   */
  async function record(tx: Tx, received: PageRequest, { eventName, opened, facts, errorMessage }: Recorded): Promise<void> {
    parts.recorded.add(received);
    if (!parts.recording) return;
    const now = parts.now();
    if (opened === undefined && !parts.unproven.admit(received, NO_ACCOUNT, now)) return;
    await tx.trail.append(
      serviceEventRow({
        accountId: opened?.key.accountId ?? NO_ACCOUNT,
        region: parts.region,
        now,
        eventId: parts.newId(),
        eventName,
        eventSource: 'chime.amazonaws.com',
        invokedBy: 'chime.amazonaws.com',
        readOnly: received.method === 'GET',
        details: omitUndefined({
          outcome: errorMessage === undefined ? 'Success' : 'Failure',
          chimeAccountId: opened?.key.chimeAccountId,
          apiKeyId: opened?.key.apiKeyId,
          ...facts,
          errorMessage,
          sourceIPAddress: capped(received.sourceIp),
          userAgent: capped(header(received, 'user-agent') ?? ''),
        }),
      }),
    );
  }
}

/** Returns the key of a request. Source: RFC 6750, section 2.1. */
function keyOf(received: PageRequest): string {
  return /^Bearer +([\x21-\x7e]{1,256})$/i.exec(header(received, 'authorization') ?? '')?.[1] ?? '';
}

/** Reads a request. Returns the reason if it is malformed, which only a client with a key learns. */
function requestOf(received: PageRequest, url: string): ScimRequest | Refusal {
  const { method, target } = received;
  if (target.length > MAX.target) return { status: 414, message: 'The URL is too long.' };
  const question = target.indexOf('?');
  const path = pathOf(question < 0 ? target : target.slice(0, question));
  const query = question < 0 ? new Map<string, string>() : readParameters(target.slice(question + 1));
  if (path === undefined || query === undefined) return { status: 400, message: 'The URL is malformed.' };
  if (!METHODS_WITH_BODY.has(method)) return { method, path, query, url, body: undefined };
  if (received.body.length > MAX.bytes) return { status: 413, message: TOO_LARGE };
  const text = MEDIA_TYPES.map((type) => bodyOf(received, type)).find((each) => each !== undefined);
  if (text === undefined) return { status: 415, message: 'The body must be application/scim+json in UTF-8.' };
  const body = jsonOf(text);
  return body === undefined ? { status: 400, message: 'The body is malformed.' } : { method, path, query, url, body };
}

function pathOf(path: string): readonly string[] | undefined {
  try {
    return path.slice(SCIM_PATH.length).split('/').slice(1).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

/** Parses JSON. Returns undefined if it is malformed, too deep, has too many members or repeats a member. */
function jsonOf(text: string): unknown {
  const counts = scanJson(text);
  if (counts === undefined || counts.depth > MAX.depth || counts.colons > MAX.members) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return membersIn(parsed) === counts.colons ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function membersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const inner = Object.values(value).reduce((sum: number, each: unknown) => sum + membersIn(each), 0);
  return Array.isArray(value) ? inner : inner + Object.keys(value).length;
}

function toAnswer({ status, body, location }: ScimAnswer): Answer {
  if (body === undefined) return { status, headers: [...HEADERS], body: '' };
  return {
    status,
    headers: [...SCIM, ...HEADERS, ...(location === undefined ? [] : ['location', location])],
    body: JSON.stringify(body),
  };
}

const HEADERS: readonly string[] = ['cache-control', 'no-store', 'x-content-type-options', 'nosniff'];
const SCIM: readonly string[] = ['content-type', 'application/scim+json'];

/** Returns an error. Source: RFC 7644, section 3.12. */
function refused({ status, scimType, message, headers = [] }: Refusal): Answer {
  const body = omitUndefined({ schemas: [ERROR], status: String(status), scimType, detail: message });
  return { status, headers: [...SCIM, ...HEADERS, ...headers], body: JSON.stringify(body) };
}
