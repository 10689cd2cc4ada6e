/**
 * The ARNs in requests: which members of an input contain ARNs, the resource types that each member accepts, and the
 * canonical form of the ARNs of each type.
 *
 * Authorization compares ARNs as strings. A request with a variant of a resource's ARN would bypass a Deny on the
 * resource, so the server accepts only canonical ARNs. `wire` applies these declarations when it decodes a request, and
 * defines the errors.
 *
 * Source: Service Authorization Reference, "Resource types"; AWS's notice to its customers about IAM APIs
 * (cloud-gov/aws-broker issue 383): the partition must be that of the account, the service must be `iam`, the region
 * must be blank, the resource type must be valid, and the ARN must not have trailing spaces.
 */

import { actionOf, resourceTypesOf } from './authorization.ts';
import type { OperationModel, ServiceModel, Shape } from './model.ts';
import { SERVICES, type ServiceName } from './services.ts';

/** Member of an input that contains an ARN. */
export interface ArnInput {
  /** Steps from the input to the member: `['PolicyArns', '[]', 'arn']`. `[]` means each element of a list. */
  readonly path: readonly string[];
  /** Resource types that the member accepts: `chime:channel`, `iam:policy`, or a name of `OTHER_FORMS`. */
  readonly types: readonly string[];
  /** Reports whether a string is a canonical ARN of one of the types. */
  readonly isCanonical: (text: string) => boolean;
}

const USER_OR_BOT = ['chime:app-instance-user', 'chime:app-instance-bot'];
/** Resource of another AWS service. No permission of this server depends on it, so only its syntax is checked. */
const ELSEWHERE = ['elsewhere'];
/**
 * ARN of a role that is passed to a service. `services/iam/pass-role.ts` checks this ARN, so it is not checked here.
 */
const PASSED_ROLE = ['passed role'];
/**
 * Name or ARN that the operation parses. The operation authorizes the canonical ARN of what it found, so a variant bypasses no Deny, and
 * nothing is checked here.
 */
const RESOLVED = ['resolved'];
/** ARN of a resource that this server does not have. The operation refuses every value with its own error, so nothing is checked here. */
const REFUSED = ['refused'];
/** ARN or pattern that a policy simulation evaluates. It does not name a resource of the request. */
const SIMULATED = ['simulated'];
/** Marker for the resource types of the IAM action that the operation requires. */
const OF_ACTION = ['of the action'];
/** Marker for the same resource types as `OF_ACTION`. The member may also contain a resource name instead of an ARN. */
const OF_ACTION_OR_NAME = ['of the action', 'name'];

/**
 * Resource types of the members whose type cannot be derived from their name. For other members, the type is derived: a
 * member `XyzArn` has the resource type `xyz`, if the service has this type.
 *
 * Source: API references of the services. `ChimeBearer`, members and moderators are "the ARN of the user or bot". The
 * serial number of a virtual MFA device is its ARN. The serial number of a hardware device is a string without colons.
 */
// biome-ignore format: a table
const NAMED: readonly (readonly [services: RegExp, members: RegExp, types: readonly string[] | typeof OF_ACTION])[] = [
  [/^chime-sdk-/,          /^(ChimeBearer|UserArn|AppInstanceAdminArn|MemberArns?|ModeratorArns|ChannelModeratorArn)$/,  USER_OR_BOT],
  [/^chime-sdk-messaging/, /^AppInstanceUserArn$/,                                                                       USER_OR_BOT],
  [/^chime-sdk-/,          /^ResourceARN$/,                                                                              OF_ACTION],
  [/^chime-sdk-media/,     /^Identifier$/,                                                                               OF_ACTION_OR_NAME],
  [/^chime-sdk-voice/,     /^ConfigurationArn$/,                                                                         ['chime:media-insights-pipeline-configuration']],
  [/^chime-sdk-/,          /^(ResourceAccess|DataAccess|SinkIam)RoleArn$/,                                               PASSED_ROLE],
  [/^chime-sdk-/,          /^(ResourceArn|LexBotAliasArn|LambdaArn|LambdaFunctionArn|SnsTopicArn|SqsQueueArn|KmsKeyArn|InsightsTarget|Destination)$/, ELSEWHERE],
  [/^chime$/,              /^AlexaForBusinessRoomArn$/,                                                                  ELSEWHERE],
  [/^events$/,             /^RoleArn$/,                                                                                  PASSED_ROLE],
  [/^events$/,             /^(EventBusName|Name|ResourceARN|ConnectionArn|EventSourceArn|Arn|TargetArn|FilterArns)$/,    RESOLVED],
  [/^(cloudwatch|logs)$/,  /^[Rr]esourceA(RN|rn)$/,                                                                      RESOLVED],
  [/^logs$/,               /^roleArn$/,                                                                                  PASSED_ROLE],
  [/^logs$/,               /^destinationArn$/,                                                                           RESOLVED],
  [/^accessanalyzer$/,     /^accessRole$/,                                                                               PASSED_ROLE],
  [/^accessanalyzer$/,     /^(resourceArn|principalArn|cloudTrailArn)$/,                                                 RESOLVED],
  [/^cloudtrail$/,         /^CloudWatchLogsRoleArn$/,                                                                    PASSED_ROLE],
  [/^iam$/,                /^(Arn|PolicySourceArn)$/,                                                                    OF_ACTION],
  [/^iam$/,                /^PermissionsBoundary$/,                                                                      ['iam:policy']],
  [/^iam$/,                /^OpenIDConnectProviderArn$/,                                                                 ['iam:oidc-provider']],
  [/^iam$/,                /^SAMLProviderArn$/,                                                                          ['iam:saml-provider']],
  [/^iam$/,                /^(CallerArn|ResourceArns)$/,                                                                 SIMULATED],
  [/^sts$/,                /^RoleArn$/,                                                                                  ['sts:role', 'arn']],
  [/^sts$/,                /^arn$/,                                                                                      ['iam:policy']],
  [/^sts$/,                /^PrincipalArn$/,                                                                             ['iam:saml-provider']],
  [/^sts$/,                /^ProviderArn$/,                                                                              ['sts:context-provider']],
  [/^(iam|sts)$/,          /^SerialNumber$/,                                                                             ['iam:mfa', 'hardware serial']],
];

/**
 * Members that an operation refuses, whatever their value. The table lists operations, so that a new operation with the
 * same member must declare it.
 */
// biome-ignore format: a table
const REFUSED_MEMBERS: readonly (readonly [service: ServiceName, operations: RegExp, members: RegExp])[] = [
  ['chime',      /^PutEventsConfiguration$/,      /^LambdaFunctionArn$/],
  ['cloudtrail', /^(Create|Update)Trail$/,        /^CloudWatchLogsLogGroupArn$/],
  ['cloudtrail', /^(Get|Put)InsightSelectors$/,   /^(EventDataStore|InsightsDestination)$/],
  ['events',     /^(Create|Update)Connection$/,   /^ResourceConfigurationArn$/],
  ['events',     /^PutTargets$/,                  /^(TaskDefinitionArn|SecretManagerArn)$/],
  ['cloudwatch', /^PutCompositeAlarm$/,           /^ActionsSuppressor$/],
  ['accessanalyzer', /^(Create|Update)Analyzer$/, /^resourceArns$/],
];

/** Declarations of members whose ARNs are not checked here. */
const UNCHECKED: ReadonlySet<readonly string[]> = new Set([PASSED_ROLE, SIMULATED, REFUSED, RESOLVED]);

/**
 * Services in which a member `XyzArn` has the resource type `xyz`. EventBridge is not one of them: its member
 * `EventSourceArn` contains the ARN of an event bus.
 */
const DERIVED = /^(?:chime-sdk-.*|iam|sts|accessanalyzer)$/;

const REGION = '[a-z]{2}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}';

/** Patterns for the placeholders `${…}` of an ARN format. Source: the patterns of the IDs in the models. */
const FREE: Readonly<Record<string, string>> = {
  Partition: 'aws',
  Region: REGION,
  Account: '[0-9]{12}',
  AccountId: '[0-9]{12}',
  ConfigurationName: '[0-9A-Za-z._-]+',
  PoolName: '[0-9A-Za-z._-]+',
  SamlProviderName: '[\\w._-]+',
  OidcProviderName: '(?:[a-z0-9.-]+|\\[[0-9a-f:.]+\\])(?::[0-9]{1,5})?(?:/[!-~]*)?',
};
const NAME_WITH_PATH = '(?:[!-~]+/)?[\\w+=,.@-]+';
const ID = '[A-Za-z0-9](?:[A-Za-z0-9:_.@-]*[A-Za-z0-9])?';

/** Resource types of which AWS owns some resources. The ARNs of these resources have `aws` as account ID. */
const ALSO_OF_AWS: ReadonlySet<string> = new Set(['iam:policy']);

const OTHER_FORMS: Readonly<Record<string, string>> = {
  'hardware serial': '[\\w+=,.@-]+',
  name: '[0-9A-Za-z._-]+',
  // The `RoleArn` of an STS request can be any ARN here. STS later denies every ARN that does not equal the ARN of a
  // stored role. So a variant of a role's ARN cannot bypass a Deny on the role.
  arn: 'arn:[^:]+:[^:]+:[^:]*:[^:]*:[^]+',
  elsewhere: `arn:aws(?:-[a-z]+)*:[a-z0-9-]+:(?:${REGION})?:(?:[0-9]{12})?:[!-~]+`,
};

const FORMS = new Map<string, RegExp>();

/**
 * Returns a regular expression that matches exactly the canonical ARNs of the passed resource types.
 *
 * Matching takes linear time in the length of the string. Repeated calls return the same object.
 */
export function arnForm(types: readonly string[]): RegExp {
  const key = types.join(' ');
  let form = FORMS.get(key);
  if (form === undefined) {
    form = new RegExp(`^(?:${types.map(formOf).join('|')})$`);
    FORMS.set(key, form);
  }
  return form;
}

function formOf(type: string): string {
  const [prefix = '', name] = type.split(':');
  const format = OTHER_FORMS[type] === undefined ? resourceTypesOf(prefix)?.find((each) => each.name === name)?.arnFormat : undefined;
  if (format === undefined) {
    const form = OTHER_FORMS[type];
    if (form === undefined) throw new Error(`unknown resource type '${type}' (not in the authorization reference)`);
    return form;
  }
  return format.replace(/\$\{(\w+)\}|[^$]+/g, (piece, free?: string) => {
    if (free === undefined) return piece.replaceAll('.', '\\.');
    if (free === 'Account' && ALSO_OF_AWS.has(type)) return '(?:[0-9]{12}|aws)';
    return FREE[free] ?? (free.endsWith('WithPath') ? NAME_WITH_PATH : ID);
  });
}

/**
 * Returns the members of an operation's input that contain ARNs, in the order of the model. Omits members with a role
 * that is passed to a service, members with an ARN for a policy simulation, and members that the operation resolves or refuses.
 */
export function arnInputsOf(model: ServiceModel, operation: OperationModel): readonly ArnInput[] {
  const inputs: ArnInput[] = [];
  for (const { path, name } of textsOf(model, operation)) {
    const types = typesOf(declaringService(model, operation), operation.name, name);
    if (types === undefined || UNCHECKED.has(types)) continue;
    const form = arnForm(types);
    inputs.push({ path, types, isCanonical: (text) => form.test(text) });
  }
  return inputs;
}

/**
 * Returns the paths of members that seem to contain ARNs, but for which this file declares no resource type. A test
 * requires that the result is empty for every implemented operation.
 */
export function undeclaredArnInputs(model: ServiceModel, operation: OperationModel): readonly string[] {
  return textsOf(model, operation)
    .filter(
      ({ name, shape, shapeName }) =>
        /arn/i.test(shapeName) || /Arns?$|ARN$|^SerialNumber$/.test(name) || /^\^?arn/.test(shape.pattern ?? ''),
    )
    .filter(({ name }) => typesOf(declaringService(model, operation), operation.name, name) === undefined)
    .map(({ path }) => path.join('.'));
}

/** Returns the service whose declarations apply to an operation. An operation that AWS removed from `chime` has those of its successor. */
function declaringService({ service, successors }: ServiceModel, { name }: OperationModel): ServiceName {
  return successors?.[name]?.[0] ?? service;
}

function typesOf(service: ServiceName, operation: string, member: string): readonly string[] | undefined {
  const prefix = SERVICES[service].actionPrefix;
  if (REFUSED_MEMBERS.some(([of, operations, members]) => of === service && operations.test(operation) && members.test(member))) {
    return REFUSED;
  }
  const named = NAMED.find(([services, members]) => services.test(service) && members.test(member))?.[2];
  if (named !== undefined && named[0] !== OF_ACTION[0]) return named;
  if (named !== undefined) {
    const types = actionOf(prefix, operation)?.resourceTypes ?? [];
    return types.length === 0 ? undefined : [...types.map(({ type }) => `${prefix}:${type}`), ...named.slice(1)];
  }
  if (!DERIVED.test(service)) return undefined;
  const words = /^(.+)(?:Arn|ARN)$/
    .exec(member)?.[1]
    ?.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
  const type = words === undefined ? undefined : resourceTypesOf(prefix)?.find(({ name }) => name.toLowerCase() === words);
  return type && [`${prefix}:${type.name}`];
}

interface TextMember {
  readonly path: readonly string[];
  /** Name of the member in its structure. For an element of a list, the name of the member that contains the list. */
  readonly name: string;
  readonly shapeName: string;
  readonly shape: Shape;
}

/** Returns every string member of an input, including members of nested structures and lists. */
function textsOf(model: ServiceModel, { input }: OperationModel): readonly TextMember[] {
  const found: TextMember[] = [];
  function visit(shapeName: string, path: readonly string[], name: string, within: readonly string[]): void {
    const shape = model.shapes[shapeName];
    if (shape === undefined || within.includes(shapeName)) return;
    const inner = [...within, shapeName];
    if (shape.type === 'string') found.push({ path, name, shapeName, shape });
    else if (shape.type === 'structure')
      for (const [each, member] of Object.entries(shape.members ?? {})) visit(member.shape, [...path, each], each, inner);
    else if (shape.type === 'list' && shape.member !== undefined) visit(shape.member.shape, [...path, '[]'], name, inner);
  }
  if (input !== undefined) visit(input, [], '', []);
  return found;
}
