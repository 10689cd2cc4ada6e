/**
 * CloudTrail records of API calls: the call, its caller and its result. This file creates their JSON. It does not make authorization
 * decisions.
 */
import type { AccountId } from '#core/arn.ts';
import { header, type RequestFacts } from '#core/exchange.ts';
import { type Instant, isoSeconds } from '#core/instant.ts';
import type { Principal } from '#core/principal.ts';
import type { OperationModel, ServiceModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import type { Decision, OverLimit } from '#policy/decision.ts';
import type { StoredContext } from '#store/trail/decision-context.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { capped, elementWithin, LONG_FIELD_BYTES, quoted, UNPROVEN_FIELD_BYTES } from './fields.ts';
import { compileRedactor, type Redactor } from './redact.ts';
import { createdResource, lookupResource, type TrailResource, trailResource } from './resources.ts';
import { s3AddedParameters } from './s3-records.ts';
import { recordedErrorCode, type ServiceForm, serviceForm } from './service-forms.ts';
import { addedParameters, issuedNames, issuesCredentials, omitsParameters, stsResources } from './sts-records.ts';
import { lookupUserName, otherAccountIdentity, userIdentity } from './user-identity.ts';

/** Facts about one request with a response, successful or not. */
export interface Recorded {
  readonly received: RequestFacts;
  /** Absent if the request does not name a service. */
  readonly service?: ServiceName | undefined;
  /** Operation name in the request. If the service's model lacks this operation, the record has no parameters. */
  readonly operation: string;
  /** Event source of the record: `chime.amazonaws.com`, `iam.amazonaws.com` … */
  readonly eventSource: string;
  readonly region: string;
  /** Time of the response. */
  readonly now: Instant;
  /** A UUID. */
  readonly eventId: string;
  /**
   * Account whose event history has the record. It is the caller's account, the account that owns an assumed role, or
   * `NO_ACCOUNT` if the request does not name an account.
   */
  readonly recipientAccountId: AccountId;
  /** A UUID that is the same in the two records of one request in two accounts. */
  readonly sharedEventId?: string | undefined;
  /** Absent if authentication failed. */
  readonly principal?: Principal | undefined;
  readonly accessKeyId?: string | undefined;
  /** Decoded input. Absent if it could not be decoded. */
  readonly input?: unknown;
  /** Decoded output. Only records of writing operations, and of operations that issue credentials, contain it. */
  readonly output?: unknown;
  readonly error?: { readonly code: string; readonly message: string } | undefined;
  /** ARNs for which the request was allowed or denied. The record omits `*` and ARNs with a wildcard. */
  readonly resources?: readonly string[] | undefined;
  /** Account that owns the resource, if its ARN has no account. Absent if the resource does not exist. */
  readonly resourceOwner?: AccountId | undefined;
  /** Present for a call on data, whose record is a data event. */
  readonly data?: DataFacts | undefined;
  /** Version of the identity snapshot (all principals and policies, in memory) that was used for the decision. */
  readonly identityVersion?: number | undefined;
  /** Reason of a denial: the policy and statement that decided, or the limit on the steps of the evaluation. */
  readonly decision?: Decision | OverLimit | undefined;
  /** Facts that decided the request. The JSON of the record does not contain them. */
  readonly context?: StoredContext | undefined;
}

/** Facts of a call on objects of a bucket. */
export interface DataFacts {
  readonly bucket: string;
  readonly bucketAccountId: AccountId;
  /** ARNs of the objects. The ARN of a prefix (`arn:aws:s3:::bucket/`) stands for a list of objects. */
  readonly objects: readonly string[];
}

/**
 * Largest size of the JSON of all resources, in bytes. Together with `DENIAL_BYTES` and the limits in `fields.ts`, it keeps a record
 * below 256 KB.
 *
 * Source: CloudTrail User Guide, "Quotas in AWS CloudTrail": event size.
 */
const RESOURCES_BYTES = 20_480;
/** Size of a recorded resource without its ARN: the member names, the account and the type. */
const RESOURCE_BYTES = 128;
/** Largest size of the JSON of a denial, in bytes. */
const DENIAL_BYTES = 8_192;
/** Largest size of a recorded access key ID, in bytes. Source: iam 2010-05-08, accessKeyIdType. */
const ACCESS_KEY_ID_BYTES = 128;

interface CompiledOperation {
  readonly form: ServiceForm;
  readonly readOnly: boolean;
  readonly input?: Redactor;
  readonly model?: OperationModel;
  /** Absent if records of the operation have no `responseElements`. */
  readonly output?: Redactor;
}

/**
 * Creates the function that converts the facts about a request to a trail record. It caches the serializers of each
 * operation and the JSON of each principal. `model` returns the model that describes an operation of a service.
 */
export function trailRecorder(model: (service: ServiceName, operation: string) => ServiceModel): (recorded: Recorded) => TrailRow {
  const operations = new Map<string, CompiledOperation>();
  const identities = new WeakMap<Principal, { readonly accessKeyId: string | undefined; readonly text: string }>();
  let second = { at: -1, text: '' };

  function compiledOperation(service: ServiceName | undefined, name: string): CompiledOperation {
    if (service === undefined) return { form: serviceForm(service), readOnly: false };
    const key = `${service} ${name}`;
    const known = operations.get(key);
    if (known) return known;
    const serviceModel = model(service, name);
    const operation = own(serviceModel.operations, name) ?? own(serviceModel.removed, name);
    // Unknown names are not cached, because clients can send any number of them.
    if (operation === undefined) return { form: serviceForm(service), readOnly: false };
    const compiled = compileOperation(serviceModel, operation);
    operations.set(key, compiled);
    return compiled;
  }

  function identityText({ principal, accessKeyId, recipientAccountId }: Recorded): string {
    if (principal === undefined)
      return JSON.stringify({
        type: 'Unknown',
        ...(accessKeyId !== undefined && { accessKeyId: capped(accessKeyId, ACCESS_KEY_ID_BYTES) }),
      });
    if (isForeign(principal, recipientAccountId)) return JSON.stringify(otherAccountIdentity(principal));
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
    const { received, error, recipientAccountId } = recorded;
    // A record in another account's event history has neither the caller's user name nor the caller's access key ID.
    const { principal, accessKeyId } = recorded.principal && isForeign(recorded.principal, recipientAccountId) ? NO_CALLER : recorded;
    const { form, readOnly, input, output, model } = compiledOperation(recorded.service, recorded.operation);
    const responds = error === undefined && output !== undefined && recorded.output !== undefined;
    const resources = namedResources(recorded, responds);
    const tls = received.tls;

    const document =
      `{"eventVersion":"${form.eventVersion}","userIdentity":${identityText(recorded)}` +
      `,"eventTime":"${timeText(recorded.now)}","eventSource":${quoted(recorded.eventSource)},"eventName":${quoted(recorded.operation)}` +
      `,"awsRegion":${quoted(recorded.region)},"sourceIPAddress":${quoted(received.sourceIp)}` +
      `,"userAgent":${quoted(header(received, 'user-agent') ?? '')}` +
      (error ? `,"errorCode":${quoted(recordedErrorCode(recorded.service, error.code))},"errorMessage":${quoted(error.message)}` : '') +
      `,"requestParameters":${parameters(recorded, input, model)}` +
      `,"responseElements":${responds ? elements('responseElements', output(recorded.output), LONG_FIELD_BYTES) : 'null'}` +
      additional(recorded) +
      `,"requestID":${quoted(received.requestId)},"eventID":${quoted(recorded.eventId)},"readOnly":${readOnly}` +
      (form.namesResources && resources.length > 0 ? `,"resources":[${resources.map(recordedResource).join()}]` : '') +
      `,"eventType":"AwsApiCall","managementEvent":${recorded.data === undefined},"recipientAccountId":"${recipientAccountId}"` +
      (recorded.sharedEventId === undefined ? '' : `,"sharedEventID":${quoted(recorded.sharedEventId)}`) +
      `,"eventCategory":"${recorded.data === undefined ? 'Management' : 'Data'}"` +
      (tls
        ? `,"tlsDetails":{"tlsVersion":${quoted(tls.version)},"cipherSuite":${quoted(tls.cipherSuite)},"clientProvidedHostHeader":${quoted(header(received, 'host') ?? '')}}`
        : '') +
      (principal?.session?.fromConsole ? ',"sessionCredentialFromConsole":"true"' : '') +
      '}';

    const userName = principal && lookupUserName(principal);
    return {
      eventId: recorded.eventId,
      accountId: recipientAccountId,
      region: recorded.region,
      at: recorded.now,
      eventName: capped(recorded.operation),
      eventSource: recorded.eventSource,
      readOnly,
      category: recorded.data === undefined ? undefined : 'Data',
      userName,
      accessKeyId: accessKeyId === undefined ? undefined : capped(accessKeyId, ACCESS_KEY_ID_BYTES),
      resources: [
        ...resources.map((each) => lookupResource(each, recorded.service)),
        ...(responds && recorded.service === 'sts' ? issuedNames(recorded.output) : []),
      ],
      document,
      context: recorded.context,
    };
  };
}

const NO_CALLER: Pick<Recorded, 'principal' | 'accessKeyId'> = {};

/** Reports whether a caller belongs to another account than a record. Returns false for a request without an identity. */
function isForeign(principal: Principal, recipientAccountId: AccountId): boolean {
  return principal.type !== 'Unknown' && principal.accountId !== recipientAccountId;
}

function own(operations: ServiceModel['operations'], name: string): OperationModel | undefined {
  return Object.hasOwn(operations, name) ? operations[name] : undefined;
}

/** Reports whether a record of a successful call has `responseElements`. Records of read-only calls have none, unless they issue credentials. */
export function recordsResponse(service: ServiceName, operation: OperationModel): boolean {
  return !operation.readOnly || issuesCredentials(service, operation.name);
}

function compileOperation(model: ServiceModel, operation: OperationModel): CompiledOperation {
  const responds = recordsResponse(model.service, operation);
  return {
    form: serviceForm(model.service),
    readOnly: operation.readOnly,
    model: operation,
    ...(operation.input !== undefined && { input: compileRedactor(model, operation.input) }),
    ...(operation.output !== undefined && responds && { output: compileRedactor(model, operation.output) }),
  };
}

/**
 * Returns the resources for which the request was allowed or denied, up to the size limit. If a successful request was
 * allowed only for `*` or ARNs with a wildcard, returns the resource that the request created.
 */
function namedResources(recorded: Recorded, responds: boolean): readonly TrailResource[] {
  const { resources, output, service, operation, error, principal, data, resourceOwner } = recorded;
  if (data !== undefined) return dataResources(data);
  if (omitsParameters(service, operation, error?.code)) return [];
  if (service === 'sts') return stsResources(resources ?? [], principal);
  const named: TrailResource[] = [];
  let bytes = 0;
  for (const arn of resources ?? []) {
    const resource = trailResource(arn, resourceOwner);
    if (resource === undefined) continue;
    bytes += Buffer.byteLength(arn) + RESOURCE_BYTES;
    if (bytes > RESOURCES_BYTES) break;
    named.push(resource);
  }
  if (named.length > 0 || !responds) return named;
  const created = createdResource(output);
  const resource = created === undefined ? undefined : trailResource(created);
  return resource ? [resource] : [];
}

/**
 * Returns the resources of a data event: objects, up to the size limit, and their bucket. A list of objects has the prefix of the bucket.
 *
 * Source: CloudTrail User Guide, "Logging data events", example of PutObject.
 */
function dataResources({ bucket, bucketAccountId, objects }: DataFacts): readonly TrailResource[] {
  const named: TrailResource[] = [];
  let bytes = 0;
  for (const arn of objects) {
    bytes += Buffer.byteLength(arn) + RESOURCE_BYTES;
    if (bytes > RESOURCES_BYTES) break;
    named.push({ arn, accountId: '', type: 'AWS::S3::Object' });
  }
  return [...named, { arn: `arn:aws:s3:::${bucket}`, accountId: bucketAccountId, type: 'AWS::S3::Bucket' }];
}

/** Reports whether the request was signed or its token was accepted. A rejected token proves nothing, because any client can send one. */
function provesIdentity({ principal, error }: Recorded): boolean {
  return principal !== undefined && (principal.type !== 'Unknown' || error === undefined);
}

/** Returns the JSON of a resource. It is assembled, because each record has one and objects with optional members are slow. */
function recordedResource({ arn, accountId, type }: TrailResource): string {
  const arnText = JSON.stringify(arn);
  const typeMember = type === undefined ? '' : `"type":"${type}",`;
  // The record of a call on objects has no account with an object, and another name for a prefix of ARNs.
  if (accountId === '' && type === 'AWS::S3::Object') return `{${typeMember}"${arn.endsWith('/') ? 'ARNPrefix' : 'ARN'}":${arnText}}`;
  return `{${accountId === '' ? '' : `"accountId":${JSON.stringify(accountId)},`}${typeMember}"ARN":${arnText}}`;
}

/** Returns the JSON of `requestParameters`. */
function parameters(recorded: Recorded, redactor: Redactor | undefined, model: OperationModel | undefined): string {
  const { service, operation, input, error } = recorded;
  if (redactor === undefined || input === undefined || omitsParameters(service, operation, error?.code)) return 'null';
  const proven = provesIdentity(recorded);
  const text = redactor(input);
  const added = proven ? JSON.stringify(addedTo(recorded, model)) : '{}';
  const all = added === '{}' ? text : text === '{}' ? added : `${text.slice(0, -1)},${added.slice(1)}`;
  return elements('requestParameters', all, proven ? LONG_FIELD_BYTES : UNPROVEN_FIELD_BYTES);
}

/** Returns the parameters of a record that are not members of the input. */
function addedTo({ service, operation, principal, input, received }: Recorded, model: OperationModel | undefined): object {
  if (service === 'sts') return addedParameters(operation, principal, input);
  return service === 's3' && model !== undefined ? s3AddedParameters(model, header(received, 'host')) : {};
}

/** Returns the JSON of `requestParameters` or `responseElements`: `null` if it is empty. */
function elements(name: string, text: string, maxBytes: number): string {
  return text === '{}' ? 'null' : elementWithin(name, text, maxBytes);
}

/**
 * Returns `additionalEventData`, whose content is specific to Belfry: the identity version and the reason of a denial. Design, "Access".
 */
function additional({ identityVersion, decision }: Recorded): string {
  if (identityVersion === undefined && decision === undefined) return '';
  if (decision === undefined || decision.effect === 'Allow') {
    return identityVersion === undefined ? '' : `,"additionalEventData":{"identityVersion":${identityVersion}}`;
  }
  const denial = decision.kind === 'explicit' ? { kind: 'explicit', ...decision.by, resource: decision.resource } : decision;
  const version = identityVersion === undefined ? '' : `"identityVersion":${identityVersion},`;
  return `,"additionalEventData":{${version}"denial":${elementWithin('denial', JSON.stringify(denial), DENIAL_BYTES)}}`;
}
