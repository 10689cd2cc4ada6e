// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of ARNs
/** Texts of generated policies. */
import { statementsOf } from '#access/past/used-access.ts';
import type { StatementJson } from '#core/recorded-use.ts';
import { actionOf } from '#model/authorization.ts';
import type { GetGeneratedPolicyRequest } from '#model/generated/accessanalyzer.ts';
import { POLICY_QUOTAS, policySize } from '#policy/validate/policy-size.ts';
import type { GeneratedUse } from '../tables/policy-generations.ts';

type Options = Pick<GetGeneratedPolicyRequest, 'includeResourcePlaceholders' | 'includeServiceLevelTemplate'>;

/** Size of a managed policy. Source: IAM User Guide, "IAM Access Analyzer policy generation": a longer policy is split. */
const SIZE_MAX = POLICY_QUOTAS.managed.characters;

/** Length of the list of actions, and of resources, of a statement. Longer lists become several statements, so that each fits into a policy. */
const LIST_CHARACTERS = 2_800;

/**
 * Returns the texts of the policies with the used access and each Deny of the principal's present policies. Together they replace these policies.
 *
 * Source: aws-cli, example of get-generated-policy: the Sid of a statement with actions.
 * Assumed: the Sid of a statement with actions without records. AWS has placeholders in place of such actions, because it knows only the service.
 */
export function generatedPolicies({ used, denials, unrecorded }: GeneratedUse, options: Options): readonly string[] {
  const { includeResourcePlaceholders, includeServiceLevelTemplate } = options;
  const listed = used.map(([action, resources]) => [action, includeResourcePlaceholders ? formsOf(action) : resources] as const);
  const sids = new Set(denials.map(({ Sid }) => Sid));
  const named = (prefix: string, statements: readonly StatementJson[]): readonly StatementJson[] => {
    let number = 0;
    return statements.map((statement) => {
      while (sids.has(`${prefix}${number}`)) number++;
      return { Sid: `${prefix}${number++}`, ...statement };
    });
  };
  const template = includeServiceLevelTemplate === true && unrecorded.length > 0 ? unrecorded : [];
  return packed([
    ...named('SupportedServiceSid', statementsOf(new Map(listed)).flatMap(inParts)),
    ...named('ServiceLevelSid', template.length === 0 ? [] : inParts({ Effect: 'Allow', Action: template, Resource: ['*'] })),
    ...denials.flatMap(denialInParts),
  ]);
}

/**
 * Returns the forms of the resources that an action supports: `arn:aws:s3:::${BucketName}`. Returns `*` if it supports no resource types.
 *
 * Source: accessanalyzer 2019-11-01, `includeResourcePlaceholders`.
 */
function formsOf(action: string): readonly string[] {
  const [prefix = '', name = ''] = action.split(':');
  const forms = actionOf(prefix, name)?.resourceTypes.map(({ arnFormat }) => arnFormat.replace('${Partition}', 'aws')) ?? [];
  return forms.length === 0 ? ['*'] : [...new Set(forms)].sort();
}

/** Divides a statement with many actions or resources into several statements. */
function inParts(statement: StatementJson): readonly StatementJson[] {
  const { Action, Resource } = statement as { readonly Action: readonly string[]; readonly Resource: readonly string[] };
  return parts(Action).flatMap((actions) => parts(Resource).map((resources) => ({ ...statement, Action: actions, Resource: resources })));
}

/**
 * Divides a Deny that is larger than a managed policy, such as one of an inline policy of a role. The parts together deny the same requests. A Deny stays
 * whole if it is large without its lists of actions and resources.
 */
function denialInParts(denial: StatementJson): readonly StatementJson[] {
  if (policySize(textOf([denial])) <= SIZE_MAX) return [denial];
  const { Sid: _, Action, Resource, ...rest } = denial;
  const lists = (name: 'Action' | 'Resource', value: unknown): readonly StatementJson[] => {
    if (value === undefined) return [{}];
    return Array.isArray(value) ? parts(value as readonly string[]).map((list) => ({ [name]: list })) : [{ [name]: value }];
  };
  return lists('Action', Action).flatMap((actions) =>
    lists('Resource', Resource).map((resources) => ({ ...rest, ...actions, ...resources }) as StatementJson),
  );
}

function parts(values: readonly string[]): readonly (readonly string[])[] {
  const lists: string[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const value of values) {
    const more = JSON.stringify(value).length + 1;
    if (length + more > LIST_CHARACTERS) {
      lists.push([]);
      length = 0;
    }
    lists.at(-1)?.push(value);
    length += more;
  }
  return lists;
}

/** Packs statements into policies, each as large as a managed policy may be. A larger statement is a policy of its own. */
function packed(statements: readonly StatementJson[]): readonly string[] {
  const texts: string[] = [];
  let held: StatementJson[] = [];
  for (const statement of statements) {
    if (held.length > 0 && policySize(textOf([...held, statement])) > SIZE_MAX) {
      texts.push(textOf(held));
      held = [];
    }
    held.push(statement);
  }
  return held.length === 0 ? texts : [...texts, textOf(held)];
}

function textOf(Statement: readonly StatementJson[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement });
}
