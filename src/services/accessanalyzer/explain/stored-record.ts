/** Checks of stored records before they are explained, because someone can have altered them in the database. */

import { principalOfText } from '#access/stored-callers.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { DecidingStatement, DecisionContext, DecisionOutcome, PermissionContext } from '#store/trail/decision-context.ts';
import { parsedRecord } from '#store/trail/trail-documents.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { isPolicyType, type Output } from './explained-output.ts';

const isText = (value: unknown): boolean => typeof value === 'string';
const isOptionalText = (value: unknown): boolean => value === undefined || isText(value);

/** Returns the facts of a trail record. Undefined if they are not in the format of the server. */
export function recordOf({ eventId, at, eventName, eventSource, region, document }: TrailRow): Output['record'] | undefined {
  const parsed = parsedRecord(document);
  if (parsed === undefined) return undefined;
  const { requestID, sourceIPAddress, errorCode, errorMessage } = parsed;
  const facts = {
    requestId: requestID,
    principalArn: objectOf(() => parsed['userIdentity'])?.['arn'],
    sourceIpAddress: sourceIPAddress,
    errorCode,
    errorMessage,
  };
  const isWhole = Number.isInteger(at) && [eventName, eventSource, region].every(isText) && Object.values(facts).every(isOptionalText);
  if (!isWhole) return undefined;
  return { eventId, eventTime: at, eventName, eventSource, region, ...omitUndefined(facts as Partial<Record<keyof typeof facts, string>>) };
}

function objectOf(read: () => unknown): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = read();
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** Reports whether a decision context has all members that an explanation reads, with their types. */
export function isIntact({ caller, identityVersion, now, permissions, outcome, denied = [], ...texts }: DecisionContext): boolean {
  const { region, sourceIp, userAgent, referer } = texts;
  return (
    [identityVersion, now].every(Number.isSafeInteger) &&
    [region, sourceIp].every(isText) &&
    [userAgent, referer].every(isOptionalText) &&
    ('session' in caller ? isText(caller.session) : isPrincipal(caller.principal)) &&
    isOutcome(outcome) &&
    [...permissions, ...denied].every(isPermission)
  );
}

function isPrincipal(text: string): boolean {
  const principal = isText(text) ? objectOf(() => principalOfText(text)) : undefined;
  return principal !== undefined && Object.entries(principal).every(([name, value]) => isText(value) || name === 'federation');
}

function isOutcome(outcome: DecisionOutcome): boolean {
  if (outcome.effect === 'Allow' || outcome.kind === 'session-kind') return true;
  if (!isText(outcome.resource)) return false;
  return outcome.kind === 'explicit' ? isStatement(outcome.by) : outcome.kind === 'limit' || isPolicyType(outcome.missing);
}

function isStatement({ policyType, policyId, statement, sid, policyArn }: DecidingStatement): boolean {
  return isPolicyType(policyType) && isText(policyId) && Number.isSafeInteger(statement) && [sid, policyArn].every(isOptionalText);
}

function isPermission({
  action,
  resources,
  added,
  tags,
  trustPolicyOf,
  resourceOwner,
  resourcePolicy,
  allowedBy,
}: PermissionContext): boolean {
  return (
    isText(action) &&
    resources.every(isText) &&
    [...(added ?? [])].every(([key, value]) => isText(key) && [value].flat().every(isText)) &&
    (typeof tags === 'string' || tags.every((each) => each === undefined || Object.values(each).every(isText))) &&
    [trustPolicyOf, resourceOwner, resourcePolicy].every(isOptionalText) &&
    (allowedBy === undefined || isStatement(allowedBy))
  );
}
