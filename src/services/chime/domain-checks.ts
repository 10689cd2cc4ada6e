/** Background work that looks for the TXT records of claimed domains. It looks outside of transactions. */
import { DAY_MS, HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { DomainCheckResult } from '#model/generated/chime.ts';
import type { LookUpTxt } from '../kit/dns.ts';
import type { Work } from '../kit/events.ts';
import type { TaskSteps } from '../kit/service.ts';
import { addVerified, omitDue, recordName } from './domains.ts';
import { accounts } from './tables/accounts.ts';
import { type DomainRecord, domains } from './tables/domains.ts';

/** Look-ups of one step, which run at the same time. */
const CLAIMS_AT_ONCE = 8;
/** Time in which no other server looks for the same record. It is longer than a look-up takes. */
const TAKEN_MS = 60_000;
/** Wait after a look-up that did not find the record. It doubles up to the maximum. Assumed. */
const WAIT_MS = { first: 60_000, most: HOUR_MS } as const;
/** Time in which the server looks by itself. Source: Administration Guide, "Claiming a domain": up to 24 hours. */
const LOOKED_FOR_MS = DAY_MS;

/** Creates the steps. Each one looks for the records of the claims that have waited longest. */
export function domainChecks(lookUpTxt: LookUpTxt): TaskSteps {
  return () => async (transact) => {
    const claims = await transact(takeDue);
    const results = await Promise.all(claims.map(({ domain }) => lookUpTxt(recordName(domain))));
    for (const [i, claim] of claims.entries()) await transact((work) => storeResult(work, claim, results[i] ?? 'failed'));
    return claims.length === CLAIMS_AT_ONCE ? 'more' : 'done';
  };
}

async function takeDue({ tx, now }: Work): Promise<readonly DomainRecord[]> {
  const claims = await tx.of(domains).due(now, CLAIMS_AT_ONCE);
  for (const claim of claims) await tx.of(domains).put({ ...claim, dueAt: instant(now + TAKEN_MS) });
  return claims;
}

/** Stores the result of a look-up. A claim that was deleted, replaced or verified in the meantime does not change. */
async function storeResult({ tx, now }: Work, looked: DomainRecord, texts: readonly string[] | 'failed'): Promise<void> {
  const claim = await tx.of(domains).get(looked.chimeAccountId, looked.domain);
  if (claim === undefined || claim.isVerified || claim.recordValue !== looked.recordValue) return;
  const checkResult = resultOf(claim, texts);
  const account = await tx.of(accounts).get(claim.accountId, claim.chimeAccountId);
  if (account === undefined || account.disabledAt !== undefined) {
    await tx.of(domains).put(omitDue(claim));
    return;
  }
  // Another account may have verified the domain in the meantime.
  if (checkResult === 'Found' && (await tx.of(domains).owner(claim.domain)) === undefined) {
    await addVerified({ tx }, account, claim, now);
    return;
  }
  const dueAt = nextLookup(claim, now);
  await tx.of(domains).put({
    ...omitDue(claim),
    checkedAt: now,
    checkResult,
    failures: claim.failures + 1,
    ...(dueAt !== undefined && { dueAt }),
  });
}

function resultOf({ recordValue }: DomainRecord, texts: readonly string[] | 'failed'): DomainCheckResult {
  if (texts === 'failed') return 'LookupFailed';
  if (texts.length === 0) return 'RecordMissing';
  return texts.includes(recordValue) ? 'Found' : 'WrongValue';
}

/** Returns the time of the next look-up, or undefined 24 hours after the claim. */
export function nextLookup({ createdAt, failures }: Pick<DomainRecord, 'createdAt' | 'failures'>, now: Instant): Instant | undefined {
  const at = now + Math.min(WAIT_MS.most, WAIT_MS.first * 2 ** Math.min(failures, 30));
  return at < createdAt + LOOKED_FOR_MS ? instant(at) : undefined;
}
