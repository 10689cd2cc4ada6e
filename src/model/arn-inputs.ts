/**
 * The ARNs in requests: the members of an input that contain ARNs, their resource types, and the canonical form of each type.
 *
 * Decisions compare ARNs as strings. A request with a variant of a resource's ARN would bypass a Deny on the resource, so the server
 * accepts only canonical ARNs. `wire` applies these declarations when it decodes a request, and owns the errors.
 *
 * Source: Service Authorization Reference, "Resource types"; AWS's notice to its customers about IAM APIs (cloud-gov/aws-broker issue 383):
 * the partition must be the account's, the service `iam`, the region blank, the resource type valid, and there are no trailing spaces.
 */

import { actionOf, resourceTypesOf } from './authorization.ts';
import type { OperationModel, ServiceModel, Shape } from './model.ts';
import { SERVICES, type ServiceName } from './services.ts';

/** Member of an input that contains an ARN. */
export interface ArnInput {
  /** Steps from the input to the member: `['PolicyArns', '[]', 'arn']`. */
  readonly path: readonly string[];
  /** Resource types that the member accepts: `chime:channel`, `iam:policy`, or a name of `OTHER_FORMS`. */
  readonly types: readonly string[];
  /** Reports whether a string is a canonical ARN of one of the types. */
  readonly isCanonical: (text: string) => boolean;
}

const USER_OR_BOT = ['chime:app-instance-user', 'chime:app-instance-bot'];
/** Resource of another AWS service. No permission of this server depends on it, so only its syntax is checked. */
const ELSEWHERE = ['elsewhere'];
/** Role that `services/iam/pass-role.ts` checks, after the operation's own permission. */
const PASSED_ROLE = ['passed role'];
/** ARN or pattern that a simulation compares with policies. It does not name a resource of the request. */
const SIMULATED = ['simulated'];
/** Resource types of the operation's action. */
const OF_ACTION = ['of the action'];
/** Resource types of the operation's action, or a name. */
const OF_ACTION_OR_NAME = ['of the action', 'name'];

/**
 * Types of members that cannot be derived from the member's name. Otherwise `XyzArn` has the resource type `xyz` of the service, if any.
 *
 * Source: API references of the services. `ChimeBearer`, members and moderators are "the ARN of the user or bot". The serial number of a
 * virtual MFA device is its ARN. That of a hardware device is a string without colons.
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

/** Services in which `XyzArn` has the type `xyz`. EventBridge differs: an `EventSourceArn` is the ARN of an event bus. */
const DERIVED = /^(?:chime-sdk-.*|iam|sts|accessanalyzer)$/;

const REGION = '[a-z]{2}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}';

/** Patterns for the `${…}` of an ARN format. Source: the patterns of the IDs in the models. */
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

/** Types with resources that AWS owns. Their ARNs have `aws` as account ID. */
const ALSO_OF_AWS: ReadonlySet<string> = new Set(['iam:policy']);

const OTHER_FORMS: Readonly<Record<string, string>> = {
  'hardware serial': '[\\w+=,.@-]+',
  name: '[0-9A-Za-z._-]+',
  // STS denies ARNs that do not name a role. The decision compares the ARN with the role's own ARN, so no other string can name the role.
  arn: 'arn:[^:]+:[^:]+:[^:]*:[^:]*:[^]+',
  elsewhere: `arn:aws(?:-[a-z]+)*:[a-z0-9-]+:(?:${REGION})?:(?:[0-9]{12})?:[!-~]+`,
};

const FORMS = new Map<string, RegExp>();

/**
 * Returns a regular expression that matches exactly the canonical ARNs of some types.
 *
 * Its running time is linear in the length of the string. Repeated calls return the same object.
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

/** Returns the members of an operation's input that contain ARNs, in model order. Omits passed roles and simulated ARNs. */
export function arnInputsOf(model: ServiceModel, operation: OperationModel): readonly ArnInput[] {
  const inputs: ArnInput[] = [];
  for (const { path, name } of textsOf(model, operation)) {
    const types = typesOf(model.service, operation.name, name);
    if (types === undefined || types === PASSED_ROLE || types === SIMULATED) continue;
    const form = arnForm(types);
    inputs.push({ path, types, isCanonical: (text) => form.test(text) });
  }
  return inputs;
}

/** Returns the paths of members that look like ARNs but have no type here. A test requires an empty result for implemented operations. */
export function undeclaredArnInputs(model: ServiceModel, operation: OperationModel): readonly string[] {
  return textsOf(model, operation)
    .filter(
      ({ name, shape, shapeName }) =>
        /arn/i.test(shapeName) || /Arns?$|ARN$|^SerialNumber$/.test(name) || /^\^?arn/.test(shape.pattern ?? ''),
    )
    .filter(({ name }) => typesOf(model.service, operation.name, name) === undefined)
    .map(({ path }) => path.join('.'));
}

function typesOf(service: ServiceName, operation: string, member: string): readonly string[] | undefined {
  const prefix = SERVICES[service].actionPrefix;
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
  /** Name of the structure's member. For an element of a list, the name of the list. */
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
