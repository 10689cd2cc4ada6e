import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadOrCreateOperatorKey, operatorKeyRing } from './operator-keys.ts';
import { newSessionTokens } from './session-token.ts';
import { openVault } from './vault.ts';

const OLD = Buffer.alloc(32, 1);
const NEW = Buffer.alloc(32, 2);

function inFolder(work: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'belfry-vault-'));
  try {
    work(join(folder, 'operator.key'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('loadOrCreateOperatorKey: the first call creates a file with mode 0600, and later calls read the file', () => {
  inFolder((path) => {
    const made = loadOrCreateOperatorKey(path);
    assert.deepEqual(loadOrCreateOperatorKey(path), made);
    assert.equal(made.length, 1);
    assert.equal(made[0]?.length, 32);
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
  });
});

test('loadOrCreateOperatorKey: a file with several keys is read, with the newest key first', () => {
  inFolder((path) => {
    writeFileSync(path, `# a comment\n${NEW.toString('hex')}\n\n${OLD.toString('hex')}\n`, { mode: 0o600 });
    assert.deepEqual(loadOrCreateOperatorKey(path), [NEW, OLD]);
  });
});

test('loadOrCreateOperatorKey: a file that other users can read is an error', () => {
  inFolder((path) => {
    loadOrCreateOperatorKey(path);
    chmodSync(path, 0o640);
    assert.throws(() => loadOrCreateOperatorKey(path), /is accessible by other users; run chmod 600/);
  });
});

test('loadOrCreateOperatorKey: an invalid file is not changed, and the error does not quote its content', () => {
  inFolder((path) => {
    const broken = `${OLD.toString('hex')}0\n`;
    writeFileSync(path, broken, { mode: 0o600 });
    assert.throws(
      () => loadOrCreateOperatorKey(path),
      (error: Error) => /is not a key/.test(error.message) && !error.message.includes('0101'),
    );
    assert.equal(readFileSync(path, 'utf8'), broken);
    writeFileSync(path, '');
    assert.throws(() => loadOrCreateOperatorKey(path), /has no operator key/);
    assert.ok(existsSync(path));
  });
});

test('operatorKeyRing: a new key is the first one in the file, and older keys and comments remain', () => {
  inFolder((path) => {
    writeFileSync(path, `# mine\n${OLD.toString('hex')}\n# also mine\n`, { mode: 0o600 });
    const ring = operatorKeyRing(path);
    ring.addNewest();
    const [newest, older] = ring.keys() as [Uint8Array, Uint8Array];
    assert.equal(readFileSync(path, 'utf8'), `# mine\n${Buffer.from(newest).toString('hex')}\n${OLD.toString('hex')}\n# also mine\n`);
    assert.deepEqual(older, OLD);
    assert.notDeepEqual(newest, OLD);
    assert.deepEqual(loadOrCreateOperatorKey(path), ring.keys());
    ring.forgetOlder();
    assert.deepEqual(ring.keys(), [newest]);
    assert.equal(readFileSync(path, 'utf8'), `# mine\n${Buffer.from(newest).toString('hex')}\n# also mine\n`);
    if (process.platform !== 'win32') assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(path, '..')), ['operator.key']);
  });
});

test('operatorKeyRing: a key file that changed since it was read is not overwritten', () => {
  inFolder((path) => {
    const ring = operatorKeyRing(path);
    const before = ring.keys();
    writeFileSync(path, `${NEW.toString('hex')}\n`);
    assert.throws(() => ring.addNewest(), /has changed since the server read it/);
    assert.throws(() => ring.forgetOlder(), /has changed since the server read it/);
    assert.equal(ring.keys(), before);
    assert.equal(readFileSync(path, 'utf8'), `${NEW.toString('hex')}\n`);
  });
});

test('operatorKeyRing: a vault encrypts under the newest key, and decrypts under all stored keys', () => {
  inFolder((path) => {
    const ring = operatorKeyRing(path);
    const vault = openVault(ring.keys);
    const before = vault.seal('secret', 'x');
    ring.addNewest();
    const after = vault.seal('secret', 'x');
    assert.deepEqual([vault.open(before, 'x'), vault.open(after, 'x')], ['secret', 'secret']);
    assert.equal(openVault(ring.keys().slice(0, 1)).open(after, 'x'), 'secret');
    ring.forgetOlder();
    assert.equal(vault.open(after, 'x'), 'secret');
    assert.throws(() => vault.open(before, 'x'), /cannot be decrypted/);
  });
});

test('operatorKeyRing: a cached session is invalid after its key is deleted', () => {
  inFolder((path) => {
    const ring = operatorKeyRing(path);
    const tokens = newSessionTokens(ring.keys);
    const session = { issuedAt: 0, expiresAt: 1, mfaAuthenticated: false, chained: false, tags: {}, transitiveTagKeys: [] } as const;
    const claims = { kind: 'root', accountId: '111122223333', session } as unknown as Parameters<typeof tokens.issue>[0];
    const issued = tokens.issue(claims, (bytes) => Buffer.alloc(bytes, 7));
    assert.equal(issued.outcome, 'issued');
    const { accessKeyId, sessionToken } = issued.outcome === 'issued' ? issued.credentials : assert.fail();
    assert.ok(tokens.open(accessKeyId, sessionToken));
    ring.addNewest();
    assert.ok(tokens.open(accessKeyId, sessionToken));
    ring.forgetOlder();
    assert.equal(tokens.open(accessKeyId, sessionToken), undefined);
  });
});
