/** CloudTrail records of API calls: the call, its caller and its result. Owns their JSON. Does not make authorization decisions. */
import type { AccountId } from '#core/arn.ts';
import { header, type RequestFacts } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Principal } from '#core/principal.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { capped, elementWithin, LONG_FIELD_BYTES, quoted, UNPROVEN_FIELD_BYTES } from './fields.ts';
import { compileRedactor, type Redactor } from './redact.ts';
import { createdResource, lookupResource, type TrailResource, trailResource } from './resources.ts';
import { lookupUserName, tokenIdentity, userIdentity } from './user-identity.ts';

/** Facts about one request with a response, successful or not. */
export interface Recorded {
  readonly received: RequestFacts;
  /** Absent if the request does not name a service. */
  readonly service?: ServiceName;
  /** Name in the request. If the model does not have it, the record has no parameters. */
  readonly operation: string;
  /** `chime.amazonaws.com`, `iam.amazonaws.com` … */
  readonly eventSource: string;
  readonly region: string;
  /** Time of the response. */
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  /** Account whose event history has the record: the caller's, or `NO_ACCOUNT` if the request does not name an account. */
  readonly recipientAccountId: AccountId;
  /** Absent if authentication failed. */
  readonly principal?: Principal;
  readonly accessKeyId?: string;
  /** Decoded input. Absent if it could not be decoded. */
  readonly input?: unknown;
  /** Decoded output. Only records of writing operations contain it. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  /** ARNs that were authorized. The record omits patterns and `*`. */
  readonly resources?: readonly string[];
  /** Version of the identity snapshot used for the decision. */
  readonly identityVersion?: number;
  /** Decision of a denial: the deciding policy and statement, or that the evaluation exceeded its step budget. */
  readonly decision?: Decision | OverLimit;
}

/**
 * Largest size of the JSON of all resources, and of a denial, in bytes. With the two long fields and the short ones a record
 * stays below 256 KB.
 * Source: CloudTrail User Guide, "Quotas in AWS CloudTrail": event size.
 */
const RESOURCES_BYTES = 20_480;
/** Size of a recorded resource in addition to its ARN: member names, account and type. */
const RESOURCE_BYTES = 128;
const DENIAL_BYTES = 8_192;
/** Largest size of a recorded access key ID, in bytes. Source: iam 2010-05-08, accessKeyIdType. */
const ACCESS_KEY_ID_BYTES = 128;

interface CompiledOperation {
  readonly readOnly: boolean;
  readonly input?: Redactor;
  readonly output?: Redactor;
}

/** Creates the writer of trail events, which caches compiled shapes and principals. `model` returns the model of a service. */
export function trailRecorder(model: (service: ServiceName) => ServiceModel): (recorded: Recorded) => TrailRow {
  const operations = new Map<string, CompiledOperation>();
  const identities = new WeakMap<Principal, { readonly accessKeyId: string | undefined; readonly text: string }>();
  let second = { at: -1, text: '' };

  function compiledOperation(service: ServiceName | undefined, name: string): CompiledOperation {
    if (service === undefined) return { readOnly: false };
    const key = `${service} ${name}`;
    const known = operations.get(key);
    if (known) return known;
    const serviceModel = model(service);
    const operation = own(serviceModel.operations, name) ?? own(serviceModel.removed, name);
    // Unknown names are not cached, because clients can send any number of them.
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
    if (principal === undefined)
      return JSON.stringify({
        type: 'Unknown',
        ...(accessKeyId !== undefined && { accessKeyId: capped(accessKeyId, ACCESS_KEY_ID_BYTES) }),
      });
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
    const parametersBytes = provesIdentity(recorded) ? LONG_FIELD_BYTES : UNPROVEN_FIELD_BYTES;

    const document =
      `{"eventVersion":"1.08","userIdentity":${identityText(recorded)}` +
      `,"eventTime":"${timeText(recorded.now)}","eventSource":${quoted(recorded.eventSource)},"eventName":${quoted(recorded.operation)}` +
      `,"awsRegion":${quoted(recorded.region)},"sourceIPAddress":${quoted(received.sourceIp)}` +
      `,"userAgent":${quoted(header(received, 'user-agent') ?? '')}` +
      (error ? `,"errorCode":${quoted(error.code)},"errorMessage":${quoted(error.message)}` : '') +
      `,"requestParameters":${elements('requestParameters', input, recorded.input, parametersBytes)}` +
      `,"responseElements":${wrote ? elements('responseElements', output, recorded.output, LONG_FIELD_BYTES) : 'null'}` +
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
      ...omitUndefined({ userName, accessKeyId: accessKeyId === undefined ? undefined : capped(accessKeyId, ACCESS_KEY_ID_BYTES) }),
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

/** Returns the authorized resources, or the created one if only a pattern was authorized. Omits those over the size limit. */
function namedResources({ resources, output }: Recorded, wrote: boolean): readonly TrailResource[] {
  const named: TrailResource[] = [];
  let bytes = 0;
  for (const arn of resources ?? []) {
    const resource = trailResource(arn);
    if (resource === undefined) continue;
    bytes += Buffer.byteLength(arn) + RESOURCE_BYTES;
    if (bytes > RESOURCES_BYTES) break;
    named.push(resource);
  }
  if (named.length > 0 || !wrote) return named;
  const created = createdResource(output);
  const resource = created === undefined ? undefined : trailResource(created);
  return resource ? [resource] : [];
}

/** Reports whether the request was signed or its token was accepted. A rejected token proves nothing, because anyone can get one. */
function provesIdentity({ principal, error }: Recorded): boolean {
  return principal !== undefined && (principal.type !== 'Unknown' || error === undefined);
}

function recordedResource({ arn, accountId, type }: TrailResource): Readonly<Record<string, string>> {
  return { accountId, ...omitUndefined({ type }), ARN: arn };
}

/** Returns the JSON of `requestParameters` or `responseElements`: `null` if it is empty. */
function elements(name: string, redactor: Redactor | undefined, value: unknown, maxBytes: number): string {
  if (redactor === undefined || value === undefined) return 'null';
  const text = redactor(value);
  return text === '{}' ? 'null' : elementWithin(name, text, maxBytes);
}

/** Returns `additionalEventData`, which is Belfry's and not AWS's: the identity version and the reason of a denial. Design, "Access". */
function additional({ identityVersion, decision }: Recorded): string {
  if (identityVersion === undefined && decision === undefined) return '';
  if (decision === undefined || decision.effect === 'Allow') {
    return identityVersion === undefined ? '' : `,"additionalEventData":{"identityVersion":${identityVersion}}`;
  }
  const denial = decision.kind === 'explicit' ? { kind: 'explicit', ...decision.by, resource: decision.resource } : decision;
  const version = identityVersion === undefined ? '' : `"identityVersion":${identityVersion},`;
  return `,"additionalEventData":{${version}"denial":${elementWithin('denial', JSON.stringify(denial), DENIAL_BYTES)}}`;
}
