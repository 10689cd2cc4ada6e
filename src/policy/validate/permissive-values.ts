// biome-ignore-all lint/suspicious/noTemplateCurlyInString: policy variables look like templates
import { fillIn } from './finding.ts';
import { fieldsOf } from './rules-resource.ts';

/** Condition keys in which a wildcard is never valid. Source: IAM User Guide, "Sensitive condition keys". */
const SENSITIVE: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalorgid',
  'aws:resourceaccount',
  'aws:resourceorgid',
  'aws:sourceaccount',
  'aws:sourceorgid',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:vpceaccount',
  'aws:vpceorgid',
]);

/** Condition keys whose values need fixed characters before a wildcard. Assumed: AWS does not publish these keys. */
const PREFIXED: ReadonlySet<string> = new Set(['aws:principalorgpaths', 'aws:resourceorgpaths', 'aws:sourceorgpaths', 'aws:vpceorgpaths']);

/** Wildcards or policy variables in a value: how to find them, and how messages name them. */
export interface Open {
  readonly pattern: RegExp;
  readonly used: string;
  readonly alone: RegExp;
  readonly sensitive: string;
}

const SENSITIVE_KEYS =
  'Refer to https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html for the list of sensitive keys.';

/** The wildcards `*` and `?` in values of `StringLike`. */
export const WILDCARD: Open = {
  pattern: /[*?]/,
  used: 'wildcard',
  alone: /^\*$/,
  sensitive: `The wildcard is not allowed in the condition key {}. We consider the key to be sensitive and wildcards are not allowed to be used with sensitive keys. ${SENSITIVE_KEYS}`,
};

/** Policy variables. `${*}`, `${?}` and `${$}` are escaped characters. */
export const VARIABLE: Open = {
  pattern: /\$\{[^*?$]/,
  used: 'policy variable',
  alone: /^\$\{[^}]*\}$/,
  sensitive: `The policy variable is not allowed in the condition key {}. We consider the key to be sensitive and policy variables can be evaluated as effective wildcards. Therefore policy variables are not allowed to be used with sensitive keys. ${SENSITIVE_KEYS}`,
};

/**
 * Returns the message if a wildcard or variable in a value can match more than intended, otherwise `undefined`.
 *
 * Source: IAM User Guide, "IAM policy validation check reference", the three messages of each check.
 */
export function permissiveText(key: string, value: string, { pattern, used, alone, sensitive }: Open): string | undefined {
  const lower = key.toLowerCase();
  const at = value.search(pattern);
  if (at < 0) return undefined;
  if (SENSITIVE.has(lower)) return fillIn(sensitive, [key]);
  if (lower === 'aws:userid') {
    const [left = ''] = fieldsOf(value);
    if (left !== value && (left.search(pattern) < 0 || alone.test(left))) return undefined;
    return `Overly permissive use of ${used} with aws:userID. Use the ${used} on the right side of colon or as the only character on the left side of a colon.`;
  }
  if (!PREFIXED.has(lower) || at >= 6) return undefined;
  return `Overly permissive use of ${used} for the ${key} condition key. Use the ${used} preceded by 6 consecutive characters.`;
}
