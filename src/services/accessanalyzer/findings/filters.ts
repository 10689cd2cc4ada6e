/** Filters of findings: which filters are valid, and which findings they match. Archive rules, lists of findings and lists of the findings of previews have the same filters. */
import type { Criterion } from '#model/generated/accessanalyzer.ts';
import { type AwsError, invalidField } from '../kit/errors.ts';
import type { Filter } from '../tables/analyzers.ts';
import type { FindingRecord } from '../tables/findings.ts';

/** Maximum number of keys in a filter, and maximum length of a key or value in characters. Assumed: AWS documents neither. */
const KEYS_MAX = 50;
const TEXT_MAX = 2_048;

/** Filter keys of the own properties of a finding. Undefined is the value of an absent property. */
const PROPERTIES: Readonly<Record<string, (finding: FindingRecord) => string | undefined>> = {
  id: ({ id }) => id,
  resource: ({ resource }) => resource,
  resourceType: ({ resourceType }) => resourceType,
  resourceOwnerAccount: ({ ownerAccount }) => ownerAccount,
  status: ({ status }) => status,
  findingType: ({ findingType }) => findingType,
  isPublic: ({ findingType, isPublic }) => (findingType === 'ExternalAccess' ? String(isPublic) : undefined),
  /** This server has no resource control policies, and its analyses have no errors. */
  resourceControlPolicyRestriction: ({ findingType }) => (findingType === 'ExternalAccess' ? 'NOT_APPLICABLE' : undefined),
  error: () => undefined,
};

/** Keys that lists of findings accept, and archive rules do not. */
const NOT_IN_RULES: ReadonlySet<string> = new Set(['id', 'status']);

/** Keys that only lists of the findings of access previews accept. */
const ONLY_IN_PREVIEWS: ReadonlySet<string> = new Set(['changeType', 'existingFindingId', 'existingFindingStatus']);

const PRINCIPALS: ReadonlySet<string> = new Set(['principal.AWS', 'principal.Federated', 'principal.CanonicalUser']);
const CONDITION = 'condition.';

/**
 * Checks a filter of a list, of an archive rule or of an access preview.
 *
 * @throws ValidationException  a filter without keys in an archive rule; too many keys; an unknown key, or one that archive rules do not accept;
 *   a criterion without operators; a value that is too long
 * Values are not checked: a rule with a value that no finding has is valid and matches nothing.
 *
 * Source: IAM User Guide, "IAM Access Analyzer filter keys". "Archive rules": "IAM Access Analyzer does not validate the values you include in the
 * filter for the rule", such as an invalid account ID. accessanalyzer 2019-11-01, ValueList: at most 20 values.
 * Assumed: the messages; `condition.` accepts any condition key, not only the listed ones; lists and previews do not check values either.
 */
export function validateFilter(filter: Filter, use: 'list' | 'rule' | 'preview'): void {
  const keys = Object.keys(filter);
  if (use === 'rule' && keys.length === 0) throw invalid('The filter must contain at least one criterion.');
  if (keys.length > KEYS_MAX) throw invalid(`The filter can contain at most ${KEYS_MAX} criteria.`);
  for (const [key, criterion] of Object.entries(filter)) {
    const isOfPreview = use === 'preview' && ONLY_IN_PREVIEWS.has(key);
    if (!(isOfPreview || isKey(key)) || (use === 'rule' && NOT_IN_RULES.has(key)))
      throw invalid(`Invalid filter key: ${key.slice(0, 128)}`);
    const { eq, neq, contains, exists } = criterion;
    if (eq === undefined && neq === undefined && contains === undefined && exists === undefined)
      throw invalid(`The criterion for ${key} must contain eq, neq, contains or exists.`);
    for (const value of [...(eq ?? []), ...(neq ?? []), ...(contains ?? [])])
      if (value.length > TEXT_MAX) throw invalid(`The values for ${key} can have at most ${TEXT_MAX} characters.`);
  }
}

function isKey(key: string): boolean {
  if (key.startsWith(CONDITION)) return key.length > CONDITION.length && key.length <= TEXT_MAX;
  return Object.hasOwn(PROPERTIES, key) || PRINCIPALS.has(key);
}

function invalid(message: string): AwsError {
  return invalidField('filter', message);
}

/** Reports whether a finding meets all criteria of a filter. `more` has the values of keys that only some lists accept. */
export function matches(filter: Filter, finding: FindingRecord, more: Readonly<Record<string, string | undefined>> = {}): boolean {
  return Object.entries(filter).every(([key, criterion]) =>
    meets(criterion, ONLY_IN_PREVIEWS.has(key) ? more[key] : valueIn(finding, key)),
  );
}

/**
 * Reports whether a value meets all operators of a criterion.
 *
 * Assumed: an absent value meets only `neq` and `exists: false`. Case matters.
 */
function meets({ eq, neq, contains, exists }: Criterion, value: string | undefined): boolean {
  if (exists !== undefined && exists !== (value !== undefined)) return false;
  if (eq !== undefined && (value === undefined || !eq.includes(value))) return false;
  if (neq !== undefined && value !== undefined && neq.includes(value)) return false;
  return contains === undefined || (value !== undefined && contains.some((part) => value.includes(part)));
}

function valueIn(finding: FindingRecord, key: string): string | undefined {
  if (Object.hasOwn(PROPERTIES, key)) return PROPERTIES[key]?.(finding);
  const [first] = finding.details;
  if (first?.findingType !== 'ExternalAccess') return undefined;
  const isCondition = key.startsWith(CONDITION);
  const map = isCondition ? first.condition : first.principal;
  const name = key.slice(isCondition ? CONDITION.length : 'principal.'.length);
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** Returns the only value that findings can have for a key, if the filter has such a criterion. The list then reads only these findings. */
export function onlyValue(filter: Filter, key: string): string | undefined {
  const eq = Object.hasOwn(filter, key) ? filter[key]?.eq : undefined;
  return eq?.length === 1 ? eq[0] : undefined;
}
