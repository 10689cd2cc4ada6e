/** Turns of the event loop while the core thread reads SAML documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { verifySaml } from '#access/saml.ts';
import { type AccountId, type Arn, parseArn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import { samlProvider } from './saml-provider.ts';

const CERTIFICATES = 4;
const KEY = /<md:KeyDescriptor.*<\/md:KeyDescriptor>/s;
const ENTITY = 'https://idp.example/saml';
const idps = await Promise.all(Array.from({ length: CERTIFICATES }, () => samlProvider(ENTITY)));
const forger = await samlProvider(ENTITY);
const metadata = idps[0]?.metadata.replace(KEY, idps.map((idp) => KEY.exec(idp.metadata)?.[0]).join('')) as string;
const arn = 'arn:aws:iam::123456789012:saml-provider/Corp' as Arn;
const provider = {
  ...{ accountId: parseArn(arn)?.accountId as AccountId, arn, name: 'Corp', uuid: 'u', metadata, tags: [] },
  ...{ createdAt: instant(0), validUntil: instant(Number.MAX_SAFE_INTEGER) },
};

/** Returns the number of turns of the event loop until the work ends. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let ended = false;
  const turn = (): void => {
    turns++;
    if (!ended) setImmediate(turn);
  };
  setImmediate(turn);
  await work().finally(() => {
    ended = true;
  });
  return turns;
}

test('SAML documents: each certificate of each document is read in a separate turn', async () => {
  const now: Instant = instant(Date.now());
  const verify = () => assert.rejects(verifySaml(forger.assertion({}), provider, now), { message: 'Response signature invalid' });
  // The library is loaded and the metadata is read with the first document.
  await verify();
  const each = CERTIFICATES + 1;
  const documents = 5;
  const turns = await turnsOf(() => Promise.all(Array.from({ length: documents }, verify)));
  assert.ok(turns >= documents * each, `${turns} turns`);
});
