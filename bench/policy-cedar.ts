// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables
import type { Workload } from './policy-workload.ts';

/** Translates the policies of the workload to Cedar: one Cedar policy per statement, with the closest meaning that Cedar can express. */

interface IamStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

const listed = <Item>(value: Item | readonly Item[]): readonly Item[] =>
  Array.isArray(value) ? (value as readonly Item[]) : [value as Item];
const quoted = (text: string): string => JSON.stringify(text);
const any = (tests: readonly string[]): string => `(${tests.join(' || ')})`;

function like(subject: string, pattern: string): string {
  if (pattern === '*') return 'true';
  return pattern.includes('*') ? `${subject} like ${quoted(pattern)}` : `${subject} == ${quoted(pattern)}`;
}

/** Translates a resource pattern. Cedar has no variables in patterns, so separate attributes hold the parts that the variables match. */
function resource(pattern: string): string {
  if (pattern.includes('${aws:username}'))
    return `(${like('context.resource', pattern.replace('${aws:username}', '*'))} && context.resourceUser == context["aws:username"])`;
  if (pattern.includes('${aws:PrincipalTag/team}')) {
    return `(${like('context.resource', pattern.replace('${aws:PrincipalTag/team}', '*'))} && context.resourceApp == context["aws:principaltag/team"])`;
  }
  return like('context.resource', pattern);
}

function condition(operator: string, key: string, values: readonly string[]): string {
  const subject = `context[${quoted(key.toLowerCase())}]`;
  switch (operator) {
    case 'NotIpAddress':
      return `!${any(values.map((range) => `${subject}.isInRange(ip(${quoted(range)}))`))}`;
    case 'Bool':
    case 'BoolIfExists':
    case 'StringEquals':
      return any(values.map((value) => `${subject} == ${quoted(value)}`));
    case 'StringNotEquals':
      return `!${any(values.map((value) => `${subject} == ${quoted(value)}`))}`;
    case 'StringLike':
    case 'ArnLike':
      return any(values.map((value) => like(subject, value)));
    case 'DateLessThan':
      return any(values.map((value) => `${subject} < datetime(${quoted(value)})`));
    case 'NumericLessThan':
      return any(values.map((value) => `${subject} < ${value}`));
    default:
      throw new Error(`The translation does not support the operator '${operator}'.`);
  }
}

function statement({ Effect, Action, NotAction, Resource, NotResource, Condition }: IamStatement): string {
  const actions = any(listed(Action ?? NotAction ?? []).map((pattern) => like('context.action', pattern)));
  const resources = any(listed(Resource ?? NotResource ?? []).map(resource));
  const tests = [Action === undefined ? `!${actions}` : actions, Resource === undefined ? `!${resources}` : resources];
  for (const [operator, keys] of Object.entries(Condition ?? {})) {
    for (const [key, values] of Object.entries(keys)) tests.push(condition(operator, key, listed(values)));
  }
  return `${Effect === 'Allow' ? 'permit' : 'forbid'}(principal, action, resource) when { ${tests.join(' && ')} };`;
}

/** Translates a policy to Cedar. */
export function toCedar(text: string): string {
  const { Statement } = JSON.parse(text) as { readonly Statement: IamStatement | readonly IamStatement[] };
  return listed(Statement).map(statement).join('\n');
}

/** Translates the context of a request to Cedar's types: addresses, dates and numbers. */
export function toCedarContext({ action, resource: asked, context }: Workload['requests'][number]): Record<string, unknown> {
  const parts = /app-instance\/([^/]+)(?:\/user\/(.*))?/.exec(asked);
  return {
    ...context,
    action,
    resource: asked,
    resourceUser: parts?.[2] ?? '',
    resourceApp: parts?.[1] ?? '',
    'aws:sourceip': { __extn: { fn: 'ip', arg: context['aws:sourceip'] } },
    'aws:currenttime': { __extn: { fn: 'datetime', arg: context['aws:currenttime'] } },
    ...(context['aws:multifactorauthage'] !== undefined && { 'aws:multifactorauthage': Number(context['aws:multifactorauthage']) }),
  };
}
