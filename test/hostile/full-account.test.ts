/** Requests on an account and an organization whose quotas are full. No transaction reads so much that it delays other callers. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AwsError } from '#core/aws-error.ts';
import { ACCOUNT } from '#services/kit/fixture.ts';
import { openCountedOperations } from './counted-operations.ts';
import { fillAccount, fillOrganization, type RecordSizes } from './full-account.ts';
import { fullAccountRequests, fullOrganizationRequests, fullRuleRequests } from './full-account-requests.ts';
import { CORE_STEPS_MAX, countSteps } from './steps.ts';

/**
 * Record sizes that are small enough to fill a store in memory within seconds. All records of a kind together are still much larger than
 * one transaction may read. For example, 5,000 users have 20 MB, and 100 SAML providers have 10 MB.
 */
const SIZES: RecordSizes = { tags: 8, documents: 0.2, metadata: 100_000, attachments: 2, lastUses: 3 };

/**
 * Maximum number of characters that one transaction may read, which takes about 40 ms. A page of a list ends after 2
 * MiB. A scan of all records reads only their summaries, which are small and contain no documents. The accounts of an
 * organization have the largest summaries in total.
 */
const READ_MAX = 5 * 2 ** 20;

const operations = await openCountedOperations();
let steps: Awaited<ReturnType<typeof countSteps>>;

before(async () => {
  await fillAccount(operations.store, ACCOUNT, ACCOUNT, SIZES);
  await fillOrganization(operations.store, ACCOUNT, SIZES);
  steps = await countSteps();
});
after(async () => {
  steps.stop();
  await operations.close();
});

for (const request of [...fullAccountRequests(ACCOUNT), ...fullOrganizationRequests(), ...fullRuleRequests()]) {
  test(`Full account: ${request.name} reads and computes within the limits of one transaction`, async () => {
    operations.reads.largest = 0;
    operations.reads.transactions = 0;
    const taken = await steps.of(() =>
      operations.answer(request).catch((error) => {
        if (!(error instanceof AwsError)) throw error;
      }),
    );
    assert.ok(operations.reads.largest <= READ_MAX, `one transaction reads ${operations.reads.largest} characters`);
    assert.ok(
      taken / operations.reads.transactions <= CORE_STEPS_MAX / 2,
      `${taken} steps in ${operations.reads.transactions} transactions`,
    );
    if (process.env['SHOW']) console.log(operations.reads.largest, taken, operations.reads.transactions, request.name);
  });
}
