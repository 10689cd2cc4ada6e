import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '#core/arn.ts';
import { instant } from '#core/instant.ts';
import { NOON, type Suite } from '#store/conformance-fixtures.ts';
import { type DeliveredFile, deliveredFiles } from './delivered-files.ts';
import { type DigestChain, digestChains } from './digest-chains.ts';
import { digestSigningKeys } from './digest-signing-keys.ts';

export function conformance({ within, fresh }: Suite): void {
  describe('digests', () => {
    test('digest chains: a page of active chains skips those that ended', async () => {
      const trailArn = `arn of ${fresh()}`;
      const chain = (region: string, active: boolean): DigestChain => {
        const name = { trailArn, accountId: '111122223333' as AccountId, region, trailId: 't' };
        return { ...name, place: { bucket: 'b' }, periodStartedAt: NOON, active, coveredUntil: NOON, starting: true, failures: 0 };
      };
      const digest = { bucket: 'b', key: 'k', hash: 'h', signature: 's' };
      const full = { ...chain('b', true), last: digest, pendingBody: new Uint8Array([1]), failingSince: NOON, retryAt: NOON };
      await within(async (tx) => {
        const chains = tx.of(digestChains);
        for (const each of [chain('c', true), chain('a', false), full]) await chains.put(each);
        const before = { ...chain('', true), region: '' };
        assert.deepEqual(
          (await chains.active(before, 2)).map(({ region }) => region),
          ['b', 'c'],
        );
        assert.deepEqual(
          (await chains.active(full, 1)).map(({ region }) => region),
          ['c'],
        );
        assert.deepEqual(
          (await chains.all(before, 2)).map(({ region }) => region),
          ['a', 'b'],
        );
        const { pendingBody, ...rest } = (await chains.get(full)) as DigestChain;
        assert.deepEqual({ ...rest, pendingBody: Uint8Array.from(pendingBody ?? []) }, full);
        for (const key of ['2', '1']) await chains.addEnd(full, { ...digest, key });
        const after = { trailArn, accountId: full.accountId, region: 'b', key: '1' };
        assert.deepEqual(
          (await chains.ends(after, 1)).map(({ digest: { key } }) => key),
          ['2'],
        );
      });
    });

    test('delivered files: those until a time, the earliest first, and the next place with files', async () => {
      const trailArn = `arn of ${fresh()}`;
      const file = (key: string, deliveredAt: number, region = 'b'): DeliveredFile => {
        const place = { trailArn, accountId: '111122223333' as AccountId, region };
        return { ...place, key, bucket: 'logs', hash: 'abc', oldest: instant(1), newest: instant(2), deliveredAt: instant(deliveredAt) };
      };
      await within(async (tx) => {
        const files = tx.of(deliveredFiles);
        for (const each of [file('1', 30), file('2', 20), file('3', 10), file('0', 5, 'c')]) await files.add(each);
        assert.deepEqual(
          (await files.until(file('', 0), instant(20), 9)).map(({ key }) => key),
          ['3', '2'],
        );
        assert.deepEqual(
          (await files.until(file('', 0), instant(99), 1)).map(({ key }) => key),
          ['3'],
        );
        assert.equal((await files.nextPlace(file('', 0, 'a')))?.region, 'b');
        assert.equal((await files.nextPlace(file('', 0, 'b')))?.region, 'c');
        assert.deepEqual(
          (await files.all(file('2', 0), 2)).map(({ key }) => key),
          ['3', '0'],
        );
      });
    });

    test('digest signing keys: keys of a region that have been invalid for some time are deleted', async () => {
      const region = `region of ${fresh()}`;
      const key = (fingerprint: string, validUntil: number, of = region) => {
        return { region: of, fingerprint, sealedPrivateKey: 'sealed', validUntil: instant(validUntil) };
      };
      await within(async (tx) => {
        const keys = tx.of(digestSigningKeys);
        for (const each of [key('a', 10), key('b', 20), key('a', 10, `${region} 2`)]) await keys.add(each);
        await keys.setPrivateKey({ ...key('b', 0), sealedPrivateKey: 'again' });
        await keys.forget(region, instant(20));
        assert.deepEqual(
          [await keys.get(region, 'a'), await keys.get(region, 'b'), await keys.get(`${region} 2`, 'a')],
          [undefined, { ...key('b', 20), sealedPrivateKey: 'again' }, key('a', 10, `${region} 2`)],
        );
      });
    });
  });
}
