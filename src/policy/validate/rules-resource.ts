import { type StepBudget, takeSteps } from '../steps.ts';
import { isService } from './known-services.ts';
import { longest, redundantGroups } from './match-action.ts';
import type { ResourceTypeReference } from './reference.ts';
import { type Hit, type Rule, WITH_RESOURCE } from './rule.ts';
import type { Item, PolicyView } from './view.ts';
import { globCovers, hasWildcard } from './wildcards.ts';

/** Rules about the values of Resource and NotResource. */
// biome-ignore format: a table
export const RESOURCE_RULES: readonly Rule[] = [
  { code: 'INVALID_ARN_PREFIX',       policyTypes: WITH_RESOURCE, find: each(({ parts, value }) => (parts[0] === 'arn' || value.startsWith('${') ? undefined : [])) },
  { code: 'MISSING_ARN_FIELD',        policyTypes: WITH_RESOURCE, find: arns(({ parts }) => (parts.length < 6 ? ['6'] : undefined)) },
  { code: 'INVALID_PARTITION',        policyTypes: WITH_RESOURCE, find: arns(invalidPartition) },
  { code: 'INVALID_ARN_SERVICE_CASE', policyTypes: WITH_RESOURCE, find: arns(({ parts }) => (parts[2] === parts[2]?.toLowerCase() ? undefined : [parts[2] ?? ''])) },
  { code: 'INVALID_SERVICE',          policyTypes: WITH_RESOURCE, find: arns(unknownService) },
  { code: 'INVALID_ARN_REGION',       policyTypes: WITH_RESOURCE, find: arns(({ parts }) => (isRegionPattern(parts[3] ?? '') ? undefined : [parts[3] ?? ''])) },
  { code: 'MISSING_ARN_REGION',       policyTypes: WITH_RESOURCE, find: arns((arn, view) => fieldMissing(arn, view, 3)) },
  { code: 'ARN_REGION_NOT_ALLOWED',   policyTypes: WITH_RESOURCE, find: arns((arn, view) => fieldNotAllowed(arn, view, 3)) },
  { code: 'INVALID_ARN_ACCOUNT',      policyTypes: WITH_RESOURCE, find: arns(({ parts }) => (isAccountPattern(parts[4] ?? '') ? undefined : [parts[4] ?? ''])) },
  { code: 'MISSING_ARN_ACCOUNT',      policyTypes: WITH_RESOURCE, find: arns((arn, view) => fieldMissing(arn, view, 4) && [resourceType(arn)]) },
  { code: 'ARN_ACCOUNT_NOT_ALLOWED',  policyTypes: WITH_RESOURCE, find: arns((arn, view) => fieldNotAllowed(arn, view, 4)) },
  { code: 'INVALID_ARN_RESOURCE',     policyTypes: WITH_RESOURCE, find: arns(unknownShape) },
  { code: 'UNSUPPORTED_RESOURCE_ARN_IN_POLICY', policyTypes: ['resource'], find: notABus },
  { code: 'REDUNDANT_RESOURCE',       policyTypes: WITH_RESOURCE, find: redundantResources },
];

/** Resource of a policy, split into at most six fields. The sixth field is everything after the fifth colon. */
interface Written {
  readonly value: string;
  readonly parts: readonly string[];
}

/** Checks one resource. Returns the parts of the message if it finds a problem, otherwise `undefined`. */
type Check = (arn: Written, view: PolicyView) => readonly string[] | undefined;

function resourceItems({ statements }: PolicyView): readonly Item[] {
  return statements.flatMap(({ resource, notResource }) => (resource ?? notResource)?.items ?? []);
}

/** Creates a rule that checks every resource except `*`. */
function each(check: Check): Rule['find'] {
  return function* (view) {
    for (const item of resourceItems(view)) {
      if (item.value === '*') continue;
      const found = check({ value: item.value, parts: fieldsOf(item.value) }, view);
      if (found !== undefined) yield { at: item, parts: found };
    }
  };
}

function arns(check: Check): Rule['find'] {
  return each((arn, view) => (arn.parts[0] === 'arn' ? check(arn, view) : undefined));
}

/** Splits an ARN pattern at its first five colons, except those inside `${…}`. */
export function fieldsOf(value: string): readonly string[] {
  const fields: string[] = [];
  let from = 0;
  // A colon inside ${…} does not separate fields.
  let braces = 0;
  for (let i = 0; i < value.length && fields.length < 5; i++) {
    if (value[i] === '{' && value[i - 1] === '$') braces++;
    else if (value[i] === '}' && braces > 0) braces--;
    else if (value[i] === ':' && braces === 0) {
      fields.push(value.slice(from, i));
      from = i + 1;
    }
  }
  return [...fields, value.slice(from)];
}

const PARTITIONS = ['aws', 'aws-cn', 'aws-us-gov'] as const;

function invalidPartition({ parts }: Written): readonly string[] | undefined {
  const partition = parts[1] ?? '';
  if (hasWildcard(partition) || partition.includes('$') || (PARTITIONS as readonly string[]).includes(partition)) return undefined;
  return [parts[2] ?? '', partition, PARTITIONS.join(', ')];
}

function unknownService({ parts }: Written, { reference }: PolicyView): readonly string[] | undefined {
  const service = (parts[2] ?? '').toLowerCase();
  // Most services have the same name in ARNs and action prefixes, for example `execute-api`. OTHER_ARN_SERVICES has the
  // exceptions.
  if (service === '' || hasWildcard(service) || service.includes('$') || isService(reference, service) || OTHER_ARN_SERVICES.has(service))
    return undefined;
  return [parts[2] ?? ''];
}

/** Names of services in ARNs that are not action prefixes. Source: service authorization reference, ARN formats. */
const OTHER_ARN_SERVICES: ReadonlySet<string> = new Set([
  'catalog',
  'monitoring',
  'quicksightadmin',
  'sns',
  'payments-method',
  'aws-marketplace-catalog',
  'opsworks',
  'lex',
  'partnercentral',
]);

const REGION = /^[a-z]{2,4}(-[a-z]+){1,3}-[0-9]{1,2}$/;

/**
 * Reports whether a string is empty or can be a region or a pattern that matches regions.
 *
 * Assumed: accepts every string that has the form of a region, because the operator chooses the regions of this server.
 */
export function isRegionPattern(text: string): boolean {
  return text === '' || hasWildcard(text) || text.includes('$') || REGION.test(text);
}

function isAccountPattern(text: string): boolean {
  return text === '' || text === 'aws' || /^[0-9]{12}$/.test(text) || (hasWildcard(text) && /^[0-9*?]*$/.test(text)) || text.includes('$');
}

const FORMATS = new WeakMap<readonly ResourceTypeReference[], readonly (readonly string[])[]>();

/** Returns the ARN formats of a service's resource types, each split into fields. */
function formatsOf({ parts }: Written, { reference, budget }: PolicyView): readonly (readonly string[])[] {
  const service = parts[2] ?? '';
  const types = reference.resourceTypesOf(service);
  if (types === undefined) return [];
  const formats = [types, reference.resourceTypesOf(ALSO_NAMED_BY[service] ?? '') ?? []].flatMap(formatsOfTypes);
  takeSteps(budget, formats.length);
  return formats.filter((format) => format[2] === service);
}

/** Services whose actions apply to resources of another service: `sts:AssumeRoot` applies to `arn:aws:iam::ACCOUNT:root`. */
const ALSO_NAMED_BY: Readonly<Record<string, string>> = { iam: 'sts' };

function formatsOfTypes(types: readonly ResourceTypeReference[]): readonly (readonly string[])[] {
  let formats = FORMATS.get(types);
  if (formats === undefined) FORMATS.set(types, (formats = types.map(({ arnFormat }) => fieldsOf(arnFormat))));
  return formats;
}

/**
 * Returns the ARN formats of the service in an ARN, but only those that the resource part of the ARN matches. The
 * resource part `*` matches all formats.
 */
function candidates(arn: Written, view: PolicyView): readonly (readonly string[])[] {
  const resource = arn.parts[5] ?? '';
  return formatsOf(arn, view).filter((format) => couldMeet(resource, format[5] ?? '', view.budget));
}

/** Returns the part of an ARN that names the type of the resource: `role` for `role/r`. Assumed: AWS's message names this part. */
function resourceType({ parts }: Written): string {
  return (parts[5] ?? '').split(/[/:]/, 1)[0] ?? '';
}

function fieldMissing(arn: Written, view: PolicyView, field: 3 | 4): readonly string[] | undefined {
  if (arn.parts.length < 6 || arn.parts[field] !== '') return undefined;
  const formats = candidates(arn, view);
  return formats.length > 0 && formats.every((format) => format[field] !== '') ? [arn.parts[2] ?? ''] : undefined;
}

function fieldNotAllowed(arn: Written, view: PolicyView, field: 3 | 4): readonly string[] | undefined {
  const written = arn.parts[field] ?? '';
  if (arn.parts.length < 6 || written === '' || written === '*') return undefined;
  const formats = candidates(arn, view);
  return formats.length > 0 && formats.every((format) => format[field] === '') ? [arn.parts[2] ?? ''] : undefined;
}

/**
 * Services of which Access Analyzer accepts every resource.
 *
 * Recorded: access-analyzer.json, AmazonEverestServicePolicy: no finding for `arn:aws:logs:*:*:/aws-sixthsense/*` with `logs:*`.
 */
const ANY_RESOURCE: ReadonlySet<string> = new Set(['logs']);

function unknownShape(arn: Written, view: PolicyView): readonly string[] | undefined {
  if (arn.parts.length < 6 || ANY_RESOURCE.has(arn.parts[2] ?? '')) return undefined;
  const formats = formatsOf(arn, view);
  return formats.length === 0 || formats.some((format) => couldMeet(arn.parts[5] ?? '', format[5] ?? '', view.budget)) ? undefined : [];
}

/**
 * Reports whether some string matches both a written resource part and a format (`app-instance/${AppInstanceId}/user/${…}`).
 * Treats the placeholders of the format and the policy variables as `*`.
 */
function couldMeet(written: string, format: string, budget: StepBudget): boolean {
  return patternsMeet(toPattern(written), toPattern(format), budget);
}

function toPattern(text: string): string {
  let pattern = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '$' || text[i + 1] !== '{') {
      pattern += text[i];
      continue;
    }
    const end = text.indexOf('}', i);
    pattern += '*';
    if (end < 0) break;
    i = end;
  }
  return pattern.slice(0, 400);
}

/** Reports whether some string matches both patterns. Takes time in proportion to the product of their lengths. */
export function patternsMeet(left: string, right: string, budget: StepBudget): boolean {
  takeSteps(budget, 16 + 3 * (left.length + 1) * (right.length + 1));
  let row = new Array<boolean>(right.length + 1).fill(false);
  row[0] = true;
  for (let j = 1; j <= right.length && right[j - 1] === '*'; j++) row[j] = true;
  for (let i = 1; i <= left.length; i++) {
    const a = left[i - 1];
    const next = new Array<boolean>(right.length + 1).fill(false);
    next[0] = row[0] === true && a === '*';
    for (let j = 1; j <= right.length; j++) {
      const b = right[j - 1];
      // A star matches the empty string, or one more character of the other pattern.
      if (a === '*' || b === '*') next[j] = row[j] === true || next[j - 1] === true;
      else next[j] = row[j - 1] === true && (a === b || a === '?' || b === '?');
    }
    row = next;
  }
  return row[right.length] === true;
}

/**
 * Reports ARNs of services other than EventBridge. Apart from trust policies, the only resource policies on this server
 * are those of event buses.
 */
function* notABus(view: PolicyView): Iterable<Hit> {
  for (const item of resourceItems(view)) {
    const parts = fieldsOf(item.value);
    if (item.value === '*' || (parts[0] === 'arn' && parts[2] === 'events')) continue;
    yield { at: item, parts: ['AWS::Events::EventBus'] };
  }
}

function* redundantResources({ statements, budget }: PolicyView): Iterable<Hit> {
  for (const { resource, notResource } of statements) {
    const groups = redundantGroups((resource ?? notResource)?.items ?? [], (wider, narrower) => arnCovers(wider, narrower, budget));
    for (const items of groups) yield { at: items, parts: [String(items.length), longest(items.map(({ value }) => value))] };
  }
}

/** Reports whether one ARN pattern covers another. A wildcard in one field matches only within that field. */
function arnCovers(wider: string, narrower: string, budget: StepBudget): boolean {
  takeSteps(budget, wider.length + narrower.length);
  if (wider === '*') return true;
  if (narrower === '*') return false;
  const left = fieldsOf(wider);
  const right = fieldsOf(narrower);
  return left.length === 6 && right.length === 6 && left.every((field, i) => globCovers(field, right[i] ?? '', budget));
}
