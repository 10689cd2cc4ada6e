/** CloudTrail records: what was called, by whom, and how it went. Owns their JSON; knows nothing of why something was refused. */
import type { AccountId } from '#core/arn.ts';
import { header, type Received } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { OperationModel, ServiceModel, ServiceName } from '#model/model.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import type { TrailRow } from '#store/trail.ts';
import { compileRedactor, type Redactor } from './redact.ts';
import { lookupResource, madeResource, type TrailResource, trailResource } from './resources.ts';
import { lookupUserName, tokenIdentity, userIdentity } from './user-identity.ts';

/** The facts of one request that was answered, whatever the answer. */
export interface Recorded {
  readonly received: Received;
  readonly service: ServiceName;
  /** As the client named it where the model has none of that name: the record then has no parameters. */
  readonly operation: string;
  /** `chime.amazonaws.com`, `iam.amazonaws.com` … */
  readonly eventSource: string;
  readonly region: string;
  /** When the answer was known. */
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  /** Whose event history it stands in: the caller's account, or the operator's where nobody could be made out. */
  readonly recipientAccountId: AccountId;
  /** Absent where authentication failed. */
  readonly principal?: Principal;
  readonly accessKeyId?: string;
  /** Decoded; absent where it could not be. */
  readonly input?: unknown;
  /** Decoded; recorded of writing operations only. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  /** ARNs that were authorized; patterns and `*` are left out. */
  readonly resources?: readonly string[];
  /** The version of the identity snapshot that decided. */
  readonly identityVersion?: number;
  /** Of a denial: which policy, which statement; or that the evaluation exceeded its step budget. */
  readonly decision?: Decision | OverLimit;
}

/** Size caps of fields, in bytes. Source: CloudTrail User Guide, "CloudTrail record contents". LOG-2. */
const SHORT_FIELD_BYTES = 1024;
const LONG_FIELD_BYTES = 102_400;

interface CompiledOperation {
  readonly readOnly: boolean;
  readonly input?: Redactor;
  readonly output?: Redactor;
}

/** Writes trail events; `model` gives a service's model. What a shape or a principal costs once is kept between calls. */
export function trailRecorder(model: (service: ServiceName) => ServiceModel): (recorded: Recorded) => TrailRow {
  const operations = new Map<string, CompiledOperation>();
  const identities = new WeakMap<Principal, { readonly accessKeyId: string | undefined; readonly text: string }>();
  let second = { at: -1, text: '' };

  function compiledOperation(service: ServiceName, name: string): CompiledOperation {
    const key = `${service} ${name}`;
    const known = operations.get(key);
    if (known) return known;
    const serviceModel = model(service);
    const operation = own(serviceModel.operations, name) ?? own(serviceModel.removed, name);
    // Names that no model has come from anybody and are many: they are not kept.
    if (operation === undefined) return { readOnly: false };
    const compiled = compileOperation(serviceModel, operation);
    operations.set(key, compiled);
    return compiled;
  }

  function identityText({ principal, accessKeyId, operation, output }: Recorded): string {
    if (principal === undefined || principal.type === 'Unknown') {
      const byToken = tokenIdentity(operation, output);
      if (byToken) return JSON.stringify(byToken);
    }
    if (principal === undefined) return JSON.stringify({ type: 'Unknown', ...(accessKeyId !== undefined && { accessKeyId }) });
    const known = identities.get(principal);
    if (known && known.accessKeyId === accessKeyId) return known.text;
    const text = JSON.stringify(userIdentity(principal, accessKeyId));
    identities.set(principal, { accessKeyId, text });
    return text;
  }

  function timeText(now: Instant): string {
    const at = Math.floor(now / 1000);
    if (at !== second.at) second = { at, text: isoSeconds(now) };
    return second.text;
  }

  return (recorded) => {
    const { received, error, principal, accessKeyId } = recorded;
    const { readOnly, input, output } = compiledOperation(recorded.service, recorded.operation);
    const wrote = error === undefined && !readOnly && recorded.output !== undefined;
    const resources = namedResources(recorded, wrote);
    const tls = received.tls;

    const document =
      `{"eventVersion":"1.08","userIdentity":${identityText(recorded)}` +
      `,"eventTime":"${timeText(recorded.now)}","eventSource":${quoted(recorded.eventSource)},"eventName":${quoted(recorded.operation)}` +
      `,"awsRegion":${quoted(recorded.region)},"sourceIPAddress":${quoted(received.sourceIp)}` +
      `,"userAgent":${quoted(header(received, 'user-agent') ?? '')}` +
      (error ? `,"errorCode":${quoted(error.code)},"errorMessage":${quoted(error.message)}` : '') +
      `,"requestParameters":${elements('requestParameters', input, recorded.input)}` +
      `,"responseElements":${wrote ? elements('responseElements', output, recorded.output) : 'null'}` +
      additional(recorded) +
      `,"requestID":${quoted(received.requestId)},"eventID":${quoted(recorded.eventId)},"readOnly":${readOnly}` +
      (resources.length > 0 ? `,"resources":${JSON.stringify(resources.map(recordedResource))}` : '') +
      `,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"${recorded.recipientAccountId}","eventCategory":"Management"` +
      (tls
        ? `,"tlsDetails":{"tlsVersion":${quoted(tls.version)},"cipherSuite":${quoted(tls.cipherSuite)},"clientProvidedHostHeader":${quoted(header(received, 'host') ?? '')}}`
        : '') +
      (principal?.session?.fromConsole ? ',"sessionCredentialFromConsole":"true"' : '') +
      '}';

    const userName = principal && lookupUserName(principal);
    return {
      eventId: recorded.eventId,
      accountId: recorded.recipientAccountId,
      region: recorded.region,
      at: recorded.now,
      eventName: capped(recorded.operation),
      eventSource: recorded.eventSource,
      readOnly,
      ...(userName !== undefined && { userName }),
      ...(accessKeyId !== undefined && { accessKeyId }),
      resources: resources.map((each) => lookupResource(each, recorded.service)),
      document,
    };
  };
}

function own(operations: ServiceModel['operations'], name: string): OperationModel | undefined {
  return Object.hasOwn(operations, name) ? operations[name] : undefined;
}

function compileOperation(model: ServiceModel, operation: OperationModel): CompiledOperation {
  return {
    readOnly: operation.readOnly,
    ...(operation.input !== undefined && { input: compileRedactor(model, operation.input) }),
    ...(operation.output !== undefined && !operation.readOnly && { output: compileRedactor(model, operation.output) }),
  };
}

/** What was authorized; and where that was only a pattern, what was made. */
function namedResources({ resources, output }: Recorded, wrote: boolean): readonly TrailResource[] {
  const named = (resources ?? []).map(trailResource).filter((each) => each !== undefined);
  if (named.length > 0 || !wrote) return named;
  const made = madeResource(output);
  const resource = made === undefined ? undefined : trailResource(made);
  return resource ? [resource] : [];
}

function recordedResource({ arn, accountId, type }: TrailResource): Readonly<Record<string, string>> {
  return { accountId, ...(type !== undefined && { type }), ARN: arn };
}

/** Null where there is nothing to say. Source: the shape of a field too large, as records of AWS have it. */
function elements(name: string, redactor: Redactor | undefined, value: unknown): string {
  if (redactor === undefined || value === undefined) return 'null';
  const text = redactor(value);
  if (text === '{}') return 'null';
  if (text.length * 3 > LONG_FIELD_BYTES) {
    const bytes = Buffer.byteLength(text);
    if (bytes > LONG_FIELD_BYTES) return `{"reason":"${name} too large","omitted":true,"originalSize":${bytes}}`;
  }
  return text;
}

/** Ours, not AWS's: which identity decided, and what denied. Design, "Access". */
function additional({ identityVersion, decision }: Recorded): string {
  if (identityVersion === undefined && decision === undefined) return '';
  if (decision === undefined || decision.effect === 'Allow') {
    return identityVersion === undefined ? '' : `,"additionalEventData":{"identityVersion":${identityVersion}}`;
  }
  const denial = decision.kind === 'explicit' ? { kind: 'explicit', ...decision.by, resource: decision.resource } : decision;
  return `,"additionalEventData":${JSON.stringify({ ...(identityVersion !== undefined && { identityVersion }), denial })}`;
}

function quoted(text: string): string {
  return JSON.stringify(capped(text));
}

/** At most 1 KB of UTF-8, cut at a character. */
function capped(text: string): string {
  if (text.length * 3 <= SHORT_FIELD_BYTES) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= SHORT_FIELD_BYTES) return text;
  let end = SHORT_FIELD_BYTES;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
