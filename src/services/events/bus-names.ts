/** Names and ARNs of buses and rules. */
import { type AccountId, arn, parseArn } from '#core/arn.ts';
import type { Caller } from '../kit/operation.ts';
import type { BusKey, RuleKey } from './tables/event-buses.ts';

/** Name of the bus that every account has in each region. */
export const DEFAULT_BUS = 'default';

type Place = Pick<Caller, 'accountId' | 'region'>;

/** Returns the ARN of a bus. */
export function busArn({ accountId, region, busName }: BusKey): string {
  return arn('events', region, accountId, `event-bus/${busName}`);
}

/** Returns the ARN of a rule: `…:rule/NAME` on the default bus, otherwise `…:rule/BUS/NAME`. */
export function ruleArn({ accountId, region, busName, ruleName }: RuleKey): string {
  return arn('events', region, accountId, busName === DEFAULT_BUS ? `rule/${ruleName}` : `rule/${busName}/${ruleName}`);
}

/**
 * Returns the bus that a request names by name or ARN. An omitted name is that of the default bus. The bus need not exist.
 *
 * The model limits the form, so a string with a colon is an ARN.
 */
export function busKey(nameOrArn: string | undefined, { accountId, region }: Place): BusKey {
  if (nameOrArn === undefined) return { accountId, region, busName: DEFAULT_BUS };
  return busOfArn(nameOrArn) ?? { accountId, region, busName: nameOrArn };
}

/** Returns the bus with an ARN, or `undefined` if the string is not the ARN of a bus. */
export function busOfArn(text: string): BusKey | undefined {
  const parts = parseArn(text);
  if (parts?.service !== 'events' || !parts.resource.startsWith('event-bus/')) return undefined;
  const busName = parts.resource.slice('event-bus/'.length);
  return busName === '' ? undefined : { accountId: parts.accountId as AccountId, region: parts.region, busName };
}

/** Returns the rule with an ARN, or `undefined` if the string is not the ARN of a rule. The names of buses may contain slashes. */
export function ruleOfArn(text: string): RuleKey | undefined {
  const parts = parseArn(text);
  if (parts?.service !== 'events' || !parts.resource.startsWith('rule/')) return undefined;
  const path = parts.resource.slice('rule/'.length);
  const slash = path.lastIndexOf('/');
  const ruleName = path.slice(slash + 1);
  const busName = slash < 0 ? DEFAULT_BUS : path.slice(0, slash);
  if (ruleName === '' || busName === '') return undefined;
  return { accountId: parts.accountId as AccountId, region: parts.region, busName, ruleName };
}
